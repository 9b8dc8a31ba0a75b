"""Object integrity proofs: what an activity carries to say by itself who made it, whoever brings it.

    the proof without its value → JCS → SHA-256 ┐
    the document without proof  → JCS → SHA-256 ┴→ Ed25519

A proof is worth what its key is worth, and whose key that is, is for others to ask.
Sources: FEP-8b32; W3C Data Integrity EdDSA Cryptosuites v1.0, eddsa-jcs-2022; JCS is RFC 8785.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson
import rfc8785

from federation import envelope
from federation.errors import Forged, Malformed
from federation.keys import PrivateKey, PublicKey, base58, unbase58
from federation.reading import JSON, instant
from federation.reading.values import is_web, objects

TYPE: Final = "DataIntegrityProof"
SUITE: Final = "eddsa-jcs-2022"
PURPOSE: Final = "assertionMethod"
PROOFS_LIMIT: Final = 8  # proofs of one document that are looked at
EXACT: Final = 2**53 - 1  # the largest integer of which JCS knows the one form
VALUE_BYTES: Final = 64
VALUE_AT_MOST: Final = 100  # characters; 64 bytes take 89 at most
BOUND_TO_MORE: Final = ("challenge", "domain", "previousProof")  # proofs that mean something only together with this

PAST: Final = timedelta(seconds=envelope.PAST_WITH_BODY)  # as long as for a signed request
AHEAD: Final = timedelta(seconds=envelope.CREATED_AHEAD)
EXPIRED_SINCE: Final = timedelta(seconds=envelope.EXPIRED_SINCE)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a document claims: not verified yet.

    `method` is the id of the key; `options` is the proof as it was found, without its value.
    """

    method: str
    created: datetime
    expires: datetime | None
    value: bytes = field(repr=False)
    options: JSON = field(repr=False)


def sign(document: JSON, key: PrivateKey, now: datetime) -> dict[str, Any]:
    """`document` with a proof by `key`, whose id is the verificationMethod.

    Raises: Malformed, when the key is not Ed25519, or JCS has no form for the document.
    """
    if key.kind != "ed25519":
        raise Malformed("the key of a proof", key.id)
    options: dict[str, Any] = {"@context": document["@context"]} if "@context" in document else {}
    options |= {
        "type": TYPE,
        "cryptosuite": SUITE,
        "verificationMethod": key.id,
        "proofPurpose": PURPOSE,
        "created": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    value = envelope.signed(key.key, _digests(document, options))
    return {**document, "proof": {**options, "proofValue": f"z{base58(value)}"}}


def parse(document: JSON) -> tuple[Proof, ...]:
    """Those proofs of the document that `verify` can decide about, in their order.  Never raises."""
    found = (_proof(one) for one in objects(document.get("proof"), PROOFS_LIMIT))
    return tuple([proof for proof in found if proof])


def verify(document: JSON, proof: Proof, key: PublicKey, now: datetime) -> None:
    """Returns when `key` made `proof`, one of the document's own, lately, for the document as it is.

    Raises: Forged; Malformed, when JCS has no form for the document (integers beyond 2⁵³, half characters).
    """
    if key.id != proof.method:
        raise Forged("the proof names another key")
    if proof.created < now - PAST:
        raise Forged("the proof is too old")
    if proof.created > now + AHEAD:
        raise Forged("the proof is from the future")
    if proof.expires is not None and proof.expires < now - EXPIRED_SINCE:
        raise Forged("the proof has expired")
    for said, options in _readings(document, proof.options):
        if envelope.holds(key.key, "ed25519", _digests(said, options), proof.value):
            return
    raise Forged("the proof does not fit the document")


def _proof(found: JSON) -> Proof | None:
    method, value = found.get("verificationMethod"), found.get("proofValue")
    created, expires = instant(found, "created"), instant(found, "expires")
    if (found.get("type"), found.get("cryptosuite"), found.get("proofPurpose")) != (TYPE, SUITE, PURPOSE):
        return None
    if any(name in found for name in BOUND_TO_MORE) or (expires is None and found.get("expires") is not None):
        return None
    if not isinstance(method, str) or not is_web(method) or created is None:
        return None
    signature = _value(value)
    options = {name: part for name, part in found.items() if name != "proofValue"}
    return None if signature is None else Proof(method, created, expires, signature, options)


def _value(found: object) -> bytes | None:
    """Multibase, base58btc."""
    if not isinstance(found, str) or not found.startswith("z") or len(found) > VALUE_AT_MOST:
        return None
    try:
        value = unbase58(found[1:])
    except ValueError:
        return None
    return value if len(value) == VALUE_BYTES else None


def _readings(document: JSON, options: JSON) -> Iterator[tuple[JSON, JSON]]:
    """What may have been signed: (document, options).  Raises: Forged."""
    context = document.get("@context")
    if "@context" not in options:
        yield document, options
        if context is not None:
            yield document, {"@context": context, **options}  # Fedify signs it, but does not send it
        return
    signed = options["@context"]
    start = _list(signed)
    if _list(context)[: len(start)] != start:
        raise Forged("the proof has another context than the document")
    yield {**document, "@context": signed}, options  # whoever passes it on may have added to the context


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _digests(document: JSON, options: JSON) -> bytes:
    # A linked-data signature is put in after the proof was made (FEP-8b32, backward compatibility).
    said = {name: part for name, part in document.items() if name not in ("proof", "signature")}
    return sha256(_in_order(options)).digest() + sha256(_in_order(said)).digest()


def _in_order(found: JSON) -> bytes:
    """As RFC 8785 writes it.  Raises: Malformed."""
    try:
        if _is_plain(found):
            return orjson.dumps(found, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(found)
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed("JSON for a proof", error) from None


def _is_plain(found: JSON) -> bool:
    """Does orjson write it the same, and thirty times as fast?

    Not very large and small numbers, whole ones that are floats, and the order of names beyond ASCII.
    """
    parts: list[Any] = [found]
    for part in parts:
        if isinstance(part, dict):
            if not "".join(part).isascii():
                return False
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, float):
            if part.is_integer() or not 0.001 < abs(part) < 1e15:
                return False
        elif isinstance(part, int) and abs(part) > EXACT:
            return False
    return True
