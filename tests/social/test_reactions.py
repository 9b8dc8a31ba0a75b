"""Likes and reactions: one per fact, of what one may see, taken back by whoever gave them."""

import asyncio

import pytest

from social import blocks, reactions
from social.errors import Invalid, NotFound
from social.posts import publish, receive
from social.posts.drafts import Draft
from store.tables import likes, notifications
from store.tables import reactions as reactions_table
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.mail import sent, types
from tests.social.said import note, post, private, rows, scene


async def told(db, account):
    return [(row.kind, row.post_id) for row in await rows(db, notifications, notifications.c.account_id == account.id)]


async def test_what_one_cannot_see_one_cannot_like(db, origin):
    alice, bob, ours, _ = await scene(db, origin)
    secret = await db.write(receive.receive, bob, note(bob, **private(bob)), NOW)
    for unit in (reactions.like, reactions.unlike):
        for what in (secret.id, 4711, 2**70, -1):
            with pytest.raises(NotFound):
                await db.write(unit, alice.id, what, NOW)
    with pytest.raises(NotFound):
        await db.write(reactions.react, alice.id, secret.id, "🎉", NOW)
    hidden = await db.write(publish.publish, origin, alice.id, Draft("psst", visibility="direct"), NOW)
    assert not await db.write(reactions.receive_like, bob, hidden.uri, f"{bob.uri}#like/1", NOW)
    await db.write(blocks.block, alice.id, bob.id, NOW)
    assert not await db.write(reactions.receive_like, bob, ours.uri, f"{bob.uri}#like/2", NOW)
    assert await rows(db, likes) == []


async def test_a_like_goes_to_the_author_once(db, origin):
    alice, bob, _, theirs = await scene(db, origin)
    liked = await db.write(reactions.like, alice.id, theirs.id, NOW)
    again = await db.write(reactions.like, alice.id, theirs.id, NOW)
    assert (liked.likes_count, again.likes_count) == (1, 1)
    assert liked.version == theirs.version + 1 == again.version
    letter = (await sent(db))[-1]
    assert (letter.type, letter.document["object"], letter.inboxes) == ("Like", theirs.uri, {bob.inbox})
    (row,) = await rows(db, likes)
    assert letter.document["id"] == row.uri == f"{alice.uri}#likes/{row.id}"

    unliked = await db.write(reactions.unlike, alice.id, theirs.id)
    assert (unliked.likes_count, unliked.version) == (0, liked.version + 1)
    assert (await db.write(reactions.unlike, alice.id, theirs.id)).version == unliked.version
    undo = (await sent(db))[-1].document
    assert (undo["type"], undo["object"]["id"]) == ("Undo", row.uri)
    assert (await types(db)).count("Like") == 1


async def test_likes_of_ours_among_us_need_no_mail(db, origin):
    alice, _, ours, _ = await scene(db, origin)
    carol = await local(db, "carol")
    await db.write(reactions.like, carol.id, ours.id, NOW)
    await db.write(reactions.like, alice.id, ours.id, NOW)
    assert await types(db) == []
    assert await told(db, alice) == [("favourite", ours.id)]
    assert (await post(db, ours.id)).likes_count == 2
    assert await db.read(reactions.liked_by, ours.id) == [alice.id, carol.id]


async def test_a_received_like_counts_once(db, origin):
    alice, bob, ours, _ = await scene(db, origin)
    assert await db.write(reactions.receive_like, bob, ours.uri, f"{bob.uri}#like/1", NOW)
    assert not await db.write(reactions.receive_like, bob, ours.uri, f"{bob.uri}#like/1", NOW)
    assert not await db.write(reactions.receive_like, bob, ours.uri, f"{bob.uri}#like/2", NOW)
    assert not await db.write(reactions.receive_like, bob, f"{ours.uri}0", f"{bob.uri}#like/3", NOW)
    assert not await db.write(reactions.receive_like, alice, ours.uri, f"{alice.uri}#likes/3", NOW)
    found = await post(db, ours.id)
    assert (found.likes_count, found.version) == (1, ours.version + 1)
    assert await told(db, alice) == [("favourite", ours.id)]


async def test_likes_that_come_at_the_same_moment_count_once(db, origin):
    alice, bob, ours, _ = await scene(db, origin)
    people = [bob, *(remote(f"p{n}") for n in range(4))]
    await stored(db, *people[1:])
    copies = [
        db.write(reactions.receive_like, one, ours.uri, f"{one.uri}#like/{copy}", NOW)
        for copy in range(4)
        for one in people
    ]
    assert sum(await asyncio.gather(*copies)) == len(people)
    assert (await post(db, ours.id)).likes_count == len(people)
    assert len(await told(db, alice)) == len(people)


async def test_only_the_giver_takes_a_like_back(db, origin):
    alice, bob, ours, theirs = await scene(db, origin)
    eve = remote("eve", "evil.test")
    await stored(db, eve)
    mine = f"{bob.uri}#like/1"
    await db.write(reactions.receive_like, bob, ours.uri, mine, NOW)
    await db.write(reactions.like, alice.id, theirs.id, NOW)
    assert not await db.write(reactions.receive_unlike, eve, ours.uri, mine, NOW)
    assert not await db.write(reactions.receive_unlike, eve, None, mine, NOW)
    assert not await db.write(reactions.receive_unlike, bob, theirs.uri, None, NOW)
    assert (await post(db, ours.id)).likes_count == 1
    assert await db.write(reactions.receive_unlike, bob, None, mine, NOW)
    assert not await db.write(reactions.receive_unlike, bob, None, mine, NOW)
    assert (await post(db, ours.id)).likes_count == 0
    assert (await post(db, theirs.id)).likes_count == 1


