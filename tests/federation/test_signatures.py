"""Who said it, of which body, and when: the honest message accepted, the hostile one refused."""

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from federation import envelope, signatures
from federation.errors import Forged, Malformed
from federation.keys import PublicKey
from tests.federation.signing import (
    BODY,
    BOTH,
    COVERED,
    GET,
    HOUR,
    KEY_ID,
    NOW,
    OWNER,
    POST,
    RFC_DIGEST,
    accept,
    b64,
    cavage,
    changed,
    digest_name,
    header,
    private,
    public,
    refuse,
    rfc9421,
    rfc_parameters,
    without,
)


def stranger() -> PublicKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return PublicKey(KEY_ID, OWNER, "rsa", key.public_key())


# unsigned, another's, altered


@BOTH
def test_an_unsigned_message_is_refused(make):
    refuse(without(without(make(), "Signature"), "Signature-Input"), "not signed", error=Forged)


@BOTH
def test_an_honest_message_is_accepted_and_says_whose_key(make):
    signature = accept(make())
    assert signature.key_id == KEY_ID
    assert signature.scheme == ("cavage" if make is cavage else "rfc9421")


@BOTH
def test_another_persons_key_does_not_fit(make):
    refuse(make(), "by this key", key=stranger(), error=Forged)


@BOTH
def test_an_altered_signature_is_refused(make):
    message = make()
    kept = header(message, "Signature")
    at = len(kept) - 50
    other = "A" if kept[at] != "A" else "B"
    refuse(changed(message, "Signature", kept[:at] + other + kept[at + 1 :]), "by this key", error=Forged)


@BOTH
def test_a_key_id_that_is_not_a_web_address_is_malformed(make):
    for key_id in (
        "acct:alice@alice.test",
        "ftp://alice.test/key",
        "did:key:z6Mk",
        "alice",
        "",
        "https://",
        "https://a b",
    ):
        text = header(message := make(), "Signature" if make is cavage else "Signature-Input")
        name = "Signature" if make is cavage else "Signature-Input"
        refuse(changed(message, name, text.replace(KEY_ID, key_id)), "keyId", error=Malformed)


# the body (rule 5, row 7)


@BOTH
def test_a_body_that_is_not_the_digests_is_refused(make):
    refuse(replace(make(), body=BODY + b" "), "not that of the body", error=Forged)
    refuse(replace(make(), body=None), "not that of the body", error=Forged)


@BOTH
def test_a_digest_changed_with_the_body_breaks_the_signature(make):
    other = make(body=b"{}")
    name = digest_name(make)
    refuse(replace(changed(make(), name, header(other, name)), body=b"{}"), "by this key", error=Forged)


@BOTH
def test_a_post_whose_digest_is_there_but_not_signed_is_refused(make):
    message = cavage(GET) if make is cavage else rfc9421('"@method" "@target-uri"')
    refuse(message, "does not cover a digest", error=Forged)


@BOTH
def test_a_post_whose_signed_digest_is_missing_is_refused(make):
    refuse(without(make(), digest_name(make)), "digest is not there", error=Malformed)


@BOTH
def test_a_post_with_a_digest_of_a_weak_hash_only_is_refused(make):
    value = "MD5=abc" if make is cavage else "md5=:abc:"
    refuse(make(sent={digest_name(make): value}), "neither SHA-256 nor SHA-512", error=Forged)


@BOTH
def test_one_good_digest_does_not_excuse_a_bad_one(make):
    good = header(make(), digest_name(make))
    bad = good + (",SHA-512=AAAA" if make is cavage else ", sha-512=:AAAA:")
    refuse(make(sent={digest_name(make): bad}), "not that of the body", error=Forged)


def test_a_body_on_a_get_has_to_be_signed_too():
    refuse(replace(cavage(GET, method="GET", body=None), body=b"x"), "does not cover a digest", error=Forged)


def test_a_claim_of_a_fetch_does_not_verify_a_delivery():
    fetch = signatures.parse(cavage(GET, method="GET", body=None))
    with pytest.raises(Forged, match="does not cover a digest"):
        signatures.verify(cavage(), fetch, public(), NOW)


@pytest.mark.parametrize("algorithm", envelope.ARITHMETIC)
@pytest.mark.parametrize("kind", ["rsa", "ed25519", "ecdsa-p256"])
def test_no_algorithm_takes_a_key_of_another_type(algorithm, kind):
    if algorithm.partition("-")[0] != kind.partition("-")[0]:
        assert not envelope.holds(public(kind).key, algorithm, b"x", envelope.signed(private(kind).key, b"x"))


