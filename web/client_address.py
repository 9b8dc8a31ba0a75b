"""From where a request comes, when proxies stand in front."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from web.keys import CONFIG


def address(request: web.Request) -> str:
    """The address of whoever asks: X-Forwarded-For is believed from right to left, as far as proxies are trusted."""
    peer = request.remote or ""
    hops = [*(part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()), peer]
    trusted = request.app[CONFIG].trusted_proxies
    for hop in reversed(hops):
        if not _is_trusted(hop, trusted):
            return hop if _parse(hop) else peer
    return hops[0] if _parse(hops[0]) else peer


def network(request: web.Request) -> str:
    """What is counted as one place by rate limits: an IPv4 address, or the /64 of an IPv6 one."""
    where = _parse(address(request))
    if isinstance(where, IPv6Address):
        return str(where.ipv4_mapped or ip_network((where, 64), strict=False))
    return str(where)


def is_local(request: web.Request) -> bool:
    """Does someone on this machine ask, with no proxy in between?"""
    where = _parse(request.remote or "")
    # A Unix socket has no address: only a proxy speaks there.
    return where is not None and where.is_loopback and "X-Forwarded-For" not in request.headers


def _is_trusted(hop: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    where = _parse(hop)
    if where is None:
        return hop == ""  # a Unix socket
    return any(where.version == net.version and where in net for net in trusted)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
