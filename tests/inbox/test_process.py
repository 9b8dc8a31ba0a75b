"""From the spool into the database: once, in order, and one bad message alone."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from federation.reading import Actor
from inbox import handle as handling
from inbox import spool as spooling
from inbox.introductions import Introduction, packed
from inbox.plan import LINE, plan
from inbox.spool import ATTEMPTS
from social import accounts as people
from social import moderation
from social.errors import Unavailable
from store.database import TRIES
from store.tables import accounts, handled, hosts, posts, spooled
from tests.conftest import NOW
from tests.inbox.letters import activity, create, note
from tests.inbox.world import BOB, CAROL, EVE
from tests.people import follow, local, remote, stored


def count(tx, table):
    return tx.scalar(select(func.count()).select_from(table))


def break_(monkeypatch, name, only=lambda document: True, error=ZeroDivisionError):
    """Has the handler of an activity fail."""
    good = handling.dispatch

    def bad(tx, actor, message, here):
        if message.document["type"] == name and only(message.document):
            raise error
        return good(tx, actor, message, here)

    monkeypatch.setattr(handling, "dispatch", bad)


# What cannot be done.


async def test_a_message_that_breaks_us_is_tried_again_and_then_rests(world, monkeypatch):
    break_(monkeypatch, "Like")
    await world.hear(BOB, activity("Like", BOB, "https://ours.test/x"))
    for _ in range(ATTEMPTS):
        assert await world.processor.round() == 1
        assert await world.processor.round() == 0
        world.later(hours=3)
    assert await world.processor.round() == 0
    [rests] = await world.kept.read(spooling.resting)
    assert rests.error.startswith("ZeroDivisionError")
    assert (await world.kept.read(spooling.counted)) == {"failed": ATTEMPTS - 1, "rested": 1}


async def test_it_holds_back_its_own_actor_and_nobody_else_and_then_lets_go(world, monkeypatch):
    break_(monkeypatch, "Like")
    await world.hear(BOB, activity("Like", BOB, "https://ours.test/x"))
    await world.hear(BOB, create(BOB, 1))
    await world.hear(CAROL, create(CAROL, 2))
    await world.handle()
    assert [post.uri for post in await world.posts()] == ["https://far.test/notes/2"]
    for _ in range(ATTEMPTS):
        world.later(hours=3)
        await world.handle()
    assert len(await world.posts()) == 2


async def test_who_is_held_is_known_after_a_restart(world, monkeypatch):
    break_(monkeypatch, "Like")
    await world.hear(BOB, activity("Like", BOB, "https://ours.test/x"))
    await world.hear(BOB, create(BOB, 1))
    await world.handle()
    world.processor = world.another()
    assert await world.processor.round() == 0
    assert await world.posts() == []


async def test_order_is_kept_within_a_line_that_breaks(world, monkeypatch):
    """like 0 works, like 1 breaks, the rest waits for it; later it works, and all are done in their order."""
    seen = []
    broken = {"https://ours.test/1"}
    good = handling.dispatch

    def watch(tx, actor, message, here):
        what = message.document["object"]
        if what in broken:
            raise ZeroDivisionError
        seen.append(what)
        return good(tx, actor, message, here)

    monkeypatch.setattr(handling, "dispatch", watch)
    names = [f"https://ours.test/{n}" for n in range(2 * LINE)]
    for name in names:
        await world.hear(BOB, activity("Like", BOB, name))
    await world.handle()
    assert seen == names[:1]
    broken.clear()
    world.later(minutes=1)
    await world.handle()
    assert seen == names
    assert await world.waiting() == 0


async def test_what_a_broken_message_did_is_undone_and_it_is_not_remembered(world, monkeypatch):
    good = handling.dispatch

    def bad(tx, actor, message, here):
        good(tx, actor, message, here)
        raise ZeroDivisionError

    with monkeypatch.context() as breaking:
        breaking.setattr(handling, "dispatch", bad)
        await world.hear(BOB, activity("Delete", BOB, "https://far.test/notes/1"))
        await world.hear(CAROL, activity("Delete", CAROL, "https://far.test/notes/2"))
        await world.handle()
    assert await world.db.read(count, handled) == 0
    world.later(minutes=1)
    assert await world.handle() == {"handled/Delete": 2}


async def test_posts_are_taken_one_by_one_when_one_of_them_breaks_the_batch(world, monkeypatch):
    good = handling.receive_many

    def picky(tx, notes, now):
        if len(notes) > 1 or notes[0][1].id.endswith("/2"):
            raise ZeroDivisionError
        return good(tx, notes, now)

    monkeypatch.setattr(handling, "receive_many", picky)
    monkeypatch.setattr("inbox.handlers.posts.receive", lambda tx, actor, note, now: picky(tx, [(actor, note)], now))
    for n in (1, 2, 3):
        await world.hear(BOB, create(BOB, n))
    await world.hear(CAROL, create(CAROL, 4))
    await world.handle()
    assert {post.uri[-1] for post in await world.posts()} == {"1", "4"}
    assert await world.waiting() == 2


async def test_an_absent_database_costs_no_message_its_attempts(world, monkeypatch):
    await world.hear(BOB, create(BOB, 1))
    await world.hear(CAROL, activity("Like", CAROL, "https://ours.test/x"))

    def table(tx, old, new):
        tx.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    await world.db.write(table, "handled", "lost")
    for _ in range(ATTEMPTS + 1):
        with pytest.raises(SQLAlchemyError, match="handled"):
            await world.processor.round()
    await world.db.write(table, "lost", "handled")
    assert await world.kept.read(spooling.counted) == {}
    assert await world.handle() == {"handled/Create": 1, "handled/Like": 1}


async def test_when_the_database_is_there_the_fault_is_in_the_message(world, monkeypatch):
    break_(monkeypatch, "Like", error=OperationalError("too many variables", None, Exception()))
    assert await world.say(BOB, activity("Like", BOB, "https://ours.test/x")) == {"failed": 1}


class Outrun(Exception):
    """As asyncpg says that a row came or went meanwhile."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


