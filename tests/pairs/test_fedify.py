"""A conversation with a server made of Fedify, the library of Ghost and Hollo: signatures and JSON-LD of others."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from yarl import URL

from connectme.demo import Instance, until
from tests.commands import Near
from tests.ports import free_port

JSON = dict[str, Any]
HERE = Path(__file__).parent / "fedify"

pytestmark = [pytest.mark.pairs, pytest.mark.slow]


class Fedify:
    """Its person is `uri`; what he is to do: see server.mjs."""

    def __init__(self, base: URL, session: ClientSession) -> None:
        self.base, self.session = base, session
        self.uri = str(base / "users/ed")

    async def act(self, what: str, **more: str) -> str:
        """Returns: the id of the post that he wrote, if he did."""
        async with self.session.post(self.base / "act", json={"do": what, **more}) as response:
            answer = await response.json()
        assert response.status == 200, answer["error"]
        return answer["id"] or ""

    async def hears(self, actor: str, kind: str, **values: str) -> JSON:
        """Until `actor` told him that: the values are in what he was told."""

        async def told() -> JSON | None:
            async with self.session.get(self.base / "heard") as response:
                heard = await response.json()
            assert not [one for one in heard if one["type"] == "Error"], heard
            return next(
                (one for one in heard if (one["type"], one["actor"]) == (kind, actor) and _has(one, values)), None
            )

        return await until(told, f"Fedify hears {kind} {values} of {actor}")


def _has(told: JSON, values: dict[str, str]) -> bool:
    return all(value in (told.get(name) or "") for name, value in values.items())


@pytest.fixture(scope="module")
def fedify_base() -> Iterator[URL]:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    try:
        words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(words, cwd=HERE, check=True, capture_output=True, timeout=300)
    except subprocess.SubprocessError as error:
        pytest.skip(f"Fedify cannot be installed: {error}")
    (node,) = HERE.glob("node_modules/node-*/bin/node")
    with subprocess.Popen([node, "server.mjs"], cwd=HERE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = next(line for line in process.stdout if line.startswith("PORT")).split()[1]
            yield URL(f"http://127.0.0.1:{port}")
        finally:
            process.kill()


@pytest.fixture
async def fedify(fedify_base: URL) -> AsyncIterator[Fedify]:
    async with ClientSession() as session:
        yield Fedify(fedify_base, session)


@pytest.fixture(params=["open", "authorized"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Instance]:
    """authorized: with AUTHORIZED_FETCH, so that whatever Fedify asks for is signed, and checked."""
    server = Near(
        tmp_path, free_port(), RATE_LIMITS="false", AUTHORIZED_FETCH=str(request.param == "authorized").lower()
    )
    server.person("alice", role="member")
    server.start("--single-process")
    try:
        await server.ready()
        yield server
    finally:
        await server.close()
        server.stop()


@dataclass(frozen=True, slots=True)
class Friends:
    """alice (ours) and ed (theirs) follow each other; `ours` is alice's uri, `ed` the id of his account here."""

    server: Instance
    fedify: Fedify
    ours: str
    ed: str

    async def api(self, method: str, path: str, **more: Any) -> Any:
        return await self.server.api("alice", method, f"/api/v1/{path}", **more)

    async def post(self, words: str, **more: Any) -> Any:
        return await self.api("POST", "statuses", status=words, **more)

    async def hears(self, kind: str, **values: str) -> JSON:
        return await self.fedify.hears(self.ours, kind, **values)

    async def seen(self, words: str) -> JSON:
        return await until(lambda: self.server.seen("alice", words), f"alice sees {words}")


@pytest.fixture
async def friends(server: Instance, fedify: Fedify) -> Friends:
    ours = str(server.base / "users/alice")
    await fedify.act("follow", to=ours)
    await fedify.hears(ours, "Accept")
    ed = await server.follow("alice", fedify.uri)
    await until(lambda: server.is_following("alice", ed), "alice follows ed")
    return Friends(server, fedify, ours, ed)


async def test_it_hears_what_ours_say(friends: Friends) -> None:
    hears, post, ours, ed = friends.hears, friends.post, friends.ours, friends.fedify.uri
    made = await post("Hello #fedify", visibility="public")
    told = await hears("Create", content="Hello")
    assert (told["object"], told["kind"], told["names"]) == (made["uri"], "Note", ["Hashtag #fedify"])
    await post("among us", visibility="private")
    told = await hears("Create", content="among us")
    assert (told["to"], told["cc"]) == ([f"{ours}/followers"], [])
    await post(f"@ed@{friends.fedify.base.authority} psst", visibility="direct")
    told = await hears("Create", content="psst")
    assert (told["to"], told["cc"]) == ([ed], [])
    await post("Tea?", poll={"options": ["yes", "no"], "expires_in": 3600})
    assert (await hears("Create", content="Tea?"))["kind"] == "Question"
    await friends.api("PUT", f"statuses/{made['id']}", status="Hello again")
    await hears("Update", object=made["uri"], content="Hello again")
    await friends.api("PATCH", "accounts/update_credentials", display_name="Alice the First")
    await hears("Update", object=ours, content="Alice the First")
    await friends.api("DELETE", f"statuses/{made['id']}")
    await hears("Delete", object=made["uri"])
    await friends.api("POST", f"accounts/{friends.ed}/unfollow")
    assert (await hears("Undo"))["kind"] == "Follow"
    await friends.api("POST", f"accounts/{friends.ed}/block")
    await hears("Block", object=ed)


async def test_ours_hear_what_it_says(friends: Friends) -> None:
    fedify, server = friends.fedify, friends.server
    ours = await friends.post("Good morning")
    theirs = await fedify.act("say", text="<p>From Fedify</p>")
    seen = await friends.seen("From Fedify")
    assert seen["uri"] == theirs
    await fedify.act("say", text="<p>An answer</p>", answers=ours["uri"])
    [comment] = await until(lambda: server.thread("alice", ours["id"]), "ed's answer is in the thread")
    assert comment["in_reply_to_id"] == ours["id"]
    await fedify.act("say", text="<p>between us</p>", to=friends.ours)
    [conversation] = await until(lambda: friends.api("GET", "conversations"), "ed's letter came")
    assert conversation["last_status"]["visibility"] == "direct"
    await fedify.act("like", on=ours["uri"])
    await fedify.act("boost", on=ours["uri"])

    async def told_of() -> bool:
        kinds = {one["type"] for one in await friends.api("GET", "notifications")}
        return kinds >= {"follow", "favourite", "reblog", "mention"}

    await until(told_of, "alice is told of all that ed did")

    await friends.api("POST", f"statuses/{seen['id']}/favourite")
    await friends.hears("Like", object=theirs)
    await friends.api("POST", f"statuses/{seen['id']}/reblog")
    await friends.hears("Announce", object=theirs)
    await friends.post("my comment", in_reply_to_id=seen["id"])
    await friends.hears("Create", content="my comment", answers=theirs)

    await fedify.act("edit", post=theirs, text="<p>Changed by Fedify</p>")
    await friends.seen("Changed by Fedify")
    await fedify.act("delete", post=theirs)

    async def gone() -> bool:
        return await server.seen("alice", "Changed by Fedify") is None

    await until(gone, "ed's post is gone")
