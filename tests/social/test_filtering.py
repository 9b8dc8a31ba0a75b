"""Whose notifications are kept back or dropped, and what becomes of what was kept back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from social import filtering, moderation, notification_requests, notifications
from social.errors import Invalid, NotFound
from social.events import NotificationsMerged, Notified
from social.filtering import Summary
from social.notifications import Choice
from social.pages import Page
from social.posts import receive
from store.tables import notification_permissions
from store.tables import notification_requests as requests_table
from store.tables import notifications as table
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import mention, note, rows, say


async def wish(db, account, **levels):
    return await db.write(filtering.set_policy, account.id, levels)


async def told(db, account, by, kind="follow", about=None, now=NOW):
    """Whether he hears of it: "accept", "filter" or "drop"."""
    before = len(await rows(db, table))
    await db.write(notifications.notify, account.id, kind, by.id, about, now)
    found = await rows(db, table)
    if len(found) == before:
        return "drop"
    return "filter" if found[-1].filtered else "accept"


async def page(db, account, **more):
    return await db.read(notifications.page, account.id, Page(), Choice(**more))


async def requests(db, account, page=None):
    return await db.read(notification_requests.page, account.id, page or Page())


@pytest.mark.parametrize("changes", [{"for_bots": "maybe"}, {"for_nothing": "drop"}, {"for_bots": ""}])
async def test_a_policy_has_three_levels_for_six_reasons(db, changes):
    alice = await local(db, "alice")
    with pytest.raises(Invalid):
        await wish(db, alice, **changes)
    assert await db.read(filtering.policy, alice.id) == await wish(db, alice)


@pytest.mark.parametrize("level", ["filter", "drop"])
async def test_strangers_are_kept_back_or_dropped_and_those_whom_one_follows_are_not(db, level):
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    await db.write(follow, alice, carl)
    await wish(db, alice, for_not_following=level)
    assert await told(db, alice, bob) == level
    assert await told(db, alice, carl) == "accept"
    assert await told(db, alice, bob, "admin.sign_up") == "accept"
    assert await told(db, await local(db, "anna"), bob) == "accept"


async def test_a_new_follower_is_not_believed_at_once(db):
    alice, bob, carl, dora = await local(db, "alice"), remote("bob"), remote("carl"), remote("dora")
    await stored(db, bob, carl, dora)
    await db.write(lambda tx: follow(tx, bob, alice, created_at=NOW - timedelta(days=4)))
    await db.write(lambda tx: follow(tx, carl, alice, created_at=NOW - timedelta(days=2)))
    await wish(db, alice, for_not_followers="filter")
    assert [await told(db, alice, one) for one in (bob, carl, dora)] == ["accept", "filter", "filter"]


async def test_new_accounts_and_bots(db):
    alice, bob = await local(db, "alice"), remote("bob", created_at=NOW - timedelta(days=29))
    old, robot = remote("old", created_at=NOW - timedelta(days=31)), remote("robot", kind="Service")
    await stored(db, bob, old, robot)
    await wish(db, alice, for_new_accounts="filter", for_bots="drop")
    assert [await told(db, alice, one) for one in (bob, old, robot)] == ["filter", "accept", "drop"]


async def test_the_strictest_reason_counts(db):
    alice, robot = await local(db, "alice"), remote("robot", kind="Service")
    await stored(db, robot)
    await wish(db, alice, for_not_following="filter", for_bots="drop")
    assert await told(db, alice, robot) == "drop"


async def test_a_private_message_that_answers_is_wanted(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await wish(db, alice, for_private_mentions="filter")
    asked = await say(db, origin, alice, f"@{bob.handle} well?", visibility="direct")
    to_her = {"to": (alice.uri,), "cc": (), "mentions": (mention(alice),)}
    await db.write(receive.receive, bob, note(bob, **to_her), NOW)
    await db.write(receive.receive, bob, note(bob, in_reply_to=asked.uri, **to_her), NOW)
    await db.write(receive.receive, bob, note(bob, mentions=(mention(alice),)), NOW)
    assert [row.filtered for row in await rows(db, table)] == [True, False, False]


@pytest.mark.parametrize(
    ("policies", "host", "expected"),
    [
        ({}, "far.test", "accept"),
        ({"far.test": "limit"}, "far.test", "filter"),
        ({"far.test": "limit"}, "a.far.test:8443", "filter"),
        ({"far.test": "limit"}, "notfar.test", "accept"),
        ({"far.test": "limit", "good.far.test": "allow"}, "good.far.test", "accept"),
        ({"far.test": "limit", "good.far.test": "allow"}, "far.test", "filter"),
    ],
)
async def test_those_of_a_limited_server_are_kept_back_unless_one_follows_them(db, policies, host, expected):
    alice, bob, carl = await local(db, "alice"), remote("bob", host), remote("carl", host)
    await stored(db, bob, carl)
    await db.write(follow, alice, carl)
    for name, level in policies.items():
        await db.write(moderation.set_policy, name, level, "", NOW)
    assert await told(db, alice, bob) == expected
    assert await told(db, alice, carl) == "accept"


async def kept_back(db):
    """alice, two strangers, and a public post that each of them mentioned her in."""
    alice, bob, carl = await local(db, "alice"), remote("bob"), remote("carl")
    await stored(db, bob, carl)
    await wish(db, alice, for_not_following="filter")
    for one in (bob, carl):
        await db.write(receive.receive, one, note(one, mentions=(mention(alice),)), NOW)
        await db.write(notifications.notify, alice.id, "follow", one.id, None, NOW)
    return alice, bob, carl


async def test_what_is_kept_back_is_announced_to_nobody_and_listed_where_asked_for(db):
    heard = []
    db.listeners.append(heard.append)
    alice, bob, _ = await kept_back(db)
    assert not any(isinstance(event, Notified) for event in heard)
    assert await page(db, alice) == []
    assert await db.read(notifications.unread, alice.id) == 0
    assert len(await page(db, alice, filtered_too=True)) == 4
    assert {view.account.id for view in await page(db, alice, from_id=bob.id)} == {bob.id}
    second, first = await requests(db, alice)
    assert (first.account.id, first.count, first.post.parts.author.id) == (bob.id, 2, bob.id)
    assert await db.read(filtering.summary, alice.id) == Summary(2, 4)
    assert await requests(db, alice, Page(1, max_id=second.request.id)) == [first]


async def test_requests_of_others_are_not_there(db):
    alice, *_ = await kept_back(db)
    anna = await local(db, "anna")
    first = (await requests(db, alice))[0]
    ids = [first.request.id]
    assert await requests(db, anna) == []
    assert await db.write(notification_requests.accept, anna.id, ids, NOW) == 0
    assert await db.write(notification_requests.dismiss, anna.id, ids) == 0
    with pytest.raises(NotFound):
        await db.read(notification_requests.one, anna.id, first.request.id)
    assert len(await requests(db, alice)) == 2


async def test_who_is_accepted_is_heard_from_now_on(db):
    alice, bob, carl = await kept_back(db)
    heard = []
    db.listeners.append(heard.append)
    _, first = await requests(db, alice)
    await db.write(notification_requests.accept, alice.id, [first.request.id, 12345], NOW)
    assert heard == [NotificationsMerged(alice.id)]
    assert {view.account.id for view in await page(db, alice)} == {bob.id}
    assert [view.account.id for view in await requests(db, alice)] == [carl.id]
    assert await told(db, alice, bob, "follow_request") == "accept"
    assert len(await rows(db, notification_permissions)) == 1


async def test_what_is_dismissed_is_gone_and_the_sender_may_ask_again(db):
    alice, bob, carl = await kept_back(db)
    _, first = await requests(db, alice)
    await db.write(notification_requests.dismiss, alice.id, [first.request.id])
    assert [view.account.id for view in await page(db, alice, filtered_too=True)] == [carl.id] * 2
    assert await told(db, alice, bob, "follow_request") == "filter"
    assert len(await requests(db, alice)) == 2


async def test_a_cleared_list_leaves_no_requests(db):
    alice, *_ = await kept_back(db)
    await db.write(notifications.clear, alice.id)
    assert await requests(db, alice) == await rows(db, requests_table) == []


async def test_forty_requests_cost_as_many_queries_as_one(db, queries):
    alice = await local(db, "alice")
    people = [remote(f"p{number}") for number in range(40)]
    await stored(db, *people)
    await wish(db, alice, for_not_following="filter")
    costs = []
    for some in (people[:1], people[1:]):
        pairs = [(one, replace(note(one), mentions=(mention(alice),))) for one in some]
        await db.write(receive.receive_many, pairs, NOW)
        queries.clear()
        found = await requests(db, alice, Page(40))
        costs.append(len(queries))
    assert len(found) == 40
    assert costs[0] == costs[1]
