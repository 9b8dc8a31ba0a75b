"""Two independent libraries as witnesses: httpsig for draft-cavage, http-message-signatures for RFC 9421.

They verify what we sign, we accept what they sign.  Neither verifies in production: docs/adr/0005 says why, and the
last test here shows it.
"""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver, algorithms
from httpsig import HeaderSigner, HeaderVerifier
from httpsig.utils import generate_message
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import signatures
from federation.digest import content_digest, digest_header
from federation.signatures import Message
from tests.federation.signing import (
    BODY,
    DATE,
    GET,
    KEY_ID,
    NOW,
    POST,
    accept,
    b64,
    pair,
    private,
    public,
    received,
    refuse,
)

TOKEN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
NAMES = st.text(TOKEN, min_size=1, max_size=12).map("X-".__add__)
# What a header may hold, without the spaces at its ends that HTTP takes away.
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40).map(str.strip)
VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#")
TARGETS = st.text(VISIBLE, max_size=40).map("/".__add__)
EXTRA = st.dictionaries(NAMES, VALUES, max_size=4).filter(lambda some: len({n.lower() for n in some}) == len(some))
DERIVED = ["@method", "@target-uri", "@authority", "@scheme", "@path", "@query", "@request-target"]
HMS = {
    "rsa": (algorithms.RSA_V1_5_SHA256, algorithms.RSA_PSS_SHA512),
    "ed25519": (algorithms.ED25519,),
    "ecdsa-p256": (algorithms.ECDSA_P256_SHA256,),
}


def httpsig_accepts(message: Message, secret: str) -> bool:
    return HeaderVerifier(
        dict(message.headers),
        secret,
        required_headers=POST.split(),
        method=message.method,
        path=message.target,
        sign_header="signature",
    ).verify()


def httpsig_signed(covered: list[str], target: str, extra: dict[str, str], body: bytes | None) -> Message:
    method = "GET" if body is None else "POST"
    headers = {"Host": "bob.test", "Date": DATE, **extra}
    if body is not None:
        headers["Digest"] = digest_header(body)
    signer = HeaderSigner(KEY_ID, pair("rsa").private, "rsa-sha256", covered, sign_header="signature")
    signed = signer.sign(headers, method=method, path=target)
    return received(method, target, {**headers, "Signature": signed["signature"]}, body)


@pytest.mark.parametrize("content_type", [None, "application/activity+json"])
def test_httpsig_verifies_what_we_sign(content_type):
    url = "https://bob.test/users/bob/inbox?a=b"
    headers = signatures.sign("cavage", "POST", url, private(), NOW, BODY, content_type=content_type)
    message = received("POST", "/users/bob/inbox?a=b", headers, BODY)
    assert httpsig_accepts(message, pair("rsa").public)
    assert not httpsig_accepts(received("POST", "/users/bob/inbox", headers, BODY), pair("rsa").public)


@pytest.mark.parametrize(
    ("covered", "body"),
    [(GET, None), (POST, BODY), (f"{POST} content-type", BODY), ("digest date (request-target) host", BODY)],
)
def test_we_accept_what_httpsig_signs(covered, body):
    message = httpsig_signed(covered.split(), "/inbox?a=b", {"Content-Type": "application/activity+json"}, body)
    accept(message)


@settings(deadline=None, max_examples=60)
@given(
    st.permutations(POST.split()),
    EXTRA,
    TARGETS,
    st.binary(max_size=50),
)
def test_our_signing_strings_are_httpsigs_byte_for_byte(order, extra, target, body):
    covered = [*order, *extra]
    message = httpsig_signed(covered, target, extra, body)
    theirs = generate_message(covered, dict(message.headers), method="POST", path=target)
    assert signatures.parse(message).bases == (theirs,)
    accept(message)


def hms_message(method: str, url: str, headers: dict[str, str]) -> SimpleNamespace:
    return SimpleNamespace(method=method, url=url, headers=headers)


def resolver(kind: str) -> MappingKeyResolver:
    return MappingKeyResolver(
        public_keys={KEY_ID: pair(kind).public.encode()}, private_keys={KEY_ID: pair(kind).private.encode()}
    )


