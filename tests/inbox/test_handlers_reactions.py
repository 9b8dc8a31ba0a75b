"""Likes, reactions, boosts, and what others bring."""

import orjson
import pytest
from sqlalchemy import select

from federation.reading import PUBLIC
from inbox import spool as spooling
from social.posts.drafts import Draft
from social.posts.publish import publish
from store.tables import likes, posts, reactions
from tests.conftest import NOW
from tests.inbox.letters import activity, create, note
from tests.inbox.world import BOB, CAROL, EVE, ORIGIN
from tests.people import follow

BOBS = "https://far.test/notes/1"


@pytest.fixture
async def post(world, alice):
    return await world.db.write(publish, ORIGIN, alice.id, Draft("hello"), NOW)


async def liked(world):
    return await world.db.read(lambda tx: list(tx.scalars(select(likes.c.account_id))))


async def reacted(world):
    return await world.db.read(lambda tx: list(tx.execute(select(reactions.c.account_id, reactions.c.name))))


# Likes and reactions.


async def test_a_like_counts_once_and_is_undone_by_whose_it_is(world, post):
    said = activity("Like", BOB, post.uri)
    await world.say(BOB, said, {**said, "id": "https://far.test/again"})
    assert await liked(world) == [BOB.id]
    await world.say(CAROL, activity("Undo", CAROL, said), activity("Undo", CAROL, said["id"], id="https://far.test/u2"))
    assert await liked(world) == [BOB.id]
    await world.say(BOB, activity("Undo", BOB, said))
    assert await liked(world) == []


@pytest.mark.parametrize("by_id", [True, False])
async def test_an_undo_before_its_like_counts(world, post, by_id):
    said = activity("Like", BOB, post.uri)
    await world.say(BOB, activity("Undo", BOB, said["id"] if by_id else said), said)
    assert await liked(world) == []


async def test_an_undo_by_id_leaves_no_trace_when_it_found_what_it_means(world, post):
    said = activity("Like", BOB, post.uri)
    await world.say(BOB, said, activity("Undo", BOB, said["id"]))
    assert await liked(world) == []
    again = {**said, "id": "https://far.test/likes/2"}
    await world.say(BOB, again)
    assert await liked(world) == [BOB.id]


async def test_a_like_of_what_nobody_knows_is_nothing(world):
    assert await world.say(BOB, activity("Like", BOB, "https://ours.test/nothing")) == {"handled/Like": 1}
    assert await world.jobs() == []


@pytest.mark.parametrize("kind", ["EmojiReact", "Like"])
async def test_a_reaction_has_its_emoji(world, post, kind):
    said = activity(kind, BOB, post.uri, content="🎉")
    await world.say(BOB, said)
    assert await reacted(world) == [(BOB.id, "🎉")]
    await world.say(BOB, activity("Undo", BOB, said))
    assert await reacted(world) == []


async def test_a_reaction_without_an_emoji_is_refused(world, post):
    assert await world.say(BOB, activity("EmojiReact", BOB, post.uri)) == {"rejected/Malformed": 1}


async def test_a_dislike_is_a_reaction_of_that_name(world, post):
    said = activity("Dislike", BOB, post.uri)
    await world.say(BOB, said)
    assert await reacted(world) == [(BOB.id, "Dislike")]
    await world.say(BOB, activity("Undo", BOB, said))
    assert await reacted(world) == []


# Boosts.


async def boosts(world):
    return await world.db.read(
        lambda tx: list(tx.scalars(select(posts.c.author_id).where(posts.c.boost_of_id.is_not(None))))
    )


def announce(who, what, **more):
    return activity("Announce", who, what, to=[PUBLIC], cc=[who.followers_uri], **more)


async def test_a_boost_counts_once_and_is_undone_by_whose_it_is(world, post):
    said = announce(BOB, post.uri)
    await world.say(BOB, said, {**said, "id": "https://far.test/again"})
    assert await boosts(world) == [BOB.id]
    await world.say(CAROL, activity("Undo", CAROL, said))
    assert await boosts(world) == [BOB.id]
    await world.say(BOB, activity("Undo", BOB, said))
    assert await boosts(world) == []


async def test_a_boost_of_something_unknown_is_fetched_for_those_who_follow(world, alice):
    await world.say(BOB, announce(BOB, "https://third.test/1"))
    assert await world.jobs() == []
    await world.db.write(follow, alice, BOB)
    await world.say(BOB, announce(BOB, "https://third.test/1", id="https://far.test/b2"))
    assert await world.jobs() == [("fetch_announced", "https://third.test/1")]


async def test_what_is_embedded_in_a_boost_is_not_believed(world, alice):
    await world.db.write(follow, alice, EVE)
    await world.say(EVE, announce(EVE, note(BOB, 1, content="<p>forged</p>")))
    assert await world.posts() == []
    assert await world.jobs() == [("fetch_announced", BOBS)]


