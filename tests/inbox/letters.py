"""Activities as other servers send them, and the envelopes around them."""

import time
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson

from federation.keys import PrivateKey, load_private
from federation.reading import PUBLIC
from federation.signatures import NOTHING, sign
from store.tables import Account
from tests.people import ed25519_pem, rsa_pem

INBOX = "https://ours.test/inbox"
TYPE = "application/activity+json"


def note(author: Account, number: int | str = 1, **more: Any) -> dict[str, Any]:
    uri = f"https://{author.host}/notes/{number}"
    document = {
        "id": uri,
        "type": "Note",
        "attributedTo": author.uri,
        "content": f"<p>note {number}</p>",
        "published": "2026-11-01T11:00:00Z",
        "to": [PUBLIC],
        "cc": [author.followers_uri],
    }
    return {**document, **more}


def activity(kind: str, actor: Account, what: Any, **more: Any) -> dict[str, Any]:
    number = crc32(orjson.dumps([kind, what]))
    document = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"https://{actor.host}/activities/{kind.lower()}-{number}",
        "type": kind,
        "actor": actor.uri,
        "object": what,
    }
    return {**document, **more}


def create(author: Account, number: int | str = 1, **more: Any) -> dict[str, Any]:
    return activity("Create", author, note(author, number, **more), id=f"https://{author.host}/notes/{number}/activity")


def key_of(person: Account, kind: str = "rsa", name: str | None = None) -> PrivateKey:
    """name: of the pair in tests.people; by default that of the person."""
    pair = rsa_pem if kind == "rsa" else ed25519_pem
    return load_private(f"{person.uri}#main-key", pair(name or person.username)[0])


def envelope(
    key: PrivateKey,
    document: dict[str, Any] | bytes,
    *,
    url: str = INBOX,
    scheme: Any = "cavage",
    now: float | None = None,
    also: Mapping[str, str] = NOTHING,
) -> tuple[dict[str, str], bytes]:
    """(headers, body)"""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    headers = sign(scheme, "POST", url, key, time.time() if now is None else now, body, content_type=TYPE, also=also)
    return headers, body
