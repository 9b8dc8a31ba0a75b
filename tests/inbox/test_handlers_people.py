"""Follows, blocks, moves, profiles, reports: who may say what, in which order."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from inbox import spool as spooling
from outbox.synchronisation import xor_digest
from social import accounts as people
from social import blocks, follows, moderation
from social.posts.drafts import Draft
from social.posts.publish import publish
from store.tables import CachedKey, Follow, account_keys, activities, pins
from store.tables import blocks as block_table
from store.tables import follows as follow_table
from tests.conftest import NOW
from tests.inbox.letters import activity, create
from tests.inbox.world import BOB, CAROL, EVE, ORIGIN
from tests.people import follow, local, rsa_pem

FOLLOW = "https://far.test/follows/1"


async def ties(world):
    """(follower, target, accepted)"""
    found = await world.db.read(lambda tx: [Follow(*row) for row in tx.execute(select(follow_table))])
    return {(one.follower_id, one.target_id, one.accepted) for one in found}


async def sent(world):
    return await world.db.read(lambda tx: [bytes(body) for body in tx.scalars(select(activities.c.body))])


# Follow.


async def test_a_follow_is_accepted_and_answered(world, alice):
    await world.say(BOB, activity("Follow", BOB, alice.uri, id=FOLLOW))
    assert await ties(world) == {(BOB.id, alice.id, True)}
    [answer] = await sent(world)
    assert b'"Accept"' in answer
    assert FOLLOW.encode() in answer


async def test_a_locked_account_is_asked(world):
    alice = await local(world.db, "alice", locked=True)
    await world.say(BOB, activity("Follow", BOB, alice.uri))
    assert await ties(world) == {(BOB.id, alice.id, False)}
    assert await sent(world) == []


@pytest.mark.parametrize("target", ["https://ours.test/users/nobody", "https://far.test/users/carol"])
async def test_only_our_people_can_be_followed_here(world, target):
    assert await world.say(BOB, activity("Follow", BOB, target)) == {"rejected/NotFound": 1}
    assert await ties(world) == set()


def misskey(actor, target):
    """Its Follow has the same id each time, and its Undo, too."""
    said = activity("Follow", actor, target.uri, id="https://far.test/follows/bob/alice")
    return said, activity("Undo", actor, said, id=f"{said['id']}/undo")


async def test_a_replay_of_a_follow_that_was_undone_is_a_no_op(world, alice):
    follow, undo = misskey(BOB, alice)
    await world.say(BOB, follow)
    world.later(minutes=5)
    await world.say(BOB, undo)
    world.later(minutes=5)
    world.ago = timedelta(minutes=10)
    assert await world.say(BOB, follow) == {"handled/duplicate": 1}
    world.ago = timedelta(minutes=5)  # at the very moment of the Undo
    assert await world.say(BOB, follow) == {"handled/duplicate": 1}
    assert await ties(world) == set()


async def test_a_follow_that_is_said_anew_after_its_undo_counts_and_so_on(world, alice):
    follow, undo = misskey(BOB, alice)
    for _ in range(3):
        assert await world.say(BOB, follow, follow) == {"handled/Follow": 1, "handled/duplicate": 1}
        assert await ties(world) == {(BOB.id, alice.id, True)}
        world.later(minutes=5)
        assert await world.say(BOB, undo, undo) == {"handled/Undo/Follow": 1, "handled/duplicate": 1}
        assert await ties(world) == set()
        world.later(minutes=5)
    assert len([body for body in await sent(world) if b'"Accept"' in body]) == 3


async def test_a_replayed_undo_does_not_end_what_was_begun_anew(world, alice):
    follow, undo = misskey(BOB, alice)
    for document in (follow, undo, follow):
        await world.say(BOB, document)
        world.later(minutes=5)
    world.ago = timedelta(minutes=10)
    assert await world.say(BOB, undo) == {"handled/duplicate": 1}
    assert await ties(world) == {(BOB.id, alice.id, True)}


async def test_after_an_undo_that_overtook_its_follow_only_a_later_follow_counts(world, alice):
    follow, undo = misskey(BOB, alice)
    world.later(minutes=5)
    await world.say(BOB, undo)
    world.ago = timedelta(minutes=5)
    await world.say(BOB, follow)
    assert await ties(world) == set()
    world.ago = timedelta()
    world.later(minutes=1)
    await world.say(BOB, follow)
    assert await ties(world) == {(BOB.id, alice.id, True)}


async def test_a_later_follow_counts_also_when_the_first_one_never_came(world, alice):
    follow, undo = misskey(BOB, alice)
    await world.say(BOB, undo)
    world.later(minutes=5)
    await world.say(BOB, follow)
    assert await ties(world) == {(BOB.id, alice.id, True)}


async def test_nobody_says_anew_what_another_said(world, alice):
    follow, _ = misskey(BOB, alice)
    await world.say(BOB, follow)
    world.later(minutes=5)
    assert await world.say(CAROL, activity("Undo", CAROL, follow, id="https://far.test/x")) == {"rejected/Forged": 1}
    await world.say(CAROL, activity("Undo", CAROL, {**follow, "actor": CAROL.uri}, id="https://far.test/y"))
    world.later(minutes=5)
    assert await world.say(BOB, follow) == {"handled/duplicate": 1}


@pytest.mark.parametrize("by_id", [True, False])
async def test_a_follow_is_undone(world, alice, by_id):
    said = activity("Follow", BOB, alice.uri, id=FOLLOW)
    await world.say(BOB, said, activity("Undo", BOB, FOLLOW if by_id else said))
    assert await ties(world) == set()


@pytest.mark.parametrize("by_id", [True, False])
async def test_an_undo_before_its_follow_counts(world, alice, by_id):
    said = activity("Follow", BOB, alice.uri, id=FOLLOW)
    await world.say(BOB, activity("Undo", BOB, FOLLOW if by_id else said), said)
    assert await ties(world) == set()


@pytest.mark.parametrize("who", [CAROL, EVE])
@pytest.mark.parametrize("by_id", [True, False])
async def test_nobody_takes_back_the_follow_of_another(world, alice, who, by_id):
    said = activity("Follow", BOB, alice.uri, id=FOLLOW)
    await world.say(BOB, said)
    await world.say(who, activity("Undo", who, FOLLOW if by_id else said))
    assert await ties(world) == {(BOB.id, alice.id, True)}


# Accept and Reject.


@pytest.fixture
async def asked(world, alice):
    """alice asks to follow bob."""
    return await world.db.write(follows.ask, alice.id, BOB.id, NOW)


def follow_of(alice, asked):
    return {"type": "Follow", "id": asked.uri, "actor": alice.uri, "object": BOB.uri}


@pytest.mark.parametrize("by_id", [True, False])
async def test_requested_is_not_following_until_accepted(world, alice, asked, by_id):
    assert await ties(world) == {(alice.id, BOB.id, False)}
    await world.say(BOB, activity("Accept", BOB, asked.uri if by_id else follow_of(alice, asked)))
    assert await ties(world) == {(alice.id, BOB.id, True)}


@pytest.mark.parametrize("kind", ["Accept", "Reject"])
@pytest.mark.parametrize("who", [CAROL, EVE])
@pytest.mark.parametrize("by_id", [True, False])
async def test_nobody_else_answers_it(world, alice, asked, kind, who, by_id):
    await world.say(who, activity(kind, who, asked.uri if by_id else follow_of(alice, asked)))
    assert await ties(world) == {(alice.id, BOB.id, False)}


async def test_what_was_never_asked_is_not_accepted(world, alice):
    forged = {"type": "Follow", "id": f"{alice.uri}#follows/1", "actor": alice.uri, "object": BOB.uri}
    await world.say(BOB, activity("Accept", BOB, forged))
    assert await ties(world) == set()


async def test_a_rejection_ends_it_also_later(world, alice, asked):
    await world.say(BOB, activity("Accept", BOB, asked.uri), activity("Reject", BOB, follow_of(alice, asked)))
    assert await ties(world) == set()


# Block.


async def blocked(world):
    return await world.db.read(lambda tx: tx.execute(select(block_table.c.account_id, block_table.c.target_id)).all())


async def test_a_block_ends_following_both_ways_and_is_undone(world, alice, asked):
    said = activity("Block", BOB, alice.uri)
    await world.say(BOB, activity("Follow", BOB, alice.uri), said)
    assert await ties(world) == set()
    assert await blocked(world) == [(BOB.id, alice.id)]
    await world.say(EVE, activity("Undo", EVE, said))
    assert await blocked(world) == [(BOB.id, alice.id)]
    await world.say(BOB, activity("Undo", BOB, said))
    assert await blocked(world) == []


async def test_a_ban_from_a_group_or_server_is_no_block_by_the_moderator(world, alice):
    """Lemmy's: it says from what with a `target`."""
    await world.db.write(follow, alice, BOB)
    ban = activity("Block", BOB, alice.uri, target="https://far.test/c/main", removeData=True)
    assert await world.say(BOB, ban) == {"handled/Block": 1}
    assert await blocked(world) == []
    assert await ties(world) == {(alice.id, BOB.id, True)}
    await world.say(BOB, activity("Block", BOB, alice.uri, id="https://far.test/b2"), activity("Undo", BOB, ban))
    assert await blocked(world) == [(BOB.id, alice.id)]


