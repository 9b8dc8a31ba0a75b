"""The vectors that the two standards publish."""

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from federation import envelope, keys, rfc9421, signatures
from federation.errors import Forged, Malformed
from federation.signatures import Message

VECTORS = Path(__file__).parent / "vectors"
CAVAGE = json.loads((VECTORS / "cavage.json").read_text())
RFC = json.loads((VECTORS / "rfc9421.json").read_text())
CREATED = 1618884473


def request_of(vectors: dict) -> Message:
    told = vectors["request"]
    headers = [(name, value) for name, value in told["headers"]]
    return Message(told["method"], told["target"], told["authority"], told["scheme"], headers, told["body"].encode())


def signed(message: Message, *headers: tuple[str, str]) -> Message:
    return replace(message, headers=[*message.headers, *headers])


def cavage_signed(vector: dict) -> Message:
    text = f'keyId="https://example.com/Test",algorithm="rsa-sha256",headers="{vector["headers"]}",signature="{vector["value"]}"'
    return signed(request_of(CAVAGE), ("Signature", text))


@pytest.mark.parametrize("name", CAVAGE["signatures"])
def test_cavage_arithmetic(name):
    vector = CAVAGE["signatures"][name]
    key = load_pem_public_key(CAVAGE["key"].encode())
    base, value = "\n".join(vector["base"]).encode(), b64decode(vector["value"])
    assert envelope.holds(key, "rsa-sha256", base, value)
    assert not envelope.holds(key, "rsa-sha256", base + b" ", value)
    assert not envelope.holds(key, "rsa-sha512", base, value)


def test_the_cavage_key_is_too_weak_for_us():
    with pytest.raises(Malformed):
        keys.load_public("https://example.com/Test", "https://example.com/", CAVAGE["key"])


@pytest.mark.parametrize("name", ["C.1 Default", "C.2 Basic"])
def test_cavage_examples_that_cover_too_little_are_refused(name):
    with pytest.raises(Forged):
        signatures.parse(cavage_signed(CAVAGE["signatures"][name]))


def test_the_cavage_signing_string_is_the_published_one():
    vector = CAVAGE["signatures"]["C.3 All Headers"]
    message = cavage_signed(vector)
    signature = signatures.parse(message)
    assert signature.bases == ("\n".join(vector["base"]).encode(),)
    assert signature.value == b64decode(vector["value"])
    # Beneath the rule about sizes, the whole way.
    key = keys.PublicKey(signature.key_id, "", "rsa", load_pem_public_key(CAVAGE["key"].encode()))
    signatures.verify(message, signature, key, envelope.moment("Sun, 05 Jan 2014 21:31:40 GMT"))


@pytest.mark.parametrize("name", RFC["signatures"])
def test_rfc9421_arithmetic(name):
    vector = RFC["signatures"][name]
    key = keys.load_public("", "", RFC["keys"][vector["key"]]).key
    base, value = "\n".join(vector["base"]).encode(), b64decode(vector["value"])
    assert envelope.holds(key, vector["algorithm"], base, value)
    assert not envelope.holds(key, vector["algorithm"], base + b" ", value)


@pytest.mark.parametrize("name", [name for name, vector in RFC["signatures"].items() if "components" in vector])
def test_the_rfc9421_signature_base_is_the_published_one(name):
    vector = RFC["signatures"][name]
    message = request_of(RFC)
    found = rfc9421.base(message, envelope.fields(message), vector["components"], vector["parameters"])
    assert found == "\n".join(vector["base"]).encode()


def test_the_fully_covered_example_passes_but_for_its_key_id():
    vector = RFC["signatures"]["B.2.3"]
    message = signed(
        request_of(RFC),
        ("Signature-Input", f"sig-b23={vector['parameters']}"),
        ("Signature", f"sig-b23=:{vector['value']}:"),
    )
    with pytest.raises(Malformed, match="keyId"):
        signatures.parse(message)


@pytest.mark.parametrize("name", ["B.2.1", "B.2.6"])
def test_rfc9421_examples_that_cover_too_little_are_refused(name):
    vector = RFC["signatures"][name]
    message = signed(
        request_of(RFC), ("Signature-Input", f"x={vector['parameters']}"), ("Signature", f"x=:{vector['value']}:")
    )
    with pytest.raises(Forged, match="does not cover"):
        signatures.parse(message)


def test_our_ed25519_signature_is_the_published_one():
    key = keys.load_private("test-key-ed25519", RFC["private"]["test-key-ed25519"])
    vector = RFC["signatures"]["B.2.6"]
    assert envelope.signed(key.key, "\n".join(vector["base"]).encode()) == b64decode(vector["value"])
