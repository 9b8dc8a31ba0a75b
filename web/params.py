"""What a client sends, in whichever form: JSON, a form, multipart, the query; with Rails brackets or without.

Source: https://docs.joinmastodon.org/client/intro/#parameters
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge

from federation import parsing
from federation.errors import Malformed
from social.errors import Invalid
from store.ids import LARGEST

MOST: Final = 256 * 1024  # bytes of a body that holds no files
_TRUE, _FALSE = {"1", "true", "on", "t", "yes"}, {"0", "false", "off", "f", "no", ""}
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_DEEP: Final = 4  # names in one key
_ID = re.compile(r"[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
# What aiohttp raises, at one depth or another, for bodies that are not what they say.
BROKEN: Final = (
    AssertionError,
    EOFError,
    HttpProcessingError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    web.RequestPayloadError,
    zlib.error,
)


class Params:
    """The parameters of one request.  Getters raise Invalid (422) with the name of what is wrong."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def said(self, name: str) -> bool:
        """Also when it is null or empty: what was there shall go."""
        return name in self._values

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool | int | float):
            return str(value)
        if not isinstance(value, str):
            raise Invalid(f"{name} should be text")
        return _clean(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._values.get(name)
        if value is None:
            return default
        word = str(value).lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise Invalid(f"{name} should be true or false")

    def number(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not _NUMBER.fullmatch(str(value)):
            raise Invalid(f"{name} should be a number")
        return int(value)

    def id(self, name: str) -> int | None:
        """An id of ours; the empty string means none."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        found = None if isinstance(value, bool) else as_id(str(value))
        if found is None:
            raise Invalid(f"{name} is not an id")
        return found

    def many(self, name: str) -> list[str]:
        """A list, a single value, or an object with numbers for names."""
        value = self._values.get(name)
        if value is None or value == "":
            return []
        items = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else [value]
        if any(isinstance(item, dict | list) for item in items):
            raise Invalid(f"{name} should be a list of texts")
        return [_clean(item) if isinstance(item, str) else str(item) for item in items if item is not None]

    def inner(self, name: str) -> "Params | None":
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Invalid(f"{name} should have parts")
        return Params(value)

    def inners(self, name: str) -> "list[Params]":
        """A list of objects, or an object with numbers for names."""
        value = self._values.get(name)
        items = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Invalid(f"{name} should be a list of parts")
        return [Params(item) for item in items]


def as_id(text: str) -> int | None:
    """An id from a path or a parameter; None for what cannot be one.

    >>> as_id("114"), as_id("0x1"), as_id(str(1 << 63))
    (114, None, None)
    """
    number = int(text) if _ID.fullmatch(text) else LARGEST + 1
    return number if number <= LARGEST else None


async def read(request: web.Request) -> Params:
    """The body and the query; the body wins."""
    values = nested(request.query.items())
    values.update(await _body(request))
    return Params(values)


def of_query(request: web.Request) -> Params:
    return Params(nested(request.query.items()))


async def _body(request: web.Request) -> dict[str, Any]:
    if not request.can_read_body:
        return {}
    if (request.content_length or 0) > MOST:
        raise HTTPRequestEntityTooLarge(MOST, request.content_length or 0)
    try:
        if request.content_type == "application/json":
            return parsing.parse_object(await request.read() or b"{}")
        form = await request.post()
    except Malformed as error:
        raise Invalid(f"The body is not usable JSON: {error}") from error
    except BROKEN as error:
        raise Invalid("The body is not what its Content-Type says") from error
    return nested((key, value) for key, value in form.items() if isinstance(value, str))


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """
    >>> nested([("a[]", "1"), ("a[]", "2"), ("b[c]", "3"), ("d[][e]", "4"), ("d[][e]", "5")])
    {'a': ['1', '2'], 'b': {'c': '3'}, 'd': [{'e': '4'}, {'e': '5'}]}
    """
    found: dict[str, Any] = {}
    for key, value in pairs:
        match = _KEY.fullmatch(key)
        if match is not None:
            _put(found, [match[1], *(part[:-1] for part in match[2].split("[")[1:_DEEP])], value)
    return found


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    """What does not fit together (`a=1&a[b]=2`) is left out: the first one stays."""
    name, *rest = path
    if not rest:
        into[name] = value
    elif rest[0] == "":
        items = into.setdefault(name, [])
        if not isinstance(items, list):
            return
        if len(rest) == 1:
            items.append(value)
            return
        if not items or not isinstance(items[-1], dict) or rest[1] in items[-1]:  # the next object begins
            items.append({})
        _put(items[-1], rest[1:], value)
    else:
        inner = into.setdefault(name, {})
        if isinstance(inner, dict):
            _put(inner, rest, value)


def _clean(text: str) -> str:
    """Without NUL, which PostgreSQL does not keep, and halves of surrogate pairs, which UTF-8 cannot say."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-8", "ignore").decode()
