"""Requests to quote, and what is answered to ours."""

import pytest

from federation.reading import PUBLIC
from social import quotes
from social.posts.drafts import Draft
from social.posts.find import find_by_uri
from social.posts.publish import publish
from tests.conftest import NOW
from tests.inbox.letters import activity, create, note
from tests.inbox.world import BOB, CAROL, EVE, ORIGIN
from tests.social.mail import mailed

POLICY = {"interactionPolicy": {"canQuote": {"automaticApproval": [PUBLIC]}}}


def request(by, quoted, quoting, **more):
    return activity("QuoteRequest", by, quoted, instrument=quoting, **more)


@pytest.fixture
async def post(world, alice):
    return await world.db.write(publish, ORIGIN, alice.id, Draft("hello"), NOW)


async def answers(world):
    return [one for one, _ in await mailed(world.db) if one["type"] in ("Accept", "Reject")]


@pytest.mark.parametrize("quoting", [None, [], {}, "acct:bob@far.test", 7])
async def test_a_request_without_a_post_that_quotes_is_malformed(world, post, quoting):
    await world.say(BOB, request(BOB, post.uri, quoting))
    assert await answers(world) == []


async def test_nobody_asks_for_the_posts_of_others(world, post):
    await world.say(EVE, request(EVE, post.uri, "https://far.test/notes/1"))
    assert await answers(world) == []


@pytest.mark.parametrize("embedded", [True, False])
async def test_a_request_is_answered_with_an_approval(world, post, embedded):
    quoting = note(BOB, quote=post.uri)
    await world.say(BOB, request(BOB, post.uri, quoting if embedded else quoting["id"]))
    [answer] = await answers(world)
    assert (answer["type"], answer["object"]["instrument"]) == ("Accept", quoting["id"])
    await world.say(BOB, create(BOB, quote=post.uri, quoteAuthorization=answer["result"]))
    stored = await world.db.read(find_by_uri, quoting["id"])
    assert (await world.db.read(quotes.of, stored.id)).state == "accepted"


async def test_an_approval_is_for_whoever_asked_and_not_for_his_neighbour(world, post):
    hers = note(CAROL, 2, quote=post.uri)
    await world.say(BOB, request(BOB, post.uri, hers["id"]))
    stamps = [one["result"] for one in await answers(world) if one["type"] == "Accept"]
    await world.say(CAROL, create(CAROL, 2, quote=post.uri, quoteAuthorization=(stamps or [None])[0]))
    stored = await world.db.read(find_by_uri, hers["id"])
    assert (await world.db.read(quotes.of, stored.id)).state == "pending"


@pytest.mark.parametrize("copies", [1, 2])
async def test_nobody_keeps_a_post_by_calling_it_an_approval(world, copies):
    for number in (1, 2):
        await world.say(BOB, create(BOB, number))
    doomed, quoted = note(BOB, 1)["id"], note(BOB, 2)["id"]
    for number in range(copies):
        await world.say(EVE, create(EVE, number, quote=quoted, quoteAuthorization=doomed))
    await world.say(BOB, activity("Delete", BOB, doomed))
    assert await world.one(doomed) is None


async def test_nobody_keeps_a_quote_by_claiming_its_approval_too(world, alice):
    await world.say(BOB, create(BOB, **POLICY))
    quoted, stamp = await world.db.read(find_by_uri, note(BOB)["id"]), "https://far.test/a/1"
    ours = await world.db.write(publish, ORIGIN, alice.id, Draft("look", quoted_id=quoted.id), NOW)
    [asked] = [one for one, _ in await mailed(world.db) if one["type"] == "QuoteRequest"]
    await world.say(BOB, activity("Accept", BOB, asked, result=stamp))
    await world.say(EVE, create(EVE, quote=quoted.uri, quoteAuthorization=stamp))
    await world.say(BOB, activity("Delete", BOB, stamp, id=f"{BOB.uri}#gone"))
    assert (await world.db.read(quotes.of, ours.id)).state == "revoked"


async def test_only_the_author_of_what_is_quoted_answers_ours(world, alice):
    await world.say(BOB, create(BOB, **POLICY))
    quoted = await world.db.read(find_by_uri, note(BOB)["id"])
    ours = await world.db.write(publish, ORIGIN, alice.id, Draft("look", quoted_id=quoted.id), NOW)
    [asked] = [one for one, _ in await mailed(world.db) if one["type"] == "QuoteRequest"]
    for by, result in ((CAROL, "https://far.test/a/1"), (BOB, None), (BOB, "https://bad.test/a/1")):
        await world.say(by, activity("Accept", by, asked, id=f"{by.uri}#{result}", result=result))
        assert (await world.db.read(quotes.of, ours.id)).state == "pending"
    await world.say(BOB, activity("Accept", BOB, asked, id="https://far.test/yes", result="https://far.test/a/1"))
    assert (await world.db.read(quotes.of, ours.id)).state == "accepted"
    for by in (CAROL, BOB):
        gone = {"type": "QuoteAuthorization", "id": "https://far.test/a/1"}
        await world.say(by, activity("Delete", by, gone, id=f"{by.uri}#gone"))
        assert (await world.db.read(quotes.of, ours.id)).state == ("accepted" if by is CAROL else "revoked")
