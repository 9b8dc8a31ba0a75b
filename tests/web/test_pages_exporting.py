"""What somebody gathered here, as tables.  Refusals first."""

from datetime import UTC, datetime

import pytest

from federation.origin import Origin
from social import blocks, domains, follows, lists, marks, mutes
from social.posts.drafts import Draft
from social.posts.publish import publish
from tests.people import OURS, add, follow, remote
from tests.web import browsing
from web.pages import exporting

ORIGIN = Origin("ours.test", OURS)
HERE = "/settings/export"


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    return await browsing.two(sqlite_db, aiohttp_client)


async def test_strangers_get_nothing_and_nobody_what_there_is_not(sqlite_db, people, aiohttp_client):
    browser, _, bob = people
    stranger = await browsing.opened(sqlite_db, aiohttp_client)
    for path in (HERE, f"{HERE}/follows.csv"):
        await stranger.get(path)
        assert stranger.location.startswith("/login?next="), path
    await browser.get(f"{HERE}/secrets.csv")
    assert browser.status == 404
    await sqlite_db.write(lists.create, bob.id, "his own")
    for name in (*exporting.FILES, "lists"):
        await browser.get(f"{HERE}/{name}.csv")
        assert (browser.status, "his own" in browser.page) == (200, False), name


async def test_each_table_has_what_it_says(sqlite_db, people):
    browser, alice, bob = people
    far, now = remote("dora", "far.test"), datetime.now(UTC)
    await sqlite_db.write(add, far)
    await sqlite_db.write(follows.ask, alice.id, bob.id, now)
    it = await sqlite_db.write(lists.create, alice.id, 'Friends, "old"')
    await sqlite_db.write(lists.add_members, alice.id, it.id, [bob.id])
    post = await sqlite_db.write(publish, ORIGIN, bob.id, Draft("worth keeping"), now)
    await sqlite_db.write(marks.bookmark, alice.id, post.id, now)
    await sqlite_db.write(mutes.mute, alice.id, far.id, now)
    await sqlite_db.write(blocks.block, alice.id, far.id, now)
    await sqlite_db.write(domains.block, ORIGIN, alice.id, "bad.test", now)
    for name, text in (
        ("follows", "Account address,Show boosts,Notify on new posts,Languages\nbob@ours.test,true,false,\n"),
        ("mutes", "Account address,Hide notifications\ndora@far.test,true\n"),
        ("blocks", "dora@far.test\n"),
        ("domain_blocks", "bad.test\n"),
        ("bookmarks", f"{post.uri}\n"),
        ("lists", '"Friends, ""old""",bob@ours.test\n'),
    ):
        await browser.get(f"{HERE}/{name}.csv")
        assert browser.page == text, name
        assert browser.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    await sqlite_db.write(mutes.mute, alice.id, far.id, now, seconds=3600)
    await browser.get(f"{HERE}/mutes.csv")
    assert "dora" not in browser.page  # it would not end where it is read
    await browser.get(HERE)
    assert "Lists, and who is in them" in browser.text


async def test_a_table_is_read_in_parts(sqlite_db, people, monkeypatch):
    browser, alice, _ = people
    monkeypatch.setattr(exporting, "MOST", 2)

    def fill(tx):
        for number in range(5):
            one = remote(f"person{number}", "far.test")
            add(tx, one)
            follow(tx, alice, one)

    await sqlite_db.write(fill)
    await browser.get(f"{HERE}/follows.csv")
    assert sorted(line.partition(",")[0] for line in browser.page.splitlines()[1:]) == [
        f"person{number}@far.test" for number in range(5)
    ]
