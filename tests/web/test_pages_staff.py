"""What moderators do on pages.  Refusals first."""

from datetime import UTC, datetime

import pytest

from federation.origin import Origin
from social import accounts, users
from social.moderation import Complaint, open_reports, report
from social.moderation.people import several
from social.moderation.sanctions import warnings_of
from social.posts.drafts import Draft
from social.posts.publish import publish
from tests.people import OURS, remote, stored
from tests.web import browsing

ORIGIN = Origin("ours.test", OURS)


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    """alice, a moderator who looks; bob, who is told of; carol, who tells."""
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    found = [await browsing.person(sqlite_db, ORIGIN, name) for name in ("alice", "bob", "carol")]
    await sqlite_db.write(users.set_role, found[0].id, "moderator", datetime.now(UTC))
    await browser.sign_in("alice")
    return browser, *found


async def told_of(db, target, by, *posts):
    said = Complaint(target.id, [post.id for post in posts], comment="look at <that>", category="spam")
    return await db.write(report, by.id, said, datetime.now(UTC))


async def state(db, account):
    (found,) = await db.read(several, [account.id])
    return found


async def test_members_and_strangers_do_none_of_it(sqlite_db, people, aiohttp_client):
    _, alice, bob, carol = people
    made = await told_of(sqlite_db, bob, carol)
    stranger, member = [await browsing.opened(sqlite_db, aiohttp_client) for _ in range(2)]
    await member.sign_in("carol")
    for path in ("/admin/work", f"/admin/accounts/{bob.id}"):
        await stranger.get(path)
        assert stranger.location.startswith("/login?next=")
        await member.get(path)
        assert (member.status, "look at" in member.text) == (403, False), path
    await member.get("/home")
    assert "/admin/work" not in member.page
    for path in (f"/admin/reports/{made.id}/resolve", f"/admin/accounts/{bob.id}/action",
                 f"/admin/accounts/{alice.id}/unsuspend", f"/admin/accounts/{bob.id}/approve"):  # fmt: skip
        await member.send(path, type="suspend")
        assert member.status == 403, path
    assert len(await sqlite_db.read(open_reports)) == 1
    assert (await state(sqlite_db, bob)).account.suspended_at is None


async def test_what_is_not_there_or_not_for_moderators_is_refused(sqlite_db, people):
    browser, alice, bob, carol = people
    await sqlite_db.write(users.set_role, carol.id, "owner", datetime.now(UTC))
    await browser.get("/admin/work")
    assert "Nothing is left to do" in browser.text
    for path, status in (
        ("/admin/accounts/7/action", 404),
        ("/admin/reports/7/resolve", 404),
        (f"/admin/accounts/{carol.id}/action", 403),
        (f"/admin/accounts/{alice.id}/action", 403),
        (f"/admin/accounts/{bob.id}/approve", 403),
    ):
        await browser.send(path, type="suspend")
        assert browser.status == status, path
        await browser.post(path, {"csrf": "wrong", "type": "suspend"})
        assert browser.status == 403, path
    for path in ("/admin/accounts/7", f"/admin/accounts/{1 << 80}"):
        await browser.get(path)
        assert browser.status == 404, path
    await browser.get("/admin/work")
    await browser.send(f"/admin/accounts/{bob.id}/action", type="explode", text="<b>why</b>")
    assert (browser.status, "&lt;b&gt;why" in browser.page) == (422, True)
    assert await sqlite_db.read(warnings_of, bob.id) == []


async def test_a_report_is_looked_into_and_answered(sqlite_db, people):
    browser, _, bob, carol = people
    rude = await sqlite_db.write(publish, ORIGIN, bob.id, Draft("rude words"), datetime.now(UTC))
    made = await told_of(sqlite_db, bob, carol, rude)
    await browser.get("/notifications")
    assert f"/admin/accounts/{bob.id}?report={made.id}" in browser.page
    await browser.get("/admin/work")
    assert all(words in browser.text for words in ("@bob : spam", "rude words", "look at <that>"))
    await browser.get(f"/admin/accounts/{bob.id}?report={made.id}")
    assert "Answer the report" in browser.text
    here = f"/admin/accounts/{bob.id}"
    await browser.send(f"{here}/action", type="silence", text="be kind", tell="1", report=str(made.id))
    assert (browser.location, await sqlite_db.read(open_reports)) == (here, [])
    (warned,) = await sqlite_db.read(warnings_of, bob.id)
    assert (warned.action, warned.text, warned.report_id) == ("silence", "be kind", made.id)
    await browser.get(here)
    assert all(words in browser.text for words in ("Limited", "be kind", "closed"))
    await browser.send(f"{here}/unsilence", back=here)
    assert (browser.location, (await state(sqlite_db, bob)).account.silenced_at) == (here, None)
    await browser.send(f"/admin/reports/{made.id}/reopen", back=here)
    assert len(await sqlite_db.read(open_reports)) == 1
    await browser.send(f"/admin/reports/{made.id}/resolve")
    assert (browser.location, await sqlite_db.read(open_reports)) == ("/admin/work", [])


async def test_somebody_of_another_server_is_suspended_and_had_back(sqlite_db, people):
    browser, *_ = people
    far = remote("dora")
    await stored(sqlite_db, far)
    here = f"/admin/accounts/{far.id}"
    await browser.get("/@dora@far.test")
    assert here in browser.page
    await browser.get(here)
    assert ("Of another server" in browser.text, "Close the account to its owner" in browser.text) == (True, False)
    await browser.send(f"{here}/action", type="disable")
    assert browser.status == 422
    await browser.send(f"{here}/action", type="suspend")
    await browser.get(here)
    assert "Suspended since" in browser.text
    await browser.send(f"{here}/unsuspend", back=here)
    assert (await state(sqlite_db, far)).account.suspended_at is None


async def test_who_wants_to_join_is_let_in_or_refused(sqlite_db, people):
    browser, *_ = people
    new = {"approved": False}
    dora, emil = [await browsing.person(sqlite_db, ORIGIN, name, **new) for name in ("dora", "emil")]
    await browser.get("/admin/work")
    assert "They want to join" in browser.text
    await browser.send(f"/admin/accounts/{dora.id}/approve", back="/admin/work")
    assert browser.location == "/admin/work"
    assert (await state(sqlite_db, dora)).user.approved_at is not None
    await browser.send(f"/admin/accounts/{emil.id}/reject")
    await browser.get("/admin/work")
    assert "They want to join" not in browser.text
    assert (await sqlite_db.read(accounts.by_id, emil.id)).deleted_at is not None
