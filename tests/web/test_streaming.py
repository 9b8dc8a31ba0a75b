"""Streams over real sockets: who gets what, in which form, and how they end.  Refusals first."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from aiohttp import WSMsgType, WSServerHandshakeError
from yarl import URL

from federation.reading.page import Preview
from social import accounts, announcements, apps, blocks, boosts, cards, lists, quotes, reactions
from social.events import AnnouncementDeleted, AnnouncementReacted, FiltersChanged, NotificationsMerged
from social.follows import ours as follows
from social.posts import delete, edit, find
from social.posts.drafts import Draft, PollDraft
from social.secrets import sha256
from store.events import announce
from web.streaming import connections, hub, routes

STREAM = "/api/v1/streaming"


@asynccontextmanager
async def socket(site, token=None, query="", **more):
    """A WebSocket, with the token as Elk and Phanpy send it unless `query` has it."""
    headers = {"Host": "ours.test", **more.pop("headers", {})}
    protocols = (token,) if token else ()
    url = URL(STREAM + query, encoded=True)
    async with site.http.ws_connect(url, headers=headers, protocols=protocols, **more) as ws:
        yield ws


async def heard(ws):
    """The next message, its payload understood."""
    said = orjson.loads((await ws.receive(60)).data)
    if isinstance(said.get("payload"), str) and said["payload"].startswith("{"):
        said["payload"] = orjson.loads(said["payload"])
    return said


async def subscribe(ws, stream, **more):
    await ws.send_json({"type": "subscribe", "stream": stream, **more})


async def settled(site, ws):
    """Returns when all that was sent until now was understood: refusals come in order."""
    await ws.send_json({"type": "dance"})
    said = await heard(ws)
    assert said["status"] == 400
    return said


async def ends(ws):
    """The code with which it ends; anything before is passed over."""
    async with asyncio.timeout(60):
        while True:
            message = await ws.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
                return message.data if message.type is WSMsgType.CLOSE else None


async def refusal(site, token=None, query="", **more):
    with pytest.raises(WSServerHandshakeError) as refused:
        async with socket(site, token, query, **more):
            pass
    return refused.value.status


async def test_health_is_ok(site):
    answer = await site.get(f"{STREAM}/health")
    assert (answer.status, answer.body) == (200, b"OK")


async def test_instance_says_where_streams_are(site):
    assert (await site.get("/api/v1/instance")).json["urls"] == {"streaming_api": "wss://ours.test"}
    assert (await site.get("/api/v2/instance")).json["configuration"]["urls"]["streaming"] == "wss://ours.test"


async def test_nobody_listens_without_a_good_token(site):
    alice, token = await site.person("alice")
    assert await refusal(site) == 401
    assert await refusal(site, "wrong") == 401
    assert await refusal(site, query="?access_token=wrong") == 401
    assert await refusal(site, headers={"Authorization": "Bearer wrong"}) == 401
    assert await refusal(site, await site.token(None)) == 401  # of a program alone
    app = await site.db.read(apps.token, sha256(token))
    await site.do(apps.revoke_token, app.app.id, sha256(token))
    assert await refusal(site, token) == 401
    for path in routes._PATHS:
        assert (await site.get(f"{STREAM}/{path}")).error == "Missing access token"
        assert (await site.get(f"{STREAM}/{path}?access_token=wrong")).status == 401
    assert alice


async def test_an_event_stream_that_cannot_be_is_refused_in_json(site):
    _, token = await site.person("alice")
    narrow = await site.token((await site.person("bob"))[0], "read:notifications")
    assert (await site.get(f"{STREAM}/user", narrow)).error == "Access token does not have the required scopes"
    assert (await site.get(f"{STREAM}/direct", narrow)).status == 401
    assert (await site.get(f"{STREAM}/hashtag", token)).status == 400
    assert (await site.get(f"{STREAM}/hashtag/local?tag=", token)).error == "Missing tag name parameter"
    assert (await site.get(f"{STREAM}/list?list=4711", token)).error == "Not authorized to stream this list"
    assert (await site.get(f"{STREAM}/list?list=x", token)).status == 401
    assert (await site.get(f"{STREAM}?stream=weather", token)).error == "Unknown stream type"
    assert (await site.get(STREAM, token)).status == 400
    assert (await site.get(f"{STREAM}/weather", token)).status == 404


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        ("no json", 400),
        ("[]", 400),
        ('{"type": "subscribe"}', 400),
        ('{"type": "subscribe", "stream": 7}', 400),
        ('{"type": "subscribe", "stream": "weather"}', 400),
        ('{"type": "subscribe", "stream": "hashtag"}', 400),
        ('{"type": "subscribe", "stream": "hashtag", "tag": ["x"]}', 400),
        ('{"type": "subscribe", "stream": "list"}', 400),
        ('{"type": "subscribe", "stream": "list", "list": "1"}', 401),
        ('{"type": "subscribe", "stream": "user:notification"}', 401),
        ('{"type": "unsubscribe", "stream": "weather"}', 400),
        ('{"type": "\\ud800"}', 400),
    ],
)
async def test_a_frame_that_asks_for_what_cannot_be_is_answered_and_the_stream_stays(site, frame, status):
    alice, _ = await site.person("alice")
    async with socket(site, await site.token(alice, "read:statuses")) as ws:
        await ws.send_str(frame)
        said = await heard(ws)
        assert (said["status"], bool(said["error"])) == (status, True)
        await ws.send_bytes(b"\x00")  # nothing that we know
        await subscribe(ws, "public")
        await settled(site, ws)
        await site.posted(alice)
        assert (await heard(ws))["event"] == "update"


async def test_a_frame_that_is_too_long_ends_the_stream(site):
    _, token = await site.person("alice")
    async with socket(site, token) as ws:
        await ws.send_str("x" * 10_000)
        assert await ends(ws) == 1009


async def test_too_many_streams_are_refused_and_places_become_free(site, monkeypatch):
    monkeypatch.setattr(hub, "MOST_OF_ONE", 2)
    monkeypatch.setattr(routes, "MOST", 3)
    _, token = await site.person("alice")
    _, bob_s = await site.person("bob")
    async with socket(site, token), socket(site, token) as ws:
        assert await refusal(site, token) == 429
        assert (await site.get(f"{STREAM}/user", token)).status == 429
        async with socket(site, bob_s):
            pass
        for tag in "abcd":
            await subscribe(ws, "hashtag", tag=tag)
        assert (await heard(ws))["status"] == 429
    async with socket(site, token):
        pass


@pytest.mark.parametrize("way", ["protocol", "query", "header"])
async def test_the_token_comes_by_any_of_three_ways_and_as_a_subprotocol_is_echoed(site, way):
    alice, token = await site.person("alice")
    how = {
        "protocol": {"token": token, "query": "?stream=user"},
        "query": {"query": f"?stream=user&access_token={token}"},
        "header": {"query": "/?stream=user", "headers": {"Authorization": f"Bearer {token}"}},
    }[way]
    async with socket(site, **how) as ws:
        assert ws.protocol == (token if way == "protocol" else None)
        await settled(site, ws)
        post = await site.posted(alice)
        said = await heard(ws)
        assert (said["stream"], said["event"], said["payload"]["id"]) == (["user"], "update", str(post.id))
        assert said["payload"]["favourited"] is False


async def test_many_streams_on_one_connection_each_under_the_name_it_was_asked_by(site):
    alice, token = await site.person("alice")
    async with socket(site, token) as ws:
        for stream in ("public", "public:local", "public:remote", "public:local:media"):
            await subscribe(ws, stream)
        await subscribe(ws, "hashtag", tag="Größe")
        await subscribe(ws, "hashtag:local", tag="GRÖSSE")
        await subscribe(ws, "public")  # again
        await settled(site, ws)
        await site.posted(alice, "of #größe")
        streams = [tuple((await heard(ws))["stream"]) for _ in range(4)]
        assert streams == [("public",), ("public:local",), ("hashtag", "Größe"), ("hashtag:local", "GRÖSSE")]
        await ws.send_json({"type": "unsubscribe", "stream": "public"})
        for stream in ("hashtag", "hashtag:local"):
            await ws.send_json({"type": "unsubscribe", "stream": stream, "tag": "größe"})
        await ws.send_json({"type": "unsubscribe", "stream": "user"})  # never was
        await settled(site, ws)
        await site.posted(alice, "more of #größe")
        assert (await heard(ws))["stream"] == ["public:local"]
        await settled(site, ws)


async def test_only_who_finds_a_post_in_a_feed_gets_it_from_the_stream(both_sites):
    site = both_sites
    alice, _ = await site.person("alice")
    readers = {}
    for name in ("follower", "stranger", "blocked", "blocking", "mentioned"):
        readers[name] = await site.person(name)
    await site.do(follows.ask, readers["follower"][0].id, alice.id)
    await site.do(blocks.block, alice.id, readers["blocked"][0].id)
    await site.do(blocks.block, readers["blocking"][0].id, alice.id)
    got = {name: [] for name in readers}
    sockets = {}
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(60):
        done = asyncio.Event()

        async def listen(name, token):
            async with socket(site, token, "?stream=user") as ws:
                await subscribe(ws, "public")
                await subscribe(ws, "hashtag", tag="tag")
                await settled(site, ws)
                sockets[name] = ws
                while True:
                    said = await heard(ws)
                    if said["event"] == "filters_changed":
                        return
                    if said["event"] == "update":
                        got[name].append((said["stream"][0], said["payload"]["visibility"]))

        for name, (_, token) in readers.items():
            tasks.create_task(listen(name, token))
        while len(sockets) < len(readers):
            await asyncio.sleep(0)
        for visibility in ("public", "unlisted", "private", "direct"):
            await site.posted(alice, "@mentioned #tag", visibility=visibility)
        for person, _ in readers.values():
            await site.db.write(announce, FiltersChanged(person.id))
        assert not done.is_set()
    everywhere = [("public", "public"), ("hashtag", "public")]
    assert got["follower"] == [("user", "public"), *everywhere, ("user", "unlisted"), ("user", "private")]
    assert got["stranger"] == everywhere
    assert got["mentioned"] == everywhere
    assert got["blocked"] == got["blocking"] == []


async def test_edits_deletions_and_boosts_are_told(both_sites):
    site = both_sites
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    carol, _ = await site.person("carol")
    await site.do(follows.ask, bob.id, alice.id)
    theirs = await site.posted(carol, "carol's")
    await site.do(reactions.like, bob.id, theirs.id)
    async with socket(site, bob_s, "?stream=user") as ws, socket(site, token, "?stream=public") as public:
        await settled(site, ws)
        await settled(site, public)
        post = await site.posted(alice, "first")
        assert (await heard(ws))["event"] == (await heard(public))["event"] == "update"
        await site.db.write(edit.edit, site.origin, alice.id, post.id, Draft("second"), datetime.now(UTC))
        for one in (ws, public):
            said = await heard(one)
            assert (said["event"], said["payload"]["content"]) == ("status.update", "<p>second</p>")
        made = await site.do(boosts.boost, alice.id, theirs.id)
        said = await heard(ws)
        assert (said["payload"]["id"], said["payload"]["reblog"]["id"]) == (str(made.id), str(theirs.id))
        assert said["payload"]["reblog"]["favourited"] is True  # his own like
        await site.do(delete.delete, alice.id, post.id)
        assert await heard(ws) == {"stream": ["user"], "event": "delete", "payload": str(post.id)}
        assert await heard(public) == {"stream": ["public"], "event": "delete", "payload": str(post.id)}
        await site.db.write(boosts.unboost, alice.id, theirs.id)
        assert (await heard(ws))["payload"] == str(made.id)
        secret = await site.posted(alice, "@carol", visibility="direct")
        await site.do(delete.delete, alice.id, secret.id)
        await settled(site, ws)
        await settled(site, public)


async def test_a_list_is_streamed_to_its_owner_alone(both_sites):
    site = both_sites
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    carol, _ = await site.person("carol")
    for one in (bob, carol):
        await site.do(follows.ask, alice.id, one.id)
    it = await site.db.write(lists.create, alice.id, "friends")
    await site.db.write(lists.add_members, alice.id, it.id, [bob.id])
    assert (await site.get(f"{STREAM}/list?list={it.id}", bob_s)).error == "Not authorized to stream this list"
    async with socket(site, token, f"?stream=list&list={it.id}") as ws, socket(site, bob_s) as other:
        await subscribe(other, "list", list=str(it.id))
        assert (await heard(other))["status"] == 401
        await settled(site, ws)
        await site.posted(carol, "not a member")
        post = await site.posted(bob, "a member")
        said = await heard(ws)
        assert (said["stream"], said["event"], said["payload"]["id"]) == (["list", str(it.id)], "update", str(post.id))
        await site.db.write(edit.edit, site.origin, bob.id, post.id, Draft("changed"), datetime.now(UTC))
        assert (await heard(ws))["event"] == "status.update"
        await site.do(delete.delete, bob.id, post.id)
        assert await heard(ws) == {"stream": ["list", str(it.id)], "event": "delete", "payload": str(post.id)}


async def test_direct_posts_come_as_conversations_to_those_who_are_in_them(both_sites):
    site = both_sites
    alice, token = await site.person("alice")
    _, bob_s = await site.person("bob")
    _, eve_s = await site.person("eve")
    async with socket(site, token) as ws, socket(site, bob_s) as other, socket(site, eve_s) as strange:
        for one in (ws, other, strange):
            await subscribe(one, "direct")
            await settled(site, one)
        first = await site.posted(alice, "@bob hi", visibility="direct")
        for one, unread, name in ((ws, False, "bob"), (other, True, "alice")):
            said = await heard(one)
            assert (said["stream"], said["event"], said["payload"]["unread"]) == (["direct"], "conversation", unread)
            assert [it["username"] for it in said["payload"]["accounts"]] == [name]
            assert said["payload"]["last_status"]["id"] == str(first.id)
        mine = (await site.get("/api/v1/conversations", bob_s)).json
        assert mine == [said["payload"]]
        again = await site.posted(alice, "@bob there", visibility="direct", reply_to_id=first.id)
        assert (await heard(other))["payload"]["last_status"]["id"] == str(again.id)
        await subscribe(other, "user")
        await settled(site, other)
        await site.do(delete.delete, alice.id, again.id)
        told = [await heard(other) for _ in range(3)]
        assert [(one["stream"], one["event"]) for one in told] == [
            (["direct"], "conversation"),
            (["user"], "delete"),
            (["direct"], "delete"),
        ]
        assert told[0]["payload"]["last_status"]["id"] == str(first.id)
        assert told[1]["payload"] == told[2]["payload"] == str(again.id)
        await site.posted(alice, "public")
        await settled(site, strange)


async def test_what_becomes_of_a_quote_and_a_preview_that_was_fetched_are_told(site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    theirs = await site.posted(bob, "quote me", quote_policy="public")
    async with socket(site, token, "?stream=user") as ws:
        await settled(site, ws)
        post = await site.posted(alice, "see https://far.test/page", quoted_id=theirs.id)
        said = await heard(ws)
        assert (said["event"], said["payload"]["quote"]["state"]) == ("update", "accepted")
        card = (await site.db.read(find.by_id, post.id)).card_id
        await site.do(cards.fetched, card, Preview("link", title="A page"))
        said = await heard(ws)
        assert (said["event"], said["payload"]["card"]["title"]) == ("status.update", "A page")
        await site.do(cards.fetched, card, Preview("link", title="A page"))  # nothing new
        await site.do(quotes.revoke, bob.id, theirs.id, post.id)
        said = await heard(ws)
        assert (said["event"], said["payload"]["quote"]["state"]) == ("status.update", "revoked")
        more = await site.posted(alice, "again", quoted_id=(own := await site.posted(alice)).id)
        assert [(await heard(ws))["event"] for _ in range(2)] == ["update", "update"]
        await site.do(delete.delete, alice.id, own.id)
        said = await heard(ws)
        assert (said["payload"]["id"], said["payload"]["quote"]["state"]) == (str(more.id), "deleted")


async def test_what_the_author_of_a_poll_gets_says_that_he_needs_not_vote(site):
    alice, token = await site.person("alice")
    async with socket(site, token, "?stream=user") as ws:
        await settled(site, ws)
        await site.posted(alice, "?", poll=PollDraft(("a", "b"), datetime.now(UTC) + timedelta(days=1)))
        assert (await heard(ws))["payload"]["poll"]["voted"] is True


async def test_notifications_come_where_they_may_be_read(site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    post = await site.posted(alice)
    narrow = await site.token(alice, "read:statuses")
    async with socket(site, token, "?stream=user") as ws, socket(site, narrow, "?stream=user") as deaf:
        await subscribe(ws, "user:notification")
        await settled(site, ws)
        await settled(site, deaf)
        await site.do(reactions.like, bob.id, post.id)
        for stream in ("user:notification", "user"):
            said = await heard(ws)
            assert (said["stream"], said["event"], said["payload"]["type"]) == ([stream], "notification", "favourite")
            assert said["payload"]["status"]["id"] == str(post.id)
        await site.db.write(announce, NotificationsMerged(alice.id))
        assert {(await heard(ws))["event"], (await heard(ws))["event"]} == {"notifications_merged"}
        await settled(site, deaf)


async def test_what_needs_no_loading(site):
    alice, token = await site.person("alice")
    async with socket(site, token, "?stream=user") as ws:
        await settled(site, ws)
        await site.db.write(announce, FiltersChanged(alice.id))
        assert await heard(ws) == {"stream": ["user"], "event": "filters_changed"}
        await site.db.write(announce, FiltersChanged(alice.id + 1))
        made = await site.db.write(announcements.create, site.origin, "hello", datetime.now(UTC))
        said = await heard(ws)
        assert (said["event"], said["payload"]["content"]) == ("announcement", "<p>hello</p>")
        assert (said["payload"]["id"], "read" in said["payload"]) == (str(made.id), False)
        await site.db.write(announce, AnnouncementReacted(7, "🤔", 2))
        assert (await heard(ws))["payload"] == {"name": "🤔", "count": 2, "announcement_id": "7"}
        await site.db.write(announce, AnnouncementDeleted(7))
        assert await heard(ws) == {"stream": ["user"], "event": "announcement.delete", "payload": "7"}


async def test_posts_in_streams_tell_which_filters_they_meet(site):
    alice, token = await site.person("alice")
    bob, other = await site.person("bob")
    carol, plain = await site.person("carol")
    word = {"title": "no cats", "context": ["public"], "keywords_attributes": [{"keyword": "cat"}]}
    made = (await site.post("/api/v2/filters", token, json=word)).json
    await site.post("/api/v2/filters", other, json={**word, "keywords_attributes": [{"keyword": "dog"}]})
    async with (
        socket(site, token, "?stream=public") as hers,
        socket(site, other, "?stream=public") as his,
        socket(site, plain, "?stream=public") as third,
    ):
        for ws in (hers, his, third):
            await settled(site, ws)
        await site.posted(carol, "a Cat")
        seen = [(await heard(ws))["payload"]["filtered"] for ws in (hers, his, third)]
    assert seen[0][0]["filter"]["id"] == made["id"]
    assert (seen[0][0]["keyword_matches"], seen[1:]) == (["cat"], [[], []])
    assert alice.id != bob.id


async def test_server_sent_events(site, monkeypatch):
    monkeypatch.setattr(routes, "THUMP", 0.02)
    alice, token = await site.person("alice")
    headers = {"Host": "ours.test", "Authorization": f"Bearer {token}", "Origin": "https://elk.test"}
    async with site.http.get(f"{STREAM}/user", headers=headers) as got:
        assert got.status == 200
        assert got.headers["Content-Type"] == "text/event-stream"
        assert got.headers["Access-Control-Allow-Origin"] == "*"
        assert await got.content.readline() == b":)\n"
        assert await got.content.readline() == b":thump\n"
        monkeypatch.setattr(routes, "THUMP", 3600)
        post = await site.posted(alice)
        await site.db.write(announce, FiltersChanged(alice.id))
        lines = []
        async with asyncio.timeout(60):
            while len(lines) < 6:
                line = await got.content.readline()
                lines += [] if line == b":thump\n" else [line]
        assert lines[0] == b"event: update\n"
        assert orjson.loads(lines[1].removeprefix(b"data: "))["id"] == str(post.id)
        assert lines[2:] == [b"\n", b"event: filters_changed\n", b"data: undefined\n", b"\n"]
        await site.do(accounts.suspend, alice.id)
        assert (await got.content.read()).endswith(b": the access token is good for nothing any more\n")


@pytest.mark.parametrize("path", ["public?only_media=true", "public/local", "public/remote", "hashtag?tag=x", "direct"])
async def test_each_address_of_an_event_stream_opens(site, path):
    _, token = await site.person("alice")
    headers = {"Host": "ours.test", "Authorization": f"Bearer {token}"}
    async with site.http.get(URL(f"{STREAM}/{path}", encoded=True), headers=headers) as got:
        assert await got.content.readline() == b":)\n"


async def test_a_revoked_token_ends_its_streams_at_once_and_no_other(site):
    alice, token = await site.person("alice")
    other = await site.token(alice)
    app = (await site.db.read(apps.token, sha256(token))).app
    async with socket(site, token, "?stream=user") as ws, socket(site, other, "?stream=user") as stays:
        await settled(site, ws)
        await settled(site, stays)
        await site.do(apps.revoke_token, app.id, sha256(token))
        assert await ends(ws) == 1008
        await site.posted(alice)
        assert (await heard(stays))["event"] == "update"


async def test_what_nobody_said_is_found_by_looking(site, monkeypatch):
    """As when a command suspends somebody while the server runs."""
    alice, token = await site.person("alice")
    monkeypatch.setattr(hub, "CHECK", 0.01)
    monkeypatch.setattr(hub, "SOON", 0.0)
    async with socket(site, token, "?stream=user") as ws:
        await settled(site, ws)
        listeners, site.db.listeners[:] = list(site.db.listeners), []
        await site.do(accounts.suspend, alice.id)
        site.db.listeners[:] = listeners
        await site.http.app[routes.HUB].check()
        assert await ends(ws) == 1008


async def test_who_reads_too_slowly_is_let_go(site, monkeypatch):
    monkeypatch.setattr(connections, "QUEUE", 10_000)
    monkeypatch.setattr(connections, "FAREWELL", 0.1)
    _, token = await site.person("alice")
    async with socket(site, token, "?stream=public") as ws, socket(site, token, "?stream=public") as quick:
        await settled(site, ws)
        await settled(site, quick)
        open_now = list(site.http.app[routes.HUB]._connections)
        slow = open_now[0]
        for _ in range(3_000):  # more than the system keeps for him: nobody reads meanwhile
            slow.send(connections.text_frame(b"x" * 10_000))
            if slow.ended:
                break
        assert slow.ended
        assert await ends(ws) in (1013, 1006, None)
        await settled(site, quick)


async def test_a_server_that_stops_says_good_bye(server):
    async with server() as site:
        _, token = await site.person("alice")
        async with socket(site, token, "?stream=user") as ws:
            await settled(site, ws)
            await site.http.app[routes.HUB].stop()
            assert await ends(ws) == 1001
