"""Integrity proofs (FEP-8b32): what does not fit is refused, what was published elsewhere is understood."""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import assume, given
from hypothesis import strategies as st

from federation import contexts, keys, proofs, reading, vocabulary
from federation.errors import FederationError, Forged, Malformed
from federation.keys import PrivateKey, PublicKey, load_public, unbase58

VECTORS = json.loads((Path(__file__).parent / "vectors" / "proofs.json").read_text())
THEN = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BOB = "https://far.test/users/bob"
METHOD = f"{BOB}#ed25519-key"
PAIR = keys.generate("ed25519")
MINE = keys.load_private(METHOD, PAIR.private)
THEIRS = load_public(METHOD, BOB, keys.multikey(PAIR.public))
LIKE = {
    "@context": contexts.ACTIVITY_STREAMS,
    "id": f"{BOB}#l/1",
    "type": "Like",
    "actor": BOB,
    "object": "https://x.test/",
}


def verify(document, key=THEIRS, now=NOW):
    """The first proof that is understood, as the inbox does."""
    found = proofs.parse(document)
    assert found
    proofs.verify(document, found[0], key, now)


def signed(document=LIKE, **changed):
    """`changed` in the proof before it is signed."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "created": "2026-11-01T12:00:00Z",
        **changed,
    }
    options = {name: value for name, value in options.items() if value is not None}
    value = "z" + keys.base58(MINE.key.sign(independent(options) + independent(document)))
    return {**document, "proof": {**options, "proofValue": value}}


def independent(document):
    """SHA-256 of JCS, for documents with neither fractions nor names beyond ASCII, by nothing of ours."""
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"object": "https://other.test/"},
        {"type": "Dislike"},
        {"content": ""},
        {"@context": [contexts.ACTIVITY_STREAMS, "https://evil.test/"]},
        {"to": []},
    ],
)
def test_a_changed_document_is_forged(change):
    verify(signed())
    verify(proofs.sign(LIKE, MINE, NOW))
    with pytest.raises(Forged):
        verify({**signed(), **change})


@pytest.mark.parametrize("name", [name for name in LIKE if name != "@context"])
def test_a_document_that_lost_something_is_forged(name):
    document = proofs.sign(LIKE, MINE, NOW)
    del document[name]
    with pytest.raises(Forged):
        verify(document)


def test_the_key_of_another_is_forged():
    pair = keys.generate("ed25519")
    with pytest.raises(Forged):
        verify(signed(), load_public(METHOD, BOB, pair.public))
    with pytest.raises(Forged, match="another key"):
        verify(signed(), replace(THEIRS, id="https://far.test/users/eve#ed25519-key"))


def test_a_key_of_another_kind_neither_signs_nor_fits():
    pair = keys.generate("ecdsa-p256")
    with pytest.raises(Forged):
        verify(signed(), load_public(METHOD, BOB, pair.public))
    with pytest.raises(Malformed):
        proofs.sign(LIKE, keys.load_private(METHOD, pair.private), NOW)


@pytest.mark.parametrize(
    ("created", "seconds"), [("2026-11-01T12:00:00Z", 12 * 3600), ("2026-11-01T14:00:00+02:00", 12 * 3600)]
)
def test_old_proofs_are_not_believed_for_ever(created, seconds):
    document = signed(created=created)
    verify(document, now=NOW + timedelta(seconds=seconds))
    with pytest.raises(Forged, match="old"):
        verify(document, now=NOW + timedelta(seconds=seconds + 1))


def test_proofs_from_the_future_and_expired_ones_are_not_believed():
    verify(signed(), now=NOW - timedelta(minutes=5))
    with pytest.raises(Forged, match="future"):
        verify(signed(), now=NOW - timedelta(minutes=6))
    document = signed(expires="2026-11-01T12:10:00Z")
    verify(document, now=NOW + timedelta(minutes=15))
    with pytest.raises(Forged, match="expired"):
        verify(document, now=NOW + timedelta(minutes=16))


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "RsaSignature2017"},
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"cryptosuite": ["eddsa-jcs-2022"]},
        {"proofPurpose": "authentication"},
        {"proofPurpose": None},
        {"verificationMethod": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"},
        {"verificationMethod": {"id": METHOD}},
        {"created": None},
        {"created": "yesterday"},
        {"expires": "never"},
        {"challenge": "1"},
        {"domain": "x.test"},
        {"previousProof": "urn:uuid:1"},
    ],
)
def test_what_we_cannot_decide_about_is_no_proof(changed):
    assert proofs.parse(signed())
    assert proofs.parse(signed(**changed)) == ()


@pytest.mark.parametrize(
    "value", [None, 1, "", "z", "z1", "u" + "A" * 86, "z" + "1" * 64, "z" + "0" * 88, "z" * 10_000]
)
def test_a_value_that_is_no_signature_is_no_proof(value):
    document = signed()
    document["proof"]["proofValue"] = value
    found = proofs.parse(document)
    assert found == () or found[0].value == bytes(64)


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**64])
def test_what_has_no_one_form_is_refused(number):
    document = {**signed(), "number": number}
    with pytest.raises(Malformed):
        verify(document)
    with pytest.raises(Malformed):
        proofs.sign({**LIKE, "number": number}, MINE, NOW)


@pytest.mark.parametrize("bad", ["\ud800", {"\ud800": 1}, [[["\udfff"]]]])
def test_half_characters_are_refused(bad):
    with pytest.raises(Malformed):
        verify({**signed(), "content": bad})


def test_the_first_proof_that_is_understood_counts():
    document = signed()
    other = {**document["proof"], "cryptosuite": "ecdsa-jcs-2019"}
    verify({**document, "proof": [other, "x", document["proof"]]})
    verify({**document, "proof": [document["proof"], other]})
    many = [other] * proofs.PROOFS_LIMIT
    assert proofs.parse({**document, "proof": [*many, document["proof"]]}) == ()


def test_a_linked_data_signature_that_was_added_later_does_no_harm():
    verify({**signed(), "signature": {"type": "RsaSignature2017", "signatureValue": "x"}})


def test_the_context_of_the_proof_is_that_of_the_document():
    context = [contexts.ACTIVITY_STREAMS, contexts.DATA_INTEGRITY]
    document = signed({**LIKE, "@context": context}, **{"@context": context})
    verify(document)
    verify(
        {**document, "@context": [*context, "https://added.test/"]}
    )  # vc-di-eddsa lets those who pass it on add some
    for other in ([], context[:1], context[::-1], "x", None):
        with pytest.raises(Forged, match="context"):
            verify({**document, "@context": other})


def test_a_context_that_was_signed_in_the_proof_but_not_sent_is_found():
    """Fedify's way."""
    document = signed(**{"@context": LIKE["@context"]})
    del document["proof"]["@context"]
    verify(document)
    with pytest.raises(Forged):
        verify({**document, "@context": "https://other.test/"})


