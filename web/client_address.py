"""From where a request comes, when proxies stand in front."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from web.keys import CONFIG

_OF_PROXIES = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")


def address(request: web.Request) -> str:
    """The address of whoever asks: X-Forwarded-For is believed from right to left, as far as proxies are trusted."""
    peer = request.remote or ""
    said = ",".join(request.headers.getall("X-Forwarded-For", []))  # some proxies add a line of their own
    hops = [*(part.strip() for part in said.split(",") if part.strip()), peer]
    trusted = request.app[CONFIG].trusted_proxies
    for hop in reversed(hops):
        if not _is_trusted(hop, trusted):
            return hop if _parse(hop) else peer
    return hops[0] if _parse(hops[0]) else peer


def network(request: web.Request) -> str:
    """What is counted as one place by rate limits: an IPv4 address, or the /64 of an IPv6 one."""
    where = _parse(address(request))
    return str(ip_network((where.packed, 64), strict=False) if isinstance(where, IPv6Address) else where)


def is_local(request: web.Request) -> bool:
    """Does someone on this machine ask, with no proxy in between?"""
    where = _parse(request.remote or "")
    # A Unix socket has no address: only a proxy speaks there.
    return where is not None and where.is_loopback and not any(name in request.headers for name in _OF_PROXIES)


def _is_trusted(hop: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    where = _parse(hop)
    if where is None:
        return hop == ""  # a Unix socket
    return any(where.version == net.version and where in net for net in trusted)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address that is written as an IPv6 one (::ffff:192.0.2.1) is an IPv4 one."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
