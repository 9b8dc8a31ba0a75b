"""Following: nobody follows who was not let, however the messages come."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Connection, create_engine, func, select, update

from social import accounts, blocks, follows, moderation, ties
from social.errors import Invalid, NotAllowed, NotFound
from social.pages import Page
from social.posts import receive
from store.tables import Follow, metadata, notifications
from store.tables import accounts as accounts_table
from store.tables import follows as follows_table
from tests.conftest import NOW
from tests.people import add, follow, local, ours, remote, stored
from tests.social.mail import fresh, sent, types
from tests.social.said import home, note, rows


async def two(db, **more):
    alice, bob = await local(db, "alice", **more), remote("bob")
    await stored(db, bob)
    return alice, bob


async def counts(db, account):
    found = await fresh(db, account)
    return found.followers_count, found.following_count


async def told(db, account):
    return [row.kind for row in await rows(db, notifications, notifications.c.account_id == account.id)]


# Ours


async def test_some_cannot_be_followed(db, origin):
    alice, bob = await two(db)
    gone, moved, blocking = remote("gone", deleted_at=NOW), remote("moved", moved_to=bob.uri), remote("blocking")
    await stored(db, gone, moved, blocking)
    instance = await db.write(accounts.create_instance_actor, origin, [], NOW)
    await db.write(blocks.receive_block, blocking, alice, f"{blocking.uri}/block", NOW)
    for target, refusal in (
        (alice.id, Invalid),
        (gone.id, NotFound),
        (moved.id, NotAllowed),
        (blocking.id, NotAllowed),
        (instance.id, NotAllowed),
        (4711, NotFound),
    ):
        with pytest.raises(refusal):
            await db.write(follows.ask, alice.id, target, NOW)
    with pytest.raises(NotAllowed):
        await db.write(follows.ask, bob.id, alice.id, NOW)
    assert await types(db) == []


async def test_nobody_follows_everybody(db):
    alice, bob = await two(db)
    full = update(accounts_table).where(accounts_table.c.id == alice.id).values(following_count=7500)
    await db.write(lambda tx: tx.execute(full) and None)
    with pytest.raises(Invalid):
        await db.write(follows.ask, alice.id, bob.id, NOW)


async def test_requested_is_not_following(db):
    alice, bob = await two(db)
    before = await db.write(receive.receive, bob, note(bob), NOW)
    asked = await db.write(follows.ask, alice.id, bob.id, NOW)
    assert not asked.accepted
    assert await counts(db, alice) == await counts(db, bob) == (0, 0)
    (letter,) = await sent(db)
    assert letter.document["id"] == asked.uri == f"{alice.uri}#follows/{asked.id}"
    assert (letter.type, letter.document["object"], letter.inboxes) == ("Follow", bob.uri, {bob.inbox})
    assert await db.read(home, alice) == []

    assert await db.write(follows.accepted, bob, uri=asked.uri)
    assert await counts(db, alice) == (0, 1)
    assert await counts(db, bob) == (1, 0)
    assert await db.read(home, alice) == [before.id]
    assert not await db.write(follows.accepted, bob, uri=asked.uri)
    assert await counts(db, bob) == (1, 0)


async def test_asking_again_changes_only_wishes(db):
    alice, bob = await two(db)
    first = await db.write(follows.ask, alice.id, bob.id, NOW)
    again = await db.write(follows.ask, alice.id, bob.id, NOW, show_boosts=False, notify=True)
    assert (again.uri, again.show_boosts, again.notify, again.accepted) == (first.uri, False, True, False)
    assert await types(db) == ["Follow"]


async def test_unfollowing_tells_and_forgets(db):
    alice, bob = await two(db)
    assert not await db.write(follows.unfollow, alice.id, bob.id)
    asked = await db.write(follows.ask, alice.id, bob.id, NOW)
    await db.write(follows.accepted, bob, uri=asked.uri)
    await db.write(receive.receive, bob, note(bob), NOW)
    assert await db.write(follows.unfollow, alice.id, bob.id, NOW)
    assert not await db.write(follows.unfollow, alice.id, bob.id, NOW)
    undo = (await sent(db))[-1].document
    assert (undo["type"], undo["id"], undo["object"]["id"]) == ("Undo", f"{asked.uri}/undo", asked.uri)
    assert await counts(db, alice) == await counts(db, bob) == (0, 0)
    assert await db.read(home, alice) == []


async def test_two_of_ours_need_no_mail(db):
    alice, carol = await local(db, "alice"), await local(db, "carol", locked=True)
    assert (await db.write(follows.ask, carol.id, alice.id, NOW)).accepted
    assert not (await db.write(follows.ask, alice.id, carol.id, NOW)).accepted
    assert await told(db, alice) == ["follow"]
    assert await told(db, carol) == ["follow_request"]
    with pytest.raises(NotFound):
        await db.write(follows.accept_request, carol.id, 4711, NOW)
    await db.write(follows.accept_request, carol.id, alice.id, NOW)
    await db.write(follows.accept_request, carol.id, alice.id, NOW)
    assert await told(db, carol) == []
    assert await counts(db, carol) == (1, 1)
    with pytest.raises(NotFound):
        await db.write(follows.reject_request, carol.id, alice.id, NOW)
    assert await db.write(follows.remove_follower, carol.id, alice.id)
    assert not await db.write(follows.remove_follower, carol.id, alice.id)
    assert await counts(db, carol) == (0, 1)
    assert await types(db) == []


# Answers of others


async def test_only_whom_we_asked_can_answer(db):
    alice, bob = await two(db)
    eve, dora = remote("eve"), remote("dora", "other.test")
    await stored(db, eve, dora)
    asked = await db.write(follows.ask, alice.id, bob.id, NOW)
    his = f"{bob.uri}/follow/1"
    await db.write(follows.receive, bob, alice, his, NOW)
    for by, how in (
        (eve, {"uri": asked.uri}),
        (eve, {"uri": asked.uri, "follower": alice.uri, "target": eve.uri}),
        (eve, {"uri": None, "follower": alice.uri, "target": bob.uri}),
        (dora, {"uri": None, "follower": alice.uri}),
        (bob, {"uri": None}),
        (bob, {"uri": None, "follower": alice.uri, "target": eve.uri}),
        (bob, {"uri": "https://far.test/unknown", "follower": "https://far.test/unknown"}),
        (bob, {"uri": his}),  # his own request
        (alice, {"uri": his}),
    ):
        assert not await db.write(follows.accepted, by, **how)
        assert not await db.write(follows.rejected, by, **how)
    assert await counts(db, bob) == (0, 1)
    assert not (await db.read(ties.find, alice.id, bob.id)).accepted


@pytest.mark.parametrize(
    "how",
    [
        lambda alice, bob, uri: {"uri": uri},
        lambda alice, bob, uri: {"uri": "https://far.test/invented", "follower": alice.uri, "target": bob.uri},
        lambda alice, bob, uri: {"uri": None, "follower": alice.uri},
    ],
)
async def test_an_answer_is_matched_by_id_or_by_the_two(db, how):
    alice, bob = await two(db)
    asked = await db.write(follows.ask, alice.id, bob.id, NOW)
    answer = how(alice, bob, asked.uri)
    assert await db.write(follows.accepted, bob, **answer)
    assert await db.write(follows.rejected, bob, **answer)  # removed as a follower
    assert not await db.write(follows.rejected, bob, **answer)
    assert await counts(db, alice) == await counts(db, bob) == (0, 0)


# Requests of others


async def test_an_open_account_agrees_at_once(db):
    alice, bob = await two(db)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    (letter,) = await sent(db)
    assert (letter.type, letter.document["actor"], letter.inboxes) == ("Accept", alice.uri, {bob.inbox})
    assert letter.document["object"] == {
        "type": "Follow",
        "id": f"{bob.uri}/follow/1",
        "actor": bob.uri,
        "object": alice.uri,
        **{key: value for key, value in letter.document["object"].items() if key == "to"},
    }
    assert await counts(db, alice) == (1, 0)
    assert await counts(db, bob) == (0, 1)
    assert await told(db, alice) == ["follow"]


async def test_a_second_copy_is_answered_and_counted_once(db):
    alice, bob = await two(db)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/2", NOW)
    letters = await sent(db)
    assert [letter.document["object"]["id"] for letter in letters] == [f"{bob.uri}/follow/{n}" for n in (1, 1, 2)]
    assert await counts(db, alice) == (1, 0)
    assert await told(db, alice) == ["follow"]
    assert (await db.read(ties.find, bob.id, alice.id)).uri == f"{bob.uri}/follow/2"
    assert await db.write(follows.undone, bob, None, f"{bob.uri}/follow/2", NOW)


async def test_follows_that_come_at_the_same_moment_count_once(db):
    alice, bob = await two(db)
    people = [bob, *(remote(f"p{n}") for n in range(4))]
    await stored(db, *people[1:])
    await asyncio.gather(
        *(db.write(follows.receive, one, alice, f"{one.uri}/follow/{copy}", NOW) for copy in range(4) for one in people)
    )
    assert await counts(db, alice) == (len(people), 0)
    assert await told(db, alice) == ["follow"] * len(people)
    await asyncio.gather(
        *(db.write(follows.undone, one, alice, None, NOW) for _ in range(3) for one in people),
        *(db.write(follows.remove_follower, alice.id, one.id) for one in people),
    )
    assert await counts(db, alice) == (0, 0)
    assert [await counts(db, one) for one in people] == [(0, 0)] * len(people)


async def test_a_locked_account_decides(db):
    alice, bob = await two(db, locked=True)
    eve = remote("eve")
    await stored(db, eve)
    for one in (bob, eve):
        await db.write(follows.receive, one, alice, f"{one.uri}/follow/1", NOW)
        await db.write(follows.receive, one, alice, f"{one.uri}/follow/1", NOW)
    assert await types(db) == []
    assert await told(db, alice) == ["follow_request", "follow_request"]
    assert [one.account.id for one in await db.read(follows.requests_page, alice.id, Page())] == [eve.id, bob.id]
    assert await counts(db, alice) == (0, 0)
    await db.write(follows.accept_request, alice.id, bob.id, NOW)
    await db.write(follows.reject_request, alice.id, eve.id, NOW)
    assert [(letter.type, letter.inboxes) for letter in await sent(db)] == [
        ("Accept", {bob.inbox}),
        ("Reject", {eve.inbox}),
    ]
    assert await counts(db, alice) == (1, 0)
    assert await told(db, alice) == []


async def test_the_unwelcome_are_refused(db):
    alice, bob = await two(db)
    await db.write(blocks.block, alice.id, bob.id, NOW)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    letter = (await sent(db))[-1]
    assert (letter.type, letter.document["object"]["id"]) == ("Reject", f"{bob.uri}/follow/1")
    assert await rows(db, follows_table) == []
    carol = await local(db, "carol", moved_to="https://far.test/users/carol")
    await db.write(follows.receive, bob, carol, f"{bob.uri}/follow/2", NOW)
    assert (await types(db))[-1] == "Reject"


async def test_a_limited_server_has_to_ask(db):
    alice, bob = await two(db)
    await db.write(moderation.set_policy, "far.test", "limit", "", NOW)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    assert await told(db, alice) == ["follow_request"]
    assert await types(db) == []


async def test_nobody_takes_the_name_of_anothers_follow(db):
    alice, bob = await two(db)
    eve, carol = remote("eve", "evil.test"), await local(db, "carol")
    await stored(db, eve)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    await db.write(follows.receive, eve, alice, f"{bob.uri}/follow/2", NOW)
    await db.write(follows.receive, bob, carol, f"{bob.uri}/follow/1", NOW)  # the same id for two
    assert (await db.read(ties.find, eve.id, alice.id)).uri.startswith(eve.uri)
    assert (await db.read(ties.find, bob.id, alice.id)).uri == f"{bob.uri}/follow/1"
    assert (await db.read(ties.find, bob.id, carol.id)).accepted
    assert not await db.write(follows.undone, eve, None, f"{bob.uri}/follow/1", NOW)
    assert await counts(db, alice) == (2, 0)


async def test_undo_before_follow_counts_once(db):
    alice, bob = await two(db)
    uri = f"{bob.uri}/follow/1"
    assert not await db.write(follows.undone, bob, alice, uri, NOW)
    await db.write(follows.receive, bob, alice, uri, NOW)
    assert await db.read(ties.find, bob.id, alice.id) is None
    await db.write(follows.receive, bob, alice, uri, NOW + timedelta(days=1))  # ids that are used again
    assert await counts(db, alice) == (1, 0)
    assert await db.write(follows.undone, bob, alice, "https://far.test/other-id", NOW)
    assert await counts(db, alice) == await counts(db, bob) == (0, 0)


async def test_nobody_undoes_before_its_time_what_others_do(db):
    alice, bob = await two(db)
    eve = remote("eve", "evil.test")
    await stored(db, eve)
    await db.write(follows.undone, eve, None, f"{bob.uri}/follow/1", NOW)
    await db.write(follows.undone, eve, alice, f"{bob.uri}/follow/1", NOW)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    assert await counts(db, alice) == (1, 0)


# Lists


async def test_lists_are_cut_into_pages(db):
    alice = await local(db, "alice")
    fans = [remote(f"fan{n}") for n in range(5)]
    await stored(db, *fans, remote("suspended", suspended_at=NOW))
    for fan in fans:
        await db.write(follow, fan, alice)
        await db.write(follow, alice, fan)
    listed = await db.read(follows.followers_page, alice.id, Page(limit=2))
    assert [one.account.id for one in listed] == [fans[4].id, fans[3].id]
    older = await db.read(follows.followers_page, alice.id, Page(limit=2, max_id=listed[-1].id))
    assert [one.account.id for one in older] == [fans[2].id, fans[1].id]
    newer = await db.read(follows.followers_page, alice.id, Page(limit=1, min_id=older[0].id))
    assert newer == [listed[1]]
    assert len(await db.read(follows.following_page, alice.id, Page())) == 5
    for strange in (Page(limit=-1), Page(max_id=-5), Page(limit=0)):
        assert await db.read(follows.followers_page, alice.id, strange) == []
    assert len(await db.read(follows.followers_page, alice.id, Page(max_id=2**70, since_id=-1))) == 5


async def test_a_relationship_takes_three_queries(db, queries):
    alice, bob = await two(db)
    carol, dora, eve = remote("carol"), remote("dora"), remote("eve")
    await stored(db, carol, dora, eve)
    await db.write(follow, alice, bob, show_boosts=False, notify=True)
    await db.write(follow, alice, carol, accepted=False)
    await db.write(follow, bob, alice)
    await db.write(follow, carol, alice, accepted=False)
    await db.write(ties.add_block, alice, dora, NOW)
    await db.write(ties.add_block, dora, alice, NOW)
    queries.clear()
    people = [bob.id, carol.id, dora.id, eve.id, 4711]
    found = await db.read(follows.relationship, alice.id, people)
    assert len(queries) == 3
    assert list(found) == people
    b, c, d, e = (found[one.id] for one in (bob, carol, dora, eve))
    assert (b.following, b.requested, b.show_boosts, b.notify, b.followed_by) == (True, False, False, True, True)
    assert (c.following, c.requested, c.followed_by, c.requested_by) == (False, True, False, True)
    assert (d.blocking, d.blocked_by, e.blocking, e.following) == (True, True, False, False)
    assert await db.read(follows.relationship, alice.id, []) == {}


@pytest.fixture(scope="module", autouse=True)
def _tables():
    """One database for all histories, each of which is rolled back: to make one takes longer than a history."""
    engine = create_engine("sqlite://")
    with engine.connect() as tx:
        metadata.create_all(tx)
        tx.commit()
        Histories.tx = tx
        yield
    engine.dispose()


class Histories(RuleBasedStateMachine):
    """Whatever happens in whichever order: the counts are those of the rows, and requested is not following."""

    tx: Connection

    def __init__(self):
        super().__init__()
        self.alice, self.carol = ours("alice"), ours("carol", locked=True)
        self.bob = remote("bob")
        add(self.tx, self.alice, self.carol, self.bob)
        self.ours = (self.alice, self.carol)

    def teardown(self):
        self.tx.rollback()

    one = st.integers(0, 1)
    number = st.integers(1, 3)

    @rule(who=one)
    def ask(self, who):
        try:
            follows.ask(self.tx, self.ours[who].id, self.bob.id, NOW)
        except NotAllowed:
            assert ties.are_apart(self.tx, self.ours[who].id, self.bob.id)

    @rule(who=one)
    def ask_ours(self, who):
        try:
            follows.ask(self.tx, self.ours[who].id, self.ours[1 - who].id, NOW)
        except NotAllowed:
            assert ties.are_apart(self.tx, self.ours[who].id, self.ours[1 - who].id)

    @rule(who=one)
    def unfollow(self, who):
        follows.unfollow(self.tx, self.ours[who].id, self.bob.id, NOW)

    @rule(who=one)
    def accepted(self, who):
        follows.accepted(self.tx, self.bob, uri=None, follower=self.ours[who].uri)

    @rule(who=one)
    def rejected(self, who):
        follows.rejected(self.tx, self.bob, uri=None, follower=self.ours[who].uri)

    @rule(who=one, number=number)
    def receive(self, who, number):
        follows.receive(self.tx, self.bob, self.ours[who], f"{self.bob.uri}/{number}", NOW)

    @rule(who=one, number=number)
    def undone(self, who, number):
        follows.undone(self.tx, self.bob, self.ours[who], f"{self.bob.uri}/{number}", NOW)

    @rule(who=one)
    def decide(self, who):
        try:
            follows.accept_request(self.tx, self.ours[who].id, self.bob.id, NOW)
        except NotFound:
            assert ties.find(self.tx, self.bob.id, self.ours[who].id) is None

    @rule(who=one)
    def block(self, who):
        blocks.block(self.tx, self.ours[who].id, self.bob.id, NOW)

    @rule(who=one)
    def unblock(self, who):
        blocks.unblock(self.tx, self.ours[who].id, self.bob.id, NOW)

    @rule(who=one)
    def are_blocked(self, who):
        blocks.receive_block(self.tx, self.bob, self.ours[who], f"{self.bob.uri}/block/{who}", NOW)

    @rule(who=one)
    def are_unblocked(self, who):
        blocks.receive_unblock(self.tx, self.bob, self.ours[who], f"{self.bob.uri}/block/{who}", NOW)

    @invariant()
    def counts_are_right(self):
        for one in (*self.ours, self.bob):
            for count, mine in (
                (accounts_table.c.followers_count, follows_table.c.target_id),
                (accounts_table.c.following_count, follows_table.c.follower_id),
            ):
                there = select(func.count()).where(mine == one.id, follows_table.c.accepted)
                said = select(count).where(accounts_table.c.id == one.id)
                assert self.tx.scalar(there) == self.tx.scalar(said)

    @invariant()
    def blocked_is_not_followed(self):
        for row in self.tx.execute(select(follows_table)):
            found = Follow(*row)
            assert not ties.are_apart(self.tx, found.follower_id, found.target_id)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=40, stateful_step_count=25)
