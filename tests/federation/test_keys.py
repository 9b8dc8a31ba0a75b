from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from federation import keys
from federation.errors import Malformed
from tests.federation.signing import KEY_ID, OWNER, pair

KINDS = ("rsa", "ed25519", "ecdsa-p256")
# did:key specification, section 3.1.
PUBLISHED_MULTIKEY = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def pem(key) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load(material: str) -> keys.PublicKey:
    return keys.load_public(KEY_ID, OWNER, material)


@pytest.mark.parametrize(
    "material",
    [
        "",
        "z",
        "z6Mk",
        "z0OIl",
        "zé",
        "u7QEBA",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----",
        "\ud800",
        "ключ",
        "z" + "2" * 3000,
        "A" * 10_000,
        PUBLISHED_MULTIKEY[:-1],
        PUBLISHED_MULTIKEY + "1",
        # x25519-pub: a key to encrypt with.
        "z" + keys.base58(b"\xec\x01" + bytes(range(32))),
        # Not on the curve.
        "z" + keys.base58(keys.P256_PREFIX + b"\x02" + b"\xff" * 32),
        "z" + keys.base58(keys.RSA_PREFIX + b"\x30\x03\x02\x01\x01"),
    ],
)
def test_what_is_not_a_key_is_malformed(material):
    with pytest.raises(Malformed):
        load(material)


def test_a_private_key_is_not_taken_for_a_public_one():
    for kind in KINDS:
        with pytest.raises(Malformed):
            load(pair(kind).private)


def test_keys_of_other_types_and_sizes_are_malformed():
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    for key in (
        small,
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        ed448.Ed448PrivateKey.generate().public_key(),
        x25519.X25519PrivateKey.generate().public_key(),
        dsa.generate_private_key(key_size=1024).public_key(),
    ):
        with pytest.raises(Malformed):
            load(pem(key))
    with pytest.raises(Malformed):
        load("z" + keys.base58(keys.RSA_PREFIX + small.public_bytes(Encoding.DER, PublicFormat.PKCS1)))


@pytest.mark.parametrize("bits", [2047, 8193, 16384])
def test_an_rsa_key_too_weak_or_too_dear_is_malformed(bits):
    with pytest.raises(Malformed):
        load(pem(rsa.RSAPublicNumbers(65537, (1 << bits) - 1).public_key()))


def test_an_rsa_exponent_that_makes_verifying_dear_is_malformed():
    with pytest.raises(Malformed):
        load(pem(rsa.RSAPublicNumbers((1 << 1024) + 1, (1 << 2048) - 1).public_key()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_generated_pair_loads_and_belongs_together(kind):
    made = pair(kind)
    private, public = keys.load_private(KEY_ID, made.private), load(made.public)
    assert (private.kind, public.kind, made.kind) == (kind, kind, kind)
    assert (public.id, public.owner, private.id) == (KEY_ID, OWNER, KEY_ID)
    assert private.key.public_key() == public.key
    assert made.private.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert made.public.startswith("-----BEGIN PUBLIC KEY-----\n")


@pytest.mark.parametrize("kind", KINDS)
def test_a_multikey_is_the_same_key(kind):
    public = load(pair(kind).public)
    again = load(keys.multikey(pair(kind).public))
    assert again == public
    assert keys.multikey(pair(kind).public).startswith({"rsa": "z4MX", "ed25519": "z6Mk", "ecdsa-p256": "zDn"}[kind])


def test_the_published_multikey_is_read_and_written():
    key = load(PUBLISHED_MULTIKEY)
    assert isinstance(key.key, ed25519.Ed25519PublicKey)
    assert keys.multikey(pem(key.key)) == PUBLISHED_MULTIKEY


def test_pem_as_other_servers_write_it_is_read():
    made = pair("rsa").public
    key = load(made)
    old = key.key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert old.startswith("-----BEGIN RSA PUBLIC KEY-----")
    for spelling in (old, made.strip(), made.replace("\n", "\r\n"), f"\n\n  {made}\n"):
        assert load(spelling) == key


@pytest.mark.parametrize("text", ["", "nonsense", "\ud800"])
def test_a_broken_private_key_is_malformed(text):
    with pytest.raises(Malformed):
        keys.load_private(KEY_ID, text)


def test_a_private_key_of_another_type_is_malformed():
    text = ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(Malformed):
        keys.load_private(KEY_ID, text.decode())


def test_a_refused_private_key_is_not_in_the_message():
    broken = pair("rsa").private.replace("A", "B")
    with pytest.raises(Malformed) as refusal:
        keys.load_private(KEY_ID, broken)
    assert "BEGIN" not in str(refusal.value)


@given(st.binary(max_size=80))
def test_base58_comes_back(raw):
    assert keys.unbase58(keys.base58(raw)) == raw


@given(st.text() | st.text(alphabet=keys.ALPHABET).map("z".__add__))
def test_any_text_is_a_key_or_malformed(material):
    with suppress(Malformed):
        load(material)


@given(st.binary(max_size=40), st.sampled_from([keys.ED25519_PREFIX, keys.P256_PREFIX, keys.RSA_PREFIX]))
def test_any_bytes_after_a_prefix_are_a_key_or_malformed(raw, prefix):
    with suppress(Malformed):
        load("z" + keys.base58(prefix + raw))
