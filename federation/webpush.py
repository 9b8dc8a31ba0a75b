"""Web Push: messages that only the program of a person can read, and the proof of who sends them.  Pure.

Sources: RFC 8291 (encryption) and RFC 8292 (VAPID); for programs that do not say `standard`, the drafts before them:
draft-ietf-webpush-encryption-04 (`aesgcm`) and draft-ietf-webpush-vapid-01.
"""

import base64
import binascii
import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.errors import Malformed

CURVE: Final = ec.SECP256R1()
AUTH_LENGTH: Final = 16
LARGEST: Final = 3_000  # bytes of a message; push services take 4,096 with all that goes around it
GOOD_FOR: Final = 12 * 3_600  # seconds, of a proof; a day at most


@dataclass(frozen=True, slots=True)
class VapidKey:
    """By which push services know this server (RFC 8292)."""

    private: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls) -> "VapidKey":
        return cls(ec.generate_private_key(CURVE))

    @classmethod
    def load(cls, text: str) -> "VapidKey":
        """As `text` has it."""
        return cls(ec.derive_private_key(int.from_bytes(unbase64(text)), CURVE))

    @property
    def text(self) -> str:
        return base64url(self.private.private_numbers().private_value.to_bytes(32))

    @property
    def public(self) -> str:
        """Without padding, as the header of a message has it."""
        return base64url(point(self.private.public_key()))

    @property
    def shown(self) -> str:
        """As Mastodon shows it to programs: with padding."""
        return self.public + "=" * (-len(self.public) % 4)

    def proof(self, endpoint: str, contact: str, now: float) -> str:
        """A token for the origin of `endpoint`.  contact: a mailto: or https: address."""
        import jwt  # noqa: PLC0415  0.1 s, for those who send

        parts = urlsplit(endpoint)
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(now) + GOOD_FOR, "sub": contact}
        return jwt.encode(claims, self.private, algorithm="ES256")


@dataclass(frozen=True, slots=True)
class Recipient:
    """p256dh: the public key of the program, an uncompressed point; auth: what it shares with us."""

    p256dh: bytes
    auth: bytes
    standard: bool


@dataclass(frozen=True, slots=True)
class Sealed:
    body: bytes
    headers: dict[str, str]


def seal(
    message: bytes,
    to: Recipient,
    key: VapidKey,
    proof: str,
    *,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> Sealed:
    """`message` for the program alone.  sender, salt: new ones for each message, except in tests."""
    import http_ece  # noqa: PLC0415  see above

    if len(message) > LARGEST:
        raise ValueError(f"a message of {len(message)} bytes")
    sender, salt = sender or ec.generate_private_key(CURVE), salt or os.urandom(16)
    coding = "aes128gcm" if to.standard else "aesgcm"
    body = http_ece.encrypt(message, salt=salt, private_key=sender, dh=to.p256dh, auth_secret=to.auth, version=coding)
    headers = {"Content-Type": "application/octet-stream", "Content-Encoding": coding}
    if to.standard:
        return Sealed(body, {**headers, "Authorization": f"vapid t={proof},k={key.public}"})
    keys = f"dh={base64url(point(sender.public_key()))};p256ecdsa={key.public}"
    more = {"Encryption": f"salt={base64url(salt)}", "Crypto-Key": keys, "Authorization": f"WebPush {proof}"}
    return Sealed(body, {**headers, **more})


def read_keys(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    """The keys of a subscription, from base64 of either alphabet, padded or not.  Raises: Malformed."""
    key, secret = unbase64(p256dh), unbase64(auth)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, key)
    except ValueError as error:
        raise Malformed("p256dh", "no point of P-256") from error
    if len(key) != 65:
        raise Malformed("p256dh", "a compressed point")
    if len(secret) != AUTH_LENGTH:
        raise Malformed("auth", f"{len(secret)} bytes")
    return key, secret


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64(text: str) -> bytes:
    """Raises: Malformed."""
    bare = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("base64", text[:100]) from error
