"""Posts and comments, edits, deletions and votes of others: honest first, then not."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import select

from federation.reading import PUBLIC
from social import blocks, domains
from social.pages import Page
from social.posts.drafts import Draft, PollDraft
from social.posts.publish import publish
from social.timelines import home_page
from store.tables import Poll, activities, deliveries
from store.tables import polls as poll_table
from tests.conftest import NOW
from tests.inbox.letters import activity, create, note
from tests.inbox.world import BOB, CAROL, EVE, ORIGIN
from tests.people import follow, remote, stored

BOBS = "https://far.test/notes/1"


async def text(world, uri=BOBS):
    post = await world.one(uri)
    return post and post.html


# Create.


async def test_a_post_reaches_the_homes_of_followers(world, alice):
    await world.db.write(follow, alice, BOB)
    assert await world.say(BOB, create(BOB, 1), create(BOB, 2)) == {"handled/Create": 2}
    home = await world.db.read(home_page, alice.id, Page())
    assert [view.parts.post.html for view in home] in (
        ["<p>note 2</p>", "<p>note 1</p>"],
        ["<p>note 1</p>", "<p>note 2</p>"],  # they were written in the same second
    )


async def test_a_post_that_lives_elsewhere_is_not_taken_but_asked_for(world):
    forged = note(BOB, 1)
    await world.say(EVE, activity("Create", EVE, forged))
    assert await world.posts() == []
    assert await world.jobs() == [("fetch_post", BOBS)]


async def test_a_post_by_a_neighbour_is_not_taken(world):
    await world.say(CAROL, activity("Create", CAROL, note(BOB, 1)))
    assert await world.posts() == []


async def test_a_post_that_lies_about_where_its_author_lives_is_refused(world):
    forged = note(EVE, 1, attributedTo=BOB.uri)
    assert await world.say(EVE, activity("Create", EVE, forged)) == {"rejected/Malformed": 1}
    assert await world.posts() == []


async def test_a_post_at_our_own_address_is_not_taken(world, alice):
    forged = {**note(EVE, 1), "id": "https://ours.test/users/alice/posts/1", "attributedTo": alice.uri}
    await world.say(EVE, activity("Create", EVE, forged))
    assert await world.posts() == []
    assert await world.jobs() == []


async def test_a_post_given_only_by_its_id_is_asked_for(world):
    await world.say(BOB, activity("Create", BOB, BOBS))
    assert await world.jobs() == [("fetch_post", BOBS)]


@pytest.mark.parametrize(
    ("to", "cc", "seen_by"), [(PUBLIC, [], "public"), (None, PUBLIC, "unlisted"), (None, None, "direct")]
)
async def test_a_post_that_says_not_for_whom_is_for_those_of_its_create(world, to, cc, seen_by):
    """ActivityPub section 6; as Mastodon reads it."""
    said = note(BOB, 1, to=None)
    del said["cc"]
    await world.say(BOB, activity("Create", BOB, said, to=to, cc=cc))
    assert (await world.one(BOBS)).visibility == seen_by


async def test_what_a_post_says_of_whom_it_is_for_is_not_widened(world):
    await world.say(BOB, activity("Create", BOB, note(BOB, 1, to=[BOB.followers_uri], cc=[]), to=[PUBLIC], cc=[PUBLIC]))
    assert (await world.one(BOBS)).visibility == "private"


async def test_of_several_authors_the_one_who_signed_is_shown(world):
    await world.say(CAROL, activity("Create", CAROL, note(CAROL, 1, attributedTo=[BOB.uri, CAROL.uri])))
    assert (await world.one(BOBS)).author_id == CAROL.id


async def test_an_answer_finds_its_parent_and_asks_for_one_that_is_missing(world, alice):
    await world.db.write(follow, alice, BOB)
    await world.say(
        BOB, create(BOB, 1), create(BOB, 2, inReplyTo=BOBS), create(BOB, 3, inReplyTo="https://third.test/9")
    )
    first, second, third = [await world.one(f"https://far.test/notes/{n}") for n in (1, 2, 3)]
    assert (second.reply_to_id, second.thread_id) == (first.id, first.thread_id)
    assert (third.reply_to_id, third.reply_to_uri) == (None, "https://third.test/9")
    assert ("fetch_post", "https://third.test/9") in await world.jobs()


@pytest.mark.parametrize("kind", ["Article", "Page", "Video", "Event"])
async def test_other_kinds_are_posts_too(world, kind):
    await world.say(BOB, create(BOB, 1, type=kind, name="A title"))
    assert (await world.one(BOBS)).title == "A title"


async def test_an_answer_that_its_parent_accepts_is_asked_for(world):
    """GoToSocial: answers from servers that did not ask first come to others so."""
    answer = "https://third.test/9"
    said = activity("Accept", BOB, answer, target={"type": "Note", "id": BOBS}, result="https://far.test/approvals/1")
    assert await world.say(BOB, said) == {"handled/Accept": 1}
    await world.say(BOB, create(BOB, 1))
    for who in (CAROL, EVE):  # it is not theirs to say
        await world.say(who, {**said, "id": f"https://{who.host}/accepts/{who.username}", "actor": who.uri})
    assert await world.jobs() == []
    assert await world.say(BOB, {**said, "id": "https://far.test/accepts/2"}) == {"handled/Accept": 1}
    assert await world.jobs() == [("fetch_post", answer)]


async def test_what_is_no_post_is_nothing(world):
    assert await world.say(BOB, activity("Create", BOB, {"type": "Blub", "id": BOBS})) == {"handled/Create": 1}
    assert await world.posts() == []
    assert await world.jobs() == []


# Update.


def update(who, number, html, updated="2026-11-01T11:30:00Z", **more):
    changed = note(who, number, content=html, updated=updated, **more)
    return activity("Update", who, changed, id=f"https://{who.host}/updates/{number}-{updated}")


async def test_an_edit_by_the_author_changes_the_post(world):
    await world.say(BOB, create(BOB, 1), update(BOB, 1, "<p>better</p>"))
    assert await text(world) == "<p>better</p>"


@pytest.mark.parametrize("who", [CAROL, EVE])
async def test_an_edit_by_anybody_else_does_not(world, who):
    await world.say(BOB, create(BOB, 1))
    forged = activity("Update", who, note(BOB, 1, content="<p>forged</p>", updated="2026-11-01T11:30:00Z"))
    await world.say(who, forged)
    also = activity("Update", who, {**note(who, 1, content="<p>forged</p>"), "id": BOBS, "attributedTo": who.uri})
    await world.say(who, {**also, "id": f"https://{who.host}/another"})
    assert await text(world) == "<p>note 1</p>"


async def test_an_edit_that_comes_before_its_post_is_the_post(world):
    await world.say(BOB, update(BOB, 1, "<p>better</p>"))
    await world.say(BOB, create(BOB, 1))
    assert await text(world) == "<p>better</p>"


async def test_the_newer_edit_wins(world):
    newer, older = update(BOB, 1, "<p>newer</p>", "2026-11-01T11:40:00Z"), update(BOB, 1, "<p>older</p>")
    await world.say(BOB, create(BOB, 1), newer, older)
    assert await text(world) == "<p>newer</p>"


async def test_an_edit_given_by_id_is_asked_for_when_the_post_is_here(world):
    await world.say(BOB, activity("Update", BOB, BOBS))
    assert await world.jobs() == []
    await world.say(BOB, create(BOB, 1))
    await world.say(BOB, activity("Update", BOB, BOBS, id="https://far.test/u2"))
    assert await world.jobs() == [("fetch_post", BOBS)]


# Delete.


def delete(who, uri=BOBS, **more):
    return activity("Delete", who, {"type": "Tombstone", "id": uri}, **more)


async def test_the_author_deletes_his_post(world):
    await world.say(BOB, create(BOB, 1), delete(BOB))
    assert await world.posts() == []
    await world.say(BOB, {**create(BOB, 1), "id": "https://far.test/again"})
    assert await world.posts() == []


@pytest.mark.parametrize("who", [CAROL, EVE])
async def test_nobody_else_deletes_it(world, who):
    await world.say(BOB, create(BOB, 1))
    assert await world.say(who, delete(who)) == {"rejected/Forged": 1}
    assert len(await world.posts()) == 1


@pytest.mark.parametrize("who", [CAROL, EVE])
async def test_nobody_else_keeps_it_out_beforehand(world, who):
    await world.say(who, delete(who))
    await world.say(BOB, create(BOB, 1))
    assert len(await world.posts()) == 1


async def test_what_is_deleted_before_it_comes_stays_out(world):
    await world.say(BOB, activity("Delete", BOB, BOBS))
    await world.say(BOB, create(BOB, 1))
    assert await world.posts() == []


async def test_nobody_deletes_ours(world, alice):
    mine = await world.db.write(publish, ORIGIN, alice.id, Draft("hello"), NOW)
    assert await world.say(EVE, activity("Delete", EVE, mine.uri)) == {"rejected/Forged": 1}
    assert len(await world.posts()) == 1


# Votes.


@pytest.fixture
async def poll(world, alice):
    draft = Draft("tea?", poll=PollDraft(("yes", "no"), NOW + timedelta(days=1)))
    return await world.db.write(publish, ORIGIN, alice.id, draft, NOW)


async def votes(world, post):
    query = select(poll_table).where(poll_table.c.post_id == post.id)
    found = await world.db.read(lambda tx: Poll(*tx.execute(query).one()))
    return [option["votes"] for option in found.options]


def vote(who, post, name, number=1):
    ballot = {"type": "Note", "id": f"https://{who.host}/votes/{number}", "name": name, "inReplyTo": post.uri}
    return activity("Create", who, {**ballot, "attributedTo": who.uri, "to": [post.uri]})


async def test_votes_are_counted_once_and_are_no_posts(world, poll):
    await world.say(BOB, vote(BOB, poll, "yes"), vote(BOB, poll, "yes", 2), vote(BOB, poll, "no", 3))
    await world.say(CAROL, vote(CAROL, poll, "no", 4))
    assert await votes(world, poll) == [1, 1]
    assert len(await world.posts()) == 1


async def test_a_vote_without_an_author_is_his_who_signed_it(world, poll):
    ballot = vote(BOB, poll, "yes")
    del ballot["object"]["attributedTo"]
    await world.say(BOB, ballot)
    assert await votes(world, poll) == [1, 0]


async def test_all_votes_of_a_ballot_may_come_together(world, alice):
    """GoToSocial, in polls where one may choose several."""
    draft = Draft("tea?", poll=PollDraft(("yes", "no", "milk"), NOW + timedelta(days=1), multiple=True))
    poll = await world.db.write(publish, ORIGIN, alice.id, draft, NOW)
    ballots = [vote(BOB, poll, name, number)["object"] for number, name in enumerate(("yes", "milk", "rum"))]
    others = {**vote(BOB, poll, "no", 9)["object"], "attributedTo": CAROL.uri}
    assert await world.say(BOB, activity("Create", BOB, [*ballots, others, "https://far.test/x"])) == {
        "handled/Create": 1
    }
    assert await votes(world, poll) == [1, 0, 1]
    assert "fetch_post" not in [kind for kind, _ in await world.jobs()]


async def test_a_vote_for_what_is_not_there_is_none(world, poll):
    await world.say(BOB, vote(BOB, poll, "maybe"))
    assert await votes(world, poll) == [0, 0]


# Forwarding (ActivityPub 7.1.2).


def forwarded(tx):
    mail = select(activities.c.body, deliveries.c.host).join(deliveries, deliveries.c.activity_id == activities.c.id)
    return list(tx.execute(mail))


@pytest.fixture
async def thread(world, alice):
    """A post of alice, whom dave of another server follows."""
    dave = remote("dave", "third.test")
    await stored(world.db, dave)
    await world.db.write(follow, dave, alice)
    post = await world.db.write(publish, ORIGIN, alice.id, Draft("hello"), NOW)
    await world.db.write(lambda tx: tx.execute(deliveries.delete()).rowcount)
    return post


async def test_an_answer_addressed_to_the_followers_is_forwarded_once_as_it_is(world, alice, thread):
    answer = create(BOB, 1, inReplyTo=thread.uri, cc=[alice.followers_uri])
    await world.say(BOB, answer, answer)
    assert await world.db.read(forwarded) == [(orjson.dumps(answer), "third.test")]


async def test_what_is_for_one_is_not_for_all_because_its_activity_says_so(world, alice):
    said = create(BOB, 1, to=[alice.uri])
    del said["object"]["cc"]
    await world.say(BOB, {**said, "to": [alice.uri], "cc": [PUBLIC]})
    assert (await world.one(BOBS)).visibility == "direct"


async def test_several_answers_in_one_message_are_forwarded_as_one(world, alice, thread):
    said = [note(BOB, number, inReplyTo=thread.uri, cc=[alice.followers_uri]) for number in range(1, 5)]
    await world.say(BOB, activity("Create", BOB, said, to=[PUBLIC]))
    assert len(await world.posts()) == 5
    assert len(await world.db.read(forwarded)) == 1


async def test_what_is_not_addressed_to_them_or_answers_others_is_not(world, alice, thread):
    await world.say(
        BOB,
        create(BOB, 1, inReplyTo=thread.uri),
        create(BOB, 2, inReplyTo=BOBS, cc=[alice.followers_uri]),
        create(BOB, 3, cc=[alice.followers_uri]),
    )
    assert await world.db.read(forwarded) == []


@pytest.mark.parametrize("why", ["blocked", "shunned", "private"])
async def test_of_whoever_may_not_see_the_post_nothing_is_forwarded(world, alice, thread, why):
    if why == "private":
        thread = await world.db.write(publish, ORIGIN, alice.id, Draft("for followers", visibility="private"), NOW)
        await world.db.write(lambda tx: tx.execute(deliveries.delete()).rowcount)
    elif why == "shunned":
        await world.db.write(domains.block, ORIGIN, alice.id, BOB.domain, NOW)
    else:
        await world.say(BOB, create(BOB, 2))
        await world.db.write(blocks.block, alice.id, (await world.one("https://far.test/notes/2")).author_id, NOW)
        await world.db.write(lambda tx: tx.execute(deliveries.delete()).rowcount)
    await world.say(BOB, create(BOB, 1, inReplyTo=thread.uri, cc=[alice.followers_uri]))
    await world.say(BOB, update(BOB, 1, "<p>better</p>", inReplyTo=thread.uri, cc=[alice.followers_uri]))
    await world.say(BOB, delete(BOB, to=[PUBLIC], cc=[alice.followers_uri]))
    assert await world.db.read(forwarded) == []


async def test_edits_and_deletions_of_it_are_forwarded_too(world, alice, thread):
    await world.say(BOB, create(BOB, 1, inReplyTo=thread.uri))
    await world.say(BOB, update(BOB, 1, "<p>better</p>", inReplyTo=thread.uri, cc=[alice.followers_uri]))
    await world.say(BOB, delete(BOB, to=[PUBLIC], cc=[alice.followers_uri]))
    assert len(await world.db.read(forwarded)) == 2
