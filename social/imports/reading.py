"""A file that somebody brings along, read: rows with what they are about, or why it cannot be.  Pure.

Mastodon writes a line of headings over follows and mutes, and none over the others; both are read, and columns that
nobody knows are passed over.  A cell that a table program would take for a formula has a ' in front where we wrote it.
"""

import csv
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Final, NamedTuple

from federation.origin import Origin
from federation.reading.values import find_host, is_web
from social import moderation
from social.accounts.find import normalise_handle
from social.errors import Invalid

MOST: Final = 20_000  # rows, as on Mastodon
LONGEST: Final = 2_048  # characters of one cell
WHOM, BOOSTS, BELL, LANGUAGES, HIDE, NAME = (
    "Account address", "Show boosts", "Notify on new posts", "Languages", "Hide notifications", "List name"
)  # fmt: skip
DOMAIN, URI = "#domain", "#uri"
COLUMNS: Final = {
    "follows": (WHOM, BOOSTS, BELL, LANGUAGES),
    "mutes": (WHOM, HIDE),
    "blocks": (WHOM,),
    "domain_blocks": (DOMAIN,),
    "bookmarks": (URI,),
    "lists": (NAME, WHOM),
}
KINDS: Final = tuple(COLUMNS)
_FIRST: Final = {columns[0] for columns in COLUMNS.values()}
_TELLING: Final = {BOOSTS: "follows", BELL: "follows", LANGUAGES: "follows", HIDE: "mutes", NAME: "lists"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NO_TEXT: Final = "That file is no text in UTF-8. Save it as “CSV UTF-8”, and try again"


class Line(NamedTuple):
    """key: whom it is about, as our tables have it.  why: instead of a key, what is wrong with it."""

    number: int
    said: dict[str, str]
    key: str | None = None
    host: str = ""
    why: str | None = None


def read(data: bytes, kind: str, origin: Origin, own: str) -> list[Line]:
    """own: the handle of whoever brings it.  Raises: Invalid, for a file of which nothing can be used."""
    columns, rows = _columns(_text(data), kind)
    found: dict[str, int] = {}
    lines = []
    for number, row in rows:
        said = {name: _plain(cell) for name, cell in zip(columns, row, strict=False) if name in COLUMNS[kind]}
        line = _line(number, said, kind, origin, own)
        if line.key is not None and (first := found.setdefault(line.key, number)) != number:
            line = Line(number, said, why=f"It is there twice: line {first} counts")
        lines.append(line)
        if len(lines) > MOST:
            raise Invalid(f"That file has more than {MOST:,} rows. Please cut it into several")
    if not lines:
        raise Invalid("There is nothing in that file")
    return lines


def guarded(cell: str) -> str:
    """For a cell of a table that we write: no program takes it for a formula.

    >>> guarded("=1+1"), guarded("bob@far.test")
    ("'=1+1", 'bob@far.test')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(_NO_TEXT) from None
    if "\0" in text:
        raise Invalid(_NO_TEXT)
    return text


def _columns(text: str, kind: str) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    """What the columns are called; and the rows, with the number of the line in which each ends."""
    rows = _rows(text)
    first = next(rows, None)
    if first is None:
        raise Invalid("There is nothing in that file")
    headings = tuple(cell.strip() for cell in first[1])
    if headings[0] not in _FIRST:
        return COLUMNS[kind], _after(first, rows)
    for heading in headings:
        if _TELLING.get(heading, kind) != kind:
            raise Invalid(f"That file has a column “{heading}”: it is another one of your tables")
    needed = COLUMNS[kind] if kind == "lists" else COLUMNS[kind][:1]
    if missing := [name for name in needed if name not in headings]:
        raise Invalid(f"That file has no column “{missing[0]}”: it is another one of your tables")
    return headings, rows


def _after(first: tuple[int, list[str]], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rows


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise Invalid(f"That file is no table (CSV): line {reader.line_num}, {error}") from None


def _plain(cell: str) -> str:
    cell = cell.strip()
    return (cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell)[: LONGEST + 1]


def _line(number: int, said: dict[str, str], kind: str, origin: Origin, own: str) -> Line:
    try:
        key, host = _KEY[kind](said, origin)
    except Invalid as refusal:
        return Line(number, said, why=str(refusal))
    if key == own and kind != "lists":
        return Line(number, said, why="That is you")
    return Line(number, said, key, host)


def _person(said: dict[str, str], origin: Origin) -> tuple[str, str]:
    handle = normalise_handle(said.get(WHOM, ""))
    if handle is None:
        raise Invalid("That is no address of a person: they are like name@server")
    name, _, domain = handle.partition("@")
    return (name, "") if not domain or origin.is_our_domain(domain) else (handle, domain)


def _server(said: dict[str, str], _: Origin) -> tuple[str, str]:
    return moderation.clean_host(said.get(DOMAIN, "")), ""


def _post(said: dict[str, str], origin: Origin) -> tuple[str, str]:
    uri = said.get(URI, "")
    if not is_web(uri):
        raise Invalid("That is no address of a post")
    return uri, "" if origin.is_ours(uri) else find_host(uri) or ""


def _member(said: dict[str, str], origin: Origin) -> tuple[str, str]:
    handle, host = _person(said, origin)
    title = said.get(NAME, "")
    if not 0 < len(title) <= 256:
        raise Invalid("The name of a list has 1 to 256 characters")
    return f"{handle} {title}", host


_KEY: Final[dict[str, Callable[[dict[str, str], Origin], tuple[str, str]]]] = {
    "follows": _person,
    "mutes": _person,
    "blocks": _person,
    "domain_blocks": _server,
    "bookmarks": _post,
    "lists": _member,
}
