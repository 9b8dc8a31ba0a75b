"""Where the server may go: the rules for addresses, and the gates that apply them.

A name says nothing about where it leads, and it may lead elsewhere a moment later.  What counts is the
address of the socket, at the moment it is opened: `Gate.open` is called by the connector with exactly the
address that it will connect to, and no other code of ours opens sockets to other servers.  The check of
the URL before, and of what the resolver found, only make the refusal earlier and its reason clearer.

The rule is a list of what is allowed: global unicast, after IPv4 inside IPv6 was taken out
(docs/adr/0006-guarded-client.md).
"""

import asyncio
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, TypeAlias
from weakref import WeakSet

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from federation.errors import Refused

Network: TypeAlias = IPv4Network | IPv6Network
Lookup: TypeAlias = Callable[..., list[Any]]  # as socket.getaddrinfo
AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

LONGEST_URL: Final = 2048
HOSTS_KEPT: Final = 10_000
LOOKUPS: Final = 64  # at a time; some name servers let us wait for half a minute
_WEB_PORTS: Final = (80, 443)
_FIRST_FREE_PORT: Final = 1024

# The IANA registries of special-purpose addresses, all of them; not what this Python happens to know.
_NOT_GLOBAL_4: Final = tuple(
    IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
# 2001::/23 holds Teredo and ORCHID, 2002::/16 is 6to4: both carry IPv4 addresses, and nobody needs them.
_NOT_GLOBAL_6: Final = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # how a host with IPv6 alone reaches IPv4
_ISATAP: Final = (0x00005EFE, 0x02005EFE)  # before the IPv4 address in the last 64 bits

_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")  # what a resolver may take for a part of an address
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\]")  # whitespace included: parsers differ on all of these


class AddressRefused(OSError):
    """A gate said no.  An OSError, for that is what a connector expects of sockets and resolvers."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`private_networks` are reached although private, `allow_http` lets plain http pass: both for labs."""

    private_networks: tuple[Network, ...] = ()
    allow_http: bool = False
    _sound: set[str] = field(default_factory=set, repr=False, compare=False)  # hosts that were judged so

    def check_url(self, url: str) -> URL:
        """The URL to ask, normalised and without its fragment.  Raises: Refused."""
        if len(url) > LONGEST_URL or _UNSAFE.search(url):
            raise Refused(f"not a usable URL: {url[:80]!r}")
        try:
            parsed = URL(url).with_fragment(None)
            host, port = parsed.raw_host, parsed.port
        except ValueError as error:  # a bad port, bracket or IDN; UnicodeError too
            raise Refused(f"not a usable URL: {url[:80]!r}: {error}") from None
        if parsed.scheme != "https" and not (parsed.scheme == "http" and self.allow_http):
            raise Refused(f"not https: {url[:80]!r}")
        if not host or parsed.raw_user is not None or parsed.raw_password is not None:
            raise Refused(f"not a usable URL: {url[:80]!r}")
        if port not in _WEB_PORTS and (port or 0) < _FIRST_FREE_PORT and not self.private_networks:
            raise Refused(f"port {port} is not for the web")
        if host not in self._sound:
            self._check_host(host)
            self._keep(host)
        return parsed.with_path("/", keep_query=True) if parsed.raw_path == "/" else parsed

    def allows(self, address: str) -> bool:
        """Whether a socket may be connected to `address`, an IP address in the form that sockets use."""
        try:
            ip = _unwrapped(ip_address(address))
        except ValueError:
            return False
        if any(ip in network for network in self.private_networks):
            return True
        if isinstance(ip, IPv4Address):
            return not any(ip in network for network in _NOT_GLOBAL_4)
        if ip not in _GLOBAL_6 or any(ip in network for network in _NOT_GLOBAL_6):
            return False
        low = int(ip) & 0xFFFF_FFFF_FFFF_FFFF
        return low >> 32 not in _ISATAP or self.allows(str(IPv4Address(low & 0xFFFF_FFFF)))

    def _keep(self, host: str) -> None:
        """What is said of a name, or of an address that is written out, is the same each time."""
        if len(self._sound) >= HOSTS_KEPT:
            self._sound.clear()
        self._sound.add(host)

    def _check_host(self, host: str) -> None:
        """Addresses never meet the resolver, so they are judged here; names must be unambiguous."""
        last = host.rpartition(".")[2]
        if ":" in host or _NUMBER.fullmatch(last):  # 127.1, 0x7f.1 and 2130706433 are none that we know
            if not self.allows(host):
                raise Refused(f"{host}: not a public address")
        elif not _NAME.fullmatch(host):
            raise Refused(f"not a host: {host[:80]!r}")
        elif "." not in host and not self.private_networks:
            raise Refused(f"{host}: not a public name")


def host_of(url: URL) -> str:
    """How we name the server of a URL: `host`, or `host:port` where the port is unusual."""
    host = url.raw_host or ""
    if ":" in host:
        host = f"[{host}]"
    return host if url.is_default_port() else f"{host}:{url.port}"


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for, where it stands for one.  Raises: ValueError."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip.scope_id is not None:
        raise ValueError("an address of one link")
    if ip.ipv4_mapped is not None or ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip


class Gate:
    """The last check: opens sockets for the connector, if the guard allows the very address."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._sockets: WeakSet[socket.socket] = WeakSet()

    @property
    def opened(self) -> int:
        """How many of its sockets are still in use."""
        return len(self._sockets)

    def open(self, info: AddressInfo) -> socket.socket:
        """Raises: AddressRefused."""
        family, kind, protocol, _, address = info
        if not self._guard.allows(address[0]):
            raise AddressRefused(f"{address[0]}: not a public address")
        opened = socket.socket(family, kind, protocol)
        self._sockets.add(opened)
        return opened


class Resolver(AbstractResolver):
    """Finds the addresses of names, and keeps those that the guard allows.

    In threads of its own: a name server that is silent delays nothing but those who wait for it.
    """

    def __init__(self, guard: Guard, lookup: Lookup = socket.getaddrinfo) -> None:
        self._guard = guard
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")
        # A lab may have no network but the loopback, which this flag would not count as one.
        self._flags = 0 if guard.private_networks else socket.AI_ADDRCONFIG

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises: AddressRefused, when none of them is public; OSError, when there is none."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._lookup, host, port, family, socket.SOCK_STREAM, 0, self._flags
        )
        addresses = [info[4][0] for info in found]
        allowed = [address for address in addresses if self._guard.allows(address)]
        if not allowed:
            raise AddressRefused(f"{host}: not a public address")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in allowed
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
