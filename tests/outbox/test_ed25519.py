"""Which hosts get letters that are signed with Ed25519, and how that is learnt and forgotten, with real HTTP."""

import pytest
from sqlalchemy import insert, update

from federation.client import Client
from federation.keys import PublicKey, load_public
from federation.reading import Actor
from federation.signatures import ACCEPT_SIGNATURE_OF_BODY, ED25519, RFC9421, Message, parse, verify
from outbox import enqueue, outcomes
from outbox.deliver import Deliverer
from social import accounts
from store.tables import account_keys, deliveries, hosts
from tests.conftest import NOW
from tests.federation.talking import LAB
from tests.federation.wire import Request, Script, Wire, http, wire
from tests.outbox.rows import ALICE, LATER, add, count, far, hello, host
from tests.outbox.test_deliver import at
from tests.people import ed25519_pem, follow, rsa_pem

YOUNG = f"{ALICE.uri}#ed25519-key"
OTHER_SOFTWARE = "https://w3id.org/fep/844e"


def key_of(key_id: str) -> PublicKey:
    return load_public(key_id, ALICE.uri, (ed25519_pem if key_id == YOUNG else rsa_pem)("alice")[1])


def manner(there: Wire, request: Request) -> str:
    """cavage, rfc9421 or ed25519; it is verified."""
    message = Message(request.method, request.target, there.host, "http", request.headers, request.body)
    signature = parse(message)
    key = key_of(signature.key_id)
    verify(message, signature, key, NOW.timestamp())
    return "ed25519" if key.kind == "ed25519" else signature.scheme


def manners(there: Wire) -> list[str]:
    return [manner(there, request) for request in there.requests]


def taking(*accepted: str, refusal: int = 401, **headers: str) -> Script:
    return lambda there, request: http(202 if manner(there, request) in accepted else refusal, **headers)


async def befriend(db, *people, ed25519=True):
    def unit(tx):
        add(tx, ALICE, *people)
        if ed25519:
            private, public = ed25519_pem("alice")
            key = {"id": YOUNG, "account_id": ALICE.id, "kind": "ed25519", "public": public, "private": private}
            tx.execute(insert(account_keys), {**key, "created_at": NOW})
        for person in people:
            follow(tx, person, ALICE)

    await db.write(unit)


async def say(db, client, number=0) -> int:
    """How many letters arrived."""
    await db.write(enqueue.to_followers, ALICE, hello(number=number), now=NOW)
    return await Deliverer(db, client, clock=lambda: LATER).drain()


async def scheme(db, name) -> str | None:
    return (await db.read(host, name)).scheme


@pytest.mark.parametrize("refusal", [400, 401, 403])
async def test_a_host_that_refuses_it_loses_no_letter_and_is_forgotten(db, client, refusal):
    async with wire(taking("cavage", refusal=refusal)) as there:
        await befriend(db, at(there.host))
        await db.write(outcomes.learn, there.host, [ED25519])
        assert await say(db, client) == 1
        assert manners(there) == ["ed25519", "rfc9421", "cavage"]
        assert await scheme(db, there.host) == "cavage"
        assert await db.read(count, deliveries) == 0
        await db.write(outcomes.learn, there.host, [ED25519])  # it says so still
        assert await say(db, client, 2) == 1
        assert manners(there)[3:] == ["cavage"]


async def test_a_sender_without_such_a_key_signs_with_rsa(db, client):
    async with wire(taking("rfc9421", "ed25519")) as there:
        await befriend(db, at(there.host), ed25519=False)
        await db.write(outcomes.learn, there.host, [ED25519])
        assert await say(db, client) == 1
        assert manners(there) == ["rfc9421"]
        assert await scheme(db, there.host) == "ed25519"


async def test_hosts_get_what_they_say_that_they_know(db, client):
    every = taking("cavage", "rfc9421", "ed25519")
    async with wire(every) as silent, wire(every) as newer, wire(every) as newest:
        await befriend(db, at(silent.host), at(newer.host, 2), at(newest.host, 3))
        await db.write(outcomes.learn, silent.host, [OTHER_SOFTWARE])
        await db.write(outcomes.learn, newer.host, [RFC9421])
        await db.write(outcomes.learn, newest.host, [RFC9421, ED25519])
        for number in range(2):
            assert await say(db, client, number) == 3
        assert manners(silent) == ["cavage", "cavage"]
        assert manners(newer) == ["rfc9421", "rfc9421"]
        assert manners(newest) == ["ed25519", "ed25519"]


async def test_what_a_host_asks_for_is_remembered_beyond_this_process(db, client):
    async with wire(taking("ed25519", Accept_Signature=ACCEPT_SIGNATURE_OF_BODY)) as there:
        await befriend(db, at(there.host))
        assert await say(db, client) == 1
        assert await scheme(db, there.host) == "ed25519"
        another = Client(guard=LAB, user_agent="test", clock=NOW.timestamp)  # that remembers nothing by itself
        assert await say(db, another, 2) == 1
        await another.close()
        assert manners(there) == ["cavage", "ed25519", "ed25519"]


# What is learnt


@pytest.mark.parametrize(
    ("known", "said", "then"),
    [
        (None, [], None),
        (None, [OTHER_SOFTWARE], None),
        (None, [RFC9421], "rfc9421"),
        (None, [ED25519], "ed25519"),
        ("cavage", [OTHER_SOFTWARE], "cavage"),
        ("cavage", [RFC9421], "cavage"),
        ("cavage", [RFC9421, ED25519], "ed25519"),
        ("rfc9421", [ED25519], "ed25519"),
        ("ed25519", [RFC9421], "ed25519"),
        ("ed25519", [], "ed25519"),
    ],
)
async def test_what_a_host_says_of_itself(db, known, said, then):
    await befriend(db, far(1))
    await db.write(enqueue.to_followers, ALICE, hello(), now=NOW)
    await db.write(lambda tx: tx.execute(update(hosts).values(scheme=known)) and None)
    before = await db.read(host, "far.test")
    await db.write(outcomes.learn, "far.test", said)
    after = await db.read(host, "far.test")
    assert (after.scheme, after.due, after.failures) == (then, before.due, 0)


async def test_a_host_may_say_so_before_we_ever_wrote_to_it(db):
    await db.write(outcomes.learn, "far.test", [OTHER_SOFTWARE])
    assert await db.read(count, hosts) == 0
    await db.write(outcomes.learn, "far.test", [ED25519])
    assert (await db.read(host, "far.test")).scheme == "ed25519"
    assert (await db.read(host, "far.test")).due is None


async def test_what_is_known_already_writes_nothing(db, queries):
    await db.write(outcomes.learn, "far.test", [ED25519])
    queries.clear()
    await db.write(outcomes.learn, "far.test", [RFC9421, ED25519])
    assert len([one for one in queries if "host" in one]) == 1


async def test_the_document_of_an_actor_teaches_how_to_sign_for_its_host(db):
    uri = "https://far.test/users/bob"
    for implements, known in (((), 0), ((RFC9421, ED25519), 1)):
        bob = Actor(uri, "Person", "bob", f"{uri}/inbox", implements=implements)
        await db.write(accounts.remember, bob, "bob@far.test", NOW)
        assert await db.read(count, hosts) == known
    assert (await db.read(host, "far.test")).scheme == "ed25519"