@pytest.mark.parametrize("sqlstate", ["23503", "23505"])
async def test_a_message_of_a_line_that_was_outrun_is_taken_again_and_held_against_nobody(world, monkeypatch, sqlstate):
    tries: Counter[str] = Counter()
    good = handling.dispatch

    def outrun(tx, actor, message, here):
        what = good(tx, actor, message, here)
        name = message.document["object"]
        tries[name] += 1
        if name.endswith("/2") and tries[name] < 3:
            raise IntegrityError("", None, Outrun(sqlstate))
        return what

    monkeypatch.setattr(handling, "dispatch", outrun)
    likes = [activity("Like", BOB, f"https://ours.test/{n}") for n in (1, 2, 3)]
    assert await world.say(BOB, *likes) == {"handled/Like": 3}
    assert list(tries.values()) == [1, 3, 1]


async def test_when_that_lasts_the_message_itself_is_blamed(world, monkeypatch):
    tries: Counter[str] = Counter()

    def bad(document):
        tries[document["object"]] += 1
        return document["object"].endswith("/2")

    break_(monkeypatch, "Like", bad, IntegrityError("", None, Outrun("23505")))
    likes = [activity("Like", BOB, f"https://ours.test/{n}") for n in (1, 2, 3)]
    assert await world.say(BOB, *likes) == {"handled/Like": 1, "failed": 1}
    assert list(tries.values()) == [1, 1 + TRIES]
    [held] = await world.kept.read(lambda tx: tx.execute(select(spooled.c.body, spooled.c.attempts)).all()[:1])
    assert b"ours.test/2" in held[0]
    assert held[1] == 1


# Once.


async def test_a_second_copy_is_a_no_op(world):
    assert await world.say(BOB, create(BOB), create(BOB)) == {"handled/Create": 1, "handled/duplicate": 1}
    assert await world.say(BOB, create(BOB)) == {"handled/duplicate": 1}
    assert len(await world.posts()) == 1


async def test_a_copy_with_another_id_does_not_overwrite(world):
    await world.say(BOB, create(BOB), {**create(BOB, content="<p>other</p>"), "id": "https://far.test/another"})
    assert [post.html for post in await world.posts()] == ["<p>note 1</p>"]


async def test_a_crash_before_settling_replays_without_a_second_effect(world, monkeypatch):
    alice = await local(world.db, "alice")
    await world.db.write(follow, alice, BOB)
    await world.hear(BOB, create(BOB))
    await world.hear(BOB, activity("Follow", BOB, alice.uri))

    def crash(tx, done, failed):
        raise SystemError("the process died here")

    with monkeypatch.context() as crashing:
        crashing.setattr(spooling, "settle", crash)
        with pytest.raises(SystemError):
            await world.processor.round()
    assert await world.waiting() == 2
    world.counts.take()
    world.processor = world.another()
    assert await world.handle() == {"handled/duplicate": 2}
    assert len(await world.posts()) == 1
    assert (await world.db.read(people.by_id, alice.id)).followers_count == 1


