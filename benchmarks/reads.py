"""What a program reads most: home, public, an account's posts, a thread; near and deep, with few and many posts held.

The server is `connectme serve --single-process` on SQLite, asked by one client over one connection.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from benchmarks.measure import Goal, cpu, show
from connectme.demo import Instance
from social.accounts import words
from store.database import Database
from store.ids import new_id
from store.tables import Account, accounts, blank_account, blank_post, follows, home_entries, mentions, post_tags, posts
from tests.ports import free_port

HELD = 10_000
MANY = 1_000_000
AUTHORS = 200
KNOWN = 200_000  # accounts of other servers among whom somebody is looked for
NAMES = ("moba", "mobakelika", "moba vera")  # as typed so far: of hundreds, of some, of two words
FOLLOWED = 50
COMMENTS = 20
DEEP = 50  # pages of 20
REQUESTS = 400
WARM = 40
WRITES = 200
AT_ONCE = 5_000
SYLLABLES = ("ba", "ke", "li", "mo", "nu", "ra", "si", "to", "ve", "zu", "ka", "el")
WORDS = "What does a conversation need but somebody who listens, and a server that forgets nothing of it?"


async def measure(folder: Path, *, many: bool) -> None:
    server = Instance(folder, free_port(), RATE_LIMITS="false")
    server.person("alice")
    file = f"sqlite:///{folder}/connectme.db?synchronous=off"
    made = await fill(file, 0, HELD)
    few = await _run(server, made, f"{HELD:,} posts held")
    if many:
        made = await fill(file, HELD, MANY - HELD)
        lots = await _run(server, made, f"{MANY:,} posts held")
        for name, before in few.items():
            show(f"{name}: {MANY:,} posts against {HELD:,}", lots[name] / before, "x", Goal(1.5, 1.1))
    await _finding(server, file)


async def _finding(server: Instance, file: str) -> None:
    """People by a part of their name, as programs ask at each letter that is typed."""
    print(f"  -- {KNOWN:,} accounts known")
    async with await Database.open(file) as db:
        for first in range(0, KNOWN, AT_ONCE):
            await db.write(_strangers, first)
    server.start("--single-process")
    try:
        await server.ready()
        for name in NAMES:
            cost = await _cost(server, f"/api/v1/accounts/search?limit=10&q={name}")
            show(f"people called {name!r}, CPU", cost, "ms")
    finally:
        await server.close()
        server.stop()


def _strangers(tx: Connection, first: int) -> None:
    """Each of two words of some syllables, always the same ones."""
    chance, now = random.Random(first), datetime.now(UTC)
    made = []
    for number in range(first, first + AT_ONCE):
        name = " ".join("".join(chance.choices(SYLLABLES, k=length)) for length in (3, 4))
        handle = f"s{number}@h{number % 3_000}.test"
        values = blank_account(
            id=new_id(), uri=f"urn:person:{number}", handle=handle, username=f"s{number}", display_name=name,
            domain=handle.partition("@")[2], host=handle.partition("@")[2], url="", inbox="", created_at=now,
            followers_count=chance.randrange(1_000),
        )  # fmt: skip
        made.append(Account(**values))
    tx.execute(insert(accounts), [asdict(one) for one in made])
    words.add(tx, made)


async def _run(server: Instance, made: "Made", held: str) -> dict[str, float]:
    print(f"  -- {held}")
    server.start("--single-process")
    found: dict[str, float] = {}
    try:
        await server.ready()
        deep = await _down(server, DEEP)
        paths = {
            "home": "/api/v1/timelines/home?limit=20",
            "public": "/api/v1/timelines/public?limit=20",
            "account": f"/api/v1/accounts/{made.author}/statuses?limit=20",
            "thread of 20": f"/api/v1/statuses/{made.root}/context",
            f"home, {DEEP} pages deep": f"/api/v1/timelines/home?limit=20&max_id={deep}",
        }
        for name, path in paths.items():
            found[name] = await _cost(server, path)
            show(f"{name}, CPU", found[name], "ms", Goal(1.2, 0.5))
        show("deep against the first page", found[f"home, {DEEP} pages deep"] / found["home"], "x", Goal(1.5, 1.1))
        found["POST"] = await _writing(server)
        show("POST a status, CPU", found["POST"], "ms", Goal(4, 2))
    finally:
        await server.close()
        server.stop()
    return found


async def _down(server: Instance, pages: int) -> str:
    """The max_id of the page after `pages` of them."""
    last = ""
    for _ in range(pages):
        more = {"max_id": last} if last else {}
        last = (await server.api("alice", "GET", "/api/v1/timelines/home", limit=20, **more))[-1]["id"]
    return last


async def _cost(server: Instance, path: str) -> float:
    """Milliseconds of CPU for a request."""
    headers = {"Authorization": f"Bearer {server.tokens['alice']}"}
    for number in range(WARM + REQUESTS):
        if number == WARM:
            before = cpu(server.pid)
        async with server.session.get(f"{server.base}".rstrip("/") + path, headers=headers) as answer:
            assert answer.status == 200
            await answer.read()
    return (cpu(server.pid) - before) / REQUESTS * 1e3


async def _writing(server: Instance) -> float:
    for number in range(WARM + WRITES):
        if number == WARM:
            before = cpu(server.pid)
        await server.api("alice", "POST", "/api/v1/statuses", status=f"{WORDS} #{number % 7}")
    return (cpu(server.pid) - before) / WRITES * 1e3


class Made:
    """author, root: the ids of somebody with many posts and of a post with comments."""

    def __init__(self, author: int, root: int) -> None:
        self.author, self.root = author, root


async def fill(url: str, start: int, number: int) -> Made:
    async with await Database.open(url) as db:
        people = await db.write(_people)
        made = Made(people[0], 0)
        for first in range(start, start + number, AT_ONCE):
            made.root = await db.write(_posts, people, first, min(AT_ONCE, start + number - first))
        return made


def _people(tx: Connection) -> list[int]:
    """Whom alice follows come first."""
    ids = [1_000 + number for number in range(AUTHORS)]
    if tx.scalar(select(accounts.c.id).where(accounts.c.id == ids[0])):
        return ids
    now = datetime.now(UTC)
    tx.execute(insert(accounts), [
        blank_account(id=one, uri=f"https://far.test/users/u{one}", handle=f"u{one}@far.test", username=f"u{one}",
                      domain="far.test", host="far.test", display_name=f"Number {one}", note=f"<p>{WORDS}</p>",
                      url=f"https://far.test/@u{one}", inbox=f"https://far.test/users/u{one}/inbox",
                      avatar_url=f"https://far.test/{one}.png", created_at=now, fetched_at=now)
        for one in ids
    ])  # fmt: skip
    alice = _alice(tx)
    tx.execute(insert(follows), [
        {"target_id": one, "follower_id": alice, "id": one, "uri": f"urn:follow:{one}", "accepted": True,
         "show_boosts": True, "notify": False, "created_at": now}
        for one in ids[:FOLLOWED]
    ])  # fmt: skip
    return ids


def _alice(tx: Connection) -> int:
    found: int = tx.execute(select(accounts.c.id).where(accounts.c.handle == "alice")).scalar_one()
    return found


def _posts(tx: Connection, people: Sequence[int], start: int, number: int) -> int:
    """`number` posts, a fifth of them comments; returns the id of one with COMMENTS comments."""
    alice, dice, now = _alice(tx), random.Random(start), datetime.now(UTC) - timedelta(days=1)
    first, rows = (int(now.timestamp() * 1000) - MANY << 16) + (start << 16), []
    root = first + (1 << 16)
    for offset in range(number):
        one, author = first + (offset << 16), people[dice.randrange(len(people))]
        comment = offset > number - COMMENTS - 1
        rows.append(
            blank_post(id=one, uri=f"https://far.test/posts/{one}", url=f"https://far.test/@x/{one}", author_id=author,
                       local=False, visibility="public", listed=not comment, html=f"<p>{WORDS} {one}</p>",
                       published=now, thread_id=root if comment else one, reply_to_id=root if comment else None,
                       reply_to_uri=f"https://far.test/posts/{root}" if comment else None,
                       replies_count=COMMENTS if one == root else 0)
        )  # fmt: skip
    tx.execute(insert(posts), rows)
    _belongings(tx, alice, rows, dice)
    home = [row["id"] for row in rows if row["author_id"] in set(people[:FOLLOWED]) and row["listed"]]
    tx.execute(insert(home_entries), [{"owner_id": alice, "post_id": one} for one in home])
    return root


def _belongings(tx: Connection, alice: int, rows: Sequence[dict[str, Any]], dice: random.Random) -> None:
    some = [row["id"] for row in rows if dice.random() < 0.3]
    tx.execute(insert(post_tags), [{"post_id": one, "name": "tag", "shown": "Tag"} for one in some])
    tx.execute(insert(mentions), [{"post_id": one, "account_id": alice, "silent": False} for one in some[::3]])


def run(folder: Path, *, many: bool = False) -> None:
    asyncio.run(measure(folder, many=many))
