"""A link on a profile is verified by the page that it names, and by nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from connectme.errands import Errands
from connectme.gather import Gatherer
from connectme.jobs import JobLoop
from federation.reading.backlink import leads_back
from social import accounts, follows
from social.accounts import ProfileChanges
from store.tables import jobs
from tests.conftest import NOW
from tests.connectme.test_previews import ORIGIN, Web
from tests.inbox.far import lab_client
from tests.people import local, remote, stored

ME = "https://ours.test/@alice"
WEEK = timedelta(days=7, minutes=1)


@pytest.fixture
async def far_web():
    site = Web()
    await site.server.start_server()
    yield site
    await site.server.close()


async def work(db, now=NOW):
    client = lab_client()
    gatherer = Gatherer(db, client, ORIGIN, clock=lambda: now)
    try:
        while await JobLoop(db, Errands(db, gatherer).table, clock=lambda: now).round():
            pass
    finally:
        await client.close()


async def verified(db, account_id):
    found = await db.read(accounts.by_id, account_id)
    return [field.get("verified_at") for field in found.fields]


@pytest.mark.parametrize(
    ("html", "leads"),
    [
        ('<a rel="me" href="https://ours.test/@alice">', True),
        ("<link REL='nofollow ME' HREF=https://ours.test/@Alice/ >", True),
        ('<a rel="me" href="https://ours.test/@alice2">', False),
        ('<a href="https://ours.test/@alice">', False),
        ('<a rel="menu" href="https://ours.test/@alice">', False),
        ('<!-- <a rel="me" href="https://ours.test/@alice"> -->', False),
        ('<a rel="me" href="//ours.test/@alice">', True),
        ('<a rel="me" href="http://[">', False),
        ('<a rel=me><a rel="me" href="https://ours.test/@alice', False),
        ('<a rel="me" href="https://ours.test/@alice"><![x[<', True),
    ],
)
def test_only_a_link_with_rel_me_leads_back(html, leads):
    assert leads_back(html.encode(), "https://x.test/", [ME]) is leads


@given(st.binary(max_size=300) | st.text(alphabet="<a rel=me href'\"!-/>").map(str.encode))
def test_any_page_gives_yes_or_no(body):
    assert leads_back(body, "https://x.test/", [ME]) in (True, False)


async def test_a_page_that_leads_back_is_verified_and_looked_at_every_week(db, far_web):
    alice = await local(db, "alice")
    far_web.pages["/"] = (f'<a rel="me" href="{ME}">me</a>', "text/html")
    far_web.pages["/other"] = ("<p>nothing</p>", "text/html")
    fields = [("Web", far_web.url("/")), ("Other", far_web.url("/other")), ("Words", f"see {far_web.url('/')}")]
    await db.write(accounts.update_profile, ORIGIN, alice.id, ProfileChanges(fields=fields), NOW)
    assert await verified(db, alice.id) == [None, None, None]
    await work(db)
    assert await verified(db, alice.id) == ["2026-11-01T12:00:00.000Z", None, None]
    assert [path for path, _, _ in far_web.asked] == ["/", "/other"]
    await db.write(accounts.update_profile, ORIGIN, alice.id, ProfileChanges(fields=fields[:1]), NOW)
    assert await verified(db, alice.id) == ["2026-11-01T12:00:00.000Z"]
    far_web.pages["/"] = 503
    await work(db, NOW + WEEK)
    assert await verified(db, alice.id) == ["2026-11-01T12:00:00.000Z"]
    far_web.pages["/"] = ("<p>not any more</p>", "text/html")
    await work(db, NOW + 2 * WEEK)
    assert await verified(db, alice.id) == [None]
    changed = ProfileChanges(fields=[])
    await db.write(accounts.update_profile, ORIGIN, alice.id, changed, NOW)
    await work(db, NOW + 3 * WEEK)
    assert await db.read(lambda tx: list(tx.scalars(select(jobs.c.key)))) == []


async def test_a_page_of_another_host_does_not_vouch(db, far_web):
    """Who has an open redirect somewhere must not get its name verified."""
    alice = await local(db, "alice")
    far_web.pages["/"] = (f'<a rel="me" href="{ME}">me</a>', "text/html")
    elsewhere = far_web.url("/").replace("127.0.0.1", "localhost")
    for path, kind in (("/img", "image/png"), ("/json", "application/json")):
        far_web.pages[path] = (f'<a rel="me" href="{ME}">', kind)
    fields = [("1", far_web.url("/img")), ("2", far_web.url("/json")), ("3", ME), ("4", elsewhere + "none")]
    await db.write(accounts.update_profile, ORIGIN, alice.id, ProfileChanges(fields=fields), NOW)
    await work(db)
    assert await verified(db, alice.id) == [None] * 4


async def test_people_elsewhere_are_looked_at_when_somebody_here_follows_them(db, far_web):
    alice = await local(db, "alice")
    value = f'<a href="{far_web.url("/bob")}" rel="nofollow">bob</a>'
    bob = replace(remote("bob"), fields=[{"name": "Web", "value": value}])
    await stored(db, bob)
    far_web.pages["/bob"] = (f'<link rel="me" href="{bob.url}">', "text/html")
    await work(db)
    assert far_web.asked == []
    await db.write(follows.ask, alice.id, bob.id, NOW)
    await work(db)
    assert await verified(db, bob.id) == ["2026-11-01T12:00:00.000Z"]
    await work(db, NOW + 2 * WEEK)
    assert len(far_web.asked) == 1
