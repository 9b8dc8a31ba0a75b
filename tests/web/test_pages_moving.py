"""Moving away and back on pages; and what a page says of a conversation that is not all here."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from federation.origin import Origin
from social import accounts
from social.posts import receive, refreshing
from store.database import Database
from store.tables import jobs, refreshes
from tests import people
from tests.people import remote, stored
from tests.social.mail import sent
from tests.social.said import note
from tests.web import browsing
from tests.web.browsing import Browser


@pytest.fixture
async def remote_() -> browsing.Elsewhere:
    return browsing.Elsewhere()


@pytest.fixture
async def browser(sqlite_db: Database, aiohttp_client: browsing.Make, remote_: browsing.Elsewhere) -> Browser:
    return await browsing.opened(sqlite_db, aiohttp_client, remote=remote_)


async def _alice(db: Database, origin: Origin, browser: Browser) -> people.Account:
    account = await browsing.person(db, origin, "alice")
    await browser.sign_in("alice")
    return account


async def test_nobody_moves_without_his_password_or_where_he_is_not_named(
    sqlite_db: Database, origin: Origin, browser: Browser, remote_: browsing.Elsewhere
) -> None:
    await browser.get("/settings/moving")
    assert browser.status == 303
    alice = await _alice(sqlite_db, origin, browser)
    bob = remote("bob")
    await stored(sqlite_db, bob)
    remote_.known["bob@far.test"] = bob
    await browser.get("/settings/moving")
    for handle, password, status in (
        ("bob@far.test", "wrong", 403),
        ("", browsing.PASSWORD, 422),
        ("nobody@far.test", browsing.PASSWORD, 422),
        ("bob@far.test", browsing.PASSWORD, 422),
    ):
        await browser.send("/settings/moving/away", handle=handle, password=password)
        assert browser.status == status, handle
    assert (await sqlite_db.read(accounts.by_id, alice.id)).moved_to is None
    assert await sent(sqlite_db) == []


async def test_who_is_named_there_moves_there_and_may_come_back(
    sqlite_db: Database, origin: Origin, browser: Browser, remote_: browsing.Elsewhere
) -> None:
    alice = await _alice(sqlite_db, origin, browser)
    bob, fan = remote("bob", also_known_as=[alice.uri]), remote("fan", "third.test")
    await stored(sqlite_db, bob, fan)
    await sqlite_db.write(people.follow, fan, alice)
    remote_.known["bob@far.test"] = bob
    await browser.get("/settings/moving")
    await browser.send("/settings/moving/away", handle="bob@far.test", password=browsing.PASSWORD)
    assert browser.location == "/settings/moving?done=away"
    assert "Move" in [letter.type for letter in await sent(sqlite_db)]
    await browser.get("/settings/moving")
    assert "You moved to @bob@far.test" in browser.text
    await browser.send("/settings/moving/back")
    assert (await sqlite_db.read(accounts.by_id, alice.id)).moved_to is None


async def test_other_accounts_are_named_and_no_longer(
    sqlite_db: Database, origin: Origin, browser: Browser, remote_: browsing.Elsewhere
) -> None:
    alice = await _alice(sqlite_db, origin, browser)
    bob = remote("bob")
    await stored(sqlite_db, bob)
    remote_.known["@bob@far.test"] = bob
    await browser.get("/settings/moving")
    await browser.send("/settings/moving/alias", handle="@bib@far.test")
    assert (browser.status, 'name="handle" value="@bib@far.test"' in browser.page) == (422, True)
    await browser.send("/settings/moving/alias", handle="@bob@far.test")
    assert (await sqlite_db.read(accounts.by_id, alice.id)).also_known_as == [bob.uri]
    await browser.get("/settings/moving")
    assert "@bob@far.test" in browser.text
    await browser.send("/settings/moving/unalias", uri=bob.uri)
    assert (await sqlite_db.read(accounts.by_id, alice.id)).also_known_as == []


async def test_a_page_says_what_is_missing_of_a_conversation_and_looks_again(
    sqlite_db: Database, origin: Origin, browser: Browser, aiohttp_client: browsing.Make
) -> None:
    await _alice(sqlite_db, origin, browser)
    bob = remote("bob")
    await stored(sqlite_db, bob)
    post = await sqlite_db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    page = f"/@bob@far.test/{post.id}"
    visitor = await browsing.opened(sqlite_db, aiohttp_client)
    await visitor.get(page)
    assert "No comments here yet Other servers were not asked yet what else was said" in visitor.text
    assert "Read all of it at far.test" in visitor.text
    await browser.get(page)
    assert "Other servers are being asked" in browser.text
    asked = select(jobs.c.kind).where(jobs.c.kind == refreshing.JOB)
    assert len(await sqlite_db.read(lambda tx: tx.execute(asked).all())) == 1
    ago = datetime.now(UTC) - timedelta(minutes=3)
    said = {"asked_at": ago, "finished_at": ago, "absent": 2, "silent": ["third.test", "fourth.test"]}
    await sqlite_db.write(lambda tx: tx.execute(update(refreshes).values(**said)).rowcount)
    await browser.get(page)
    assert "1 of 3 posts of this conversation are here; these servers did not answer: third.test, fourth.test" in (
        browser.text
    )
    await browser.send(f"/posts/{post.id}/refresh", back=page)
    await browser.get(page)
    assert "Other servers are being asked" in browser.text
    await browser.send("/logout")
    await browser.get(page)
    assert "Look again" not in browser.text
    own = await browsing.say(sqlite_db, await sqlite_db.read(accounts.local, "alice"), "Hello")
    await browser.get(f"/@alice/{own.id}")
    assert "No comments yet" in browser.text  # all of it is here
    assert "not asked" not in browser.text
