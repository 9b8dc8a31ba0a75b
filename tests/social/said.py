"""What people of other servers say, as federation.reading gives it to the units; and short ways to what came of it."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from federation.origin import Origin
from federation.reading import PUBLIC, Mention, Note
from social.posts import publish, receive
from social.posts.drafts import Draft
from store.database import Database
from store.tables import Account, Post, home_entries, posts
from tests.conftest import NOW
from tests.people import local, remote, stored

_numbers = itertools.count(1)


def note(author: Account, html: str = "<p>hello</p>", **more: Any) -> Note:
    """A public note of `author`, written just now."""
    values: dict[str, Any] = {
        "id": f"{author.uri}/posts/{next(_numbers)}",
        "kind": "Note",
        "author": author.uri,
        "authors": (author.uri,),
        "html": html,
        "published": NOW - timedelta(minutes=1),
        "to": (PUBLIC,),
        "cc": (f"{author.uri}/followers",),
    }
    return Note(**{**values, **more})


async def say(db: Database, origin: Origin, author: Account, text: str = "hello", **more: Any) -> Post:
    """One of ours posts."""
    return await db.write(publish.publish, origin, author.id, Draft(text, **more), NOW)


async def arrive(db: Database, *pairs: tuple[Account, Note]) -> list[Post | None]:
    """Notes of others come, in one batch."""
    return await db.write(receive.receive_many, pairs, NOW)


async def scene(db: Database, origin: Origin) -> tuple[Account, Account, Post, Post | None]:
    """alice (ours) wrote a post, and so did bob (remote)."""
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    return alice, bob, await say(db, origin, alice), (await arrive(db, (bob, note(bob))))[0]


def mention(account: Account) -> Mention:
    return Mention(account.uri, f"@{account.handle}")


def private(author: Account) -> dict[str, Any]:
    return {"to": (f"{author.uri}/followers",), "cc": ()}


def direct(*people: Account) -> dict[str, Any]:
    return {"to": tuple(one.uri for one in people), "cc": (), "mentions": tuple(mention(one) for one in people)}


def home(tx: Connection, reader: Account) -> list[int]:
    return list(
        tx.scalars(
            select(home_entries.c.post_id)
            .where(home_entries.c.owner_id == reader.id)
            .order_by(home_entries.c.post_id.desc())
        )
    )


def how_many(tx: Connection, table: Any = posts, *where: Any) -> int:
    return tx.scalar(select(func.count()).select_from(table).where(*where)) or 0


async def rows(db: Database, table: Any, *where: Any) -> list[Any]:
    def read(tx: Connection) -> list[Any]:
        return list(tx.execute(select(table).where(*where)).all())

    return await db.read(read)


async def post(db: Database, post_id: int) -> Post:
    found = await rows(db, posts, posts.c.id == post_id)
    return Post(*found[0])


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)
