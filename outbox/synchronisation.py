"""FEP-8fcf, followers synchronisation: two servers compare, by a digest, who of one follows someone of the other.

Our side as sender: `header` goes with what only followers may see; a server that finds another digest asks us
for `partial`.  As receiver: `parse` a header, compare its digest with `local_digest`, and if they differ fetch the
list and find who is wrong with `compare`.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from sqlalchemy import Connection, bindparam, select

from store.tables import Account, accounts, follows
from store.tables.base import Id

LONGEST_HEADER: Final = 4096  # characters
PARAMETER: Final = re.compile(r'[ \t]*+([A-Za-z]++)="([^"\\]*+)"[ \t]*+(?:,|\Z)')
DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Sync:
    """A Collection-Synchronization header.  `digest`: 64 hexadecimal digits, lower case."""

    collection_id: str
    url: str
    digest: str


@dataclass(frozen=True, slots=True)
class Local:
    """A follow by someone of ours."""

    follower_id: int
    uri: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """`gone`: our ids who follow here and not there; `accepted`: our ids whose request is already accepted there;
    `unknown`: uris that follow there and not here."""

    gone: tuple[int, ...]
    accepted: tuple[int, ...]
    unknown: tuple[str, ...]


def xor_digest(uris: Iterable[str]) -> str:
    """The SHA-256 of each uri, XORed: the order does not matter; 64 hexadecimal digits, zeros for nobody."""
    sums = (int.from_bytes(hashlib.sha256(uri.encode()).digest(), "big") for uri in uris)
    return f"{reduce(xor, sums, 0):064x}"


def header(sender: Account, digest: str) -> str:
    """The value of Collection-Synchronization for a server whose followers of `sender` have this digest."""
    return header_of(sender.uri, sender.followers_uri, digest)


def header_of(sender_uri: str, followers_uri: str | None, digest: str) -> str:
    collection = followers_uri or f"{sender_uri}/followers"
    return f'collectionId="{collection}", url="{sender_uri}/followers_synchronization", digest="{digest}"'


def parse(text: str) -> Sync | None:
    """What a Collection-Synchronization header says; None when that is not understood, which is no error."""
    if len(text) > LONGEST_HEADER:
        return None
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        part = PARAMETER.match(text, at)
        if part is None or part[1] in found:
            return None
        found[part[1]] = part[2]
        at = part.end()
    if not found.get("collectionId") or not found.get("url") or not DIGEST.fullmatch(found.get("digest", "")):
        return None
    return Sync(found["collectionId"], found["url"], found["digest"].lower())


_PARTIAL = (
    select(accounts.c.uri)
    .join(follows, follows.c.follower_id == accounts.c.id)
    .where(
        follows.c.target_id == bindparam("target", type_=Id),
        follows.c.accepted,
        accounts.c.host == bindparam("at"),
        accounts.c.deleted_at.is_(None),
    )
    .order_by(accounts.c.uri)
)
_BY_HOST = (
    select(accounts.c.host, accounts.c.uri)
    .join(follows, follows.c.follower_id == accounts.c.id)
    .where(
        follows.c.target_id == bindparam("target", type_=Id),
        follows.c.accepted,
        accounts.c.host.in_(bindparam("names", expanding=True)),
        accounts.c.deleted_at.is_(None),
    )
)
_LOCAL = (
    select(follows.c.follower_id, accounts.c.uri, follows.c.accepted)
    .join(accounts, accounts.c.id == follows.c.follower_id)
    .where(follows.c.target_id == bindparam("target", type_=Id), accounts.c.host.is_(None))
)


def partial(tx: Connection, account_id: int, host: str) -> list[str]:
    """The followers of our account who live at `host`, by uri: for that host's eyes only."""
    return list(tx.scalars(_PARTIAL, {"target": account_id, "at": host}))


def digest(tx: Connection, sender_id: int, host: str) -> str:
    return xor_digest(partial(tx, sender_id, host))


def digests(tx: Connection, sender_id: int, hosts: Collection[str]) -> Mapping[str, str]:
    """The same for many hosts in one query."""
    uris: dict[str, list[str]] = defaultdict(list)
    for host, uri in tx.execute(_BY_HOST, {"target": sender_id, "names": list(hosts)}):
        uris[host].append(uri)
    return {host: xor_digest(uris[host]) for host in hosts}


def local_followers(tx: Connection, remote_account_id: int) -> list[Local]:
    """Who of us follows, or asked to follow, a remote account."""
    return [Local(*row) for row in tx.execute(_LOCAL, {"target": remote_account_id})]


def local_digest(tx: Connection, remote_account_id: int) -> str:
    """The digest that the server of a remote account should have of its followers here."""
    return xor_digest(one.uri for one in local_followers(tx, remote_account_id) if one.accepted)


def compare(ours: Iterable[Local], theirs: Iterable[str]) -> Difference:
    """What differs between our followers of a remote account and the list that its server has of them.

    The FEP then wants: `gone` forgotten here, `accepted` taken for accepted, an Undo Follow sent for `unknown`.
    """
    listed = set(theirs)
    known = {one.uri: one for one in ours}
    return Difference(
        gone=tuple(one.follower_id for one in known.values() if one.accepted and one.uri not in listed),
        accepted=tuple(one.follower_id for one in known.values() if not one.accepted and one.uri in listed),
        unknown=tuple(sorted(listed - known.keys())),
    )
