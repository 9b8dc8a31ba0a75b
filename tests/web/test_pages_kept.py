"""Bookmarks, likes, mutes, blocks, reports and the texts that a post had, on pages.  Refusals first."""

from datetime import UTC, datetime, timedelta

import pytest

from federation.origin import Origin
from social import blocks, domains, marks, mutes, reactions, site
from social.moderation import Complaint, casework, open_reports, report, sanctions
from social.moderation.sanctions import Action, Staff
from social.pages import Page
from social.posts.drafts import Draft
from social.posts.edit import edit
from tests.people import OURS, local, remote, stored
from tests.web import browsing
from tests.web.browsing import say

ORIGIN = Origin("ours.test", OURS)
SERVERS = "/settings/blocks/servers"
PLACES = (
    "/bookmarks",
    "/favourites",
    "/settings/blocks",
    "/settings/blocks?show=servers",
    "/report?account=1",
    "/reports",
)


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    return await browsing.two(sqlite_db, aiohttp_client)


@pytest.mark.parametrize("path", PLACES)
async def test_who_is_not_signed_in_is_led_to_the_door(sqlite_db, aiohttp_client, path):
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    await browser.get(path)
    assert browser.location.startswith("/login?next=")


async def test_what_one_may_not_see_is_neither_kept_nor_reported_nor_shown_as_it_was(sqlite_db, people):
    browser, alice, bob = people
    secret = await say(sqlite_db, bob, "for bob's followers", visibility="private")
    for path in (f"/posts/{secret.id}/history", f"/report?post={secret.id}", "/report", "/report?account=7",
                 f"/posts/{1 << 80}/history"):  # fmt: skip
        await browser.get(path)
        assert (browser.status, "followers" in browser.text) == (404, False), path
    await browser.get("/home")
    for action in ("bookmark", "mute"):
        await browser.send(f"/posts/{secret.id}/{action}")
        assert browser.status == 404, action
    await browser.send("/report", post=str(secret.id))
    assert browser.status == 404
    for path in (
        f"/accounts/{bob.id}/mute",
        "/report",
        f"/posts/{secret.id}/bookmark",
        "/settings/blocks/servers/block",
    ):
        await browser.post(path, {"csrf": "wrong", "account": str(bob.id), "domain": "far.test"})
        assert browser.status == 403, path
    await browser.get("/home")
    await browser.send(f"/accounts/{alice.id}/mute")
    assert browser.status == 422
    await browser.send(f"/accounts/{bob.id}/mute", seconds="-1")
    assert browser.status == 422
    assert await sqlite_db.read(open_reports) == []


async def test_posts_are_kept_and_taken_out_again(sqlite_db, people):
    browser, alice, bob = people
    it = await say(sqlite_db, bob, "worth keeping")
    await browser.get("/bookmarks")
    assert "Nothing is kept yet" in browser.text
    await browser.send(f"/posts/{it.id}/bookmark", back="/local")
    assert browser.location == "/local"
    await browser.get("/bookmarks")
    assert ("worth keeping" in browser.text, "Take out of my bookmarks" in browser.text) == (True, True)
    await browser.send(f"/posts/{it.id}/unbookmark")
    assert await sqlite_db.read(marks.bookmarks_page, alice.id, Page()) == ([], [])
    await sqlite_db.write(reactions.like, alice.id, it.id, datetime.now(UTC))
    await browser.get("/favourites")
    assert "worth keeping" in browser.text
    await browser.send(f"/posts/{it.id}/mute")
    await browser.get("/favourites")
    assert "Hear of this conversation again" in browser.text


async def test_somebody_is_muted_for_a_day_or_for_good_and_heard_again(sqlite_db, people):
    browser, alice, bob = people
    await browser.get("/@bob")
    await browser.send(f"/accounts/{bob.id}/mute", seconds="86400", back="/@bob")
    (muted,) = await sqlite_db.read(mutes.page, alice.id, Page())
    assert muted.expires_at - datetime.now(UTC) > timedelta(hours=23)
    await browser.get("/@bob")
    assert ("You mute this account until" in browser.text, "Unmute" in browser.text) == (True, True)
    await browser.send(f"/accounts/{bob.id}/mute")
    await browser.get("/settings/blocks")
    assert ("@bob" in browser.text, "until" in browser.text) == (True, False)
    await browser.send(f"/accounts/{bob.id}/unmute", back="/settings/blocks")
    await browser.get(browser.location)
    assert "Nobody." in browser.text


