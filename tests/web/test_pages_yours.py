"""Private posts, hashtags, posts that wait, and leaving, on pages.  Refusals first."""

from datetime import UTC, datetime, timedelta

import pytest

from federation.origin import Origin
from social import accounts, conversations, featured, scheduled, tags, users
from social.pages import Page
from social.posts.drafts import Draft
from tests.people import OURS
from tests.web import browsing
from tests.web.browsing import say

ORIGIN = Origin("ours.test", OURS)
PLACES = ("/conversations", "/hashtags", "/scheduled", "/settings/leaving")


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    return await browsing.two(sqlite_db, aiohttp_client)


def tomorrow():
    return datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=1)


@pytest.mark.parametrize("path", PLACES)
async def test_who_is_not_signed_in_is_led_to_the_door(sqlite_db, aiohttp_client, path):
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    await browser.get(path)
    assert browser.location.startswith("/login?next=")


async def test_what_is_another_s_is_not_touched(sqlite_db, people):
    browser, alice, bob = people
    await say(sqlite_db, bob, "a note to myself", visibility="direct")
    (his,) = await sqlite_db.read(conversations.page, bob.id, Page())
    now = datetime.now(UTC)
    kept = await sqlite_db.write(scheduled.schedule, bob.id, Draft("tomorrow"), tomorrow(), now)
    shown = await sqlite_db.write(featured.feature, bob.id, "cats", now)
    await browser.get("/hashtags")
    for path in (f"/conversations/{his.conversation.id}/read", f"/conversations/{his.conversation.id}/remove",
                 f"/scheduled/{kept.id}/cancel", f"/scheduled/{kept.id}/move", "/hashtags/unfeature"):  # fmt: skip
        await browser.send(path, at=f"{tomorrow():%Y-%m-%dT%H:%M}", tag=str(shown.tag.id))
        assert browser.status == 404, path
        await browser.post(path, {"csrf": "wrong"})
        assert browser.status == 403, path
    for path in PLACES:
        await browser.get(path)
        assert not any(word in browser.text for word in ("note to myself", "tomorrow", "#cats")), path
    assert alice.id


async def test_private_posts_are_read_and_put_away(sqlite_db, people):
    browser, alice, bob = people
    await browser.get("/conversations")
    assert "Nothing yet" in browser.text
    await say(sqlite_db, bob, "@alice psst", visibility="direct")
    await browser.get("/conversations")
    assert ("psst" in browser.text, "Unread: With bob" in browser.text) == (True, True)
    (it,) = await sqlite_db.read(conversations.page, alice.id, Page())
    await browser.send(f"/conversations/{it.conversation.id}/read")
    await browser.get("/conversations")
    assert ("Unread" in browser.text, "Mark as unread" in browser.text) == (False, True)
    await browser.send(f"/conversations/{it.conversation.id}/remove", back="/conversations")
    assert (browser.location, await sqlite_db.read(conversations.page, alice.id, Page())) == ("/conversations", [])


async def test_hashtags_are_followed_and_shown(sqlite_db, people):
    browser, alice, _ = people
    await browser.get("/hashtags")
    for action, wrong in (("follow", "two words"), ("feature", "<b>"), ("feature", "2026"), ("follow", "")):
        await browser.send(f"/hashtags/{action}", name=wrong)
        assert (browser.status, "is no hashtag that can be kept here" in browser.text) == (422, True), wrong
    await browser.send("/hashtags/follow", name=" #Gärten ")
    await browser.send("/hashtags/feature", name="#Roses")
    await browser.get("/hashtags")
    assert ("Unfollow #gärten" in browser.text, "#Roses 0 posts of yours" in browser.text) == (True, True)
    (shown,) = await sqlite_db.read(featured.featured, alice.id)
    await browser.send("/hashtags/unfeature", tag=str(shown.tag.id))
    await browser.send("/tags/g%C3%A4rten/unfollow", back="/hashtags")
    now = datetime.now(UTC)
    assert await sqlite_db.read(tags.followed_page, alice.id, Page(), now) == []
    assert await sqlite_db.read(featured.featured, alice.id) == []


async def test_a_post_waits_is_put_off_and_called_back(sqlite_db, people):
    browser, alice, bob = people
    quoted = await say(sqlite_db, bob, "quotable")
    await browser.get("/compose")
    for at, more in (
        ("soon", {}),
        ("2020-01-01T00:00", {}),
        (f"{tomorrow():%Y-%m-%dT%H:%M}", {"quote": str(quoted.id)}),
    ):
        await browser.send("/compose", text="tomorrow's news", at=at, **more)
        assert (browser.status, "tomorrow&#39;s news" in browser.page) == (422, True), at
    assert await sqlite_db.read(scheduled.page, alice.id, Page()) == []
    await browser.send("/compose", text="tomorrow's <news>", at=f"{tomorrow():%Y-%m-%dT%H:%M}", visibility="unlisted")
    assert browser.location == "/scheduled"
    await browser.get("/scheduled")
    assert "tomorrow's <news> Everyone, kept out of public lists" in browser.text
    (it,) = await sqlite_db.read(scheduled.page, alice.id, Page())
    assert it.row.scheduled_at == tomorrow()
    here = f"/scheduled/{it.row.id}"
    for wrong in ("", "never", "2020-01-01T00:00"):
        await browser.send(f"{here}/move", at=wrong)
        assert browser.status == 422, wrong
    await browser.send(f"{here}/move", at=f"{tomorrow() + timedelta(days=1):%Y-%m-%dT%H:%M}")
    (it,) = await sqlite_db.read(scheduled.page, alice.id, Page())
    assert (browser.location, it.row.scheduled_at) == ("/scheduled", tomorrow() + timedelta(days=1))
    await browser.send(f"{here}/cancel")
    assert await sqlite_db.read(scheduled.page, alice.id, Page()) == []


async def test_who_leaves_says_so_twice_and_is_gone(sqlite_db, people):
    browser, alice, _ = people
    for name, password, status in (("alice", "wrong", 403), ("bob", browsing.PASSWORD, 422), ("", "", 403)):
        await browser.get("/settings/leaving")
        await browser.send("/settings/leaving", name=name, password=password)
        assert browser.status == status, name
    await sqlite_db.write(users.set_role, alice.id, "owner", datetime.now(UTC))
    await browser.sign_in("alice")
    await browser.get("/settings/leaving")
    await browser.send("/settings/leaving", name="alice", password=browsing.PASSWORD)
    assert (browser.status, "You run this server" in browser.text) == (403, True)
    await sqlite_db.write(users.set_role, alice.id, "member", datetime.now(UTC))
    await browser.sign_in("alice")
    await browser.get("/settings/leaving")
    await browser.send("/settings/leaving", name="@Alice", password=browsing.PASSWORD)
    assert browser.location == "/"
    gone = await sqlite_db.read(accounts.by_id, alice.id)
    assert gone.deleted_at is not None
    await browser.get("/home")
    assert browser.location.startswith("/login")