@pytest.mark.parametrize("kind", HMS)
@pytest.mark.parametrize(("method", "body"), [("POST", BODY), ("GET", None)])
def test_http_message_signatures_verifies_what_we_sign(kind, method, body):
    url = "https://bob.test/users/bob/inbox?a=b"
    headers = signatures.sign(
        "rfc9421", method, url, private(kind), NOW, body, content_type="application/activity+json"
    )
    verifier = HTTPMessageVerifier(signature_algorithm=HMS[kind][0], key_resolver=resolver(kind))
    message = hms_message(method, url, headers)
    (found,) = verifier.verify(message, max_age=None, require_components=("@method", "@target-uri"), body=body)
    assert found.parameters == {
        "created": int(NOW),
        "keyid": KEY_ID,
        "alg": HMS[kind][0].algorithm_id,
    }


@pytest.mark.parametrize(("kind", "algorithm"), [(kind, algorithm) for kind, some in HMS.items() for algorithm in some])
@pytest.mark.parametrize("include_alg", [True, False])
@pytest.mark.parametrize(
    "covered", [("@method", "@target-uri"), ("@authority", "@method", "@path", "@query", "date", "content-type")]
)
def test_we_accept_what_http_message_signatures_signs(kind, algorithm, include_alg, covered):
    message = hms_message(
        "POST",
        "https://bob.test/inbox?a=b",
        {"Host": "bob.test", "Date": DATE, "Content-Type": "application/activity+json"},
    )
    HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=resolver(kind)).sign(
        message,
        key_id=KEY_ID,
        created=datetime.fromtimestamp(NOW, UTC),
        expires=datetime.fromtimestamp(NOW + 60, UTC),
        nonce="abc",
        tag="x",
        include_alg=include_alg,
        covered_component_ids=covered,
        body=BODY,
    )
    signature = accept(received("POST", "/inbox?a=b", message.headers, BODY), public(kind))
    assert signature.covered == (*covered, "content-digest")


@settings(deadline=None, max_examples=60)
@given(
    st.permutations([*DERIVED, "content-digest"]),
    EXTRA,
    st.lists(st.sampled_from([*TOKEN, *"/?&=~.:@!$'()*+,;", "%2F", "%c3%a9"]), max_size=30).map(
        lambda some: "/" + "".join(some)
    ),
)
def test_our_signature_bases_are_theirs_byte_for_byte(order, extra, rest):
    target = f"/{rest}"
    headers = {"Host": "bob.test", "Content-Digest": content_digest(BODY), **extra}
    message = hms_message("POST", f"https://bob.test{target}", headers)
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=resolver("ed25519"))
    covered = (*order, *(name.lower() for name in extra))
    created = datetime.fromtimestamp(NOW, UTC)
    said = {"key_id": KEY_ID, "created": created, "covered_component_ids": covered, "use_existing_digest": True}
    prepared = signer.prepare(message, **said)
    signer.sign(message, **said)
    ours = received("POST", target, message.headers, BODY)
    assert signatures.parse(ours).bases == (prepared.signature_base,)
    accept(ours, public("ed25519"))


@pytest.mark.parametrize("label", ["hmac-sha256", "hs2019", "rsa-sha256"])
def test_a_mac_keyed_with_the_victims_public_key_passes_httpsig_and_not_us(label):
    victim = pair("rsa").public
    headers = {"Host": "bob.test", "Date": DATE, "Digest": digest_header(BODY)}
    mac = hmac.HMAC(victim.encode(), hashes.SHA256())
    mac.update(generate_message(POST.split(), headers, method="POST", path="/inbox"))
    headers["Signature"] = f'keyId="{KEY_ID}",algorithm="{label}",headers="{POST}",signature="{b64(mac.finalize())}"'
    message = received("POST", "/inbox", headers, BODY)
    refuse(message, "not accepted|by this key")
    if label == "hmac-sha256":
        assert httpsig_accepts(message, victim), "the reason that httpsig is a witness and not the verifier is gone"
