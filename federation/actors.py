"""The address book's way out: actors, their handles and their keys, from the only places that may say.

    actor document ── its own id ──────────────► who it is
    handle         ── WebFinger, both ways ────► acct → actor → acct must agree
    key            ── its owner's document ────► the owner lists that key, whoever sent us there

Network only: nothing is stored here.  Sources: RFC 7033, FEP-2c59, FEP-521a, and the ActivityPub HTTP Signature report
of the SWICG (section on key ownership).
"""

from dataclasses import dataclass

from federation.client import Budget, Client
from federation.errors import Forged, Gone, Malformed, Refused, Unreachable
from federation.handles import parse_handle
from federation.keys import PublicKey, load_public
from federation.reading import ACTOR_KINDS, JSON, Actor, host_of, read_actor, read_keys, types
from federation.webfinger import Fingered, finger


@dataclass(frozen=True, slots=True)
class Met:
    """An actor as its own server describes it.  `handle` is `name@domain`, confirmed by that domain, or the name that
    the actor has on its own host, where no WebFinger answers."""

    actor: Actor
    handle: str


async def fetch_actor(client: Client, uri: str, budget: Budget) -> Met:
    """The actor at `uri`, whose id may turn out to be another on the same host.

    Raises: Malformed, Forged, Gone, Refused, Unreachable.
    """
    actor = _read(client, (await client.fetch_document(uri, budget)).document)
    return await _met(client, actor, budget)


async def fetch_by_handle(client: Client, handle: str, budget: Budget) -> Met:
    """The actor that `name@domain` stands for.  Raises: as fetch_actor."""
    found = await finger(client, handle, budget)
    actor = _read(client, (await client.fetch_document(found.actor_uri, budget)).document)
    if actor.id != found.actor_uri:
        raise Forged(f"{found.handle} is {found.actor_uri[:200]}, which says to be {actor.id[:200]}")
    if _same(_claim(actor), found.handle):
        return Met(actor, found.handle)
    met = await _met(client, actor, budget)
    if not _same(met.handle, found.handle):
        raise Forged(f"{found.handle} leads to an actor that is {met.handle}")
    return met


async def fetch_key(client: Client, key_id: str, budget: Budget) -> tuple[PublicKey, Met]:
    """The key with that id, and its owner, whose own document lists it.

    Raises: Forged, when the owner does not; otherwise as fetch_actor.
    """
    document = (await client.fetch_document(key_id, budget)).document
    if ACTOR_KINDS.isdisjoint(types(document)) or "inbox" not in document:
        owner = next((key.owner for key in read_keys(document) if key.id == key_id), None)
        if owner is None:
            raise Forged(f"{key_id[:200]} is not there")
        document = (await client.fetch_document(owner, budget)).document
    actor = _read(client, document)
    key = next((key for key in actor.keys if key.id == key_id), None)
    if key is None:
        raise Forged(f"{actor.id[:200]} has no key {key_id[:200]}")
    public = load_public(key.id, actor.id, key.material)
    return public, await _met(client, actor, budget)


def _read(client: Client, document: JSON) -> Actor:
    actor = read_actor(document)
    client.learn(host_of(actor.id), actor.implements)
    return actor


async def _met(client: Client, actor: Actor, budget: Budget) -> Met:
    try:
        found = await finger(client, _claim(actor), budget)
    except (Gone, Malformed, Refused, Unreachable):
        return Met(actor, _at_home(actor))
    return Met(actor, _confirmed(actor, found))


def _confirmed(actor: Actor, found: Fingered) -> str:
    if found.actor_uri != actor.id:
        raise Forged(f"{actor.id[:200]} calls itself {_claim(actor)}, which is {found.actor_uri[:200]}")
    return found.handle


def _claim(actor: Actor) -> str:
    """What the actor says to be called."""
    return actor.webfinger or _at_home(actor)


def _at_home(actor: Actor) -> str:
    return f"{actor.username}@{host_of(actor.id)}"


def _same(one: str, other: str) -> bool:
    first, second = parse_handle(one), parse_handle(other)
    return first is not None and second is not None and (first[0].lower(), first[1]) == (second[0].lower(), second[1])