async def test_a_like_is_taken_back_by_its_post_when_ids_differ(db, origin):
    _, bob, ours, _ = await scene(db, origin)
    await db.write(reactions.receive_like, bob, ours.uri, f"{bob.uri}#like/1", NOW)
    assert await db.write(reactions.receive_unlike, bob, ours.uri, f"{bob.uri}#invented", NOW)


async def test_undo_before_like_counts_once(db, origin):
    _, bob, ours, _ = await scene(db, origin)
    uri = f"{bob.uri}#like/1"
    assert not await db.write(reactions.receive_unlike, bob, ours.uri, uri, NOW)
    assert not await db.write(reactions.receive_like, bob, ours.uri, uri, NOW)
    assert (await post(db, ours.id)).likes_count == 0
    assert await db.write(reactions.receive_like, bob, ours.uri, f"{bob.uri}#like/2", NOW)


async def test_nobody_forbids_the_likes_of_others(db, origin):
    _, bob, ours, _ = await scene(db, origin)
    eve = remote("eve", "evil.test")
    await stored(db, eve)
    uri = f"{bob.uri}#like/1"
    await db.write(reactions.receive_unlike, eve, None, uri, NOW)
    assert await db.write(reactions.receive_like, bob, ours.uri, uri, NOW)


async def test_an_id_that_is_taken_or_foreign_is_not_believed(db, origin):
    _, bob, ours, theirs = await scene(db, origin)
    eve = remote("eve", "evil.test")
    await stored(db, eve)
    assert await db.write(reactions.receive_like, eve, ours.uri, f"{bob.uri}#like/1", NOW)
    assert await db.write(reactions.receive_like, bob, ours.uri, f"{bob.uri}#like/1", NOW)
    assert await db.write(reactions.receive_like, bob, theirs.uri, f"{bob.uri}#like/1", NOW)
    assert len(await rows(db, likes)) == 3


async def test_a_reaction_is_one_emoji(db, origin):
    alice, _, _, theirs = await scene(db, origin)
    for wrong in ("", "a", "🎉🎉 party", ":blobcat:", "1", "x" * 999):
        with pytest.raises(Invalid):
            await db.write(reactions.react, alice.id, theirs.id, wrong, NOW)
    changed = await db.write(reactions.react, alice.id, theirs.id, "🎉", NOW)
    assert (await db.write(reactions.react, alice.id, theirs.id, "🎉", NOW)).version == changed.version
    letter = (await sent(db))[-1]
    assert (letter.type, letter.document["content"]) == ("EmojiReact", "🎉")
    await db.write(reactions.unreact, alice.id, theirs.id, "🎉")
    await db.write(reactions.unreact, alice.id, theirs.id, "🎉")
    assert await types(db) == ["EmojiReact", "Undo"]
    assert await rows(db, reactions_table) == []


async def test_received_reactions_are_kept_by_name(db, origin):
    alice, bob, ours, _ = await scene(db, origin)

    async def react(name, number, url=None):
        return await db.write(reactions.receive_reaction, bob, ours.uri, f"{bob.uri}#r/{number}", name, url, NOW)

    assert await react("🎉", 1)
    assert not await react("🎉", 1)
    assert not await react("🎉", 2)
    assert await react(":cat:", 3, "https://far.test/cat.png")
    assert await react(reactions.DISLIKE, 4)
    assert not await react("", 5)
    assert not await react("x" * 101, 6)
    found = {row.name: row.url for row in await rows(db, reactions_table)}
    assert found == {"🎉": None, ":cat:": "https://far.test/cat.png", "Dislike": None}
    assert (await post(db, ours.id)).likes_count == 0
    assert await told(db, alice) == [("favourite", ours.id)]
    for number in range(10, 20):
        await react(chr(0x1F600 + number), number)
    assert len(await rows(db, reactions_table)) == reactions.MOST


async def test_reactions_are_taken_back_by_their_giver(db, origin):
    _, bob, ours, _ = await scene(db, origin)
    eve = remote("eve", "evil.test")
    await stored(db, eve)
    first, second = f"{bob.uri}#r/1", f"{bob.uri}#r/2"
    await db.write(reactions.receive_reaction, bob, ours.uri, first, "🎉", None, NOW)
    await db.write(reactions.receive_reaction, bob, ours.uri, second, reactions.DISLIKE, None, NOW)
    assert not await db.write(reactions.receive_unreaction, eve, ours.uri, first, "🎉", NOW)
    assert await db.write(reactions.receive_unreaction, bob, ours.uri, None, "🎉", NOW)
    assert await db.write(reactions.receive_unreaction, bob, None, second, "", NOW)
    assert await rows(db, reactions_table) == []
    third = f"{bob.uri}#r/3"
    assert not await db.write(reactions.receive_unreaction, bob, ours.uri, third, "🎉", NOW)
    assert not await db.write(reactions.receive_reaction, bob, ours.uri, third, "🎉", None, NOW)
