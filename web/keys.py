"""What a request finds in the application.  connectme/app.py puts it there."""

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Protocol

from aiohttp import web

from federation.guard import Guard
from federation.origin import Origin
from social.media.kinds import Proxy, Workshop
from social.remote import Remote
from store.blobs import Blobs
from store.database import Database
from store.tables import Account
from web.told import Keeper


@dataclass(frozen=True, slots=True)
class Config:
    """The settings that pages and answers depend on; see connectme/settings.py for what each means."""

    version: str
    title: str
    description: str
    contact_email: str
    registrations: str  # open, approval, closed
    authorized_fetch: bool
    rate_limits: bool
    trusted_proxies: Sequence[IPv4Network | IPv6Network]
    metrics_token: str
    setup_token: str  # what /setup asks for while there is no owner; empty: it asks for nothing
    languages: Sequence[str] = ("en",)
    show_domain_blocks: str = "nobody"  # or members, everybody
    source_url: str = ""
    limited_federation: bool = False  # do we talk with chosen servers alone?
    vapid_key: str = ""  # public; of notifications by Web Push
    mails: bool = False  # can this server send mails?
    trends: bool = True
    trends_review: bool = False
    address_days: int = 60  # how long it is known from where people come; 0: not at all

    @property
    def software(self) -> str:
        """As clients read it: they look for a Mastodon version first."""
        return f"4.6.0 (compatible; ConnectMe {self.version})"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the server for /readyz.  One that is degraded works, and will not for ever."""

    ok: bool
    says: str
    degraded: bool = False


class Board(Protocol):
    """How much of the server is open (ops/modes.py)."""

    is_open: bool  # all of it

    @property
    def name(self) -> str:
        """normal, read-only, maintenance or emergency."""

    @property
    def words(self) -> str:
        """For people who come meanwhile."""


DATABASE = web.AppKey("DATABASE", Database)
ORIGIN = web.AppKey("ORIGIN", Origin)
CONFIG = web.AppKey("CONFIG", Config)
GUARD = web.AppKey("GUARD", Guard)  # where this server may go
REMOTE = web.AppKey[Remote]("REMOTE")
BLOBS = web.AppKey[Blobs]("BLOBS")
PROXY = web.AppKey[Proxy]("PROXY")
WORKSHOP = web.AppKey[Workshop]("WORKSHOP")
# Runs what would hold the loop for long: password hashes, new keys.
POOL = web.AppKey[Executor]("POOL")
# Whose signature a GET carries; None: unsigned.  Raises what federation.errors has for a wrong one.
SIGNER = web.AppKey[Callable[[web.Request], Awaitable[Account | None]]]("SIGNER")
# Raises Forged, unless this server itself signed the request, with its body.
OURSELVES = web.AppKey[Callable[[web.Request, bytes], Awaitable[None]]]("OURSELVES")
BOARD = web.AppKey[Board]("BOARD")
KEEPER = web.AppKey[Keeper]("KEEPER")
READY = web.AppKey[Callable[[], Awaitable[dict[str, Part]]]]("READY")
STARTED = web.AppKey[Callable[[], dict[str, Any]]]("STARTED")
METRICS = web.AppKey[Callable[[], Awaitable[bytes]]]("METRICS")
