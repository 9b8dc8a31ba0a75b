"""Activities that others pass on: with a proof they are believed as if their actor had brought them, and no further."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import delete, insert, select, update

from federation import contexts, keys, proofs
from federation.keys import load_private
from inbox.handlers import proven
from social.posts.drafts import Draft
from social.posts.publish import publish
from store.tables import account_keys, accounts, activities, likes
from tests.conftest import NOW
from tests.inbox.letters import activity, create, note
from tests.inbox.world import World
from tests.people import ed25519_pem, follow, local, remote, stored

BOB, EVE, NEIGHBOUR = remote("bob"), remote("eve", "bad.test"), remote("mallory")
BOBS = "https://far.test/notes/1"


def key_row(person, **changed):
    row = {"id": f"{person.uri}#ed25519-key", "account_id": person.id, "kind": "ed25519", "private": None}
    return {**row, "public": keys.multikey(ed25519_pem(person.username)[1]), "created_at": NOW, **changed}


@pytest.fixture
async def world(db, spool):
    await stored(db, BOB, EVE, NEIGHBOUR)
    await db.write(
        lambda tx: tx.execute(insert(account_keys), [key_row(one) for one in (BOB, EVE, NEIGHBOUR)]) and None
    )
    return World(db, spool)


@pytest.fixture
async def alice(world):
    return await local(world.db, "alice")


@pytest.fixture
async def post(world, alice):
    """One of ours, which makes answers to it matter."""
    return await world.db.write(publish, world.origin, alice.id, Draft("hello"), NOW)


def proved(document, by=BOB, *, key_id=None, pair=None, now=NOW):
    key = load_private(key_id or f"{by.uri}#ed25519-key", ed25519_pem(pair or by.username)[0])
    context = [contexts.ACTIVITY_STREAMS, contexts.DATA_INTEGRITY]
    return proofs.sign({**document, "@context": context}, key, now)


@pytest.fixture
def refused(world, post):
    async def check(document):
        """Eve brings an answer to Alice; it is not believed, but asked for as ever."""
        assert await world.say(EVE, document) == {"handled/hint": 1}
        assert await world.one(BOBS) is None
        assert await world.jobs() == [("fetch_post", BOBS)]

    return check


@pytest.fixture
def answer(post):
    return create(BOB, 1, inReplyTo=post.uri)


async def test_without_proof_it_is_asked_for(refused, answer):
    await refused(answer)


async def test_a_changed_activity_is_not_believed(refused, answer):
    document = proved(answer)
    document["object"] = {**document["object"], "content": "<p>forged</p>"}
    await refused(document)


async def test_the_key_of_another_is_not_his(refused, answer):
    await refused(proved(answer, key_id=f"{BOB.uri}#ed25519-key", pair="eve"))


@pytest.mark.parametrize("other", [EVE, NEIGHBOUR])
async def test_a_proof_by_another_actor_is_none_even_of_the_same_host(refused, answer, other):
    await refused(proved(answer, other))


async def test_a_key_that_nobody_lists_is_none(refused, answer):
    await refused(proved(answer, key_id="https://bad.test/users/bob#ed25519-key"))


async def test_a_key_that_was_withdrawn_is_none(world, refused, answer):
    gone = delete(account_keys).where(account_keys.c.id == f"{BOB.uri}#ed25519-key")
    await world.db.write(lambda tx: tx.execute(gone) and None)
    await refused(proved(answer))


async def test_a_key_of_another_kind_is_none(world, refused, answer):
    await refused(proved(answer, key_id=f"{BOB.uri}#main-key"))


@pytest.mark.parametrize(
    "change", [{"proofPurpose": "authentication"}, {"cryptosuite": "eddsa-rdfc-2022"}, {"type": "RsaSignature2017"}]
)
async def test_another_kind_of_proof_is_none(refused, answer, change):
    document = proved(answer)
    await refused({**document, "proof": {**document["proof"], **change}})


@pytest.mark.parametrize("proof", [None, [], {}, "x", [[[]]], {"proofValue": "z1"}])
async def test_what_is_no_proof_is_none(refused, answer, proof):
    await refused({**answer, "proof": proof})


@pytest.mark.parametrize("moment", [NOW - timedelta(hours=13), NOW + timedelta(hours=1)])
async def test_proofs_of_another_time_are_none(refused, answer, moment):
    await refused(proved(answer, now=moment))


async def test_a_linked_data_signature_is_none(refused, answer):
    signature = {"type": "RsaSignature2017", "creator": f"{BOB.uri}#main-key", "signatureValue": "x"}
    await refused({**answer, "signature": signature})


async def test_what_would_take_long_to_check_is_asked_for(refused, answer):
    await refused(proved({**answer, "padding": "x" * proven.LARGEST}))


async def test_a_stranger_is_not_met_for_a_proof(world, post):
    stranger = remote("stranger", "new.test")
    document = proved(create(stranger, 1, inReplyTo=post.uri), stranger)
    assert await world.say(EVE, document) == {"handled/hint": 1}
    assert world.remote.asked == []
    assert await world.jobs() == [("fetch_post", "https://new.test/notes/1")]


async def test_who_is_suspended_is_not_heard_this_way_either(world, answer):
    gone = update(accounts).where(accounts.c.id == BOB.id).values(suspended_at=NOW)
    await world.db.write(lambda tx: tx.execute(gone) and None)
    assert await world.say(EVE, proved(answer)) == {"rejected/Refused": 1}
    assert await world.one(BOBS) is None


async def test_we_do_not_hear_from_ourselves(world, alice, post):
    row = key_row(alice, private=ed25519_pem("alice")[0])
    await world.db.write(lambda tx: tx.execute(insert(account_keys), row) and None)
    document = proved(activity("Delete", alice, post.uri, id=f"{post.uri}#delete"), alice)
    assert await world.say(EVE, document) == {"handled/hint": 1}
    assert await world.one(post.uri) is not None


async def test_posts_of_other_hosts_stay_theirs(world, post):
    third = "https://third.test"
    elsewhere = note(BOB, 1, inReplyTo=post.uri, id=f"{third}/notes/1", attributedTo=f"{third}/users/x")
    assert await world.say(EVE, proved(activity("Create", BOB, elsewhere))) == {"handled/Create": 1}
    assert await world.jobs() == [("fetch_post", "https://third.test/notes/1")]
    assert [one.uri for one in await world.posts()] == [post.uri]


async def test_posts_of_neighbours_stay_theirs(world, post):
    await world.say(NEIGHBOUR, create(NEIGHBOUR, 1))
    await world.say(EVE, proved(activity("Delete", BOB, BOBS)))
    await world.say(EVE, proved(activity("Update", BOB, note(BOB, 1, content="<p>forged</p>"))))
    assert (await world.one(BOBS)).html == "<p>note 1</p>"


@pytest.mark.parametrize("kind", ["Update", "Delete", "Move"])
async def test_what_the_actor_himself_becomes_he_has_to_say_himself(world, kind):
    what = BOB.uri if kind != "Update" else {"id": BOB.uri, "type": "Person", "name": "Robert"}
    document = proved(activity(kind, BOB, what, target="https://far.test/users/bob2"))
    assert await world.say(EVE, document) == {"handled/hint": 1}
    assert [job for job, _ in await world.jobs()] == (["check_deleted"] if kind == "Delete" else [])


# What is proved is believed.


async def test_an_answer_that_others_bring_is_here_without_a_fetch(world, answer):
    assert await world.say(EVE, proved(answer)) == {"handled/Create": 1}
    found = await world.one(BOBS)
    assert (found.author_id, found.html) == (BOB.id, "<p>note 1</p>")
    assert await world.jobs() == []
    assert world.remote.asked == []


async def test_however_often_and_by_whom_it_comes_it_is_one(world, answer):
    document = proved(answer)
    seen = await world.say(EVE, document, document)
    seen += await world.say(NEIGHBOUR, document)
    seen += await world.say(BOB, answer)
    assert seen == {"handled/Create": 1, "handled/duplicate": 3}
    assert len(await world.posts()) == 2


async def test_a_proof_adds_nothing_to_what_its_actor_brings(world, answer):
    broken = proved(answer)
    broken["proof"]["proofValue"] = "z1"
    assert await world.say(BOB, broken) == {"handled/Create": 1}


async def test_edits_and_ends_and_likes_come_too(world, post, answer):
    await world.say(EVE, proved(answer))
    edited = note(BOB, 1, inReplyTo=post.uri, content="<p>better</p>", updated="2026-11-01T11:30:00Z")
    await world.say(EVE, proved(activity("Update", BOB, edited)))
    assert (await world.one(BOBS)).html == "<p>better</p>"
    await world.say(EVE, proved(activity("Like", BOB, post.uri)))
    assert await world.db.read(lambda tx: tx.scalars(select(likes.c.account_id)).all()) == [BOB.id]
    await world.say(EVE, proved(activity("Delete", BOB, BOBS)))
    assert await world.one(BOBS) is None
    assert await world.jobs() == []


async def test_the_first_proof_by_a_key_of_his_counts(world, answer):
    document = proved(answer)
    others = [proved(answer, EVE)["proof"], {"type": "x"}]
    assert await world.say(EVE, {**document, "proof": [*others, document["proof"]]}) == {"handled/Create": 1}


async def test_what_is_passed_on_goes_on_as_it_came(world, alice, post):
    follower = replace(remote("carol", "third.test"), shared_inbox=None)
    await stored(world.db, follower)
    await world.db.write(follow, follower, alice)
    document = proved(create(BOB, 1, inReplyTo=post.uri, cc=[alice.followers_uri]))
    await world.say(EVE, document)
    bodies = await world.db.read(lambda tx: tx.scalars(select(activities.c.body)).all())
    assert orjson.dumps(document) in bodies


async def test_only_the_audience_that_was_named_sees_it(world, answer):
    document = {
        **answer,
        "to": [BOB.followers_uri],
        "object": {**answer["object"], "to": [BOB.followers_uri], "cc": []},
    }
    await world.say(EVE, proved(document))
    assert (await world.one(BOBS)).visibility == "private"