@pytest.mark.parametrize("who", [EVE, CAROL])
@pytest.mark.parametrize("name", ["https://far.test/a/1", f"{BOB.uri}/1"])
async def test_nobody_can_use_up_the_ids_of_others(world, who, name):
    mine = {**create(BOB), "id": name}
    assert (await world.say(who, {**create(who, 6), "id": mine["id"]})) == {"handled/Create": 1}
    assert (await world.say(BOB, mine)) == {"handled/Create": 1}
    assert len(await world.posts()) == 2


async def test_unknown_types_are_counted_and_done(world):
    assert await world.say(BOB, activity("Blub", BOB, "https://far.test/x")) == {"handled/unknown": 1}
    assert await world.waiting() == 0


async def test_what_can_never_be_used_is_counted_and_done(world):
    assert await world.say(BOB, activity("Like", BOB, None)) == {"rejected/Malformed": 1}
    assert await world.waiting() == 0


@pytest.mark.parametrize("column", ["suspended_at", "deleted_at"])
async def test_the_suspended_and_the_deleted_have_nothing_to_say(world, column):
    change = update(accounts).where(accounts.c.id == BOB.id).values({column: NOW})
    await world.db.write(lambda tx: tx.execute(change).rowcount)
    like = activity("Like", BOB, "https://ours.test/x")
    assert await world.say(BOB, create(BOB), like) == {"rejected/Refused": 2}
    assert await world.posts() == []


# Strangers.


async def test_an_actor_who_is_not_stored_is_asked_for(world):
    dave = remote("dave", "third.test")
    world.remote.answers[dave.uri] = dave
    await world.hear(dave, create(dave, 1))
    await world.hear(dave, activity("Like", dave, "https://ours.test/x"))
    assert await world.handle() == {"handled/Create": 1, "handled/Like": 1}
    assert world.remote.asked == [dave.uri]


def introduced(person, at=NOW, name=""):
    actor = Actor(person.uri, "Person", person.username, person.inbox, name=name)
    return packed(Introduction(actor, person.handle, at))


async def test_an_actor_who_comes_with_an_introduction_is_stored_with_his_message(world):
    dave = remote("dave", "third.test")
    await world.hear(dave, create(dave, 1), introduction=introduced(dave, name="Dave"))
    await world.hear(dave, create(dave, 2))
    assert await world.handle() == {"handled/Create": 2}
    assert world.remote.asked == []
    assert (await world.db.read(people.by_uri, dave.uri)).display_name == "Dave"
    assert len(await world.posts()) == 2


async def test_of_an_actor_whose_message_is_refused_nothing_stays(world):
    dave = remote("dave", "third.test")
    await world.hear(dave, activity("Follow", dave, "https://ours.test/users/nobody"), introduction=introduced(dave))
    assert await world.handle() == {"rejected/NotFound": 1}
    assert await world.db.read(people.find_by_uri, dave.uri) is None


@pytest.mark.parametrize("kind", ["Create", "Follow"])
async def test_of_a_server_that_was_blocked_meanwhile_nothing_stays(world, alice, kind):
    dave = remote("dave", "a.third.test")
    said = create(dave, 1) if kind == "Create" else activity("Follow", dave, alice.uri)
    await world.hear(dave, said, introduction=introduced(dave))
    await world.db.write(moderation.set_policy, "third.test", "block", "", NOW)
    assert await world.handle() == {"rejected/Refused": 1}
    assert (await world.db.read(people.find_by_uri, dave.uri), await world.posts()) == (None, [])


async def test_nobody_is_introduced_as_one_of_ours(world, alice):
    await world.hear(alice, create(alice, 1), introduction=introduced(alice, name="Eve"))
    assert await world.handle() == {"rejected/NotAllowed": 1}
    assert (await world.db.read(people.by_uri, alice.uri)).display_name == ""


