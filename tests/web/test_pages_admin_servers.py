"""Limits on other servers, made on pages.  Refusals first."""

from datetime import UTC, datetime

import aiohttp
import pytest

from social import moderation, users
from social.moderation import audit
from tests.people import OURS, follow, remote, stored
from tests.web import browsing

HERE = "/admin/servers"


@pytest.fixture
async def admin(sqlite_db, aiohttp_client):
    """alice, an admin who looks; somebody whom she follows, and who follows her."""
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    alice = await browsing.person(sqlite_db, browsing.ORIGIN, "alice")
    await sqlite_db.write(users.set_role, alice.id, "admin", datetime.now(UTC))
    far = remote("dora", "sub.far.test")
    await stored(sqlite_db, far)
    await sqlite_db.write(lambda tx: (follow(tx, alice, far), follow(tx, far, alice)))
    await browser.sign_in("alice")
    return browser, alice


async def policies(db):
    return {one.host: one for one in await db.read(moderation.policies)}


async def upload(browser, path, file, **fields):
    form = aiohttp.FormData({"csrf": browser.csrf, **fields})
    if file is not None:
        form.add_field("list", file, filename="list.csv", content_type="text/csv")
    await browser.post(path, form, Origin=OURS, Sec_Fetch_Site="same-origin")


async def test_only_those_who_run_the_server_limit_others(sqlite_db, admin, aiohttp_client):
    _, alice = admin
    stranger, moderator = [await browsing.opened(sqlite_db, aiohttp_client) for _ in range(2)]
    await sqlite_db.write(users.set_role, alice.id, "moderator", datetime.now(UTC))
    await moderator.sign_in("alice")
    for path in (HERE, f"{HERE}/limit?host=far.test", f"{HERE}/import", f"{HERE}/list.csv"):
        await stranger.get(path)
        assert stranger.location.startswith("/login?next="), path
        await moderator.get(path)
        assert moderator.status == 403, path
    assert HERE not in await moderator.get("/admin")
    for path in ("limit", "lift"):
        await moderator.send(f"{HERE}/{path}", host="far.test", level="block")
        assert moderator.status == 403, path
    for path in ("import", "import/set"):
        await upload(moderator, f"{HERE}/{path}", b"far.test", text="far.test")
        assert moderator.status == 403, path
    assert await policies(sqlite_db) == {}


async def test_what_cannot_be_is_refused_and_forged_forms_do_nothing(sqlite_db, admin):
    browser, _ = admin
    await browser.get(f"{HERE}/limit?host=<b>")
    assert (browser.status, "is no host name" in browser.text) == (422, True)
    for host, level in (("ours.test", "block"), ("<b>", "block"), ("far.test", "explode"), ("far.test", "")):
        await browser.send(f"{HERE}/limit", host=host, level=level)
        assert browser.status == 422, (host, level)
    await browser.send(f"{HERE}/lift", host="far.test")
    assert browser.location == HERE
    for path in ("limit", "lift", "import", "import/set"):
        await browser.post(f"{HERE}/{path}", {"csrf": "wrong", "host": "far.test", "level": "block"})
        assert browser.status == 403, path
    assert await policies(sqlite_db) == {}
    assert await sqlite_db.read(audit.newest, 9) == []


async def test_whom_a_limit_concerns_is_said_before_and_it_is_made_changed_and_lifted(sqlite_db, admin):
    browser, _ = admin
    await browser.get(f"{HERE}/limit?host=*.FAR.test")
    assert "1 account is known from sub.far.test" in browser.text
    assert "Suspending it cuts 2 follows" in browser.text
    assert await policies(sqlite_db) == {}
    said = {"comment": "<spam>", "private_comment": "told by bob", "reject_reports": "1", "obfuscate": "1"}
    await browser.send(f"{HERE}/limit", host="far.test", level="limit", **said)
    await browser.get(browser.location)
    assert all(words in browser.text for words in ("Limited", "<spam>", "told by bob", "no reports", "far.test ."))
    await browser.send(f"{HERE}/limit", host="far.test", level="block", comment="worse")
    it = (await policies(sqlite_db))["far.test"]
    assert (it.level, it.comment, it.reject_reports) == ("block", "worse", False)
    await browser.get(f"{HERE}/limit?host=far.test")
    assert "follows between us have ended" in browser.text
    await browser.send(f"{HERE}/lift", host="far.test")
    assert await policies(sqlite_db) == {}
    noted = [(one.who, one.action, one.subject) for one in await sqlite_db.read(audit.newest, 9)]
    assert noted == [("alice", action, "far.test") for action in ("unset", "block", "limit")]


async def test_a_long_list_is_shown_in_parts_and_found_by_name(sqlite_db, admin):
    browser, _ = admin
    drafts = [moderation.PolicyDraft(f"n{n:03}.test", "block" if n % 2 else "allow") for n in range(102)]
    await sqlite_db.write(moderation.set_policies, drafts, datetime.now(UTC))
    await browser.get(HERE)
    assert ("n099.test" in browser.text, "n100.test" in browser.text) == (True, False)
    await browser.get(f"{HERE}?level=&q=&after=n099.test")
    assert ("n099.test" in browser.text, "n101.test" in browser.text) == (False, True)
    await browser.get(f"{HERE}?q=N10&level=block")
    assert ("n101.test" in browser.text, "n100.test" in browser.text, "n001.test" in browser.text) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize("text", [None, b"\xff\xfe", b"", b"#domain,#severity\n", b"far.test,\0\nb<>d", b"no host"])
async def test_what_is_no_list_is_refused(sqlite_db, admin, text):
    browser, _ = admin
    await browser.get(f"{HERE}/import")
    await upload(browser, f"{HERE}/import", text)
    assert browser.status in (200, 422)
    if text != b"far.test,\0\nb<>d":
        assert (browser.status, 'role="alert"' in browser.page) == (422, True)
    await upload(browser, f"{HERE}/import", b"x" * (300 << 10))
    assert browser.status == 413
    assert await policies(sqlite_db) == {}


async def test_a_list_says_what_it_would_do_and_does_it(sqlite_db, admin):
    browser, _ = admin
    old = moderation.PolicyDraft("old.test", "block", "", "among us")
    await sqlite_db.write(moderation.set_policies, [old], datetime.now(UTC))
    head = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n"
    text = (
        head
        + "far.test,suspend,FALSE,FALSE,<spam>,FALSE\nold.test,silence,TRUE,FALSE,,FALSE\nours.test,suspend\na*b,x\n"
    )
    await browser.get(f"{HERE}/import")
    await upload(browser, f"{HERE}/import", text.encode())
    assert "1 new, 1 changed, 0 as it is already, 1 that cannot be used" in browser.text
    assert all(words in browser.text for words in ("It cuts 2 follows", "<spam>", "Suspended → Limited · no files"))
    assert list(await policies(sqlite_db)) == ["old.test"]
    await upload(browser, f"{HERE}/import/set", None, text=text, all="0")
    assert browser.location == f"{HERE}?set=1+servers"
    there = await policies(sqlite_db)
    assert {host: it.level for host, it in there.items()} == {"far.test": "block", "old.test": "block"}
    await upload(browser, f"{HERE}/import/set", None, text=text, all="1")
    it = (await policies(sqlite_db))["old.test"]
    assert (it.level, it.private_comment, it.reject_media) == ("limit", "among us", True)
    await browser.get(f"{HERE}/list.csv")
    assert (browser.headers["Content-Type"], "far.test,suspend,FALSE" in browser.page) == (
        "text/csv; charset=utf-8",
        True,
    )
    assert len(await sqlite_db.read(audit.newest, 9)) == 2
