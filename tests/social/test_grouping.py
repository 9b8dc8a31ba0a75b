"""Groups of notifications: what is in which, and that their pages leave nothing out and show nothing twice."""

import random
from datetime import timedelta

import pytest

from social import filtering, grouping, notifications
from social.errors import NotFound
from social.notifications import Choice
from social.pages import Page
from social.posts import receive
from store.tables import notifications as table
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.said import mention, note, rows


async def busy(db, number=40):
    """alice, of whom some hear much: likes and boosts of three posts, follows, mentions, in any order."""
    alice, bob = await local(db, "alice"), remote("bob")
    people = [remote(f"p{n}") for n in range(number)]
    await stored(db, bob, *people)
    posts = [await db.write(receive.receive, bob, note(bob), NOW) for _ in range(3)]
    chance = random.Random(number)
    facts = [(kind, post.id) for kind in ("favourite", "reblog", "mention") for post in posts] + [("follow", None)]
    for one in people:
        kind, about = chance.choice(facts)
        later = NOW + timedelta(hours=chance.choice((0, 0, 13)))
        await db.write(notifications.notify, alice.id, kind, one.id, about, later)
    return alice


async def page(db, account, page=None, grouped=notifications.GROUPED, **more):
    return await db.read(grouping.page, account.id, page or Page(), Choice(**more), grouped)


async def test_groups_join_what_has_one_key_and_nothing_else(db):
    alice = await busy(db)
    found = await page(db, alice, Page(80))
    told = await rows(db, table)
    keys = {row.group_key for row in told if row.group_key}
    alone = [row.id for row in told if row.group_key is None]
    assert {group.key for group in found} == keys | {f"ungrouped-{number}" for number in alone}
    for group in found:
        members = [row for row in told if row.group_key == group.key] or [group.head.notification]
        newest = sorted(members, key=lambda row: -row.id)
        assert (group.count, group.newest, group.oldest) == (len(members), newest[0].id, newest[-1].id)
        assert [one.id for one in group.sample] == [row.from_id for row in newest[:8]]
    heads = [group.head.notification.id for group in found]
    assert heads == sorted(heads, reverse=True)


@pytest.mark.parametrize("limit", [1, 3, 80])
async def test_pages_in_both_directions_have_all_and_nothing_twice(db, limit):
    alice = await busy(db)
    told = await rows(db, table)

    def members(group):
        own = [row.id for row in told if row.group_key == group.key] or [group.head.notification.id]
        return [number for number in own if group.oldest <= number <= group.newest]

    for up in (False, True):
        seen, cut = [], Page(limit, min_id=0) if up else Page(limit)
        while found := await page(db, alice, cut):
            assert len({group.key for group in found}) == len(found) <= limit
            seen += [number for group in found for number in members(group)]
            cut = (
                Page(limit, min_id=max(group.newest for group in found))
                if up
                else Page(limit, max_id=min(group.oldest for group in found))
            )
        assert sorted(seen) == sorted(row.id for row in told)


async def test_kinds_that_a_program_does_not_group_come_alone(db):
    alice = await busy(db)
    found = await page(db, alice, Page(80), grouped=("favourite",))
    assert all(group.key.startswith("ungrouped-") for group in found if group.head.notification.kind != "favourite")
    assert len(await page(db, alice, Page(80), grouped=("mention", "nonsense"))) == 40
    assert {group.head.notification.kind for group in await page(db, alice, kinds=["follow"])} == {"follow"}


async def test_one_group_and_its_people(db):
    alice = await busy(db)
    group = max(await page(db, alice, Page(80)), key=lambda group: group.count)
    again = await db.read(grouping.one, alice.id, group.key)
    assert (again.key, again.count, again.sample, again.oldest) == (group.key, group.count, group.sample, None)
    people = await db.read(grouping.senders, alice.id, group.key)
    assert (len(people), people[:8]) == (group.count, list(group.sample))
    alone = next(one for one in await page(db, alice, Page(80)) if one.key.startswith("ungrouped"))
    assert await db.read(grouping.senders, alice.id, alone.key) == [alone.head.account]
    assert (await db.read(grouping.one, alice.id, alone.key)).head == alone.head


async def test_groups_of_others_are_not_there(db):
    alice, anna = await busy(db), await local(db, "anna")
    for group in await page(db, alice, Page(80)):
        with pytest.raises(NotFound):
            await db.read(grouping.one, anna.id, group.key)
        assert await db.read(grouping.senders, anna.id, group.key) == []
        await db.write(grouping.dismiss, anna.id, group.key)
    assert len(await rows(db, table)) == 40


async def test_a_dismissed_group_is_gone(db):
    alice = await busy(db)
    for group in await page(db, alice, Page(80)):
        before = len(await rows(db, table))
        await db.write(grouping.dismiss, alice.id, group.key)
        assert len(await rows(db, table)) == before - group.count


@pytest.mark.parametrize("key", ["", "ungrouped-", "ungrouped-x", "ungrouped-0", f"ungrouped-{1 << 63}", "follow-0'"])
async def test_a_key_that_is_none_is_not_found(db, key):
    alice = await local(db, "alice")
    with pytest.raises(NotFound):
        await db.read(grouping.one, alice.id, key)
    await db.write(grouping.dismiss, alice.id, key)
    assert await db.read(grouping.senders, alice.id, key) == []


async def test_unread_groups_are_counted(db):
    alice = await busy(db)
    found = await page(db, alice, Page(80))
    assert await db.read(grouping.unread, alice.id) == len(found)
    assert await db.read(grouping.unread, alice.id, Choice(), 3) == 3
    await db.write(notifications.read, alice.id, found[1].newest)
    assert await db.read(grouping.unread, alice.id) == 1


async def test_what_is_kept_back_joins_no_group(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(filtering.set_policy, alice.id, {"for_not_following": "filter"})
    await db.write(notifications.notify, alice.id, "follow", bob.id, None, NOW)
    assert await page(db, alice) == []
    assert [group.key[:9] for group in await page(db, alice, filtered_too=True)] == ["ungrouped"]


async def test_forty_groups_cost_as_many_queries_as_one(db, queries):
    alice = await local(db, "alice")
    people = [remote(f"p{number}") for number in range(40)]
    await stored(db, *people)
    costs = []
    for some in (people[:1], people[1:]):
        said = [(one, note(one, mentions=(mention(alice),))) for one in some]
        for post in await db.write(receive.receive_many, said, NOW):
            await db.write(notifications.notify, alice.id, "favourite", people[0].id, post.id, NOW)
        queries.clear()
        found = await page(db, alice, Page(80))
        costs.append(len(queries))
    assert len(found) == 80
    assert costs[0] == costs[1] <= 12
