"""Follows of one batch: those who are simply let in together, and each of the others as if it had come alone."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from federation.keys import ED25519_PREFIX, base58
from federation.reading import Actor, Key
from inbox import handle as handling
from inbox.introductions import Introduction, packed
from inbox.plan import plan
from inbox.spool import waiting
from social import accounts as people
from social import blocks, domains, moderation
from store.tables import account_keys, accounts, activities, deliveries, follows, hosts, notifications
from tests.conftest import NOW
from tests.inbox.letters import activity
from tests.inbox.world import BOB, CAROL, EVE, ORIGIN
from tests.people import local, remote

SECOND = timedelta(seconds=1)


def asks(who, target, number=1):
    return activity("Follow", who, target.uri, id=f"{who.uri}/follows/{number}")


def introduced(person, *, handle=None, keys=(), implements=()):
    actor = Actor(person.uri, "Person", person.username, person.inbox, keys=keys, implements=implements)
    return packed(Introduction(actor, handle or person.handle, NOW))


def newcomers(number, start=0):
    return [remote(f"fan{n}", "third.test") for n in range(start, start + number)]


async def hear_new(world, target, fans):
    for fan in fans:
        await world.hear(fan, asks(fan, target), introduction=introduced(fan))


async def ties(world):
    """(uri of the follower, accepted)"""
    query = select(accounts.c.uri, follows.c.accepted).join(follows, follows.c.follower_id == accounts.c.id)
    return {tuple(row) for row in await world.db.read(lambda tx: tx.execute(query).all())}


async def answers(world):
    """(host, due, body)"""
    query = (
        select(hosts.c.name, hosts.c.due, activities.c.body)
        .join(deliveries, deliveries.c.host == hosts.c.name)
        .join(activities, activities.c.id == deliveries.c.activity_id)
        .order_by(activities.c.id)
    )
    return await world.db.read(lambda tx: [(row.name, row.due, bytes(row.body)) for row in tx.execute(query)])


async def told(world):
    query = select(notifications.c.account_id, notifications.c.kind, notifications.c.group_key)
    return [tuple(row) for row in await world.db.read(lambda tx: tx.execute(query).all())]


@pytest.fixture
def alone(monkeypatch):
    """The activities that were not handled together."""
    seen = []
    good = handling.dispatch

    def watch(tx, actor, message, here):
        seen.append(message.document["id"])
        return good(tx, actor, message, here)

    monkeypatch.setattr(handling, "dispatch", watch)
    return seen


# Who is not simply let in.


@pytest.fixture
async def beside(world, alice, alone):
    """Of whom comes an ordinary Follow in the same batch: nothing that others do may hold it up."""
    yield CAROL
    await world.hear(CAROL, asks(CAROL, alice))
    before = len(alone)
    await world.handle()
    assert (CAROL.uri, True) in await ties(world)
    assert asks(CAROL, alice)["id"] not in alone[before:]


async def test_a_locked_account_is_asked(world, alice, beside):
    locked = await local(world.db, "lea", locked=True)
    await world.hear(BOB, asks(BOB, locked))
    assert await world.handle() == {"handled/Follow": 1}
    assert await ties(world) == {(BOB.uri, False)}
    assert [kind for _, kind, _ in await told(world)] == ["follow_request"]
    assert await answers(world) == []


async def test_a_newcomer_asks_a_locked_account_and_is_stored(world, beside):
    locked, [fan] = await local(world.db, "lea", locked=True), newcomers(1)
    await hear_new(world, locked, [fan])
    assert await world.handle() == {"handled/Follow": 1}
    assert await ties(world) == {(fan.uri, False)}


async def test_nobody_follows_whom_there_is_not(world, alice, beside, alone):
    [fan] = newcomers(1)
    for number, target in enumerate((CAROL, remote("nobody", "ours.test"))):
        await world.hear(EVE, asks(EVE, target, number))
        await world.hear(fan, asks(fan, target, number), introduction=introduced(fan))
    assert await world.handle() == {"rejected/NotFound": 4}
    assert await ties(world) == set()
    assert await world.db.read(people.find_by_uri, fan.uri) is None


@pytest.mark.parametrize("column", ["suspended_at", "deleted_at"])
@pytest.mark.parametrize("who", ["follower", "target"])
async def test_nobody_follows_nor_is_followed_when_he_is_gone(world, alice, beside, column, who):
    target = await local(world.db, "lea")
    change = update(accounts).where(accounts.c.id == (BOB if who == "follower" else target).id).values({column: NOW})
    await world.db.write(lambda tx: tx.execute(change).rowcount)
    await world.hear(BOB, asks(BOB, target))
    await world.handle()
    assert await ties(world) == set()


async def test_blocks_of_either_side_and_of_domains_hold(world, alice, beside):
    lea, [fan] = await local(world.db, "lea"), newcomers(1)
    await world.db.write(blocks.block, lea.id, BOB.id, NOW)
    await world.say(EVE, activity("Block", EVE, lea.uri))
    await world.db.write(domains.block, ORIGIN, lea.id, fan.domain, NOW)
    await world.hear(BOB, asks(BOB, lea))
    await world.hear(EVE, asks(EVE, lea))
    await hear_new(world, lea, [fan])
    await world.handle()
    assert await ties(world) == set()
    assert {kind for _, kind, _ in await told(world)} == set()
    assert [body for _, _, body in await answers(world) if b'"Accept"' in body] == []


@pytest.mark.parametrize(("level", "expected"), [("block", None), ("limit", False), ("allow", True)])
async def test_policies_for_servers_hold(world, alice, beside, level, expected):
    [fan] = newcomers(1)
    await world.db.write(moderation.set_policy, "third.test", level, "", NOW)
    await hear_new(world, alice, [fan])
    await world.handle()
    assert await ties(world) == (set() if expected is None else {(fan.uri, expected)})


async def test_what_was_undone_before_it_came_does_not_count(world, alice, beside):
    follow = asks(BOB, alice)
    await world.say(BOB, activity("Undo", BOB, follow))
    world.ago = timedelta(hours=1)
    await world.hear(BOB, follow)
    assert await world.handle() == {"handled/Follow": 1}
    assert await ties(world) == set()
    world.ago = timedelta()


async def test_copies_count_once(world, alice, beside, alone):
    await world.hear(BOB, asks(BOB, alice))
    await world.hear(BOB, asks(BOB, alice))
    assert await world.handle() == {"handled/Follow": 1, "handled/duplicate": 1}
    await world.hear(BOB, asks(BOB, alice))
    assert await world.handle() == {"handled/duplicate": 1}
    assert alone == []
    assert len(await answers(world)) == 1
    assert (await world.db.read(people.by_id, alice.id)).followers_count == 1


async def test_who_follows_already_is_told_again_and_counted_once(world, alice, beside):
    await world.say(BOB, asks(BOB, alice, 1))
    await world.say(BOB, asks(BOB, alice, 2))
    assert [b"follows/2" in body for _, _, body in await answers(world)] == [False, True]
    assert (await world.db.read(people.by_id, alice.id)).followers_count == 1


async def test_a_name_that_somebody_has_is_given_up_as_ever(world, alice, beside):
    """Two newcomers with one handle, and one with the handle of bob: the newest answer of the domain counts."""
    one, other = newcomers(2)
    await world.hear(one, asks(one, alice), introduction=introduced(one))
    await world.hear(other, asks(other, alice), introduction=introduced(other, handle=one.handle))
    heir = remote("heir")
    await world.hear(heir, asks(heir, alice), introduction=introduced(heir, handle=BOB.handle))
    assert await world.handle() == {"handled/Follow": 3}
    assert (await world.db.read(people.by_uri, other.uri)).handle == one.handle
    assert (await world.db.read(people.by_uri, heir.uri)).handle == BOB.handle


async def test_nobody_is_introduced_as_one_of_ours(world, alice, beside):
    lea = await local(world.db, "lea")
    await world.hear(lea, asks(lea, alice), introduction=introduced(lea, handle="lea@ours.test"))
    assert await world.handle() == {"rejected/NotAllowed": 1}
    assert await ties(world) == set()


async def test_a_follow_with_the_id_of_another_host_gets_an_id_of_ours(world, alice, beside):
    await world.hear(BOB, activity("Follow", BOB, alice.uri, id="https://bad.test/follows/1"))
    await world.handle()
    assert await ties(world) == {(BOB.uri, True)}


async def test_when_together_fails_each_is_taken_alone(world, alice, monkeypatch, alone):
    def broken(tx, wishes, now):
        raise ZeroDivisionError

    monkeypatch.setattr("social.follows.let_in", broken)
    await hear_new(world, alice, newcomers(3))
    assert await world.handle() == {"handled/Follow": 3}
    assert len(alone) == len(await ties(world)) == 3


# Who is.


async def test_newcomers_and_known_people_are_let_in_together(world, alice, alone):
    lea, fans = await local(world.db, "lea"), newcomers(3)
    await hear_new(world, alice, fans)
    await world.hear(BOB, asks(BOB, alice))
    await world.hear(EVE, asks(EVE, lea))
    assert await world.handle() == {"handled/Follow": 5}
    assert alone == []
    assert await ties(world) == {(who.uri, True) for who in (*fans, BOB, EVE)}
    found = await world.db.read(lambda tx: [people.by_uri(tx, who.uri) for who in (*fans, BOB, alice, lea)])
    assert [(one.followers_count, one.following_count) for one in found] == [*[(0, 1)] * 4, (4, 0), (1, 0)]
    assert found[0].handle == "fan0@third.test"
    news = await told(world)
    assert sorted(whom for whom, _, _ in news) == sorted([alice.id] * 4 + [lea.id])
    assert {kind for _, kind, _ in news} == {"follow"}
    assert len({key for whom, _, key in news if whom == alice.id}) == 1
    mail = await answers(world)
    assert {(host, due) for host, due, _ in mail} == {
        (host, NOW + SECOND) for host in ("third.test", "far.test", "bad.test")
    }
    assert all(b'"Accept"' in body for _, _, body in mail)
    assert sum(fans[0].uri.encode() in body for _, _, body in mail) == 1


async def test_what_a_newcomers_document_says_is_kept(world, alice):
    [fan] = newcomers(1)
    material = f"z{base58(ED25519_PREFIX + bytes(range(32)))}"
    keys = (Key(f"{fan.uri}#key", fan.uri, material), Key(f"{fan.uri}#odd", fan.uri, "nonsense"))
    implements = ("https://datatracker.ietf.org/doc/html/rfc9421",)
    await world.hear(fan, asks(fan, alice), introduction=introduced(fan, keys=keys, implements=implements))
    await world.handle()
    stored = await world.db.read(lambda tx: tx.execute(select(account_keys.c.id, account_keys.c.kind)).all())
    assert (f"{fan.uri}#key", "ed25519") in [tuple(row) for row in stored]
    assert f"{fan.uri}#odd" not in {row[0] for row in stored}
    assert await world.db.read(lambda tx: tx.scalar(select(hosts.c.scheme))) == "rfc9421"


async def test_a_host_that_waits_keeps_its_moment(world, alice):
    later = NOW + timedelta(hours=1)
    await world.say(BOB, asks(BOB, alice))
    await world.db.write(lambda tx: tx.execute(update(hosts).values(due=later)).rowcount)
    await world.say(CAROL, asks(CAROL, alice))
    assert {due for _, due, _ in await answers(world)} == {later}


async def test_each_actors_order_is_kept(world, alice):
    lea = await local(world.db, "lea")
    for target, number in ((alice, 1), (lea, 2)):
        await world.hear(BOB, asks(BOB, target, number))
    await world.hear(BOB, activity("Undo", BOB, asks(BOB, alice, 1)))
    steps = plan(await world.kept.read(waiting, 10))
    assert [(len(step.follows), len(step.lines)) for step in steps] == [(1, 0), (1, 0), (0, 1)]
    await world.handle()
    found = await world.db.read(lambda tx: tx.scalars(select(follows.c.target_id)).all())
    assert found == [lea.id]


async def test_they_cost_the_same_number_of_statements_whatever_their_number(world, alice, queries):
    async def spent(number, start):
        await hear_new(world, alice, newcomers(number, start))
        queries.clear()
        await world.processor.round()
        others = ("PRAGMA", "spooled", "heard_at")  # that a host was heard from is said once in a second
        return len([one for one in queries if not any(word in one for word in others)])

    await spent(1, 0)
    assert await spent(40, 1) <= await spent(2, 41)
    assert await world.db.read(lambda tx: tx.scalar(select(func.count()).select_from(follows))) == 43
