"""The key decides the algorithm, whatever the label says."""

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from federation.errors import Forged
from tests.federation.signing import accept, cavage, pair, private, public, refuse, rfc9421, rfc_parameters


def hmac_with_public_key(text: bytes) -> bytes:
    mac = hmac.HMAC(pair("rsa").public.encode(), hashes.SHA256())
    mac.update(text)
    return mac.finalize()


def with_hash(algorithm: hashes.HashAlgorithm):
    return lambda text: private().key.sign(text, padding.PKCS1v15(), algorithm)


def pss(text: bytes) -> bytes:
    return private().key.sign(text, padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512())


def ed25519(text: bytes) -> bytes:
    return private("ed25519").key.sign(text)


def p256_der(text: bytes) -> bytes:
    return private("ecdsa-p256").key.sign(text, ECDSA(hashes.SHA256()))


def p256(text: bytes) -> bytes:
    r, s = decode_dss_signature(p256_der(text))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize(
    "label", ["hmac-sha256", "HMAC-SHA256", "hmac-sha512", "rsa-sha1", "none", "ecdsa-sha256", "x"]
)
def test_a_label_that_is_not_known_is_refused(label):
    refuse(cavage(label=label), "not accepted", error=Forged)
    refuse(rfc9421(parameters=rfc_parameters(alg=f'"{label}"')), "not accepted", error=Forged)


@pytest.mark.parametrize("label", ["hmac-sha256", "hs2019", "rsa-sha256", None])
def test_a_mac_keyed_with_the_public_key_is_refused_whatever_it_calls_itself(label):
    refuse(cavage(label=label, sign=hmac_with_public_key), "not accepted|by this key", error=Forged)
    alg = f'"{label}"' if label else None
    refuse(rfc9421(parameters=rfc_parameters(alg=alg), sign=hmac_with_public_key), "not accepted|by this key")


@pytest.mark.parametrize(
    ("label", "sign"),
    [
        ("rsa-sha256", with_hash(hashes.SHA256())),
        ("RSA-SHA256", with_hash(hashes.SHA256())),
        ("rsa-sha512", with_hash(hashes.SHA512())),
        ("hs2019", with_hash(hashes.SHA256())),
        ("hs2019", with_hash(hashes.SHA512())),
        ("hs2019", pss),
        (None, with_hash(hashes.SHA256())),
    ],
)
def test_cavage_with_an_rsa_key(label, sign):
    accept(cavage(label=label, sign=sign))


@pytest.mark.parametrize("label", ["hs2019", "ed25519", None])
def test_cavage_with_an_ed25519_key(label):
    accept(cavage(label=label, sign=ed25519), public("ed25519"))
    refuse(cavage(label=label, sign=ed25519), key=public(), error=Forged)


@pytest.mark.parametrize(
    ("label", "sign"),
    [
        ("rsa-sha256", with_hash(hashes.SHA512())),
        ("rsa-sha512", with_hash(hashes.SHA256())),
        ("rsa-sha256", pss),
        ("hs2019", with_hash(hashes.SHA1())),
        (None, with_hash(hashes.SHA1())),
    ],
)
def test_cavage_signed_otherwise_than_it_says_or_with_a_weak_hash_is_refused(label, sign):
    refuse(cavage(label=label, sign=sign), "by this key", error=Forged)


RFC_ALGORITHMS = {
    "rsa-v1_5-sha256": ("rsa", with_hash(hashes.SHA256())),
    "rsa-pss-sha512": ("rsa", pss),
    "ecdsa-p256-sha256": ("ecdsa-p256", p256),
    "ed25519": ("ed25519", ed25519),
}


@pytest.mark.parametrize("label", RFC_ALGORITHMS)
def test_rfc9421_with_each_algorithm(label):
    kind, sign = RFC_ALGORITHMS[label]
    accept(rfc9421(parameters=rfc_parameters(alg=f'"{label}"'), sign=sign), public(kind))
    accept(rfc9421(parameters=rfc_parameters(alg=None), sign=sign), public(kind))


@pytest.mark.parametrize("label", RFC_ALGORITHMS)
def test_a_label_that_does_not_fit_the_key_is_refused(label):
    kind, sign = RFC_ALGORITHMS[label]
    for other in {"rsa", "ed25519", "ecdsa-p256"} - {kind}:
        refuse(rfc9421(parameters=rfc_parameters(alg=f'"{label}"'), sign=sign), "does not fit", key=public(other))
        refuse(rfc9421(parameters=rfc_parameters(alg=None), sign=sign), "by this key", key=public(other))
    refuse(cavage(label="rsa-sha256"), "does not fit", key=public("ed25519"), error=Forged)
    refuse(cavage(label="ed25519"), "does not fit", key=public(), error=Forged)
    refuse(cavage(label="hs2019"), "does not fit", key=public("ecdsa-p256"), error=Forged)


def test_an_ecdsa_signature_in_another_form_or_of_zeros_is_refused():
    parameters = rfc_parameters(alg='"ecdsa-p256-sha256"')
    for sign in (
        p256_der,
        lambda _: b"\0" * 64,
        lambda _: b"\xff" * 64,
        lambda _: b"\1",
        lambda text: p256(text) + b"\0",
    ):
        refuse(rfc9421(parameters=parameters, sign=sign), "by this key", key=public("ecdsa-p256"), error=Forged)


@pytest.mark.parametrize("kind", ["rsa", "ed25519", "ecdsa-p256"])
@pytest.mark.parametrize("value", [b"\0", b"\0" * 64, b"\0" * 256, b"\xff" * 256, b"x" * 5000])
def test_a_signature_of_rubbish_is_refused_with_every_key(kind, value):
    refuse(rfc9421(parameters=rfc_parameters(alg=None), sign=lambda _: value), "by this key", key=public(kind))
    if kind != "ecdsa-p256":
        refuse(cavage(label=None, sign=lambda _: value), "by this key", key=public(kind))
