"""Two other servers and a member's program that talk to a server without end, and remember what they were promised.

They are stubborn as real ones are: what was not acknowledged is said again, by the same name, until it is.
So at the end everything that was ever said must be there, once.
"""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp

from connectme.demo import Instance, until
from tests.pairs.peer import AS, JSON, PUBLIC, Town, root

PAUSE = 0.25  # seconds between two messages of a peer, and two posts of the member
NO_ANSWER = (OSError, aiohttp.ClientError, TimeoutError)


class Peer:
    """One server with one person, who follows alice and mentions her."""

    def __init__(self, server: Instance, name: str) -> None:
        self.server, self._name = server, name
        self.accepted: list[str] = []  # what was answered 202
        self.refusals: Counter[int] = Counter()  # other answers; 0: none at all
        self.town = Town()
        self.person = ""

    async def arrive(self) -> None:
        await self.town.__aenter__()
        self.person = f"{await self.town.base(self._name)}/users/{self._name.partition('.')[0]}"
        follow = {"@context": AS, "id": f"{self.person}#follow", "type": "Follow", "actor": self.person}
        await self._deliver({**follow, "object": f"{root(self.server)}/users/alice"})

        async def accepted() -> bool:
            return any(one["type"] == "Accept" for one in self.town.received)

        await until(accepted, f"{self._name} follows alice")

    async def leave(self) -> None:
        await self.town.__aexit__()

    async def talk(self) -> None:
        number = 0
        while True:
            number += 1
            await self._deliver(self._create(number))
            self.accepted.append(f"{self.person}/notes/{number}")
            await asyncio.sleep(PAUSE)

    async def _deliver(self, activity: JSON) -> None:
        while True:
            status = 0
            with suppress(*NO_ANSWER):
                status, _ = await self.town.deliver(self.server, activity)
            if status == 202:
                return
            self.refusals[status] += 1
            await asyncio.sleep(PAUSE)

    def _create(self, number: int) -> JSON:
        alice = f"{root(self.server)}/users/alice"
        note = {
            "id": f"{self.person}/notes/{number}", "type": "Note", "attributedTo": self.person,
            "content": f"<p>note {number} 🙂</p>", "to": [PUBLIC], "cc": [alice],
            "tag": [{"type": "Mention", "href": alice, "name": "@alice"}],
        }  # fmt: skip
        return {"@context": AS, "id": f"{note['id']}#create", "type": "Create", "actor": self.person,
                "to": [PUBLIC], "cc": [alice], "object": note}  # fmt: skip

    @property
    def got(self) -> set[str]:
        """The posts of alice that were delivered here."""
        return {one["object"]["id"] for one in self.town.received if one["type"] == "Create"}


class Program:
    """Alice's: it posts, and reads her home page."""

    def __init__(self, server: Instance) -> None:
        self.server = server
        self.posted: dict[str, str] = {}  # what was answered 200: words → uri
        self.refusals: Counter[int] = Counter()

    async def talk(self) -> None:
        number = 0
        while True:
            number += 1
            await self._post(f"post {number}")
            await self._read()
            await asyncio.sleep(PAUSE)

    async def _post(self, words: str) -> None:
        headers = {"Authorization": f"Bearer {self.server.tokens['alice']}", "Idempotency-Key": words}
        address = self.server.base / "api/v1/statuses"
        while True:
            status = 0
            with suppress(*NO_ANSWER):
                async with self.server.session.post(address, json={"status": words}, headers=headers) as answer:
                    status, body = answer.status, await answer.read()
                if status == 200:
                    self.posted[words] = json.loads(body)["uri"]
                    return
            self.refusals[status] += 1
            await asyncio.sleep(PAUSE)

    async def _read(self) -> None:
        """What is read is not counted; it is for the faults that only readers meet."""
        with suppress(*NO_ANSWER, RuntimeError):
            await self.server.home("alice")


@dataclass
class Held:
    """What the database has at the end."""

    remote: Counter[str]  # uri of posts of other servers
    local: Counter[str]  # words of alice's
    notices: Counter[str]  # uri of what alice was told of, by mention


@dataclass
class Count:
    """lost: acknowledged, and not there.  doubled: there, or told of, more than once."""

    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    undelivered: list[str] = field(default_factory=list)  # alice's posts that a follower has not

    @property
    def agrees(self) -> bool:
        return not (self.lost or self.doubled or self.undelivered)


class Traffic:
    def __init__(self, server: Instance) -> None:
        self.peers = [Peer(server, "near.test"), Peer(server, "far.test")]
        self.program = Program(server)
        self._talking: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        await asyncio.gather(*(peer.arrive() for peer in self.peers))
        self._talking = [asyncio.create_task(one.talk()) for one in (*self.peers, self.program)]
        await self.flows()

    async def end(self) -> None:
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)

    async def leave(self) -> None:
        await self.end()
        for peer in self.peers:
            await peer.leave()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Acknowledged until now, to each."""
        return (*(len(peer.accepted) for peer in self.peers), len(self.program.posted))

    async def flows(self, more: int = 3) -> None:
        """Returns when all three were acknowledged a few more times."""
        await self._until(self.numbers, more, "messages and posts are taken")

    async def accepted(self, more: int = 3) -> None:
        """The same of the two peers alone."""
        await self._until(self.numbers[:2], more, "messages of other servers are taken")

    async def _until(self, before: tuple[int, ...], more: int, what: str) -> None:
        async def grown() -> bool:
            for task in self._talking:
                if task.done():
                    task.result()
            return all(now >= then + more for then, now in zip(before, self.numbers, strict=False))

        await until(grown, what)

    def count(self, held: Held) -> Count:
        said = [uri for peer in self.peers for uri in peer.accepted]
        lost = [uri for uri in said if not held.remote[uri]]
        lost += [words for words in self.program.posted if not held.local[words]]
        doubled = [name for found in (held.remote, held.local, held.notices) for name, n in found.items() if n > 1]
        known = [uri for words, uri in self.program.posted.items() if held.local[words]]
        undelivered = [uri for uri in known if any(uri not in peer.got for peer in self.peers)]
        return Count(sum(self.numbers), lost, doubled, undelivered)
