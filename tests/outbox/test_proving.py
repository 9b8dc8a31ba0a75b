"""What we send proves itself, once for all who get it; what is said in private does not."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import insert, select, update

from federation import contexts, keys, proofs, vocabulary
from federation.errors import Forged
from federation.reading import PUBLIC, read_actor, read_keys
from outbox import documents, enqueue, proving
from store.tables import AccountKey, account_keys, activities, deliveries
from tests.conftest import NOW
from tests.outbox.rows import ALICE, add, count, far, hello
from tests.people import ed25519_pem, follow, rsa_pem

KEY = f"{ALICE.uri}#ed25519-key"
HELLO = hello()


def give_key(tx, *, key_id=KEY, name="alice", created_at=NOW):
    private, public = ed25519_pem(name)
    row = {"id": key_id, "account_id": ALICE.id, "kind": "ed25519", "public": public, "private": private}
    tx.execute(insert(account_keys), {**row, "created_at": created_at})


@pytest.fixture
async def alice(db):
    def prepare(tx):
        add(tx, ALICE, far(1, "a.test"), bob := far(2, "b.test"))
        follow(tx, bob, ALICE)
        give_key(tx)

    await db.write(prepare)
    return ALICE


async def sent(db, document, sender=ALICE):
    await db.write(enqueue.to_followers, sender, document, now=NOW)
    return orjson.loads(await db.read(lambda tx: tx.scalar(select(activities.c.body))))


def said(kind=vocabulary.Create, to=(PUBLIC,)):
    note = vocabulary.Note(id=f"{ALICE.uri}/posts/1", attributed_to=ALICE.uri, content="hi", published=NOW, to=to)
    return kind(id=f"{ALICE.uri}/posts/1/activity", actor=ALICE.uri, to=to, object=note)


@pytest.mark.parametrize(
    "document",
    [
        said(to=("https://a.test/users/f1",)),
        said(to=(f"{ALICE.uri}/followers",)),
        said(vocabulary.Update, to=(f"{ALICE.uri}/followers",)),
        vocabulary.Flag(id=f"{ALICE.uri}#f", actor=ALICE.uri, to=("https://a.test/x",), object=("https://a.test/x",)),
    ],
)
async def test_nobody_can_prove_what_was_said_in_private(db, alice, document):
    assert await sent(db, document) == vocabulary.to_json(document)


async def test_nobody_proves_for_another(db, alice):
    document = vocabulary.Follow(id="https://ours.test/x", actor="https://ours.test/users/carol", object=ALICE.uri)
    assert await sent(db, document) == vocabulary.to_json(document)


async def test_who_has_no_key_says_it_without_proof(db):
    def prepare(tx):
        add(tx, ALICE, bob := far(2, "b.test"))
        follow(tx, bob, ALICE)

    await db.write(prepare)
    assert await sent(db, HELLO) == vocabulary.to_json(HELLO)


async def test_a_key_that_cannot_be_read_holds_nothing_up(db, alice, caplog):
    await db.write(lambda tx: tx.execute(update(account_keys).values(private="broken")) and None)
    assert await sent(db, HELLO) == vocabulary.to_json(HELLO)
    assert "without proof" in caplog.text
    assert "broken" not in caplog.text


@pytest.mark.parametrize("document", [HELLO, said(), said(to=(f"{ALICE.uri}/followers", PUBLIC))])
async def test_what_we_send_holds_by_the_key_that_our_own_document_lists(db, alice, document):
    body = await sent(db, document)
    assert {name: body[name] for name in body if name not in ("@context", "proof")} == {
        name: value for name, value in vocabulary.to_json(document).items() if name != "@context"
    }
    assert body["@context"] == contexts.with_proof(document.context_)
    served = await db.read(actor_document)
    [known] = [key for key in read_keys(served) if key.id == KEY]
    assert known in read_actor(served).keys
    [proof] = proofs.parse(body)
    proofs.verify(body, proof, keys.load_public(known.id, known.owner, known.material), NOW)


def actor_document(tx):
    rows = [AccountKey(*row) for row in tx.execute(select(account_keys))]
    mine = [row for row in rows if row.account_id == ALICE.id]
    return vocabulary.to_json(documents.actor(ALICE, mine))


async def test_the_newest_key_counts_and_a_replaced_one_no_more(db, alice):
    newer = f"{ALICE.uri}#newer-key"
    await db.write(lambda tx: give_key(tx, key_id=newer, name="newer", created_at=NOW + timedelta(days=1)))
    body = await sent(db, HELLO)
    assert body["proof"]["verificationMethod"] == newer
    private, public = ed25519_pem("replaced")
    changed = update(account_keys).where(account_keys.c.id == newer).values(private=private, public=public)
    again = await db.write(lambda tx: tx.execute(changed) and proving.written(tx, ALICE, HELLO, NOW))
    again = orjson.loads(again)
    [proof] = proofs.parse(again)
    proofs.verify(again, proof, keys.load_public(newer, ALICE.uri, public), NOW)
    with pytest.raises(Forged):
        proofs.verify(again, proof, keys.load_public(newer, ALICE.uri, ed25519_pem("newer")[1]), NOW)


async def test_an_rsa_key_proves_nothing(db, alice):
    private, public = rsa_pem("alice")
    other = {"kind": "rsa", "private": private, "public": public}
    await db.write(lambda tx: tx.execute(update(account_keys).values(**other)) and None)
    assert "proof" not in await sent(db, HELLO)


async def test_one_proof_for_all_who_get_it(db, alice, queries):
    def more(tx):
        for person in [far(n, f"h{n}.test") for n in range(20)]:
            add(tx, person)
            follow(tx, person, ALICE)

    await db.write(more)
    queries.clear()
    await sent(db, HELLO)
    assert await db.read(count, activities) == 1
    assert await db.read(count, deliveries) == 21
    assert len([query for query in queries if "account_key" in query]) == 1