# What others published.


def public(method):
    return PublicKey(method, "", "ed25519", load_public("", "", VECTORS["public"]).key)


@pytest.mark.parametrize("name", VECTORS["signed"])
def test_published_proofs_hold(name):
    document = VECTORS["signed"][name]
    method = document["proof"]["verificationMethod"]
    web = {**document, "proof": {**document["proof"], "verificationMethod": METHOD}}
    [found] = proofs.parse(web)  # which takes no did:key, so that one is put back
    options = {part: value for part, value in document["proof"].items() if part != "proofValue"}
    proof = replace(found, method=method, options=options)
    proofs.verify(document, proof, public(method), THEN)
    changed = deepcopy(document)
    changed["type"] = "Delete"
    with pytest.raises(Forged):
        proofs.verify(changed, proof, public(method), THEN)
    with pytest.raises(Forged):
        proofs.verify(document, proof, replace(public(method), key=THEIRS.key), THEN)


@pytest.mark.parametrize("name", ["FEP-8b32 of 2026", "vc-di-eddsa, recommendation"])
def test_we_make_the_published_proofs(name):
    document = VECTORS["signed"][name]
    raw = unbase58(VECTORS["private"][1:])[2:]
    method = document["proof"]["verificationMethod"]
    key = PrivateKey(method, "ed25519", Ed25519PrivateKey.from_private_bytes(raw))
    bare = {part: value for part, value in document.items() if part != "proof"}
    assert proofs.sign(bare, key, THEN) == document


def test_the_published_digests_are_ours():
    document = VECTORS["signed"]["vc-di-eddsa, recommendation"]
    options = {part: value for part, value in document["proof"].items() if part != "proofValue"}
    assert proofs._digests(document, options).hex() == VECTORS["digests"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.33333325, "333333333.33333325"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
        (0.5, "0.5"),
        (1.0, "1"),
        (1, "1"),
    ],
)
def test_numbers_are_written_as_rfc_8785_appendix_b_says(number, text):
    assert proofs._in_order({"x": number}) == b'{"x":%b}' % text.encode()