async def test_who_is_blocked_cannot_follow(world, alice):
    await world.db.write(blocks.block, alice.id, BOB.id, NOW)
    await world.say(BOB, activity("Follow", BOB, alice.uri))
    assert await ties(world) == set()


# Profiles and keys.


def profile(who, **more):
    key = {"id": f"{who.uri}#main-key", "owner": who.uri, "publicKeyPem": rsa_pem("another")[1]}
    document = {"id": who.uri, "type": "Person", "preferredUsername": who.username, "inbox": who.inbox}
    return {**document, "name": "Robert", "publicKey": key, **more}


async def test_an_actor_says_what_it_is_now_and_its_old_keys_are_forgotten(world):
    await world.kept.write(spooling.keep_key, CachedKey(f"{BOB.uri}#main-key", BOB.uri, "old", NOW))
    await world.say(BOB, activity("Update", BOB, profile(BOB)))
    assert (await world.db.read(people.by_id, BOB.id)).display_name == "Robert"
    keys = select(account_keys.c.public).where(account_keys.c.account_id == BOB.id)
    assert await world.db.read(lambda tx: [key.strip() for key in tx.scalars(keys)]) == [rsa_pem("another")[1].strip()]
    assert await world.kept.read(spooling.key, f"{BOB.uri}#main-key") is None


