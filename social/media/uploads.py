"""Files of one person, from the upload until a post has them.  Every query says whose they are."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from federation.origin import Origin
from federation.reading import values as reading
from social.errors import Invalid, NotFound
from social.media.attaching import FREE
from social.media.kinds import Made
from store import jobs
from store.ids import new_id
from store.rows import many, one
from store.tables import Media, blank_media, media
from store.tables.base import Id, Instant

DESCRIPTION_LIMIT: Final = 1_500
GRACE: Final = timedelta(hours=1)  # nobody is attaching any more what was due then
AT_ONCE: Final = 200
JOB: Final = "process_media"

_WHICH = media.c.id == bindparam("which", type_=Id)
_THIS = select(media).where(_WHICH)
_OWN = _THIS.where(media.c.account_id == bindparam("me", type_=Id))
_ADD = insert(media)
_REMOVE = delete(media).where(media.c.id.in_(bindparam("ids", expanding=True, type_=Id)), media.c.post_id.is_(None))
_DUE = (
    select(media)
    .where(media.c.keep_until < bindparam("before", type_=Instant), media.c.post_id.is_(None))
    .order_by(media.c.keep_until)
    .limit(AT_ONCE)
)
_FILES = select(media.c.file, media.c.preview_file).where(media.c.account_id.is_not(None))


def add(tx: Connection, origin: Origin, account_id: int, made: Made, said: dict[str, Any], now: datetime) -> Media:
    """said: `description`, `focus_x`, `focus_y`."""
    return _add(tx, {**columns(origin, made), **said, "account_id": account_id, "keep_until": now + FREE})


def add_slow(
    tx: Connection, account_id: int, name: str, kind: str, said: dict[str, Any], now: datetime, *, later: bool = True
) -> Media:
    """name: of what was set aside.  later: a worker is asked to finish it."""
    row = {"kind": kind, "url": "", "state": "processing", "file": name, "keep_until": now + FREE}
    added = _add(tx, {**row, **said, "account_id": account_id})
    if later:
        jobs.ask(tx, JOB, str(added.id), {"media_id": added.id}, now)
    return added


def finish(tx: Connection, origin: Origin, media_id: int, made: Made) -> Media | None:
    """What was set aside is ready.  None: its owner took it away meanwhile.  A preview of his own stays."""
    found = one(tx, _THIS, Media, which=media_id)
    if found is None or found.state != "processing":
        return None
    values = {**columns(origin, made), "state": "done"}
    if found.preview_file is not None:
        for name in ("preview_file", "preview_url", "preview_width", "preview_height", "blurhash"):
            values.pop(name)
    return _change(tx, media_id, values)


def fail(tx: Connection, media_id: int, says: str) -> None:
    if one(tx, _THIS, Media, which=media_id) is not None:
        _change(tx, media_id, {"state": "failed", "error": says, "file": None})


def own(tx: Connection, account_id: int, media_id: int) -> Media:
    """Raises: NotFound, for those of others too."""
    found = one(tx, _OWN, Media, which=media_id, me=account_id)
    if found is None:
        raise NotFound("Record not found")
    return found


def by_id(tx: Connection, media_id: int) -> Media | None:
    return one(tx, _THIS, Media, which=media_id)


def describe(tx: Connection, origin: Origin, account_id: int, media_id: int, said: dict[str, Any]) -> Media:
    """said: what changes, as for `add`, and the columns of a new preview.

    Raises: NotFound; also once a post has it: then the post is edited, so that others hear of it.
    """
    found = own(tx, account_id, media_id)
    if found.post_id is not None:
        raise NotFound("Record not found")
    if "preview_file" in said:
        said = {**said, "preview_url": address(origin, said["preview_file"])}
    return _change(tx, media_id, said) if said else found


def discard(tx: Connection, account_id: int, media_id: int) -> list[str]:
    """Its owner does not want it any more: returns the names of files to remove.  Raises: NotFound, Invalid."""
    found = own(tx, account_id, media_id)
    if found.post_id is not None:
        raise Invalid("This file is part of a post; edit or delete the post instead")
    remove(tx, [found.id])
    return names([found]) if by_id(tx, found.id) is None else []  # a post was faster


def due(tx: Connection, now: datetime) -> list[Media]:
    """Some of those that no post has for long.  Their files are removed first, then `remove` is called."""
    return many(tx, _DUE, Media, before=now - GRACE)


def remove(tx: Connection, ids: Sequence[int]) -> None:
    if ids:
        tx.execute(_REMOVE, {"ids": list(ids)})


def names(rows: Sequence[Media]) -> list[str]:
    return [name for row in rows for name in (row.file, row.preview_file) if name]


def all_names(tx: Connection) -> set[str]:
    """Of all files of ours that rows know; avatars and headers not among them."""
    return {name for row in tx.execute(_FILES) for name in row if name}


def address(origin: Origin, name: str) -> str:
    return origin.url(f"/media/{name}")


def said(description: str | None, focus: str | None) -> dict[str, Any]:
    """What an owner says of his file, as columns.  None: nothing.  Raises: Invalid."""
    found: dict[str, Any] = {}
    if description is not None:
        if len(description) > DESCRIPTION_LIMIT:
            raise Invalid(f"A description has at most {DESCRIPTION_LIMIT} characters")
        found["description"] = reading.clean(description, DESCRIPTION_LIMIT).strip()
    if focus:
        found["focus_x"], found["focus_y"] = _focus(focus)
    return found


def _focus(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise Invalid("focus is two numbers like 0.5,-0.25") from None
    if not (-1 <= x <= 1 and -1 <= y <= 1):
        raise Invalid("focus is two numbers from -1 to 1")
    return x, y


def columns(origin: Origin, made: Made) -> dict[str, Any]:
    """Of the row of such a file."""
    preview = made.preview_file
    return {
        **asdict(made),
        "url": address(origin, made.file),
        "preview_url": address(origin, preview) if preview else None,
    }


def _add(tx: Connection, values: dict[str, Any]) -> Media:
    row = Media(**blank_media(**{"id": new_id(), **values}))
    tx.execute(_ADD, asdict(row))
    return row


def _change(tx: Connection, media_id: int, values: dict[str, Any]) -> Media:
    tx.execute(update(media).where(_WHICH).values(values), {"which": media_id})
    found = by_id(tx, media_id)
    if found is None:
        raise NotFound("Record not found")
    return found