async def test_blocked_people_and_servers_are_listed_and_let_go(sqlite_db, people):
    browser, alice, bob = people
    await sqlite_db.write(blocks.block, alice.id, bob.id, datetime.now(UTC))
    await browser.get("/settings/blocks?show=blocked")
    assert ("@bob" in browser.text, f"/accounts/{bob.id}/unblock" in browser.page) == (True, True)
    for wrong in ("", "ours.test", "<b> c"):
        await browser.send(f"{SERVERS}/block", domain=wrong)
        assert (browser.status, "Servers of which you want nothing" in browser.text) == (422, True), wrong
    assert "&lt;b&gt; c" in browser.page
    await browser.send(f"{SERVERS}/block", domain="Far.test")
    assert browser.location == "/settings/blocks?show=servers"
    await browser.get(browser.location)
    assert "Unblock far.test" in browser.text
    await browser.send(f"{SERVERS}/unblock", domain="far.test")
    assert await sqlite_db.read(domains.page, alice.id, Page()) == []


async def test_a_post_is_reported_with_the_rules_that_it_breaks(sqlite_db, people):
    browser, alice, bob = people
    far = remote("dora")
    await stored(sqlite_db, far)
    rule = await sqlite_db.write(site.add_rule, "Be <kind>")
    it = await say(sqlite_db, bob, "rude words")
    await browser.get(f"/report?post={it.id}")
    assert ("rude words" in browser.text, "Be <kind>" in browser.text, "Tell the moderators of" in browser.text) == (
        True,
        True,
        False,
    )
    await browser.send("/report", post=str(it.id), category="nonsense", comment="<b>look</b>")
    assert (browser.status, "&lt;b&gt;look" in browser.page) == (422, True)
    await browser.send("/report", ("rule[]", str(rule.id)), post=str(it.id), category="violation", comment="look")
    assert browser.location == f"/report?account={bob.id}&done=1"
    await browser.get(browser.location)
    assert "The moderators of this server will look at it" in browser.text
    (made,) = await sqlite_db.read(open_reports)
    assert (made.reporter_id, made.target_id, made.post_uris, made.rule_ids, made.comment) == (
        alice.id,
        bob.id,
        [it.uri],
        [str(rule.id)],
        "look",
    )
    await browser.get(f"/report?account={far.id}")
    assert "Tell the moderators of far.test, too" in browser.text


async def test_all_texts_of_a_post_are_shown_to_whoever_sees_it(sqlite_db, people, aiohttp_client):
    browser, _, bob = people
    it = await say(sqlite_db, bob, "the first text")
    await sqlite_db.write(edit, ORIGIN, bob.id, it.id, Draft("the second text", summary="careful"), datetime.now(UTC))
    stranger = await browsing.opened(sqlite_db, aiohttp_client)
    for one in (browser, stranger):
        await one.get(f"/@bob/{it.id}")
        assert f"/posts/{it.id}/history" in one.page
        await one.get(f"/posts/{it.id}/history")
        assert one.text.index("the second text") < one.text.index("the first text")
        assert ("What it says now" in one.text, "At first" in one.text, "careful" in one.text) == (True, True, True)


async def test_who_reported_something_sees_what_became_of_it(sqlite_db, people):
    browser, alice, bob = people
    carol, now = await local(sqlite_db, "carol", role="moderator"), datetime.now(UTC)
    by = Staff(carol, "moderator")
    await browser.get("/reports")
    assert "Nothing yet" in browser.text
    made = [await sqlite_db.write(report, alice.id, Complaint(bob.id, comment=f"<i>no. {n}"), now) for n in range(2)]
    await browser.get("/reports")
    assert browser.text.count("Nobody has closed it yet") == 2
    assert "&lt;i&gt;no. 1" in browser.page
    await sqlite_db.write(casework.resolve, by, made[0].id, now)
    await browser.get("/reports")
    assert "left it at that" in browser.text
    assert "did something" not in browser.text
    await sqlite_db.write(sanctions.act, by, bob.id, Action("silence"), now + timedelta(minutes=1))
    await browser.get("/reports")
    assert browser.text.count("did something about it") == 1
    assert browser.text.count("left it at that") == 1
    await browser.sign_in("bob")
    await browser.get("/reports")
    assert "Nothing yet" in browser.text
