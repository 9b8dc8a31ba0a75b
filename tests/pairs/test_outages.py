"""A server in real processes loses its database in different ways, while a peer goes on sending signed messages.

Whatever was answered 202 is there afterwards, once; whatever was not, was answered 503 or not at all.
"""

import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from connectme.demo import Instance, until
from tests.pairs.peer import AS, Town
from tests.ports import free_port

pytestmark = [pytest.mark.pairs, pytest.mark.slow]

Fault = Callable[[Instance, Path], Callable[[], None]]  # makes it, and returns what mends it


def moved(_: Instance, file: Path) -> Callable[[], None]:
    file.rename(file.with_suffix(".away"))
    return lambda: file.with_suffix(".away").replace(file) and None


def locked(_: Instance, file: Path) -> Callable[[], None]:
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder.close


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Instance]:
    made = Instance(tmp_path, free_port(), RATE_LIMITS="false")
    made.person("alice")
    made.start("--single-process")
    try:
        await made.ready()
        yield made
    finally:
        await made.close()
        made.stop()


async def mode(server: Instance) -> str:
    """As /readyz says it; empty while nobody listens."""
    try:
        async with server.session.get(server.base / "readyz") as response:
            return str(json.loads(await response.text())["mode"])
    except OSError:
        return ""


@pytest.mark.parametrize(("fault", "wanted"), [(moved, "emergency"), (locked, "read-only")])
async def test_what_was_answered_202_is_there_once_afterwards(server: Instance, fault: Fault, wanted: str) -> None:
    file = server.folder / "connectme.db"
    async with Town() as town:
        bob = f"{await town.base('far.test')}/users/bob"
        kept: list[str] = []

        async def send(number: int) -> None:
            for n in range(number):
                note = {"type": "Note", "id": f"{bob}/notes/{len(kept)}", "attributedTo": bob, "content": f"n {n}",
                        "to": [f"{AS}#Public"], "cc": [f"http://{server.domain}/users/alice"],
                        "tag": [{"type": "Mention", "href": f"http://{server.domain}/users/alice"}]}  # fmt: skip
                create = {"@context": AS, "type": "Create", "id": f"{note['id']}#create", "actor": bob, "object": note}
                status, says = await town.deliver(server, create)
                assert status == 202, says
                kept.append(str(note["id"]))

        await send(5)
        mend = fault(server, file)
        await until(is_so(server, wanted), f"the server notices: {wanted}")
        async with server.session.post(server.base / "api/v1/statuses") as answer:
            assert answer.status == 503
            assert "Retry-After" in answer.headers
        await send(20)
        mend()
        await until(is_so(server, "normal"), "it opens again")
        await send(5)

        async def all_there() -> bool:
            return sorted(posts(file)) == sorted(kept)

        await until(all_there, "each message is there, once")


def is_so(server: Instance, wanted: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return await mode(server) == wanted

    return ask


def posts(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as db:
        return [uri for (uri,) in db.execute("SELECT uri FROM post WHERE NOT local")]
