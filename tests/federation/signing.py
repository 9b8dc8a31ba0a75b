"""A small signer of its own: signs whatever a test wants signed, honest or not, without asking the code under test."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from federation import keys, signatures
from federation.errors import FederationError, Forged, Malformed
from federation.signatures import Message

NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
KEY_ID = "https://alice.test/users/alice#main-key"
OWNER = "https://alice.test/users/alice"
BODY = b'{"type":"Like"}'
POST = "(request-target) host date digest"
GET = "(request-target) host date"
HOUR = 3600.0

Signer = Callable[[bytes], bytes]


@cache
def pair(kind: keys.Kind) -> keys.KeyPair:
    return keys.generate(kind)


def private(kind: keys.Kind = "rsa") -> keys.PrivateKey:
    return keys.load_private(KEY_ID, pair(kind).private)


def public(kind: keys.Kind = "rsa") -> keys.PublicKey:
    return keys.load_public(KEY_ID, OWNER, pair(kind).public)


def rsa_sha256(text: bytes) -> bytes:
    return private().key.sign(text, PKCS1v15(), hashes.SHA256())


def b64(raw: bytes) -> str:
    return b64encode(raw).decode()


def cavage(
    headers: str | None = POST,
    *,
    sign: Signer = rsa_sha256,
    label: str | None = "rsa-sha256",
    parameters: dict[str, str] | None = None,
    lines: dict[str, str] | None = None,
    method: str = "POST",
    target: str = "/inbox",
    sent: dict[str, str] | None = None,
    body: bytes | None = BODY,
) -> Message:
    """A message signed as draft-cavage.  `headers` what is covered (None: do not say), `sent` headers to add or change,
    `lines` what is signed in place of what is sent, `parameters` more of the Signature header."""
    fields = {"Host": "bob.test", "Date": DATE}
    if body is not None:
        fields["Digest"] = f"SHA-256={b64(sha256(body).digest())}"
    fields |= sent or {}
    named = {name.lower(): value for name, value in fields.items()}
    named["(request-target)"] = f"{method.lower()} {target}"
    named |= {f"({name})": value for name, value in (parameters or {}).items()} | (lines or {})
    text = "\n".join(f"{name.lower()}: {named[name.lower()]}" for name in (headers or "date").split())
    said = {"keyId": f'"{KEY_ID}"'} | (parameters or {})
    said |= {"algorithm": f'"{label}"'} if label is not None else {}
    said |= {"headers": f'"{headers}"'} if headers is not None else {}
    said["signature"] = f'"{b64(sign(text.encode()))}"'
    signature = ",".join(f"{name}={value}" for name, value in said.items())
    return Message(method, target, "bob.test", "https", [*fields.items(), ("Signature", signature)], body)


def rfc9421(
    covered: str = '"@method" "@target-uri" "content-digest"',
    *,
    parameters: str = f';created={int(NOW)};keyid="{KEY_ID}";alg="rsa-v1_5-sha256"',
    sign: Signer = rsa_sha256,
    lines: dict[str, str] | None = None,
    method: str = "POST",
    target: str = "/inbox",
    sent: dict[str, str] | None = None,
    body: bytes | None = BODY,
    label: str = "sig1",
) -> Message:
    """The same for RFC 9421; `covered` is the inside of the inner list."""
    fields = {"Host": "bob.test", "Date": DATE}
    if body is not None:
        fields["Content-Digest"] = f"sha-256=:{b64(sha256(body).digest())}:"
    fields |= sent or {}
    path, _, query = target.partition("?")
    named = {name.lower(): value for name, value in fields.items()} | {
        "@method": method,
        "@target-uri": f"https://bob.test{target}",
        "@authority": "bob.test",
        "@scheme": "https",
        "@path": path,
        "@query": f"?{query}",
        "@request-target": target,
    }
    named |= lines or {}
    names = [part.strip('"') for part in covered.split()]
    text = "\n".join([f'"{name}": {named[name]}' for name in names] + [f'"@signature-params": ({covered}){parameters}'])
    headers = [
        *fields.items(),
        ("Signature-Input", f"{label}=({covered}){parameters}"),
        ("Signature", f"{label}=:{b64(sign(text.encode()))}:"),
    ]
    return Message(method, target, "bob.test", "https", headers, body)


def received(method: str, target: str, headers: dict[str, str], body: bytes | None) -> Message:
    """What bob.test receives of a request with these headers."""
    return Message(method, target, "bob.test", "https", list(headers.items()), body)


def changed(message: Message, name: str, value: str) -> Message:
    """The message with a header changed on the way."""
    assert any(found == name for found, _ in message.headers)
    return replace(message, headers=[(found, value if found == name else old) for found, old in message.headers])


def doubled(message: Message, name: str, value: str | None = None) -> Message:
    """The message with a header a second time, equal unless a value is given."""
    kept = next(old for found, old in message.headers if found.lower() == name.lower())
    return replace(message, headers=[*message.headers, (name.lower(), kept if value is None else value)])


def without(message: Message, name: str) -> Message:
    return replace(message, headers=[(found, value) for found, value in message.headers if found != name])


def header(message: Message, name: str) -> str:
    return next(value for found, value in message.headers if found == name)


def accept(message: Message, key: keys.PublicKey | None = None, now: float = NOW) -> signatures.Signature:
    signature = signatures.parse(message)
    signatures.verify(message, signature, key or public(), now)
    return signature


def refuse(
    message: Message,
    reason: str | None = None,
    *,
    key: keys.PublicKey | None = None,
    now: float = NOW,
    error: type[FederationError] | tuple[type[FederationError], ...] = (Forged, Malformed),
) -> None:
    with pytest.raises(error, match=reason) as refusal:
        accept(message, key, now)
    assert "\n" not in str(refusal.value)


BOTH = pytest.mark.parametrize("make", [cavage, rfc9421])
COVERED = '"@method" "@target-uri" "content-digest"'
RFC_DIGEST = "Content-Digest"


def digest_name(make) -> str:
    return "Digest" if make is cavage else RFC_DIGEST


def rfc_parameters(**changes: object) -> str:
    said = {"created": int(NOW), "keyid": f'"{KEY_ID}"', "alg": '"rsa-v1_5-sha256"'} | changes
    return "".join(f";{name}={value}" for name, value in said.items() if value is not None)
