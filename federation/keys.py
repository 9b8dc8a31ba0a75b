"""Keys: what other servers publish (PEM, Multikey), what we make, keep and publish ourselves.

A public key is hostile input: anything but RSA of 2048 to 8192 bits, Ed25519 and ECDSA P-256 is `Malformed`.
Sources: W3C security vocabulary (`publicKeyPem`), FEP-521a, W3C Controlled Identifiers (Multikey), multicodec table.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from federation.errors import Malformed

Kind: TypeAlias = Literal["rsa", "ed25519", "ecdsa-p256"]
Public: TypeAlias = RSAPublicKey | Ed25519PublicKey | EllipticCurvePublicKey
Private: TypeAlias = RSAPrivateKey | Ed25519PrivateKey | EllipticCurvePrivateKey

RSA_BITS: Final = range(2048, 8193)
RSA_EXPONENTS: Final = range(3, 1 << 32)  # a giant one makes each verification as dear as the sender likes
MATERIAL_AT_MOST: Final = 8192  # characters; RSA-8192 takes 1,500 as PEM
MULTIBASE_AT_MOST: Final = 1600  # characters; decoding is quadratic
ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DIGITS: Final = {character: value for value, character in enumerate(ALPHABET)}
# Multicodec prefixes, varint: ed25519-pub 0xed, p256-pub 0x1200, rsa-pub 0x1205.
ED25519_PREFIX: Final = b"\xed\x01"
P256_PREFIX: Final = b"\x80\x24"
RSA_PREFIX: Final = b"\x85\x24"


@dataclass(frozen=True, slots=True)
class PublicKey:
    id: str
    owner: str
    kind: Kind
    key: Public


@dataclass(frozen=True, slots=True)
class PrivateKey:
    id: str
    kind: Kind
    key: Private


@dataclass(frozen=True, slots=True)
class KeyPair:
    """`private` is PEM PKCS#8 without a password, `public` PEM SPKI: what `publicKeyPem` holds."""

    kind: Kind
    private: str
    public: str


def load_public(key_id: str, owner: str, material: str) -> PublicKey:
    """A key as its owner publishes it: PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`) or Multikey (`z…`).  Raises: Malformed."""
    if len(material) > MATERIAL_AT_MOST:
        raise Malformed("public key", f"{len(material)} characters")
    text = material.strip()
    try:
        key = _from_multibase(text) if text.startswith("z") else load_pem_public_key(text.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("public key", material) from None
    kind = _kind(key)
    if kind is None:
        raise Malformed("public key", material)
    return PublicKey(key_id, owner, kind, key)  # type: ignore[arg-type]  # _kind looked at its class


def load_private(key_id: str, pem: str) -> PrivateKey:
    """Our own key from our own database, which is why RSA's 37 ms of checks are skipped.  Raises: Malformed."""
    try:
        key = load_pem_private_key(pem.encode("ascii"), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Malformed("private key", key_id) from None  # never the key itself: messages are logged
    match key:
        case RSAPrivateKey():
            return PrivateKey(key_id, "rsa", key)
        case Ed25519PrivateKey():
            return PrivateKey(key_id, "ed25519", key)
        case EllipticCurvePrivateKey() if isinstance(key.curve, SECP256R1):
            return PrivateKey(key_id, "ecdsa-p256", key)
    raise Malformed("private key", key_id)


def generate(kind: Kind) -> KeyPair:
    """A new pair.  RSA-2048 takes some 50 to 500 ms of processor: not on the event loop."""
    key: Private
    match kind:
        case "rsa":
            key = generate_rsa(public_exponent=65537, key_size=2048)
        case "ed25519":
            key = Ed25519PrivateKey.generate()
        case "ecdsa-p256":
            key = generate_private_key(SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(kind, private.decode("ascii"), public.decode("ascii"))


def multikey(public_pem: str) -> str:
    """`publicKeyMultibase` of FEP-521a: `z6Mk…` for Ed25519, `z4MX…` for RSA, `zDn…` for P-256.  Raises: Malformed."""
    key = load_public("", "", public_pem).key
    match key:
        case Ed25519PublicKey():
            raw = ED25519_PREFIX + key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        case RSAPublicKey():
            raw = RSA_PREFIX + key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
        case EllipticCurvePublicKey():
            raw = P256_PREFIX + key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return "z" + base58(raw)


def base58(raw: bytes) -> str:
    """Base58 with the Bitcoin alphabet; a leading zero byte is a leading `1`."""
    number = int.from_bytes(raw, "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def unbase58(text: str) -> bytes:
    """Raises: ValueError for a character outside the alphabet."""
    number = 0
    for character in text:
        if character not in DIGITS:
            raise ValueError("not base58")
        number = number * 58 + DIGITS[character]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _from_multibase(text: str) -> object:
    if len(text) > MULTIBASE_AT_MOST:
        raise ValueError("too long")
    raw = unbase58(text[1:])
    prefix, rest = raw[:2], raw[2:]
    if prefix == ED25519_PREFIX:
        return Ed25519PublicKey.from_public_bytes(rest)
    if prefix == P256_PREFIX:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), rest)
    if prefix == RSA_PREFIX:
        return load_der_public_key(rest)  # understands PKCS#1 beside SPKI
    raise ValueError("not a key that is understood here")


def _kind(key: object) -> Kind | None:
    match key:
        case RSAPublicKey():
            sound = key.key_size in RSA_BITS and key.public_numbers().e in RSA_EXPONENTS
            return "rsa" if sound else None
        case Ed25519PublicKey():
            return "ed25519"
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return "ecdsa-p256"
    return None
