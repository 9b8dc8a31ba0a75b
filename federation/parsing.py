"""From bytes to a JSON object: the one decoder for all that other servers send.

Two parsers that read the same bytes differently are how a check and its effect fall apart.  So whatever
is ambiguous is refused: members named twice, numbers that no 64 bits hold, NaN, half a surrogate pair,
a NUL in a name.  Depth and count are known before the parser sees the bytes.

The decoder is the standard library's, for it can tell us of a member named twice: 25 µs for 4 KB where
orjson needs 5 and says nothing.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import orjson

from federation.errors import Malformed

MAX_DEPTH: Final = 32
MAX_CONTAINERS: Final = 10_000  # objects and lists in one document

_AS_LISTS: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def parse_object(body: bytes) -> dict[str, Any]:
    """The object that `body` spells in UTF-8.  Says nothing about size: whoever reads the bytes counts them.

    Raises: Malformed, for anything else.
    """
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:  # only then can it be deep
        _measure(body)
    try:
        found = _DECODER.decode(body.decode())
        orjson.dumps(found)  # refuses integers beyond 64 bits and lone surrogates, in 2 µs
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed("JSON", error) from None
    if not isinstance(found, dict):
        raise Malformed("JSON", f"a {type(found).__name__} instead of an object")
    if b"\\u0000" in body and any("\0" in name for name in _names(found)):
        raise Malformed("JSON", "NUL in a name")
    return found


def _measure(body: bytes) -> None:
    """Refuses what is too deep or has too many parts.  Works on the bytes, with no recursion."""
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")  # no quote is left but those around strings
    brackets = b"".join(bare.split(b'"')[::2]).translate(_AS_LISTS, _NOT_BRACKETS)
    if brackets.count(b"[") > MAX_CONTAINERS:
        raise Malformed("JSON", f"more than {MAX_CONTAINERS} objects and lists")
    for _ in range(MAX_DEPTH):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")  # peels the innermost layer, and no second one
    if brackets:
        raise Malformed("JSON", f"deeper than {MAX_DEPTH}, or not balanced")


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is named twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _names(value: Any) -> Iterator[str]:
    """The member names at all depths; at most MAX_DEPTH calls deep."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _names(part)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)
