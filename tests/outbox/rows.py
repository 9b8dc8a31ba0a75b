"""Rows for the tests of the outbox, made by plain functions with defaults."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from federation import vocabulary
from outbox import enqueue
from store.database import Database
from store.ids import new_id
from store.rows import one
from store.tables import (
    Account,
    Host,
    Media,
    Post,
    accounts,
    blank_media,
    blank_post,
    deliveries,
    host_policies,
    hosts,
    mentions,
    posts,
)
from tests import people as cast
from tests.conftest import NOW
from tests.people import follow, ours, remote

ALICE = ours("alice")
LATER = NOW + timedelta(hours=1)


def post(author: Account, number: int | None = None, **more: Any) -> Post:
    number = number or new_id()
    values = {
        "id": number,
        "uri": f"{author.uri}/posts/{number}",
        "url": f"{author.url}/{number}",
        "author_id": author.id,
        "local": author.is_local,
        "visibility": "public",
        "listed": True,
        "html": "<p>hello</p>",
        "published": NOW,
        "thread_id": number,
    }
    return Post(**blank_post(**{**values, **more}))


def picture(number: int = 1, **more: Any) -> Media:
    values = {
        "id": number,
        "kind": "image",
        "url": f"https://ours.test/media/{number}.png",
        "media_type": "image/png",
        "description": "A cat, asleep",
    }
    return Media(**blank_media(**{**values, **more}))


def add(tx: Connection, *people: Account) -> None:
    """Stores accounts; those of other servers without keys, which take long to make and are not needed here."""
    for person in people:
        if person.is_local:
            cast.add(tx, person)
        else:
            tx.execute(insert(accounts), asdict(person))


def add_post(tx: Connection, row: Post, *people: Account) -> None:
    """Stores a post that mentions `people`."""
    tx.execute(insert(posts), asdict(row))
    for person in people:
        tx.execute(insert(mentions), {"post_id": row.id, "account_id": person.id, "silent": False})


def followed(tx: Connection, *people: Account, **more: Any) -> None:
    """Stores alice, and `people` who follow her."""
    add(tx, ALICE, *people)
    for person in people:
        follow(tx, person, ALICE, **more)


def policy(tx: Connection, host: str, level: str = "block") -> None:
    tx.execute(insert(host_policies), {"host": host, "level": level, "comment": "", "created_at": NOW})


def hello(sender: Account = ALICE, number: int = 0) -> vocabulary.Follow:
    """Something to send."""
    return vocabulary.Follow(id=f"{sender.uri}#{number}", actor=sender.uri, object="https://far.test/x")


async def say(db: Database, number: int = 0, **more: Any) -> None:
    await db.write(enqueue.to_followers, ALICE, hello(number=number), now=NOW, **more)


def inboxes(tx: Connection) -> list[str]:
    """Where the mail goes, in order."""
    return list(tx.scalars(select(deliveries.c.inbox).order_by(deliveries.c.inbox)))


def count(tx: Connection, table: Any) -> int:
    return tx.scalar(select(func.count()).select_from(table)) or 0


def host(tx: Connection, name: str) -> Host:
    found = one(tx, select(hosts).where(hosts.c.name == name), Host)
    assert found is not None
    return found


def far(number: int, host: str = "far.test", **more: Any) -> Account:
    return remote(f"f{number}", host, **more)