async def test_a_boost_for_nobody_in_particular_is_not_public(world, post):
    await world.say(BOB, activity("Announce", BOB, post.uri))
    [boost] = [one for one in await world.posts() if one.boost_of_id]
    assert boost.visibility == "direct"


# Groups (FEP-1b12), relays, forwarding: what others say of others.


async def test_a_group_that_is_followed_makes_us_fetch_what_it_announces(world, alice):
    said = announce(CAROL, create(EVE, 7))
    await world.say(CAROL, said)
    assert await world.jobs() == []
    await world.db.write(follow, alice, CAROL)
    await world.say(CAROL, {**said, "id": "https://far.test/b2"})
    assert await world.jobs() == [("fetch_post", "https://bad.test/notes/7")]
    assert await world.posts() == []


async def test_a_deletion_that_is_taken_back_is_looked_into(world, alice):
    """Lemmy, by the author himself, or a moderator in a group."""
    gone = activity("Delete", BOB, BOBS)
    await world.say(BOB, activity("Undo", BOB, gone))
    await world.say(CAROL, announce(CAROL, activity("Undo", EVE, {**gone, "actor": EVE.uri})))
    assert await world.jobs() == []  # it was never here
    await world.say(BOB, create(BOB, 1), gone)
    await world.say(EVE, activity("Undo", EVE, gone))  # not his to say
    assert await world.jobs() == []
    await world.say(CAROL, announce(CAROL, activity("Undo", EVE, {**gone, "actor": EVE.uri}), id="https://far.test/a9"))
    assert await world.jobs() == [("fetch_restored", BOBS)]
    assert await world.one(BOBS) is None
    assert await world.say(BOB, activity("Undo", BOB, gone, id="https://far.test/u9")) == {"handled/Undo/Delete": 1}


async def test_who_owns_a_conversation_adds_what_others_said_in_it(world, alice):
    """FEP-171b: answers come to the others by the owner alone."""
    said = activity("Add", CAROL, create(EVE, 7), target={"type": "OrderedCollection", "id": f"{CAROL.uri}/contexts/1"})
    await world.say(CAROL, said)
    assert await world.jobs() == []
    await world.db.write(follow, alice, CAROL)
    assert await world.say(CAROL, {**said, "id": "https://far.test/a2"}) == {"handled/Add": 1}
    assert await world.posts() == []
    assert await world.jobs() == [("fetch_post", "https://bad.test/notes/7")]


async def test_a_group_announces_a_deletion_which_is_checked(world, alice):
    await world.say(BOB, create(BOB, 1))
    await world.say(CAROL, announce(CAROL, activity("Delete", BOB, BOBS)))
    assert len(await world.posts()) == 1
    assert await world.jobs() == [("check_deleted", BOBS)]


async def test_a_forwarded_answer_to_a_known_post_is_asked_for_and_no_other(world, post):
    await world.hear(EVE, create(BOB, 1, inReplyTo=post.uri))
    await world.hear(EVE, create(BOB, 2))
    assert await world.handle() == {"handled/hint": 2}
    assert await world.jobs() == [("fetch_post", BOBS)]
    assert len(await world.posts()) == 1


async def test_what_a_followed_relay_brings_is_asked_for(world, alice):
    await world.db.write(follow, alice, EVE)
    await world.hear(EVE, create(BOB, 1))
    await world.handle()
    assert await world.jobs() == [("fetch_post", BOBS)]


@pytest.mark.parametrize(("kind", "job"), [("Update", "fetch_post"), ("Delete", "check_deleted")])
async def test_a_forwarded_change_is_checked_when_the_post_is_here(world, kind, job):
    await world.hear(EVE, activity(kind, BOB, note(BOB, 1)))
    await world.handle()
    assert await world.jobs() == []
    await world.say(BOB, create(BOB, 1))
    await world.hear(EVE, activity(kind, BOB, note(BOB, 1, content="<p>forged</p>")))
    await world.handle()
    assert await world.jobs() == [(job, BOBS)]
    assert (await world.one(BOBS)).html == "<p>note 1</p>"


@pytest.mark.parametrize("kind", ["Follow", "Like", "Undo", "Block", "Accept", "Move", "Announce", "Flag"])
async def test_other_things_that_others_bring_mean_nothing(world, alice, post, kind):
    await world.hear(EVE, activity(kind, BOB, alice.uri if kind in ("Follow", "Block") else post.uri, target=EVE.uri))
    assert await world.handle() == {"handled/hint": 1}
    assert await world.jobs() == []
    assert await liked(world) == []


async def test_a_hint_about_ourselves_means_nothing(world, post):
    await world.hear(EVE, activity("Delete", BOB, post.uri))
    await world.handle()
    assert await world.jobs() == []


async def test_the_message_is_kept_as_it_came(world):
    body = orjson.dumps(create(BOB, 1), option=orjson.OPT_INDENT_2)
    await world.kept.write(spooling.keep, [spooling.row(BOB.uri, body, NOW, None, None)])
    [kept] = await world.kept.read(spooling.waiting, 1)
    assert kept.message.body == body
