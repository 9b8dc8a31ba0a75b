"""What of the Mastodon API there is, as docs/api-coverage.md tells it: `make docs`.

    python -m web.api.coverage docs/mastodon-api.tsv docs/api-coverage.md

The part of the page above the mark is written by hand.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from aiohttp import web

from web import auth
from web import routes as web_routes
from web.api import routes as api
from web.api.spec import SPECS

MARK: Final = "<!-- From here on: made by `make docs`. -->\n"
CLASSES: Final = ("core", "common", "rare", "legacy")
_NAME = re.compile(r"\{[^}]*\}|:\w+")

Place: TypeAlias = tuple[str, str]  # method, path with {} for what varies


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of Mastodon's.  kind: one of CLASSES."""

    kind: str
    method: str
    path: str
    since: str

    @property
    def place(self) -> Place:
        return self.method, _NAME.sub("{}", self.path)


def endpoints(file: Path) -> list[Endpoint]:
    rows = file.read_text(encoding="utf-8").splitlines()
    return [Endpoint(*row.split("\t")) for row in rows if row and not row.startswith("#")]


def page(known: Iterable[Endpoint]) -> str:
    """The part below the mark."""
    known, there = list(known), _router()
    missing = [one for one in known if one.place not in there]
    lines = [MARK, "## In numbers\n", "| class | endpoints | here |", "|---|---|---|", *_numbers(known, there), ""]
    lines += ["## What there is\n", "| method | path | scope | remarks |", "|---|---|---|---|", *_rows(known)]
    lines += ["", "## What there is not\n", "| class | method | path |", "|---|---|---|"]
    lines += [f"| {one.kind} | {one.method} | `{one.path}` |" for one in missing]
    return "\n".join(lines) + "\n"


def whole(file: Path, known: Iterable[Endpoint]) -> str:
    """The page with its part below the mark as it should be."""
    return file.read_text(encoding="utf-8").partition(MARK)[0] + page(known)


def _router() -> set[Place]:
    """Everything that is answered, documents and pages included."""
    app = web.Application()
    web_routes.add(app)
    found = ((route.method, route.resource.canonical) for route in app.router.routes() if route.resource)
    return {(method, _NAME.sub("{}", path.removesuffix("{slash}"))) for method, path in found if "{tail}" not in path}


def _numbers(known: list[Endpoint], there: set[Place]) -> Iterator[str]:
    for kind in CLASSES:
        those = [one for one in known if one.kind == kind]
        yield f"| {kind} | {len(those)} | {sum(one.place in there for one in those)} |"


def _rows(known: list[Endpoint]) -> Iterator[str]:
    of_mastodon = {one.place for one in known}
    for route in sorted(api.defined(), key=lambda route: (route.path, route.method)):
        own = () if (route.method, _NAME.sub("{}", route.path)) in of_mastodon else ("not Mastodon's",)
        spec = SPECS.get(route.handler)
        remarks = "; ".join(filter(None, (*own, spec.partial if spec else "")))
        yield f"| {route.method} | `{route.path}` | {auth.DECLARED[route.handler]} | {remarks} |"


if __name__ == "__main__":
    _, source, target = sys.argv
    Path(target).write_text(whole(Path(target), endpoints(Path(source))), encoding="utf-8")
