"""The cast of the tests: people of ours and of other servers, made by plain functions with defaults."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import Connection, insert

from social.accounts import words
from store.database import Database
from store.ids import new_id
from store.tables import Account, account_keys, accounts, blank_account, follows, users

BORN = datetime(2026, 1, 1, tzinfo=UTC)
OURS = "https://ours.test"


@cache
def rsa_pem(name: str = "someone") -> tuple[str, str]:
    """(private, public): one RSA key per name and test run, since making them is slow."""
    return _pem(rsa.generate_private_key(65537, 2048))


@cache
def ed25519_pem(name: str = "someone") -> tuple[str, str]:
    return _pem(ed25519.Ed25519PrivateKey.generate())


def _pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> tuple[str, str]:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def remote(name: str, host: str = "far.test", **more: Any) -> Account:
    """Someone on another server."""
    base = f"https://{host}/users/{name}"
    values = {
        "id": new_id(),
        "uri": base,
        "handle": f"{name.lower()}@{host}",
        "username": name,
        "domain": host,
        "host": host,
        "url": f"https://{host}/@{name}",
        "inbox": f"{base}/inbox",
        "shared_inbox": f"https://{host}/inbox",
        "outbox": f"{base}/outbox",
        "followers_uri": f"{base}/followers",
        "following_uri": f"{base}/following",
        "featured_uri": f"{base}/collections/featured",
        "created_at": BORN,
        "fetched_at": BORN,
    }
    return Account(**blank_account(**{**values, **more}))


def ours(name: str, base: str = OURS, **more: Any) -> Account:
    """Someone of ours; `local` stores one, with a login and keys."""
    uri = f"{base}/users/{name}"
    values = {
        "id": new_id(),
        "uri": uri,
        "handle": name.lower(),
        "username": name,
        "url": f"{base}/@{name}",
        "inbox": f"{uri}/inbox",
        "shared_inbox": f"{base}/inbox",
        "outbox": f"{uri}/outbox",
        "followers_uri": f"{uri}/followers",
        "following_uri": f"{uri}/following",
        "featured_uri": f"{uri}/collections/featured",
        "created_at": BORN,
    }
    return Account(**blank_account(**{**values, **more}))


def add(tx: Connection, *people: Account) -> None:
    """Stores accounts, those of ours with a login and an RSA key."""
    tx.execute(insert(accounts), [asdict(one) for one in people])
    words.add(tx, people)
    for one in people:
        private, public = rsa_pem(one.username)
        key = {
            "id": f"{one.uri}#main-key",
            "account_id": one.id,
            "kind": "rsa",
            "public": public,
            "private": private if one.is_local else None,
            "created_at": BORN,
        }
        tx.execute(insert(account_keys), key)
        if one.is_local:
            tx.execute(insert(users), _user(one))


def _user(one: Account) -> dict[str, Any]:
    return {
        "account_id": one.id,
        "email": f"{one.handle}@mail.test",
        "password": "no hash: nobody signs in with this",
        "role": "member",
        "confirmed_at": BORN,
        "approved_at": BORN,
        "created_at": BORN,
        "seen_at": None,
        "notifications_read": 0,
        "default_visibility": "public",
        "default_sensitive": False,
        "default_language": None,
    }


def follow(tx: Connection, follower: Account, target: Account, **more: Any) -> None:
    """`follower` follows `target`, without any of what usually comes of it."""
    values = {
        "target_id": target.id,
        "follower_id": follower.id,
        "id": new_id(),
        "uri": f"{follower.uri}#follows/{target.id}",
        "accepted": True,
        "show_boosts": True,
        "notify": False,
        "created_at": BORN,
    }
    tx.execute(insert(follows), {**values, **more})


async def stored(db: Database, *people: Account) -> None:
    await db.write(add, *people)


async def local(db: Database, name: str, **more: Any) -> Account:
    person = ours(name, **more)
    await db.write(add, person)
    return person