@pytest.mark.parametrize("who", [CAROL, EVE])
async def test_nobody_says_it_for_another(world, who):
    await world.say(who, activity("Update", who, profile(BOB)))
    assert (await world.db.read(people.by_id, BOB.id)).display_name == ""


async def test_a_new_name_is_asked_for(world):
    await world.say(BOB, activity("Update", BOB, profile(BOB, preferredUsername="robert")))
    assert await world.jobs() == [("fetch_account", BOB.uri)]
    assert (await world.db.read(people.by_id, BOB.id)).username == "bob"


async def test_a_profile_without_its_inbox_is_asked_for(world):
    await world.say(BOB, activity("Update", BOB, {"id": BOB.uri, "type": "Person"}))
    assert await world.jobs() == [("fetch_account", BOB.uri)]


async def test_who_leaves_is_forgotten_with_all_his_posts(world, alice):
    await world.db.write(follow, alice, BOB)
    await world.say(BOB, create(BOB), activity("Delete", BOB, BOB.uri))
    assert (await world.db.read(people.by_id, BOB.id)).deleted_at is not None
    assert await ties(world) == set()
    assert ("purge_account", "") in await world.jobs()


@pytest.mark.parametrize("who", [CAROL, EVE])
async def test_nobody_leaves_for_another(world, who):
    assert await world.say(who, activity("Delete", who, BOB.uri)) == {"rejected/Forged": 1} or who is CAROL
    assert (await world.db.read(people.by_id, BOB.id)).deleted_at is None


