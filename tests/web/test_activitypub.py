"""The documents that other servers read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.reading import read_actor, read_note
from social import boosts, reactions
from social.posts import receive
from social.posts.drafts import PollDraft
from tests.people import remote, stored
from tests.social.said import note
from tests.web.site import DOCUMENT, PAGE, Site

LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
AS2 = "application/activity+json; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/users/nobody",
        "/@nobody",
        "/users/nobody/outbox",
        "/users/nobody/posts/1",
        "/users/connectme.internal",
        "/@bob@far.test",
        "/users/alice/posts/1",
        "/users/alice/posts/x",
        "/users/alice/posts/" + "9" * 30,
        "/users/alice/posts/%00",
        "/users/%00/posts/1",
        "/users/%ff",
        "/users/a%0d%0ab",
        "/nonsense",
    ],
)
async def test_what_is_not_there_is_said_in_json(site: Site, path):
    await site.person("alice")
    await stored(site.db, remote("bob"))
    answer = await site.document(path)
    assert (answer.status, bool(answer.error)) == (404, True)


@pytest.mark.parametrize("asked", ["max_id=x", "min_id=-1", "max_id=" + "9" * 30])
async def test_what_cannot_be_a_page_is_refused(site: Site, asked):
    await site.person("alice")
    answer = await site.document(f"/users/alice/outbox?{asked}")
    assert (answer.status, bool(answer.error)) == (422, True)


async def test_another_s_post_is_not_at_one_s_own_address(site: Site):
    alice, _ = await site.person("alice")
    await site.person("bob")
    post = await site.posted(alice)
    await stored(site.db, carol := remote("carol"))
    theirs = await site.db.write(receive.receive, carol, note(carol), datetime.now(UTC))
    assert (await site.document(f"/users/bob/posts/{post.id}")).status == 404
    assert (await site.document(f"/users/alice/posts/{theirs.id}")).status == 404


@pytest.mark.parametrize(
    "accept",
    [DOCUMENT, LD, LD.replace('"', ""), "application/ld+json", "APPLICATION/Activity+JSON", f"{DOCUMENT}, {LD}",
     f"{DOCUMENT}, text/html;q=0.1", f"{LD};q=0.9, */*;q=0.1", "text/plain, application/activity+json;q=0.5",
     "application/activity+json;q=nonsense"],
)  # fmt: skip
async def test_servers_get_documents(site: Site, accept):
    await site.person("alice")
    for path in ("/users/alice", "/@alice", "/@ALICE"):
        answer = await site.get(path, headers={"Accept": accept})
        assert (answer.status, answer.headers["Content-Type"]) == (200, AS2)
        assert answer.headers["Vary"] == "Accept, Signature"
        assert answer.headers["Cache-Control"] == "public, max-age=60"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.json["id"] == "https://ours.test/users/alice"


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        PAGE,
        "text/html",
        "application/json",
        "text/html, application/activity+json;q=0.5",
        "application/activity+json;q=0",
        'application/ld+json; profile="https://other.test/"',
        "x" * 5000,
    ],
)
async def test_browsers_get_pages(site: Site, accept):
    alice, _ = await site.person("alice")
    post = await site.posted(alice)
    for path, page in [("/users/alice", "/@alice"), (f"/users/alice/posts/{post.id}", f"/@alice/{post.id}")]:
        answer = await site.get(path, headers={"Accept": accept})
        assert (answer.status, answer.headers["Location"]) == (302, f"https://ours.test{page}")
        answer = await site.get(page, headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "Accept" in answer.headers["Vary"]


async def test_a_redirect_stays_on_this_server(site: Site):
    for odd in ("%0d%0aSet-Cookie:x=1", "%2f%2fevil.test", "x%5c%5cevil.test", "@evil.test", "%ff"):
        answer = await site.get(f"/users/{odd}", headers={"Accept": PAGE})
        assert answer.headers.get("Location", "https://ours.test/@").startswith("https://ours.test/@")
        assert "Set-Cookie" not in answer.headers


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.text(alphabet="aplication/activity+jsonld; q=0.5,html*\"'", max_size=60))
async def test_any_accept_is_answered(site: Site, accept):
    answer = await site.get("/users/alice", headers={"Accept": accept})
    assert answer.status in (302, 404)


async def test_an_actor_is_what_our_own_reader_reads(site: Site):
    alice, _ = await site.person("alice", display_name="Alice", locked=True)
    document = (await site.document("/users/alice")).json
    actor = read_actor(document)
    assert (actor.id, actor.name, actor.locked) == (alice.uri, "Alice", True)
    assert [key.id for key in actor.keys] == [f"{alice.uri}#main-key"]
    assert document["webfinger"] == "alice@ours.test"
    assert document["endpoints"] == {"sharedInbox": "https://ours.test/inbox"}
    for name in ("inbox", "outbox", "followers", "following", "featured"):
        assert document[name].startswith(alice.uri)
        if name != "inbox":
            answer = await site.document(document[name].removeprefix("https://ours.test"))
            assert answer.json["id"] == document[name]


async def test_the_server_itself_is_an_actor(site: Site):
    document = (await site.document("/actor")).json
    assert (document["id"], document["type"]) == ("https://ours.test/actor", "Application")
    assert document["publicKey"]["owner"] == document["id"]
    assert (await site.document("/actor/outbox")).json["totalItems"] == 0


async def test_a_post_is_what_our_own_reader_reads(site: Site):
    alice, _ = await site.person("alice")
    poll = PollDraft(("yes", "no"), datetime.now(UTC) + timedelta(hours=1))
    for kind, more in [("Note", {}), ("Question", {"poll": poll})]:
        post = await site.posted(alice, "hello", **more)
        document = (await site.document(f"/users/alice/posts/{post.id}")).json
        read = read_note(document)
        assert (read.id, read.author, read.html) == (post.uri, alice.uri, "<p>hello</p>")
        assert document["type"] == kind
        created = (await site.document(f"/users/alice/posts/{post.id}/activity")).json
        assert (created["type"], created["id"], created["object"]["id"]) == ("Create", f"{post.uri}/activity", post.uri)
        for name in ("replies", "likes", "shares"):
            answer = await site.document(document[name].removeprefix("https://ours.test"))
            assert (answer.json["id"], answer.json["totalItems"]) == (document[name], 0)


async def test_a_boost_is_an_announce(site: Site):
    alice, _ = await site.person("alice")
    bob, _ = await site.person("bob")
    post = await site.posted(alice)
    boost = await site.db.write(boosts.boost, bob.id, post.id, datetime.now(UTC))
    for path in (f"/users/bob/posts/{boost.id}", f"/users/bob/posts/{boost.id}/activity"):
        document = (await site.document(path)).json
        assert (document["type"], document["id"], document["object"]) == ("Announce", boost.uri, post.uri)
    outbox = (await site.document("/users/bob/outbox?page=1")).json
    assert [item["type"] for item in outbox["orderedItems"]] == ["Announce"]


async def test_likes_and_boosts_are_counted_and_not_named(site: Site):
    alice, _ = await site.person("alice")
    bob, _ = await site.person("bob")
    post = await site.posted(alice)
    await site.do(reactions.like, bob.id, post.id)
    await site.do(boosts.boost, bob.id, post.id)
    for which in ("likes", "shares"):
        answer = await site.document(f"/users/alice/posts/{post.id}/{which}")
        assert answer.json["totalItems"] == 1
        assert b"bob" not in answer.body
    assert (await site.document(f"/users/alice/posts/{post.id}/nonsense")).status == 404


async def walk(site: Site, path: str) -> list[str]:
    """All items of a collection, by its pages."""
    collection = (await site.document(path)).json
    assert collection["type"] == "OrderedCollection"
    assert "orderedItems" not in collection
    items: list[str] = []
    next_ = collection["first"]
    while next_:
        page = (await site.document(next_.removeprefix("https://ours.test"))).json
        assert (page["type"], page["id"], page["partOf"]) == ("OrderedCollectionPage", next_, collection["id"])
        assert page["totalItems"] == collection["totalItems"]
        items += [item if isinstance(item, str) else item["object"]["id"] for item in page["orderedItems"]]
        next_ = page.get("next")
    assert len(items) == collection["totalItems"]
    return items


async def test_the_pages_of_an_outbox_are_all_of_it(site: Site):
    alice, _ = await site.person("alice")
    everything = [(await site.posted(alice)).uri for _ in range(85)][::-1]
    assert await walk(site, "/users/alice/outbox") == everything
    last = (await site.document("/users/alice/outbox?page=1&max_id=1")).json
    assert (last["orderedItems"], "next" in last) == ([], False)


async def test_the_pages_of_comments_are_all_of_them_and_no_private_ones(site: Site):
    alice, _ = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    root = await site.posted(alice)
    everything = []
    for _ in range(45):
        said = note(bob, in_reply_to=root.uri)
        await site.db.write(receive.receive, bob, said, datetime.now(UTC))
        everything.append(said.id)
    await site.posted(alice, "hidden", reply_to_id=root.id, visibility="private")
    assert set(await walk(site, f"/users/alice/posts/{root.id}/replies")) == set(everything)


@pytest.mark.parametrize("which", ["followers", "following"])
async def test_the_pages_of_people_are_all_of_them(site: Site, which):
    alice, _ = await site.person("alice")
    people = [(await site.person(f"p{number}"))[0] for number in range(3)]
    for one in people:
        by = await site.token(one if which == "followers" else alice)
        target = alice if which == "followers" else one
        assert (await site.post(f"/api/v1/accounts/{target.id}/follow", by)).json["following"] is True
    assert await walk(site, f"/users/alice/{which}") == [one.uri for one in reversed(people)]