def test_names_are_sorted_as_rfc_8785_section_3_2_3_says():
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}
    assert list(orjson.loads(proofs._in_order(names)).values()) == [2, 4, 6, 7, 1, 5, 3]


# What we make.

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-1, 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
NAMES = st.sampled_from(["id", "type", "content", "a", "Z", "@x", "$"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=4
)
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=6
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=3).map(
    lambda found: {name: value for name, value in found.items() if name not in ("proof", "signature")}
)


@given(DOCUMENTS)
def test_both_ways_to_the_one_form_agree(document):
    assert proofs._in_order(document) == rfc8785.dumps(document)


@given(DOCUMENTS)
def test_what_we_sign_arrives(document):
    body = orjson.dumps(proofs.sign(document, MINE, NOW))
    verify(json.loads(body))
    verify(orjson.loads(body))


@given(DOCUMENTS, DOCUMENTS)
def test_the_proof_of_one_document_fits_no_other(document, other):
    assume(rfc8785.dumps(document) != rfc8785.dumps(other))
    with pytest.raises(Forged):
        verify({**other, "proof": proofs.sign(document, MINE, NOW)["proof"]})


@given(DOCUMENTS, st.data())
def test_any_change_is_seen(document, data):
    document = proofs.sign({**LIKE, **document}, MINE, NOW)
    name = data.draw(st.sampled_from([name for name in document if name not in ("proof", "@context")]) | NAMES)
    value = data.draw(VALUES)
    assume(name not in ("proof", "signature", "@context"))
    assume(name not in document or rfc8785.dumps(document[name]) != rfc8785.dumps(value))
    with pytest.raises(Forged):
        verify({**document, name: value})


@given(st.dictionaries(st.sampled_from([*signed()["proof"], "expires"]), VALUES))
def test_any_change_of_the_proof_is_seen(changed):
    document = signed()
    proof = {**document["proof"], **changed}
    assume(rfc8785.dumps(proof) != rfc8785.dumps(document["proof"]))
    found = proofs.parse({**document, "proof": proof})
    with pytest.raises(Forged):
        for one in found:
            proofs.verify({**document, "proof": proof}, one, THEIRS, NOW)
        raise Forged("it is no proof any more")


@given(DOCUMENTS, VALUES | st.dictionaries(st.sampled_from(list(signed()["proof"])), VALUES))
def test_whatever_is_there_is_a_clear_no(document, proof):
    document = {**document, "proof": proof}
    for one in proofs.parse(document):
        with pytest.raises(FederationError):
            proofs.verify(document, one, THEIRS, NOW)


def test_an_activity_of_ours_holds_by_arithmetic_that_is_not_ours():
    note = vocabulary.Note(
        id=f"{BOB}/1", attributed_to=BOB, content="<p>Grüße 👋 \u2028\x7f</p>", published=NOW, to=(reading.PUBLIC,)
    )
    create = vocabulary.Create(id=f"{BOB}/1/activity", actor=BOB, to=note.to, object=note)
    said = {**vocabulary.to_json(create), "@context": contexts.with_proof(create.context_)}
    document = json.loads(orjson.dumps(proofs.sign(said, MINE, NOW)))
    proof = document.pop("proof")
    assert contexts.DATA_INTEGRITY in document["@context"]
    assert proof["@context"] == document["@context"]
    raw = unbase58(proof.pop("proofValue")[1:])
    key = Ed25519PublicKey.from_public_bytes(unbase58(keys.multikey(PAIR.public)[1:])[2:])
    key.verify(raw, independent(proof) + independent(document))


def test_readers_that_know_no_proofs_read_the_same():
    note = vocabulary.Note(id=f"{BOB}/1", attributed_to=BOB, content="<p>x</p>", published=NOW, to=(reading.PUBLIC,))
    create = vocabulary.Create(id=f"{BOB}/1/activity", actor=BOB, to=note.to, object=note)
    plain = vocabulary.to_json(create)
    document = proofs.sign({**plain, "@context": contexts.with_proof(create.context_)}, MINE, NOW)
    assert reading.read_activity(document) == reading.read_activity(plain)
    assert {name: document[name] for name in plain if name != "@context"} == {
        name: plain[name] for name in plain if name != "@context"
    }
    assert [part for part in document["@context"] if part != contexts.DATA_INTEGRITY] == plain["@context"]
