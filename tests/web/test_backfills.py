"""Older posts of somebody elsewhere: asked for by members who look, and said so."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from social import backfills
from social.posts import receive
from social.secrets import sha256
from social.sessions import start_session
from store.tables import accounts, jobs
from store.tables import backfills as table
from tests.people import remote, stored
from tests.social.said import note
from tests.web.site import PAGE, Site

REFRESHES = "/api/v1_alpha/async_refreshes"
HEADER = "Mastodon-Async-Refresh"


async def there(site, name="bob", **more):
    bob = remote(name, **more)
    await stored(site.db, bob)
    return bob


async def asked(site):
    found = select(jobs.c.key).where(jobs.c.kind == backfills.JOB)
    return await site.db.read(lambda tx: list(tx.scalars(found)))


async def test_visitors_have_nothing_asked_for(site: Site):
    bob = await there(site)
    answer = await site.get(f"/api/v1/accounts/{bob.id}/statuses")
    assert HEADER not in answer.headers
    assert (await site.get("/@bob@far.test")).status != 200
    assert await asked(site) == []


@pytest.mark.parametrize("name", ["account-", "account-x", "account-7", "accounts-1", f"account-{'9' * 40}"])
async def test_what_was_not_asked_for_is_not_found(site: Site, name):
    _, token = await site.person("alice")
    assert (await site.get(f"{REFRESHES}/{name}", token)).status == 404


async def test_what_nobody_asked_for_yet_and_who_is_gone_is_not_found(site: Site):
    bob, (alice, token) = await there(site), await site.person("alice")
    assert (await site.get(f"{REFRESHES}/account-{bob.id}", token)).status == 404
    assert (await site.get(f"{REFRESHES}/account-{alice.id}", token)).status == 404
    await site.get(f"/api/v1/accounts/{bob.id}/statuses", token)
    gone = update(accounts).where(accounts.c.id == bob.id).values(deleted_at=datetime.now(UTC))
    await site.db.write(lambda tx: tx.execute(gone).rowcount)
    assert (await site.get(f"{REFRESHES}/account-{bob.id}", token)).status == 404


async def test_nothing_is_asked_of_ours_and_of_who_is_limited(site: Site):
    alice, token = await site.person("alice")
    bob = await there(site, silenced_at=datetime.now(UTC))
    for account in (alice, bob):
        assert HEADER not in (await site.get(f"/api/v1/accounts/{account.id}/statuses", token)).headers
    assert await asked(site) == []


async def test_a_program_is_told_that_older_posts_may_come_and_when_they_are_there(site: Site):
    _, token = await site.person("alice")
    bob = await there(site)
    name = f"account-{bob.id}"
    for _ in range(2):
        answer = await site.get(f"/api/v1/accounts/{bob.id}/statuses", token)
        assert answer.headers[HEADER] == f'id="{name}", retry=3, result_count=0'
    assert await asked(site) == [f"{backfills.JOB} {bob.id}"]
    running = (await site.get(f"{REFRESHES}/{name}", token)).json
    assert running == {"async_refresh": {"id": name, "status": "running", "result_count": 0}}
    await site.db.write(backfills.done, bob.id, 7, datetime.now(UTC))
    done = (await site.get(f"{REFRESHES}/{name}", token)).json["async_refresh"]
    assert (done["status"], done["result_count"]) == ("finished", 7)
    assert HEADER not in (await site.get(f"/api/v1/accounts/{bob.id}/statuses", token)).headers


async def test_a_profile_says_that_its_server_is_being_asked_and_where_the_rest_is(site: Site):
    alice, _ = await site.person("alice")
    await site.db.write(start_session, alice.id, sha256("cookie"), "token", "a browser", datetime.now(UTC))
    headers = {"Accept": PAGE, "Cookie": "__Host-session=cookie"}
    bob, asking, rest = await there(site), "far.test is being asked for older posts", "Older posts may be at"

    async def look():
        return (await site.get("/@bob@far.test", headers=headers)).body.decode()

    assert asking in await look()
    await site.db.write(backfills.done, bob.id, 0, datetime.now(UTC))
    page = await look()
    assert asking not in page
    assert rest not in page
    assert "No posts of this account, but for comments, are known here yet" in page
    await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    page = await look()
    assert rest in page
    assert f'href="{bob.url}"' in page
    old = update(table).values(asked_at=datetime.now(UTC) - backfills.AGAIN)
    await site.db.write(lambda tx: tx.execute(old).rowcount)
    assert asking in await look()
