"""From where a request comes, when proxies stand in front."""

import os
import socket
import struct
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from aiohttp import web

from social.addresses import parse
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
            return hop if parse(hop) else peer
    return hops[0] if parse(hops[0]) else peer


def parsed(request: web.Request) -> IPv4Address | IPv6Address | None:
    return parse(address(request))


def kept(request: web.Request) -> str:
    """What is written down of where somebody comes from; empty: this server keeps no addresses."""
    return address(request) if request.app[CONFIG].address_days else ""


def network(request: web.Request) -> str:
    """What is counted as one place by rate limits: an IPv4 address, or the /64 of an IPv6 one."""
    return _network(parsed(request))


@lru_cache(1024)
def _network(where: IPv4Address | IPv6Address | None) -> str:
    return str(ip_network((where.packed, 64), strict=False) if isinstance(where, IPv6Address) else where)


def has_trusted_peer(request: web.Request) -> bool:
    """Is what the other end of the connection says of whom it speaks for believed?"""
    return _is_trusted(request.remote or "", request.app[CONFIG].trusted_proxies)


def is_local(request: web.Request) -> bool:
    """Does someone on this machine ask, with no proxy in between?"""
    where = parse(request.remote or "")
    if where is None:
        return _is_family(request)
    return where.is_loopback and not any(name in request.headers for name in _OF_PROXIES)


def _is_family(request: web.Request) -> bool:
    """A Unix socket has no address: a proxy speaks there, and whoever started this process (ops/watch)."""
    link = request.transport.get_extra_info("socket") if request.transport else None
    if link is None or link.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
        return False
    pid, _, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return pid > 0 and pid in (os.getpid(), os.getppid())  # 0: of another container


def _is_trusted(hop: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    where = parse(hop)
    if where is None:
        return hop == ""  # a Unix socket
    return any(where.version == net.version and where in net for net in trusted)