async def test_a_move_is_looked_into(world):
    await world.say(BOB, activity("Move", BOB, BOB.uri, target="https://third.test/users/bob"))
    assert await world.jobs() == [("verify_move", BOB.uri)]


async def test_nobody_moves_another(world):
    forged = activity("Move", EVE, BOB.uri, target=EVE.uri)
    assert await world.say(EVE, forged) == {"rejected/Forged": 1}
    assert await world.jobs() == []


# Pins.


async def pinned(world):
    return await world.db.read(lambda tx: list(tx.scalars(select(pins.c.account_id))))


async def test_a_post_is_pinned_by_its_author_to_his_own_collection(world):
    await world.say(BOB, create(BOB, 1))
    said = activity("Add", BOB, "https://far.test/notes/1", target=BOB.featured_uri)
    await world.say(BOB, said)
    assert await pinned(world) == [BOB.id]
    await world.say(CAROL, activity("Remove", CAROL, "https://far.test/notes/1", target=BOB.featured_uri))
    assert await pinned(world) == [BOB.id]
    await world.say(BOB, activity("Remove", BOB, "https://far.test/notes/1", target=BOB.featured_uri))
    assert await pinned(world) == []


async def test_nobody_pins_for_others_nor_what_others_wrote(world):
    await world.say(BOB, create(BOB, 1))
    await world.say(CAROL, activity("Add", CAROL, "https://far.test/notes/1", target=BOB.featured_uri))
    await world.say(
        CAROL,
        {**activity("Add", CAROL, "https://far.test/notes/1", target=CAROL.featured_uri), "id": "https://far.test/2"},
    )
    assert await pinned(world) == []


# Reports.


async def test_a_report_names_who_signed_it(world, alice):
    post = await world.db.write(publish, ORIGIN, alice.id, Draft("rude"), NOW)
    said = activity("Flag", BOB, [alice.uri, post.uri], content="rude")
    await world.say(BOB, said)
    [report] = await world.db.read(moderation.open_reports)
    assert (report.reporter_id, report.target_id, report.post_uris, report.comment) == (
        BOB.id,
        alice.id,
        [post.uri],
        "rude",
    )


async def test_a_report_about_nothing_is_refused(world):
    assert await world.say(BOB, activity("Flag", BOB, [])) == {"rejected/Malformed": 1}


# Followers synchronisation (FEP-8fcf).


def sync(who, digest, url=None):
    return f'collectionId="{who.followers_uri}", url="{url or who.uri + "/sync"}", digest="{digest}"'


async def test_the_same_followers_need_no_look(world, alice):
    await world.db.write(follow, alice, BOB)
    await world.hear(BOB, create(BOB, 1), sync(BOB, xor_digest([alice.uri])))
    await world.hear(BOB, activity("Like", BOB, "https://ours.test/x"), sync(BOB, xor_digest([alice.uri])))
    await world.handle()
    assert await world.jobs() == []


@pytest.mark.parametrize("kind", ["Create", "Like"])
async def test_other_followers_are_looked_into(world, alice, kind):
    await world.db.write(follow, alice, BOB)
    said = create(BOB, 1) if kind == "Create" else activity("Like", BOB, "https://ours.test/x")
    await world.hear(BOB, said, sync(BOB, xor_digest([])))
    await world.handle()
    assert await world.jobs() == [("synchronise_followers", BOB.uri)]


@pytest.mark.parametrize(
    "header",
    ["", "nonsense", sync(CAROL, "0" * 64), sync(BOB, "0" * 64, "https://bad.test/sync"), sync(BOB, "short")],
)
async def test_what_is_not_the_actors_to_say_is_ignored(world, alice, header):
    await world.db.write(follow, alice, BOB)
    await world.hear(BOB, create(BOB, 1), header)
    assert await world.handle() == {"handled/Create": 1}
    assert await world.jobs() == []
