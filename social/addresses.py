"""From where people come: written down at sign-up, at sign-in and while they come back, for those who keep order.

Kept for as many days as the setting ADDRESS_DAYS says, then forgotten (connectme/housekeeping.py).  An address is 16
bytes, one of IPv4 as IPv6 writes it (::ffff:192.0.2.1): so a network is a range on either database.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, bindparam, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.errors import Invalid
from social.paging import padded
from store.tables import Address, addresses
from store.tables.base import Id

Network: TypeAlias = IPv4Network | IPv6Network

_INSERT = insert(addresses)
_NOTE = _INSERT.on_conflict_do_update(index_elements=["account_id", "ip"], set_={"used_at": _INSERT.excluded.used_at})
_OF: Select[Any] = (
    select(addresses)
    .where(addresses.c.account_id.in_(bindparam("ids", expanding=True, type_=Id)))
    .order_by(addresses.c.used_at.desc(), addresses.c.ip)
)


def note(tx: Connection, account_id: int, ip: str, now: datetime) -> None:
    """He came from there.  ip: empty, or no address: nothing is kept."""
    if where := parse(ip):
        tx.execute(_NOTE, {"account_id": account_id, "ip": packed(where), "used_at": now})


def several(tx: Connection, ids: Sequence[int]) -> dict[int, list[Address]]:
    """Of each, the one used last first."""
    found: dict[int, list[Address]] = defaultdict(list)
    for row in tx.execute(_OF, {"ids": padded(list(ids))}):
        found[row.account_id].append(Address(*row))
    return found


def from_within(network: Network) -> Select[Any]:
    """The ids of the people who came from there."""
    low, high = packed(network.network_address), packed(network.broadcast_address)
    return select(addresses.c.account_id).where(addresses.c.ip.between(low, high))


@lru_cache(1024)  # asked three times for each request
def parse(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address that is written as an IPv6 one (::ffff:192.0.2.1) is an IPv4 one.

    >>> parse("::ffff:192.0.2.1"), parse("nowhere")
    (IPv4Address('192.0.2.1'), None)
    """
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def parse_network(text: str) -> Network:
    """A network, or one address.  Raises: Invalid.

    >>> parse_network("192.0.2.7/24"), parse_network("::1")
    (IPv4Network('192.0.2.0/24'), IPv6Network('::1/128'))
    """
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Invalid(f"{text[:50]!r} is no address, nor a network like 192.0.2.0/24") from error


def packed(where: IPv4Address | IPv6Address) -> bytes:
    return (b"\0" * 10 + b"\xff\xff" if where.version == 4 else b"") + where.packed


def shown(ip: bytes) -> str:
    """
    >>> shown(packed(ip_address("192.0.2.1"))), shown(packed(ip_address("2001:db8::1")))
    ('192.0.2.1', '2001:db8::1')
    """
    found = IPv6Address(ip)
    return str(found.ipv4_mapped or found)
