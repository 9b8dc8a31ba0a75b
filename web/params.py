"""What a client sends, in whichever form: JSON, a form, multipart, the query; with Rails brackets or without.

Source: https://docs.joinmastodon.org/client/intro/#parameters
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from federation import parsing
from federation.errors import Malformed
from social.errors import Invalid

MOST = 256 * 1024  # bytes of a body that holds no files
_TRUE, _FALSE = {"1", "true", "on", "t", "yes"}, {"0", "false", "off", "f", "no", ""}
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_ID = re.compile(r"\d{1,19}")
_LARGEST = (1 << 63) - 1


class Params:
    """The parameters of one request.  Getters raise Invalid (422) with the name of what is wrong."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool | int | float):
            return str(value)
        if not isinstance(value, str):
            raise Invalid(f"{name} should be text")
        return value.replace("\x00", "")

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
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
        if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
            raise Invalid(f"{name} should be a number")
        return int(value)

    def id(self, name: str) -> int | None:
        """An id of ours; the empty string means none."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        found = as_id(str(value))
        if found is None:
            raise Invalid(f"{name} is not an id")
        return found

    def many(self, name: str) -> list[str]:
        value = self._values.get(name)
        if value is None or value == "":
            return []
        items = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else [value]
        return [item.replace("\x00", "") if isinstance(item, str) else str(item) for item in items]

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
    """An id from a path or a parameter; None for what cannot be one."""
    if not _ID.fullmatch(text) or not text.isascii():
        return None
    number = int(text)
    return number if number <= _LARGEST else None


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
        raise web.HTTPRequestEntityTooLarge(MOST, request.content_length or 0)
    if request.content_type == "application/json":
        try:
            return parsing.parse_object(await request.read() or b"{}")
        except Malformed as error:
            raise Invalid(f"The body is not usable JSON: {error}") from error
    try:
        form = await request.post()
    except (ValueError, LookupError) as error:  # a broken multipart body, an unknown charset
        raise Invalid("The body is not a usable form") from error
    return nested((key, value) for key, value in form.items() if isinstance(value, str))


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[]=1&a[]=2&b[c]=3` is {"a": ["1", "2"], "b": {"c": "3"}}."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        match = _KEY.fullmatch(key)
        if match is None:
            continue
        _put(found, [match[1], *(part[:-1] for part in match[2].split("[")[1:4])], value)
    return found


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    name, *rest = path
    if not rest:
        into[name] = value
    elif rest == [""]:
        items = into.setdefault(name, [])
        if isinstance(items, list):
            items.append(value)
    else:
        inner = into.setdefault(name, {})
        if isinstance(inner, dict):
            _put(inner, rest, value)
