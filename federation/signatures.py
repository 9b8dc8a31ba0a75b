"""HTTP signatures, both ways, in both schemes: the only place where a message's sender is established.

    signature = parse(message)             # cheap; says whose key to look up
    verify(message, signature, key, now)   # returns, or raises Forged with one plain line of reason
    headers = sign("rfc9421", "POST", inbox, key, now, body)

What is demanded of a message, whichever the scheme:
- the method, the target, the host, the time, and (unless it only reads) a digest of the body are signed;
- Host is this server's; the digest is SHA-256 or SHA-512 and that of the bytes read; nothing is there twice;
- the type of the key decides the algorithm, the sender's label is only compared;
- times, around `now`: Date and created at most 12 h old when a body is signed, 1 h otherwise; Date at most 1 h ahead,
  created 5 min; expired since 5 min at most.

Sources: draft-cavage-http-signatures-12, RFC 9421, RFC 3230, RFC 9530; why so, and why not httpsig: docs/adr/0005.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from federation import cavage, envelope, rfc9421
from federation.digest import check_content_digest, check_digest, content_digest, digest_header
from federation.envelope import Message, Scheme, Signature
from federation.errors import Forged, Malformed
from federation.keys import PrivateKey, PublicKey

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

# FEP-844e: how a server says which signatures it can check.
RFC9421: Final = "https://datatracker.ietf.org/doc/html/rfc9421"
ED25519: Final = f"{RFC9421}#name-eddsa-using-curve-edwards25"
# Accept-Signature (RFC 9421 section 5.1), for answers to those whose signature is missing or wrong: what `verify` asks
# for, the algorithm that is cheaper for both sides first.
_WANTED: Final = '{0}=({1});created;alg="{0}", {2}=({1});created;alg="{2}"'
ACCEPT_SIGNATURE: Final = _WANTED.format("ed25519", '"@method" "@target-uri"', "rsa-v1_5-sha256")
ACCEPT_SIGNATURE_OF_BODY: Final = _WANTED.format(
    "ed25519", '"@method" "@target-uri" "content-digest"', "rsa-v1_5-sha256"
)
__all__ = [
    "ACCEPT_SIGNATURE",
    "ACCEPT_SIGNATURE_OF_BODY",
    "ED25519",
    "RFC9421",
    "Message",
    "Scheme",
    "Signature",
    "parse",
    "sign",
    "verify",
]


def parse(message: Message) -> Signature:
    """What the sender claims, with everything that can be refused without the key refused.

    Raises: Malformed for what cannot be read; Forged when unsigned, ambiguous, covering too little, for another host.
    Nothing else, whatever the message.
    """
    found = envelope.fields(message)
    _check_host(message, found.get("host"))
    if not message.target.startswith("/"):
        raise Malformed("request target", message.target)
    if "signature" not in found:
        raise Forged("the message is not signed")
    if "signature-input" in found:
        return rfc9421.parse(message, found)
    return cavage.parse(message, found)


def verify(message: Message, signature: Signature, key: PublicKey, now: float) -> None:
    """Returns when `key` signed `message` in time.  `signature` is what `parse` made of the same message.

    Whose key it is, and whether that is the activity's actor, remains to be asked.  Raises: Forged.
    """
    labels = cavage.LABELS if signature.scheme == "cavage" else rfc9421.LABELS
    algorithms = labels[signature.label].get(key.kind)
    if algorithms is None:
        raise Forged(f"the key is {key.kind}, which the signature does not fit")
    bodied = envelope.vouches_for_body(message)
    if bodied and not signature.digests:
        raise Forged("the signature does not cover a digest of the body")
    envelope.check_clock(signature, now, envelope.PAST_WITH_BODY if bodied else envelope.PAST)
    for name, value in signature.digests:
        check = check_digest if name == "digest" else check_content_digest
        check(value, message.body or b"")
    for base in signature.bases:
        for algorithm in algorithms:
            if envelope.holds(key.key, algorithm, base, signature.value):
                return
    raise Forged("the signature is not of this message by this key")


def sign(
    scheme: Scheme,
    method: str,
    url: str,
    key: PrivateKey,
    now: float,
    body: bytes | None = None,
    *,
    digest: str | None = None,
    content_type: str | None = None,
    also: Mapping[str, str] = NOTHING,
) -> dict[str, str]:
    """All headers that are signed, and the signature: send them as they are, to `url` as it is.

    `url` is absolute and already percent-encoded.  `digest` is the value of `digest_header` (cavage) or
    `content_digest` (rfc9421) where the caller has it: one body to a thousand inboxes is hashed once.
    cavage: Host, Date, [Digest, Content-Type,] Signature.  rfc9421: Host, [Content-Digest, Content-Type,]
    Signature-Input, Signature.  `also` are further headers to sign.
    Raises: Malformed for a URL or key that cannot be signed with.
    """
    if digest is None and (body is not None or method.upper() not in envelope.READS):
        digest = digest_header(body or b"") if scheme == "cavage" else content_digest(body or b"")
    if scheme == "cavage":
        return cavage.sign(method, url, key, now, digest=digest, content_type=content_type, also=also)
    return rfc9421.sign(method, url, key, now, digest=digest, content_type=content_type, also=also)


def _check_host(message: Message, host: str | None) -> None:
    if host is None:
        raise Forged("there is no Host header")
    if host == message.authority:
        return
    ours = envelope.canonical(message.authority, message.scheme)
    if envelope.canonical(host, message.scheme) != ours:
        raise Forged(f"this server is not {host[:80]!r}")
