"""Posts that one of ours wrote elsewhere, and brings along: they keep their moments, and nobody hears of them.

The id follows from the moment and from the address elsewhere, so what was brought once is known the next time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from federation.origin import Origin
from federation.reading import Note
from social import accounts, emojis, quoting, sanitise
from social.media import uploads
from social.media.kinds import Made
from social.paging import padded
from social.posts import receive, storing
from social.posts.storing import Fresh
from store.ids import id_of
from store.prepared import Prepared
from store.tables import blank_media, blank_post, posts
from store.tables.base import Id

_HERE = Prepared(
    select(posts.c.id, posts.c.thread_id, posts.c.visibility).where(
        posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)), posts.c.author_id == bindparam("author", type_=Id)
    )
)


@dataclass(frozen=True, slots=True)
class File:
    """description: "" is none; focus: two numbers from -1 to 1."""

    made: Made
    description: str
    focus: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """note:      as it was elsewhere; it says when it was published.
    visibility: public, unlisted or private.
    parent_id: number_of what it answers, a post of the same author.
    """

    note: Note
    published: datetime
    visibility: str
    parent_id: int | None
    files: tuple[File, ...] = ()

    @property
    def id(self) -> int:
        return number_of(self.note.id, self.published)


def number_of(uri: str, published: datetime) -> int:
    return id_of(int(published.timestamp() * 1000), uri)


def here(tx: Connection, author_id: int, ids: Collection[int]) -> set[int]:
    """Which of them came before."""
    return {row[0] for row in _HERE.rows(tx, ids=padded(list(ids)), author=author_id)}


def bring(tx: Connection, origin: Origin, author_id: int, batch: Sequence[Brought]) -> int:
    """Stores those whose parents are here or in `batch`, before them.  How many are new.  Raises: NotFound."""
    author = accounts.by_id(tx, author_id)
    parents = [one.parent_id for one in batch if one.parent_id is not None]
    places = {row[0]: (row[1], row[2]) for row in _HERE.rows(tx, ids=padded(parents), author=author_id)}
    fresh = []
    for one in batch:
        if one.parent_id is not None and one.parent_id not in places:
            continue
        thread_id = one.id if one.parent_id is None else places[one.parent_id][0]
        places[one.id] = (thread_id, one.visibility)
        uri = f"{author.uri}/posts/{one.id}"
        said = receive.words(one.note)
        names = emojis.used(tx, origin, (one.note.html, said["summary"]))
        values = {
            **said,
            "id": one.id,
            "uri": uri,
            "url": f"{author.url}/{one.id}",
            "kind": "Note",
            "author_id": author.id,
            "local": True,
            "visibility": one.visibility,
            "listed": one.visibility == "public" and author.silenced_at is None,
            "source": one.note.source_text or sanitise.plain(one.note.html),
            "published": one.published,
            "edited_at": None,
            "reply_to_id": one.parent_id,
            "reply_to_uri": None if one.parent_id is None else f"{author.uri}/posts/{one.parent_id}",
            "thread_id": thread_id,
            "context": None,
            "emojis": names or None,
            "quote_policy": quoting.chosen("public", one.visibility),
        }
        files = [_row(origin, author.id, file) for file in one.files]
        fresh.append(Fresh(author, blank_post(**values), tags=receive.tags(one.note), media=files))
    return len(storing.store_quietly(tx, fresh))


def _row(origin: Origin, account_id: int, file: File) -> dict[str, Any]:
    x, y = file.focus or (None, None)
    said = {"description": file.description[: uploads.DESCRIPTION_LIMIT], "focus_x": x, "focus_y": y}
    return blank_media(**uploads.columns(origin, file.made), **said, account_id=account_id)
