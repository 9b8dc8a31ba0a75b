"""How complete a conversation is: asked for by reading it, said in the answer, followed up by programs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from social.posts import receive
from store.tables import jobs, refreshes
from tests.people import remote, stored
from tests.social.said import note, private
from tests.web.site import Site

REFRESHES = "/api/v1_alpha/async_refreshes"


async def there(site, name="bob", **more):
    bob = remote(name)
    await stored(site.db, bob)
    return await site.db.write(receive.receive, bob, note(bob, **more), datetime.now(UTC))


async def asked(site):
    return await site.db.read(lambda tx: list(tx.scalars(select(jobs.c.key))))


async def test_visitors_have_nothing_fetched(site: Site):
    post = await there(site)
    answer = await site.get(f"/api/v1/statuses/{post.id}/context")
    assert "Mastodon-Async-Refresh" not in answer.headers
    assert answer.json["completeness"] == {
        "known": 1, "expected": None, "asked_at": None, "running": False, "silent_hosts": [],
    }  # fmt: skip
    assert await asked(site) == []


@pytest.mark.parametrize("name", ["x", "context-", "context-x", "context-114", f"context-{'9' * 40}", "%00"])
async def test_what_was_not_asked_for_is_not_found(site: Site, name):
    _, token = await site.person("alice")
    assert (await site.get(f"{REFRESHES}/{name}", token)).status == 404


async def test_only_whom_the_post_is_for_follows_its_refresh(site: Site):
    alice, token = await site.person("alice")
    post = await there(site)
    await site.get(f"/api/v1/statuses/{post.id}/context", token)
    name = f"context-{post.id}"
    assert (await site.get(f"{REFRESHES}/{name}")).status == 401
    assert (await site.get(f"{REFRESHES}/{name}", await site.token(alice, "write"))).status == 403
    secret = await there(site, "carol", **private(remote("carol")))
    assert (await site.get(f"{REFRESHES}/context-{secret.id}", token)).status == 404


async def test_a_reader_is_told_that_more_may_come_and_when_it_is_all_there(site: Site):
    _, token = await site.person("alice")
    post = await there(site)
    for _ in range(2):
        answer = await site.get(f"/api/v1/statuses/{post.id}/context", token)
        name = f"context-{post.id}"
        assert answer.headers["Mastodon-Async-Refresh"] == f'id="{name}", retry=3, result_count=0'
    assert await asked(site) == [f"fetch_thread {post.thread_id}"]
    running = (await site.get(f"{REFRESHES}/{name}", token)).json
    assert running == {"async_refresh": {"id": name, "status": "running", "result_count": 0}}
    done = {"finished_at": datetime.now(UTC), "found": 2, "absent": 3, "silent": ["third.test"]}
    await site.db.write(lambda tx: tx.execute(update(refreshes).values(**done)).rowcount)
    assert (await site.get(f"{REFRESHES}/{name}", token)).json["async_refresh"]["status"] == "finished"
    answer = await site.get(f"/api/v1/statuses/{post.id}/context", token)
    assert "Mastodon-Async-Refresh" not in answer.headers
    said = answer.json["completeness"]
    assert (said["known"], said["expected"], said["silent_hosts"], said["running"]) == (1, 4, ["third.test"], False)


async def test_it_is_asked_for_again_after_a_while(site: Site):
    _, token = await site.person("alice")
    post = await there(site)
    path = f"/api/v1/statuses/{post.id}/context"
    await site.get(path, token)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    await site.db.write(
        lambda tx: tx.execute(update(refreshes).values(asked_at=long_ago, finished_at=long_ago)).rowcount
    )
    assert "Mastodon-Async-Refresh" in (await site.get(path, token)).headers


async def test_a_conversation_of_ours_has_a_list_of_its_posts(site: Site):
    alice, _ = await site.person("alice")
    root = await site.posted(alice)
    secret = await site.posted(alice, visibility="private", reply_to_id=root.id)
    answer = await site.posted(alice, reply_to_id=root.id)
    uri = f"{root.uri}/context"
    path = uri.removeprefix("https://ours.test")
    assert (await site.document(root.uri.removeprefix("https://ours.test"))).json["context"] == uri
    assert (await site.document(answer.uri.removeprefix("https://ours.test"))).json["context"] == uri
    whole = (await site.document(path)).json
    assert (whole["type"], whole["totalItems"], whole["attributedTo"]) == ("OrderedCollection", 2, alice.uri)
    page = (await site.document(f"{path}?page=1")).json
    assert page["orderedItems"] == [answer.uri, root.uri]
    assert secret.uri not in str(page)
    for elsewhere in (answer, secret):
        assert (await site.document(f"{elsewhere.uri.removeprefix('https://ours.test')}/context")).status == 404
