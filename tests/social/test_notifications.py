"""Notifications: one per fact, nothing from oneself or the blocked, and only about what one may see."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete as delete_rows
from sqlalchemy import insert, update

from social import accounts as people
from social import moderation, notifications, users
from social.events import Notified
from social.notifications import Choice
from social.pages import Page
from social.posts import receive
from store.tables import accounts, blocks, follows
from store.tables import notifications as table
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import mention, note, private, rows


async def page(db, account, page=None, **more):
    return await db.read(notifications.page, account.id, page or Page(), Choice(**more))


async def block(db, one, other):
    row = {"account_id": one.id, "target_id": other.id, "id": 1, "uri": f"b{one.id}", "created_at": NOW}
    await db.write(lambda tx: tx.execute(insert(blocks), row) and None)


async def test_nobody_tells_strangers_himself_or_who_blocks_him(db):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await block(db, alice, bob)
    for whom, by in ((alice, bob), (anna, anna), (bob, alice)):
        await db.write(notifications.notify, whom.id, "follow", by.id, None, NOW)
    await db.write(notifications.notify, 12345, "follow", bob.id, None, NOW)
    assert await rows(db, table) == []


async def test_one_notification_per_fact_however_often_and_concurrently(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    post = await db.write(receive.receive, bob, note(bob), NOW)
    heard = []
    db.listeners.append(heard.append)
    facts = [("favourite", post.id), ("reblog", post.id), ("follow", None)]
    await asyncio.gather(
        *(db.write(notifications.notify, alice.id, kind, bob.id, about, NOW) for kind, about in facts for _ in range(8))
    )
    found = await rows(db, table)
    assert {(row.kind, row.post_id) for row in found} == set(facts)
    assert sorted(heard, key=lambda event: event.notification_id) == [
        Notified(alice.id, row.id) for row in sorted(found, key=lambda row: row.id)
    ]


async def test_pages_show_newest_first_with_post_and_sender(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    post = await db.write(receive.receive, bob, note(bob, mentions=(mention(alice),)), NOW)
    await db.write(notifications.notify, alice.id, "follow", bob.id, None, NOW)
    first, second = await page(db, alice)
    assert (first.notification.kind, first.account.id, first.post) == ("follow", bob.id, None)
    assert second.post.parts.post.id == post.id
    assert await page(db, alice, Page(1, max_id=first.notification.id)) == [second]
    assert await page(db, alice, kinds=["mention"]) == await page(db, alice, without=["follow"]) == [second]
    assert await page(db, alice, kinds=["nonsense"]) == []


async def test_nobody_reads_or_dismisses_those_of_others(db):
    """Security row 41."""
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(notifications.notify, alice.id, "follow", bob.id, None, NOW)
    (own,) = await page(db, alice)
    number = own.notification.id
    assert await page(db, anna) == []
    assert await db.read(notifications.one, anna.id, number) is None
    await db.write(notifications.dismiss, anna.id, number)
    await db.write(notifications.clear, anna.id)
    assert await db.read(notifications.one, alice.id, number) == own
    await db.write(notifications.dismiss, alice.id, number)
    assert await page(db, alice) == []


@pytest.mark.parametrize("change", ["block", "suspend", "hide"])
async def test_what_may_no_longer_be_seen_is_left_out(db, change):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, alice, bob)
    post = await db.write(receive.receive, bob, note(bob, **private(bob)), NOW)
    await db.write(notifications.notify, alice.id, "status", bob.id, post.id, NOW)
    assert len(await page(db, alice)) == 1
    if change == "block":
        await block(db, alice, bob)
    elif change == "suspend":
        away = update(accounts).where(accounts.c.id == bob.id).values(suspended_at=NOW)
        await db.write(lambda tx: tx.execute(away) and None)
    else:
        await db.write(lambda tx: tx.execute(delete_rows(follows)) and None)
    assert await page(db, alice) == []


async def test_what_was_read_is_remembered_and_never_forgotten(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    for one in (bob, carl):
        await db.write(notifications.notify, alice.id, "follow", one.id, None, NOW)
    newer, older = [view.notification.id for view in await page(db, alice)]
    assert await db.read(notifications.unread, alice.id) == 2
    await db.write(notifications.read, alice.id, older)
    assert await db.read(notifications.unread, alice.id) == 1
    await db.write(notifications.read, alice.id, newer)
    await db.write(notifications.read, alice.id, older)
    assert await db.read(notifications.unread, alice.id) == 0


async def test_a_page_costs_the_same_queries_for_1_and_40(db, queries):
    alice = await local(db, "alice")
    people = [remote(f"p{n}") for n in range(40)]
    await stored(db, *people)
    counts = []
    for some in (people[:1], people[1:]):
        await db.write(
            receive.receive_many, [(one, note(one, mentions=(mention(alice),), hashtags=("t",))) for one in some], NOW
        )
        queries.clear()
        found = await page(db, alice, Page(40))
        counts.append(len(queries))
    assert len(found) == 40
    assert counts[0] == counts[1] <= 8


async def test_one_can_ask_for_those_of_one_sender(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    for one in (bob, carl):
        await db.write(notifications.notify, alice.id, "follow", one.id, None, NOW)
    assert [view.account.id for view in await page(db, alice, from_id=carl.id)] == [carl.id]


async def test_unread_are_counted_by_choice_and_no_further_than_asked(db):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    for one in (bob, carl):
        await db.write(notifications.notify, alice.id, "follow", one.id, None, NOW)
    for choice, most, found in ((Choice(), 9, 2), (Choice(), 1, 1), (Choice(kinds=["mention"]), 9, 0)):
        assert await db.read(notifications.unread, alice.id, choice, most) == found


async def test_reports_and_new_accounts_are_for_the_staff(db, origin):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(users.set_role, alice.id, "moderator", NOW)
    new = people.NewAccount("carl", "carl@mail.test", "hash")
    carl = await db.write(people.create_local, origin, new, [], NOW)
    posts = [await db.write(receive.receive, bob, note(bob), NOW) for _ in range(2)]
    for post in posts:
        await db.write(moderation.report, anna.id, moderation.Complaint(bob.id, [post.id], "no manners"), NOW)
    second, first, signed_up = await page(db, alice)
    assert (signed_up.notification.kind, signed_up.account.id, signed_up.report) == ("admin.sign_up", carl.id, None)
    assert [it.notification.kind for it in (first, second)] == ["admin.report"] * 2
    assert (first.account.id, first.report.target.id, first.report.post_ids) == (anna.id, bob.id, (posts[0].id,))
    assert await page(db, anna) == await page(db, carl) == []
    await db.write(users.set_role, alice.id, "member", NOW)
    assert await page(db, alice) == []


async def keys(db):
    return [row.group_key for row in await rows(db, table)]


async def test_a_group_grows_for_twelve_hours_from_its_first_one(db):
    alice, bob = await local(db, "alice"), remote("bob")
    others = [remote(f"p{number}") for number in range(4)]
    await stored(db, bob, *others)
    one, other = [await db.write(receive.receive, bob, note(bob), NOW) for _ in range(2)]
    hours = (0, 7, 11, 12)
    for who, hour in zip(others, hours, strict=True):
        for kind, about in (("favourite", one.id), ("follow", None)):
            await db.write(notifications.notify, alice.id, kind, who.id, about, NOW + timedelta(hours=hour))
    await db.write(notifications.notify, alice.id, "favourite", bob.id, other.id, NOW)
    await db.write(notifications.notify, alice.id, "mention", bob.id, other.id, NOW)
    began = int(NOW.timestamp()) // 3600
    found = await keys(db)
    assert found.count(f"favourite-{one.id}-{began}") == found.count(f"follow-{began}") == 3
    assert found.count(f"favourite-{one.id}-{began + 12}") == found.count(f"follow-{began + 12}") == 1
    assert found[-2:] == [f"favourite-{other.id}-{began}", None]


async def test_groups_of_different_people_are_different(db):
    alice, anna, bob = await local(db, "alice"), await local(db, "anna"), remote("bob")
    await stored(db, bob)
    await db.write(notifications.notify, alice.id, "follow", bob.id, None, NOW - timedelta(hours=3))
    await db.write(notifications.notify, anna.id, "follow", bob.id, None, NOW)
    assert len(set(await keys(db))) == 2
