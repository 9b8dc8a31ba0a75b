"""Single values out of a document: ids, addresses, text, moments, numbers.

JSON-LD lets one fact be written in many ways (one, a list, an object with an id, null, a language map);
these functions know the ways that servers really use, so that no reader above needs to.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import idna

from federation.errors import Malformed

JSON: TypeAlias = Mapping[str, Any]

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PUBLIC_SPELLINGS = frozenset({"Public", "as:Public", PUBLIC})

URI_LIMIT = 2_048
URIS_LIMIT = 1_000  # addressees, items, …: more of them are not read
TYPES_LIMIT = 8
CONTENT_LIMIT = 100_000
TEXT_LIMIT = 5_000
NAME_LIMIT = 500
INTEGER_LIMIT = 2**53  # what JSON can carry exactly; counts are never larger

# C0 and C1 controls but tab and newlines, and lone surrogates: no database and no page wants them.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LINE_BREAKS = re.compile(r"[\t\r\n]+")

# Strict about the host: user names, backslashes, %-escapes and a trailing dot only ever serve to deceive.
# The rest may be anything that can be seen: no spaces, no controls.
_WEB = re.compile(
    r"([Hh][Tt][Tt][Pp][Ss]?)://([\w-]++(?:\.[\w-]++)*+|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?"
    "(?:[/?#][!-~\u00a1-\u167f\u1681-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\ue000-\U0010ffff]*+)?\\Z"
)
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def identity(doc: JSON) -> str:
    """The id of any document: an http(s) URL with a host.  Raises: Malformed, when it has none."""
    found = doc.get("id")
    if isinstance(found, str) and is_web(found):
        return found
    raise Malformed("id", found)


def actor_of(doc: JSON) -> str:
    """Who does it: exactly one id, as a string or inside an object.

    Raises: Malformed, when there is none, or several (security rule 1: a signer vouches for one actor).
    """
    found = doc.get("actor")
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    value = found.get("id") if isinstance(found, dict) else found
    if isinstance(value, str) and is_web(value):
        return value
    raise Malformed("actor", found)


def types(doc: JSON) -> list[str]:
    """All values of `type`, with the prefix `as:` removed; [] when it has none."""
    found = doc.get("type")
    if isinstance(found, str):
        return [found.removeprefix("as:")] if found else []
    if not isinstance(found, list):
        return []
    return [name.removeprefix("as:") for name in found[:TYPES_LIMIT] if isinstance(name, str) and name]


def kinds(doc: JSON) -> list[str]:
    """The kinds of an activity, most exact first: an Undo of a Follow is "Undo/Follow", then "Undo"."""
    names = types(doc)
    inner = one(doc.get("object"))
    if isinstance(inner, dict) and (inside := types(inner)):
        return [f"{name}/{kind}" for name in names for kind in inside] + names
    return names


def embedded(doc: JSON, field: str) -> JSON:
    """The one object inside `field`.  Raises Malformed when it is only an id, or nothing, or several."""
    value = one(doc.get(field))
    if not isinstance(value, dict):
        raise Malformed(field, value)
    return value


def uris(doc: JSON, field: str) -> list[str]:
    """The ids under `field`, whether it holds one, many, embedded objects, null or nothing.

    The three spellings of the public collection come out as PUBLIC.  At most 1,000, of 2,048 characters each.
    """
    found = doc.get(field)
    if found is None:
        return []
    ids: list[str] = []
    for value in found[:URIS_LIMIT] if isinstance(found, list) else (found,):
        uri = value.get("id") if isinstance(value, dict) else value
        if not isinstance(uri, str):
            continue
        if uri in PUBLIC_SPELLINGS:
            ids.append(PUBLIC)
        elif uri.isprintable() and 0 < len(uri) <= URI_LIMIT:
            ids.append(uri)
    return ids


def uri(doc: JSON, field: str) -> str | None:
    """The first id under `field`."""
    found = doc.get(field)
    return next(iter(uris(doc, field)), None) if found is not None else None


def web_uri(doc: JSON, field: str) -> str | None:
    """The first id under `field`, if it is an http(s) URL."""
    found = doc.get(field)
    if found is None:
        return None
    if isinstance(found, list):
        found = uri(doc, field)
    elif isinstance(found, dict):
        found = found.get("id")
    return found if isinstance(found, str) and is_web(found) else None


def web_uris(doc: JSON, field: str) -> tuple[str, ...]:
    """The ids under `field` that are http(s) URLs, each once; PUBLIC among them."""
    found = doc.get(field)
    if not found:
        return ()
    ids: list[str] = []
    for value in found[:URIS_LIMIT] if isinstance(found, list) else (found,):
        uri = value.get("id") if isinstance(value, dict) else value
        if not isinstance(uri, str):
            continue
        if uri in PUBLIC_SPELLINGS:
            ids.append(PUBLIC)
        elif is_web(uri):
            ids.append(uri)
    return tuple(ids) if len(ids) <= 1 else tuple(dict.fromkeys(ids))


def uri_on(root: str, doc: JSON, field: str) -> str | None:
    """As `web_uri`, if it lives on the host of `root`: nobody describes the collections of others."""
    found = web_uri(doc, field)
    return found if found is not None and on_host(root, found) else None


def is_web(uri: str) -> bool:
    """An http(s) URL with a host that cannot be misread, of at most 2,048 characters."""
    found = _WEB.match(uri) if len(uri) <= URI_LIMIT else None
    if found is None:
        return False
    port = found[3]
    return (uri.isascii() and (port is None or _is_port(port))) or find_host(uri) is not None


def root_of(uri: str) -> str:
    """`scheme://host[:port]/` as `uri` writes it.  Raises: Malformed, when it is no http(s) URL."""
    found = _WEB.match(uri) if len(uri) <= URI_LIMIT else None
    if found is None:
        raise Malformed("uri", uri)
    return f"{uri[: found.end(3) if found[3] else found.end(2)]}/"


def in_origin(root: str, uri: str) -> bool:
    """Does the http(s) URL `uri` have the scheme, host and port of `root`?"""
    return uri.startswith(root) or same_origin(root, uri)


def on_host(root: str, uri: str) -> bool:
    """Does the http(s) URL `uri` have the host and port of `root`?"""
    return uri.startswith(root) or find_host(uri) == find_host(root)


def find_host(uri: str) -> str | None:
    """As `host_of`, but None for what is no usable URL."""
    try:
        return host_of(uri)
    except Malformed:
        return None


def host_of(uri: str) -> str:
    """The host of an http(s) URL, `host[:port]`: lower case, punycode, without the scheme's own port.

    Raises: Malformed, when there is none, or it could be misread.
    """
    return _origin(uri)[1]


def domain(said: object) -> str | None:
    """The domain that is meant by `example.org`, `*.example.org` or an address there; None when it is none.

    >>> domain(" *.Example.org"), domain("https://bücher.test/x"), domain("no domain"), domain("localhost")
    ('example.org', 'xn--bcher-kva.test', None, None)
    """
    if not isinstance(said, str):
        return None
    name = re.sub(r"^\s*(?:https?://)?(?:\*\.)?", "", said[:URI_LIMIT], flags=re.IGNORECASE).strip()
    found = find_host(f"https://{name}")
    return found if found is not None and _DOMAIN.fullmatch(found) else None


def same_origin(a: str, b: str) -> bool:
    """Same scheme, host and port.  False when either is no http(s) URL."""
    try:
        return _origin(a) == _origin(b)
    except Malformed:
        return False


def _origin(uri: str) -> tuple[str, str]:
    found = _WEB.match(uri) if len(uri) <= URI_LIMIT else None
    if found is None:
        raise Malformed("uri", uri)
    scheme, host, port = found.groups()
    scheme, host = scheme.lower(), _ascii(host) if not host.isascii() else host.lower()
    if port is None or port == _DEFAULT_PORTS[scheme]:
        return scheme, host
    if not _is_port(port):
        raise Malformed("uri", uri)
    return scheme, f"{host}:{port}"


def _is_port(port: str) -> bool:
    """Digits, by _WEB."""
    return 0 < int(port) < 2**16 and port[0] != "0"


def _ascii(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise Malformed("uri", host) from error


def one(found: Any) -> Any:
    """The single member of a list of one; anything else as it is."""
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def several(found: Any, most: int) -> list[Any]:
    """What `found` holds, one or many, at most `most`."""
    if found is None:
        return []
    return found[:most] if isinstance(found, list) else [found]


def objects(found: Any, most: int) -> list[JSON]:
    """The objects that `found` holds, one or many."""
    return [value for value in several(found, most) if isinstance(value, dict)]


def clean(value: str, most: int = TEXT_LIMIT) -> str:
    """`value` without control characters, of at most `most` characters."""
    value = value[:most]
    return _CONTROLS.sub("", value) if _CONTROLS.search(value) else value


def text(doc: JSON, field: str, most: int = TEXT_LIMIT) -> str:
    """`field`, else any language of `fieldMap`, else the empty string; at most `most` characters."""
    value = doc.get(field)
    if isinstance(value, str):
        return clean(value, most) if value else ""
    if value is None and f"{field}Map" not in doc:
        return ""
    return text_and_language(doc, field, most)[0]


def name(doc: JSON, field: str = "name", most: int = NAME_LIMIT) -> str:
    """What somebody is called: one line, and nothing that turns the direction of what follows (row 29)."""
    value = doc.get(field)
    if isinstance(value, str) and value.isprintable() and len(value) <= most:
        return value.strip()
    value = text(doc, field, most)
    if value and not value.isprintable():  # neither line breaks nor controls of direction are
        value = _LINE_BREAKS.sub(" ", _BIDI.sub("", value))
    return value.strip()


def text_and_language(doc: JSON, field: str, most: int = TEXT_LIMIT) -> tuple[str, str | None]:
    """The text of `field`, and the language that it or `fieldMap` says that it is in."""
    value: Any = one(doc.get(field))
    said_so: Any = None
    if isinstance(value, dict):  # {"@value": "…", "@language": "en"}
        value, said_so = value.get("@value"), value.get("@language")
    translations = doc.get(f"{field}Map")
    spoken = translations.items() if isinstance(translations, dict) else ()
    if isinstance(value, str):
        code = next((code for code, said in spoken if said == value), None)
        if code is None and len(spoken) == 1:
            code = next(iter(spoken))[0]
        return clean(value, most), language(code or said_so)
    return next(((clean(said, most), language(code)) for code, said in spoken if isinstance(said, str)), ("", None))


_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8}){0,3}", re.IGNORECASE)


def language(code: object) -> str | None:
    """A BCP 47 tag, or None.  Lemmy and PeerTube send {"identifier": "fr", "name": "Français"}."""
    if isinstance(code, dict):
        code = code.get("identifier")
    if isinstance(code, str) and _LANGUAGE.fullmatch(code) and code.lower() != "und":
        return code
    return None


def url(doc: JSON, field: str = "url") -> str | None:
    """The http(s) address under `field`: a string, a Link, or the best of a list of them (HTML first)."""
    found = doc.get(field)
    if isinstance(found, str):
        return address(found)
    best: str | None = None
    for value in several(found, URIS_LIMIT):
        link = address(value.get("href") if isinstance(value, dict) else value)
        if link and isinstance(value, dict) and value.get("mediaType") == "text/html":
            return link
        best = best or link
    return best


def address(value: object) -> str | None:
    """`value`, if it is an http(s) URL.  WordPress escapes its addresses as if they were HTML."""
    if not isinstance(value, str):
        return None
    if "&" in value:
        value = value.replace("&#038;", "&").replace("&amp;", "&")
    return value if is_web(value) else None


def instant(doc: JSON, field: str) -> datetime | None:
    """An ISO 8601 moment in UTC; None when absent or unreadable.  No zone means UTC."""
    value = doc.get(field)
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is UTC:
            return moment
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def integer(doc: JSON, field: str) -> int | None:
    """A count: a whole number, not negative."""
    value = doc.get(field)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INTEGER_LIMIT:
        return value
    return None


def fraction(value: object) -> float | None:
    """A number between -1 and 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and -1 <= value <= 1:
        return float(value) if math.isfinite(value) else None
    return None