async def test_an_introduction_that_waited_does_not_undo_what_was_learnt_since(world):
    dave = remote("dave", "third.test")
    await world.hear(dave, create(dave, 1), introduction=introduced(dave, NOW - timedelta(hours=1), "old"))
    await stored(world.db, replace(dave, display_name="new", fetched_at=NOW))
    assert await world.handle() == {"handled/Create": 1}
    assert (await world.db.read(people.by_uri, dave.uri)).display_name == "new"


async def test_an_actor_who_is_nowhere_is_given_up(world):
    dave = remote("dave", "third.test")
    assert await world.say(dave, create(dave)) == {"rejected/NotFound": 1}
    assert await world.waiting() == 0


async def test_an_actor_who_cannot_be_reached_is_asked_for_again(world):
    dave = remote("dave", "third.test")
    world.remote.answers[dave.uri] = Unavailable("silent")
    assert await world.say(dave, create(dave)) == {"failed": 1}
    world.remote.answers[dave.uri] = dave
    world.later(minutes=1)
    assert await world.handle() == {"handled/Create": 1}


async def test_who_is_asked_for_does_not_delay_others(world):
    dave = remote("dave", "third.test")
    silent = asyncio.Event()

    async def wait(who, *, fresh=False):
        await silent.wait()
        raise Unavailable("silent")

    world.remote.account = wait
    await world.hear(dave, create(dave, 1))
    await world.hear(BOB, create(BOB, 2))
    await world.processor.round()
    await world.hear(BOB, create(BOB, 3))
    await world.processor.round()
    assert {post.uri[-1] for post in await world.posts()} == {"2", "3"}
    silent.set()
    await world.processor.meet_all()


# Together.


async def test_a_batch_of_posts_costs_the_same_number_of_statements_whatever_its_size(world, queries):
    for n in range(4):
        await world.hear(BOB, create(BOB, n))
    queries.clear()
    await world.processor.round()
    few = [one for one in queries if "PRAGMA" not in one]
    for n in range(100, 140):
        await world.hear(BOB if n % 2 else CAROL, create(BOB if n % 2 else CAROL, n))
    queries.clear()
    await world.processor.round()
    assert await world.db.read(count, posts) == 44
    assert len([one for one in queries if "spooled" not in one]) <= len([one for one in few if "spooled" not in one])


async def test_the_plan_keeps_each_actors_order(world):
    documents = [
        (BOB, create(BOB, 1)),
        (BOB, activity("Delete", BOB, "https://far.test/notes/1")),
        (CAROL, create(CAROL, 2)),
        (BOB, create(BOB, 3)),
        (BOB, create(BOB, 4)),
        *((CAROL, activity("Like", CAROL, f"https://ours.test/{n}")) for n in range(LINE + 1)),
    ]
    ids = [await world.hear(signer, document) for signer, document in documents]
    steps = plan(await world.kept.read(spooling.waiting, 100))
    got = [
        ([kept.id for kept, _, _ in step.creates], {s: [k.id for k in line] for s, line in step.lines.items()})
        for step in steps
    ]
    assert got == [
        ([ids[0], ids[2]], {}),
        ([], {BOB.uri: [ids[1]], CAROL.uri: ids[5:-1]}),
        ([ids[3], ids[4]], {CAROL.uri: ids[-1:]}),
    ]


async def test_a_delete_after_its_create_in_one_batch_wins(world):
    await world.say(BOB, create(BOB, 1), activity("Delete", BOB, "https://far.test/notes/1"), create(BOB, 2))
    assert [post.uri for post in await world.posts()] == ["https://far.test/notes/2"]


async def test_a_silent_host_that_speaks_is_tried_again_at_once(world):
    host = {"name": "far.test", "failures": 3, "failing_since": NOW, "due": NOW.replace(year=2027)}
    await world.db.write(lambda tx: tx.execute(hosts.insert(), host).rowcount)
    await world.say(BOB, create(BOB))
    due = await world.db.read(lambda tx: tx.scalar(select(hosts.c.due).where(hosts.c.name == "far.test")))
    assert due is None or due <= world.now


async def test_it_runs_until_told_to_stop(world):
    stop = asyncio.Event()
    running = asyncio.create_task(world.processor.run(stop))
    await world.hear(BOB, create(BOB))
    world.processor.wake()
    async with asyncio.timeout(60):
        while not await world.posts():
            await asyncio.sleep(0)
    stop.set()
    world.processor.wake()
    await running
    assert note(BOB)["id"] == (await world.posts())[0].uri