def test_a_get_with_the_digest_of_no_body_is_accepted():
    empty = "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    accept(cavage(POST, method="GET", body=None, sent={"Digest": empty}))
    refuse(cavage(POST, method="GET", body=None, sent={"Digest": header(cavage(), "Digest")}), "not that of the body")


def test_a_sha_512_digest_is_accepted():
    value = b64(hashlib.sha512(BODY).digest())
    accept(cavage(sent={"Digest": f"SHA-512={value}"}))
    accept(rfc9421(sent={RFC_DIGEST: f"sha-512=:{value}:"}))


# the time (rules 6, rows 8 and 13)


@BOTH
def test_a_delivery_may_have_waited_twelve_hours(make):
    accept(make(), now=NOW + 12 * HOUR - 1)
    refuse(make(), "too old", now=NOW + 12 * HOUR + 1, error=Forged)


@BOTH
def test_a_fetch_may_be_one_hour_old(make):
    covered = GET if make is cavage else '"@method" "@target-uri"'
    accept(make(covered, method="GET", body=None), now=NOW + HOUR - 1)
    refuse(make(covered, method="GET", body=None), "too old", now=NOW + HOUR + 1, error=Forged)


def test_a_date_may_be_an_hour_ahead():
    accept(cavage(), now=NOW - HOUR + 1)
    refuse(cavage(), "Date is in the future", now=NOW - HOUR - 1, error=Forged)


def test_created_may_be_five_minutes_ahead():
    created = cavage("(request-target) host (created) digest", label="hs2019", parameters={"created": str(int(NOW))})
    for message in (created, rfc9421()):
        accept(message, now=NOW - 299)
        refuse(message, "created is in the future", now=NOW - 301, error=Forged)


def test_an_expired_signature_is_refused():
    expires = {"created": str(int(NOW)), "expires": str(int(NOW) + 60)}
    for message in (
        cavage("(request-target) host (created) (expires) digest", label="hs2019", parameters=expires),
        cavage(parameters={"expires": expires["expires"]}),
        rfc9421(parameters=rfc_parameters(expires=int(NOW) + 60)),
    ):
        accept(message, now=NOW + 60 + 299)
        refuse(message, "expired", now=NOW + 60 + 301, error=Forged)


def test_created_is_looked_at_even_when_only_the_date_is_signed():
    refuse(cavage(parameters={"created": str(int(NOW) + 1000)}), "created is in the future", error=Forged)


def test_a_date_signed_beside_created_is_looked_at():
    refuse(
        rfc9421(f'{COVERED} "date"', sent={"Date": "Mon, 13 Nov 2023 22:13:20 GMT"}), "Date is too old", error=Forged
    )
    accept(rfc9421(sent={"Date": "Mon, 13 Nov 2023 22:13:20 GMT"}))


def test_a_message_without_a_signed_time_is_refused():
    refuse(cavage("(request-target) host digest"), "neither date nor", error=Forged)
    refuse(rfc9421(parameters=rfc_parameters(created=None)), "does not say when", error=Forged)
    refuse(without(cavage(), "Date"), "date is not there", error=Malformed)
    refuse(cavage("(request-target) host (created) digest", lines={"(created)": "1"}), "created", error=Malformed)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "1700000000",
        "2023-11-14T22:13:20Z",
        "Tue, 14 Nov 2023 22:13:20",
        "Tue, 14 Nov 2023 22:13:20 +0200",
        "Tue, 31 Feb 2023 22:13:20 GMT",
        "Tue, 14 Nov 2023 25:13:20 GMT",
        "Tue, 14 Nov 0000 22:13:20 GMT",
        "Tue, 14 Nov \uff12\uff10\uff12\uff13 22:13:20 GMT",
        "Tue, 14 Nov 2023 22:13:20 GMT\n",
    ],
)
def test_a_date_that_cannot_be_read_is_malformed(date):
    refuse(cavage(sent={"Date": date}), error=Malformed)


@pytest.mark.parametrize("created", ["soon", "1e9", "nan", "inf", "-1", "1.2.3", '"x"', "9" * 13])
def test_a_created_that_cannot_be_read_is_malformed(created):
    covered = "(request-target) host (created) digest"
    refuse(cavage(covered, label="hs2019", parameters={"created": created}), error=Malformed)


@pytest.mark.parametrize("created", ['"1700000000"', "?1", "1700000000.5", "soon", ":AAAA:", "@1700000000"])
def test_a_created_of_another_type_is_malformed(created):
    refuse(rfc9421(parameters=rfc_parameters(created=created)), error=Malformed)
