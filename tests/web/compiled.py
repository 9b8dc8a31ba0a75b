"""Templates, compiled once for each run of the tests: they make many applications, and compiling takes long."""

from aiohttp import web
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from web.pages.frame import TEMPLATES


class _Kept(BytecodeCache):
    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if found := self._kept.get(bucket.key):
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_KEPT = _Kept()


def keep_compiled(app: web.Application) -> None:
    app[TEMPLATES].bytecode_cache = _KEPT
