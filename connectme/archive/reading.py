"""Reads an archive.  It may be anybody's: nothing in it is believed to be small, whole, or a path."""

import json
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from connectme.errors import Failure
from federation.errors import Malformed
from federation.reading import JSON, Note, read_note, types, visibility
from federation.reading.values import fraction, name, objects
from social.imports import KINDS
from social.media.uploads import DESCRIPTION_LIMIT
from social.posts import bringing
from social.posts.receive import MEDIA_LIMIT

LARGEST: Final = 512 << 20  # bytes of outbox.json: some 200,000 posts
LARGEST_TABLE: Final = 8 << 20
_EPOCH: Final = datetime.fromtimestamp(0, UTC)

BOOST, ANSWER, DIRECT, POLL = "boosts", "answers to others", "private mentions", "polls"
ODD, UNDATED, FOREIGN = "what is no post", "posts without a date of the past", "posts of others"


class Unreadable(Failure):
    pass


@dataclass(frozen=True, slots=True)
class Attached:
    """entry: its name in the archive; None: it is not in there."""

    entry: str | None
    description: str
    focus: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Told:
    """A post as the archive has it: `of` is complete but for its files."""

    of: bringing.Brought
    files: tuple[Attached, ...]


@dataclass(slots=True)
class Archive:
    """posts: the oldest first, comments after what they answer.  left_out: how many, by why.  tables: CSV by kind."""

    posts: list[Told] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    tables: dict[str, bytes] = field(default_factory=dict)


def read(file: Path, now: datetime) -> Archive:
    """Raises: Unreadable."""
    try:
        with zipfile.ZipFile(file) as pack:
            entries = {entry.filename.removeprefix("./").lstrip("/"): entry for entry in pack.infolist()}
            outbox = _json(pack, entries, "outbox.json")
            actor = _json(pack, entries, "actor.json") if "actor.json" in entries else {}
            found = _posts(outbox, actor, {name: entry.filename for name, entry in entries.items()}, now)
            found.tables.update(_tables(pack, entries))
    except zipfile.BadZipFile as error:
        raise Unreadable(f"{file} is no ZIP file; unpack it, and pack what is in it as ZIP") from error
    except OSError as error:
        raise Unreadable(f"{file} cannot be read: {error.strerror or error}") from error
    return found


def _json(pack: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], named: str) -> JSON:
    if named not in entries:
        raise Unreadable(f"there is no {named} in it; an archive as Mastodon makes them is needed")
    try:
        found = json.loads(content(pack, entries[named].filename, LARGEST))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{named} in it is no JSON") from error
    if not isinstance(found, dict):
        raise Unreadable(f"{named} in it is no document of ActivityPub")
    return found


def content(pack: zipfile.ZipFile, entry: str, most: int) -> bytes:
    """Raises: Unreadable, when it is larger than `most`, whatever the archive says, or is damaged."""
    try:
        with pack.open(entry) as stream:
            found = stream.read(most + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, KeyError) as error:
        raise Unreadable(f"{entry} in it is damaged, or locked by a password") from error
    if len(found) > most:
        raise Unreadable(f"{entry} in it is larger than {most >> 20} MB")
    return found


def _posts(outbox: JSON, actor: JSON, entries: dict[str, str], now: datetime) -> Archive:
    found = Archive()
    me, followers = actor.get("id"), actor.get("followers")
    notes: list[tuple[datetime, Note, JSON]] = []
    items = outbox.get("orderedItems")
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict) or not isinstance(document := item.get("object"), dict):
            found.left_out[BOOST if isinstance(item, dict) and "Announce" in types(item) else ODD] += 1
            continue
        try:
            note = read_note(document)
        except Malformed:
            found.left_out[ODD] += 1
            continue
        if me not in (None, note.author):
            found.left_out[FOREIGN] += 1
        elif note.published is None or not _EPOCH <= note.published < now:
            found.left_out[UNDATED] += 1
        else:
            notes.append((note.published, note, document))
    kept: dict[str, int] = {}
    for published, note, document in sorted(notes, key=lambda one: one[0]):
        seen_by = visibility(note, followers if isinstance(followers, str) else f"{note.author}/followers")
        why = DIRECT if seen_by == "direct" else POLL if note.poll else ""
        if note.in_reply_to is not None and note.in_reply_to not in kept:
            why = why or ANSWER
        if why:
            found.left_out[why] += 1
            continue
        parent = None if note.in_reply_to is None else kept[note.in_reply_to]
        kept[note.id] = bringing.number_of(note.id, published)
        brought = bringing.Brought(note, published, seen_by, parent)
        found.posts.append(Told(brought, tuple(_attached(one, entries) for one in _attachments(document))))
    return found


def _attachments(document: JSON) -> list[JSON]:
    return objects(document.get("attachment"), MEDIA_LIMIT)


def _attached(item: JSON, entries: dict[str, str]) -> Attached:
    address = item.get("url")
    path = address.lstrip("/") if isinstance(address, str) else ""
    if path not in entries:  # as stored by some: with the name of the bucket before it
        path = "media_attachments/" + path.partition("media_attachments/")[2]
    return Attached(entries.get(path), name(item, "name", DESCRIPTION_LIMIT), _focus(item.get("focalPoint")))


def _focus(found: Any) -> tuple[float, float] | None:
    x, y = (fraction(number) for number in found) if isinstance(found, list) and len(found) == 2 else (None, None)
    return None if x is None or y is None else (x, y)


def _tables(pack: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> dict[str, bytes]:
    """Mastodon's archives have bookmarks alone, as a collection of addresses."""
    found = {}
    for kind in KINDS:
        if (entry := entries.get(f"{kind}.csv")) is not None:
            found[kind] = content(pack, entry.filename, LARGEST_TABLE)
    if "bookmarks" not in found and "bookmarks.json" in entries:
        items = _json(pack, entries, "bookmarks.json").get("orderedItems")
        lines = [one for one in items if isinstance(one, str) and not {'"', "\n", "\r"} & set(one)] if items else []
        found["bookmarks"] = "\n".join(lines).encode()
    return {kind: table for kind, table in found.items() if table.strip()}
