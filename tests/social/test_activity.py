"""Weeks are counted once, and what is counted is what was."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from social import activity
from social.activity import Week
from store.database import Database
from store.ids import first_id
from store.tables import Account, blank_post, facts, posts, visits
from tests.people import BORN, local, remote, stored

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = timedelta(weeks=1)


def post(author: Account, number: int) -> dict[str, object]:
    uri = f"{author.uri}/posts/{number}"
    more = {"visibility": "public", "published": NOW, "thread_id": number}
    return blank_post(id=number, uri=uri, author_id=author.id, local=author.is_local, **more)


async def test_a_week_begins_on_monday_and_there_are_twelve(db: Database):
    found = await db.read(activity.weeks, NOW)
    assert [week.start for week in found] == [int((MONDAY - WEEK * n).timestamp()) for n in range(12)]
    assert {(week.posts, week.logins, week.registrations) for week in found} == {(0, 0, 0)}


async def test_visits_posts_and_newcomers_are_counted_in_their_week(db: Database):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    await stored(db, far := remote("carol"))
    for who, when in [(alice, NOW), (alice, NOW), (bob, NOW), (bob, NOW - WEEK)]:
        await db.write(activity.visited, who.id, when)
    moments = [MONDAY, MONDAY - timedelta(milliseconds=1), MONDAY + WEEK - timedelta(milliseconds=1)]
    rows = [post(alice, first_id(when)) for when in moments] + [post(far, first_id(NOW) + 1)]
    await db.write(lambda tx: tx.execute(posts.insert(), rows))
    running, before, *_ = await db.read(activity.weeks, NOW)
    assert (running.posts, running.logins, running.registrations) == (2, 2, 0)
    assert (before.posts, before.logins) == (1, 1)
    assert (await db.read(activity.weeks, BORN))[0].registrations == 2


async def test_what_is_over_is_kept_although_nobody_remembers_who_was_here(db: Database):
    alice = await local(db, "alice")
    for weeks in (10, 1, 0):
        await db.write(activity.visited, alice.id, NOW - weeks * WEEK)
    for _ in range(2):
        await db.write(activity.settle, NOW)
    assert await db.read(lambda tx: tx.scalar(select(func.count()).select_from(visits))) == 2
    running, before, *older = await db.read(activity.weeks, NOW)
    assert before == Week(int((MONDAY - WEEK).timestamp()), 0, 1, 0)
    assert (running.logins, older[8].logins) == (1, 1)
    await db.write(activity.settle, NOW + WEEK)
    kept = await db.read(lambda tx: list(tx.scalars(select(facts.c.name).order_by(facts.c.name))))
    assert len([name for name in kept if name.startswith("activity ")]) == 11
    assert (await db.read(activity.weeks, NOW + WEEK))[1].logins == 1


async def test_who_is_here_after_january_2038_is_counted_too(db: Database):
    alice, later = await local(db, "alice"), datetime(2040, 1, 4, tzinfo=UTC)
    await db.write(activity.visited, alice.id, later)
    assert (await db.read(activity.weeks, later))[0].logins == 1
