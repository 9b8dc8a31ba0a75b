"""What counts as a trend, and what does not."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from connectme.housekeeping import Housekeeping
from federation.reading.page import Preview
from social import boosts, cards, moderation, reactions, search, trends, verdicts
from social.accounts import suspend
from store.tables import accounts
from store.tables import trends as table
from tests.people import local, remote, stored
from tests.social.said import rows, say

URL = "https://news.test/a"


@pytest.fixture
def now():
    """Ids know when they were made, by the clock."""
    return datetime.now(UTC)


async def crowd(db, size=3, **more):
    return [await local(db, f"person{number}", **{"discoverable": True, **more}) for number in range(size)]


async def names(db, now, **more):
    return [one.name for one in await db.read(lambda tx: trends.tags(tx, None, 20, 0, now, **more))]


async def test_nothing_trends_where_nothing_is_written(db, now):
    assert await db.write(trends.compute, now)
    assert await names(db, now) == []
    assert await db.read(trends.posts, None, 20, 0) == await db.read(trends.links, 20, 0, now) == []


async def test_a_hashtag_trends_when_several_people_use_it(db, origin, now):
    for person in await crowd(db):
        await say(db, origin, person, "#cats #Dogs")
        await say(db, origin, person, "#cats again")
    one = await local(db, "loud", discoverable=True)
    for _ in range(5):
        await say(db, origin, one, "#me #me2")
    await say(db, origin, one, "#cats")
    await db.write(trends.compute, now + timedelta(seconds=5))
    assert await names(db, now) == ["cats", "dogs"]
    assert [(row.kind, row.subject, row.people) for row in await rows(db, table)] == [
        ("tag", "cats", 4),
        ("tag", "dogs", 3),
    ]


@pytest.mark.parametrize("why", ["hidden", "sensitive", "closed", "suspended", "local"])
async def test_who_does_not_want_to_be_found_counts_for_nothing(db, origin, now, why):
    people = await crowd(db, discoverable=why != "hidden")
    more = {"sensitive": {"sensitive": True}, "closed": {"visibility": "unlisted"}, "local": {"local_only": True}}
    for person in people:
        await say(db, origin, person, f"#cats {URL}", **more.get(why, {}))
    if why == "suspended":
        await db.write(suspend, people[0].id, now)
    await db.write(trends.compute, now + timedelta(seconds=5))
    assert await rows(db, table) == []


async def test_people_of_limited_servers_count_for_nothing(db, origin, now):
    people = await crowd(db)
    for person in people:
        await say(db, origin, person, "#cats")
    await db.write(moderation.set_policy, "loud.test", "limit", "", now)
    host = {"host": "a.loud.test", "domain": "a.loud.test"}
    await db.write(lambda tx: tx.execute(update(accounts).where(accounts.c.id == people[0].id).values(**host)))
    await db.write(trends.compute, now + timedelta(seconds=5))
    assert await names(db, now) == []


async def test_what_was_used_as_much_before_does_not_trend(db, origin, now):
    for person in await crowd(db):
        await say(db, origin, person, "#cats")
    await db.write(trends.compute, now + timedelta(days=3))  # all that is before
    assert await names(db, now) == []


async def test_posts_trend_by_the_people_who_like_and_boost_them(db, origin, now):
    alice, bob, *others = await crowd(db, 5)
    good, better = await say(db, origin, alice, "good"), await say(db, origin, alice, "better")
    his, dull = await say(db, origin, bob, "his"), await say(db, origin, bob, "dull")
    for person in others:
        for one in (good, better, his):
            await db.write(reactions.like, person.id, one.id, now)
    await db.write(reactions.like, bob.id, better.id, now)
    for person in others[:2]:  # the same two people twice
        await db.write(reactions.like, person.id, dull.id, now)
        await db.write(boosts.boost, person.id, dull.id, now)
    await db.write(trends.compute, now + timedelta(seconds=5))
    found = await db.read(trends.posts, None, 20, 0)
    assert [view.parts.post.id for view in found] == [better.id, his.id]
    assert [view.parts.post.id for view in await db.read(trends.posts, None, 1, 1)] == [his.id]
    await db.write(suspend, bob.id, now)
    assert len(await db.read(trends.posts, None, 20, 0)) == 1


async def test_links_trend_when_several_people_share_them(db, origin, now):
    shared = [await say(db, origin, person, URL) for person in await crowd(db)]
    await db.write(trends.compute, now + timedelta(seconds=5))
    assert await db.read(trends.links, 20, 0, now) == []  # nobody knows what is there
    await db.write(cards.fetched, shared[0].card_id, Preview(title="News"), now)
    await db.write(trends.compute, now + timedelta(seconds=6))
    (found,) = await db.read(trends.links, 20, 0, now)
    assert (found.card.title, sum(day.accounts for day in found.history), len(found.history)) == ("News", 3, 7)


async def test_moderators_say_what_is_shown(db, origin, now):
    people = await crowd(db)
    shared = [await say(db, origin, person, f"#cats {URL}") for person in people]
    await db.write(cards.fetched, shared[0].card_id, Preview(title="News"), now)
    await db.write(trends.compute, now + timedelta(seconds=5))

    async def shown(review):
        links = await db.read(lambda tx: trends.links(tx, 20, 0, now, review=review))
        return await names(db, now, review=review), len(links)

    assert [await shown(False), await shown(True)] == [(["cats"], 1), ([], 0)]
    for allowed, expected in ((True, (["cats"], 1)), (False, ([], 0))):
        await db.write(verdicts.judge, "tag", "cats", allowed, people[0].id, now)
        await db.write(verdicts.judge, "publisher", "news.test", allowed, people[0].id, now)
        assert await shown(True) == expected
    assert await shown(False) == ([], 0)
    await db.write(verdicts.judge, "link", str(shared[0].card_id), True, people[0].id, now)  # the nearer one counts
    assert await shown(True) == ([], 1)


async def test_housekeeping_counts_every_few_minutes_and_one_process_is_enough(db, spool, origin, now):
    for person in await crowd(db):
        await say(db, origin, person, "#cats")
    moments = iter([now + timedelta(seconds=one) for one in (5, 20, 320)])
    house = Housekeeping(db, spool, origin, clock=lambda: next(moments))
    for seconds in (5, 5, 320):
        await house.round()
        assert {row.computed_at for row in await rows(db, table)} == {now + timedelta(seconds=seconds)}
    assert not await db.write(trends.compute, now + timedelta(seconds=400), timedelta(minutes=5))


async def test_no_trends_are_counted_where_there_are_to_be_none(db, spool, origin, now):
    for person in await crowd(db):
        await say(db, origin, person, "#cats")
    await Housekeeping(db, spool, origin, clock=lambda: now + timedelta(seconds=5), counts_trends=False).round()
    assert await rows(db, table) == []


async def test_hashtags_are_found_by_how_they_begin(db, origin):
    alice = await local(db, "alice")
    await stored(db, remote("bob"))
    for text in ("#cat #cats", "#cats #catfish", "#dog", "#car"):
        await say(db, origin, alice, text)
    await say(db, origin, alice, "#catsecret", visibility="private")
    assert sorted(await db.read(search.hashtags, "cat", 10)) == ["cat", "catfish", "cats"]
    assert (await db.read(search.hashtags, "cat", 1)) == ["cat"]
    assert len(await db.read(search.hashtags, "cat", 10, 1)) == 2
    assert await db.read(search.hashtags, "zebra", 10) == []
