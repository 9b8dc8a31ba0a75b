"""The door for other servers: whoever is not who he says to be stays outside; the rest is kept, and then answered.

    body → JSON, id, actor → host rules → signature → key → owner = actor → spool → 202

What it means is found out later, by process.  Nothing here needs the main database: keys and rules are in memory, the
spool has a file of its own.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from federation import signatures
from federation.errors import Forged, Malformed, Refused
from federation.keys import PublicKey
from federation.origin import Origin
from federation.parsing import parse_object
from federation.reading import INCOMPLETE, JSON, actor_of, completed, host_of, identity, types, uri
from inbox import spool
from inbox.append import Appender
from inbox.counts import Counts
from inbox.introductions import Introduction, packed
from inbox.keys import Fetched, KeyRing
from inbox.rules import HostRules

SYNC = "collection-synchronization"  # FEP-8fcf: counts when it is signed
Headers: TypeAlias = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery as it came.  `address`: from where; `recipient`: the name in /users/NAME/inbox."""

    target: str
    headers: Headers
    body: bytes
    address: str
    recipient: str | None = None
    sync: str | None = None


class Receiver:
    """`await receive(parcel)` returns when the message is kept, or needs no keeping."""

    def __init__(
        self,
        origin: Origin,
        keys: KeyRing,
        rules: HostRules,
        appender: Appender,
        counts: Counts,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.counts = counts
        self.rules = rules
        self._origin = origin
        self._authority, self._scheme = origin.host, origin.scheme
        self._keys = keys
        self._appender = appender
        self._clock = clock

    async def receive(self, parcel: Parcel) -> None:
        """Raises: Malformed, Forged, Refused (a host that is blocked here), spool.Full, what the database says."""
        document: JSON = parse_object(parcel.body)
        message = signatures.Message("POST", parcel.target, self._authority, self._scheme, parcel.headers, parcel.body)
        if not INCOMPLETE.isdisjoint(types(document)):
            document = completed(document, _claim(message).key_id.partition("#")[0], parcel.body)
        identity(document)
        actor = actor_of(document)
        self._permit(actor)
        claim = _claim(message)
        signer = await self._signer(message, claim, parcel.address, document)
        if signer is None:
            self.counts.add("dropped", "delete_of_unknown")
            return
        key, fetched = signer
        # Whose key it is, compared whole: a neighbour on the same host is somebody else.
        if key.owner != actor:
            self.counts.add("hints")
        await self._appender.append(self._row(parcel, claim, key, fetched), fetched.cached if fetched else None)
        if fetched:
            self._keys.settled(fetched)
        self.counts.add("accepted")
        self.counts.add("signed", claim.scheme)

    def _row(
        self, parcel: Parcel, claim: signatures.Signature, key: PublicKey, fetched: Fetched | None
    ) -> dict[str, Any]:
        now = datetime.fromtimestamp(self._clock(), UTC)
        return spool.row(
            key.owner,
            parcel.body,
            now,
            parcel.recipient,
            parcel.sync if SYNC in claim.covered else None,
            signed=_signed(claim),
            introduction=packed(Introduction(fetched.met.actor, fetched.met.handle, now)) if fetched else None,
        )

    async def authenticate(self, method: str, target: str, headers: Headers, address: str) -> PublicKey:
        """Who asks for a document: the owner of the key that a GET is signed with.

        Raises: Forged, when it is not signed or not well; Refused, when his host is blocked here.
        """
        message = signatures.Message(method, target, self._authority, self._scheme, headers, None)
        claim = _claim(message)
        self._permit(claim.key_id)
        key = self._keys.known(claim.key_id) or await self._keys.find(claim.key_id, address)
        return await self._verified(message, claim, key, address)

    def ourselves(self, parcel: Parcel, own: PublicKey) -> None:
        """Raises: Forged, unless it is signed with that key, with all that a delivery has to sign."""
        message = signatures.Message("POST", parcel.target, self._authority, self._scheme, parcel.headers, parcel.body)
        claim = _claim(message)
        if claim.key_id != own.id:
            raise Forged("this is for the server itself")
        signatures.verify(message, claim, own, self._clock())

    async def _signer(
        self, message: signatures.Message, claim: signatures.Signature, address: str, document: JSON
    ) -> tuple[PublicKey, Fetched | None] | None:
        """The key that signed it, and what was fetched for that; None when an actor whom nobody here knows only says
        that he is gone."""
        actor = actor_of(document)
        found: PublicKey | Fetched | None = self._keys.known(claim.key_id)
        if found is None:
            self._permit(claim.key_id)
            if _says_goodbye(document, actor) and await self._keys.kept(claim.key_id) is None:
                return None
            found = await self._keys.ask(claim.key_id, address)
        key = found.key if isinstance(found, Fetched) else found
        if key.owner != actor:
            self._permit(key.owner)
        if isinstance(found, Fetched):  # just now: nothing else would be found
            if self._origin.is_ours(key.owner):
                raise Forged("nobody of this server comes through this door")
            signatures.verify(message, claim, key, self._clock())
            return key, found
        return await self._verified(message, claim, key, address), None

    async def _verified(
        self, message: signatures.Message, claim: signatures.Signature, key: PublicKey, address: str
    ) -> PublicKey:
        """The key, or another that its owner has under that id now."""
        try:
            signatures.verify(message, claim, key, self._clock())
        except Forged:
            other = await self._keys.find_again(key, address)
            if other is None:
                raise
            signatures.verify(message, claim, other, self._clock())
            return other
        return key

    def _permit(self, uri: str) -> None:
        if not self.rules.permits(host_of(uri)):
            raise Refused("we do not talk to this server")


def _claim(message: signatures.Message) -> signatures.Signature:
    try:
        return signatures.parse(message)
    except Malformed as error:
        raise Forged(str(error)) from None


def _signed(claim: signatures.Signature) -> datetime | None:
    """When, by the clock of the sender."""
    moment = claim.date if claim.created is None else claim.created
    return None if moment is None else datetime.fromtimestamp(moment, UTC)


def _says_goodbye(document: JSON, actor: str) -> bool:
    return "Delete" in types(document) and uri(document, "object") == actor
