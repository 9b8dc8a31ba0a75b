"""The only door to other servers: every request that this server makes to another passes here.

A fetch is bounded in everything: where it goes (guard), how often (budget), how long, how large, how deep, how many
redirects; what it returns is a JSON object of a declared type that says to be what was asked for.

Sources: ActivityPub sections 3.2 and 7; draft-cavage-http-signatures-12 and RFC 9421; docs/adr/0006.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Final, NoReturn, TypeVar

from yarl import URL

from federation import answers
from federation.errors import Busy, Forged, Gone, Malformed, Refused, Unreachable
from federation.guard import Guard, Lookup, host_of
from federation.keys import PrivateKey
from federation.parsing import parse_object
from federation.peers import ONE_KNOCK, Manner, Peer, Peers, scheme_of
from federation.signatures import ED25519, Scheme, sign
from federation.signer import Signer
from federation.transport import Limits, Reply, Transport

__all__ = ["Answer", "Budget", "Client", "Fetched", "FetchedPage", "Limits"]

T = TypeVar("T")

REDIRECTS: Final = 3
CONTENT_TYPE: Final = "application/activity+json"
URLS_KEPT: Final = 10_000
QUIET: Final = 60.0  # seconds, for a host that answers 429 and does not say how long
LONGEST_QUIET: Final = 3600.0

_MOVED: Final = (301, 302, 303, 307, 308)
_GONE: Final = (404, 410)
_LATER: Final = (408, 429)
_BUSY: Final = (429, 503)
_REFUSALS: Final = 400
_SERVER_ERROR: Final = 500
_ACCEPTED: Final = range(200, 300)
_KNOCK_GET: Final = (401, 403)
_KNOCK_POST: Final = (400, 401, 403)
_NOT_OF_KEYS: Final = (404, 408, 410, 429, 503)  # refusals that speak of something else than an Ed25519 key
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(slots=True)
class Budget:
    """How many requests one cause (a message, a search) may still lead to; handed down to all that it starts."""

    left: int

    def spend(self) -> None:
        if self.left <= 0:
            raise Refused("fetch budget used up")
        self.left -= 1


@dataclass(frozen=True, slots=True)
class Fetched:
    """`url` is where it came from, after redirects, normalised."""

    url: str
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """The beginning of a page for people; `charset` as its header says it."""

    url: str
    charset: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """To a delivery.  `scheme` is worth remembering when `status` is 2xx: how it was signed, or "ed25519" when the
    host says that it knows that, too.  Otherwise it is what the answer is about."""

    status: int
    retry_after: float | None  # seconds
    scheme: Manner
    reason: str  # why not, in the words of the other server, one line; "" for 2xx


class Client:
    """Made anywhere, used in one event loop; `close` it.  `key` signs the fetches: that of the instance actor.
    `ed25519` is another of the same, for hosts that say that they know it.

    `policy(host)` says whether we may talk to `host` (`host:port` where the port is unusual); it is asked before each
    request, redirects included.  `lookup` stands in for the resolver of the system.
    """

    transport: ClassVar[type[Transport]] = Transport

    def __init__(
        self,
        *,
        guard: Guard,
        user_agent: str,
        key: PrivateKey | None = None,
        ed25519: PrivateKey | None = None,
        ca_file: str | None = None,
        policy: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = time.time,
        limits: Limits = Limits(),  # noqa: B008  immutable
        lookup: Lookup = socket.getaddrinfo,
    ) -> None:
        self.guard = guard
        self.key = key
        self._ed25519 = ed25519
        self._headers = {"User-Agent": user_agent}
        self._policy = policy
        self._clock = clock
        self._limits = limits
        self._peers = Peers()
        self._inboxes: dict[str, tuple[URL, str, str]] = {}
        self._signer = Signer()
        self._transport = self.transport(guard, limits, ca_file, lookup)

    async def close(self) -> None:
        """Ends all connections, also those in use."""
        self._signer.close()
        await self._transport.close()

    async def fetch_document(self, url: str, budget: Budget, key: PrivateKey | None = None) -> Fetched:
        """The ActivityPub document at `url`, by a signed request, from where it says to be.

        If its id is not where it was found, it is fetched from its id, once.
        key: of one of ours, who may see more than the instance actor.
        Raises: Gone (404, 410); Refused (other 4xx; by us: guard, policy, budget, redirects); Malformed (not such a
        document, too large, too deep); Forged (its id is elsewhere again); Unreachable (worth another try).
        """
        return await self._in_time(url, self._document(url, budget, key or self.key))

    async def fetch_json(self, url: str, budget: Budget, accept: str) -> Fetched:
        """Any JSON object, by an unsigned request: WebFinger, NodeInfo.  Raises: as fetch_document, but not Forged."""
        return await self._in_time(url, self._json(url, budget, accept))

    async def fetch_file(self, url: str, budget: Budget, accept: str) -> tuple[str, bytes]:
        """(media type, body) of whatever is there, by an unsigned request.  Raises: as fetch_json."""
        return await self._in_time(url, self._file(url, budget, accept))

    async def fetch_page(self, url: str, budget: Budget) -> FetchedPage:
        """The first megabyte of an HTML page, by an unsigned request.  Raises: as fetch_json."""
        return await self._in_time(url, self._page(url, budget))

    def learn(self, host: str, implements: Collection[str]) -> None:
        """What the software of `host` knows, as the document of one of its actors says (FEP-844e)."""
        if ED25519 in implements:
            self._peers.of(host).ed25519 = True

    async def date(self, host: str) -> str:
        """What the clock of another server says, as it heads any answer.  Raises: Refused (by us), Unreachable."""
        target = self.guard.check_url(f"https://{host}/.well-known/nodeinfo")
        self._permit(host)
        reply = await self._transport.get(target, host, self._peers.of(host), self._headers, whole=False)
        return answers.only(reply.headers, "Date")

    async def download(self, url: str, budget: Budget, sink: answers.Sink, most: int) -> str:
        """Hands the file at `url` to `sink`, piece by piece, at most so many bytes; returns where it came from.

        By unsigned requests.  The caller limits the total time, and looks at what it is: nothing is believed here.
        Raises: as fetch_document, but not Forged.
        """
        target = self.guard.check_url(url)
        headers = {"Accept": "image/*, video/*, audio/*", **self._headers}
        for _ in range(1 + REDIRECTS):
            host = host_of(target)
            self._permit(host)
            budget.spend()
            reply = await self._transport.save(target, host, self._peers.of(host), headers, sink, most)
            place = answers.only(reply.headers, "Location") if reply.status in _MOVED else ""
            if not place:
                if reply.status != answers.OK:
                    self._refuse(reply)
                return str(target)
            target = self._next(target, place)
        raise Refused(f"more than {REDIRECTS} redirects, the last one to {str(target)[:200]}")

    async def post(
        self,
        url: str,
        body: bytes,
        key: PrivateKey,
        *,
        ed25519: PrivateKey | None = None,
        digests: Mapping[Scheme, str] | None = None,
        scheme: Manner | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Answer:
        """Delivers `body`, signed, and returns the answer whatever its status.  Redirects are answers, too.

        `key` is RSA; `ed25519` is another of the same sender, for hosts that say that they know it.  `digests` saves
        hashing one body for many inboxes; `scheme` is what this host last accepted, where known; `headers` are further
        ones, signed too.
        Raises: Refused (by us: guard, policy); Unreachable (network, TLS, time); Malformed (a key of no use).
        """
        target, text, host = self._inbox(url)
        self._permit(host)
        peer, now = self._peers.of(host), self._clock()
        unsigned = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE, **self._headers}
        refusals: list[Answer] = []
        waiting = peer.manners(scheme, now, ed25519=ed25519 is not None)
        while waiting:
            tried = waiting.pop(0)
            by = ed25519 if ed25519 and tried == "ed25519" else key
            digest = digests.get(scheme_of(tried)) if digests else None
            make = partial(sign, scheme_of(tried), "POST", text, by, now, body, digest=digest, also=headers)
            signed = await self._signer.sign(make) if by.kind == "rsa" else make()
            reply = await self._transport.post(target, host, peer, unsigned | signed, body)
            _hear(peer, reply, tried)
            if reply.status not in _KNOCK_POST:
                return self._answer(reply, "ed25519" if peer.takes_ed25519(scheme, now) else tried)
            if tried == "ed25519":
                peer.refused_ed25519(now)
                continue
            refusals.append(self._answer(reply, tried))
            if ed25519 and peer.takes_ed25519(None, now):  # they say so only now
                waiting.insert(0, "ed25519")
        if len(refusals) > 1:
            peer.one_knock_until = now + ONE_KNOCK
        return refusals[0]  # no scheme pleases them, so what they said of the likelier one tells more

    async def push(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Brings `body` to a push service (federation/webpush.py), unsigned; returns the answer, whatever its status.

        Push services are no servers of the federation: its policy does not hold for them, the guard does.
        Raises: Refused (by the guard); Unreachable.
        """
        target, _, host = self._inbox(url)
        reply = await self._transport.post(target, host, self._peers.of(host), {**self._headers, **headers}, body)
        return self._answer(reply, "cavage")

    async def _in_time(self, url: str, work: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._limits.total):
                return await work
        except TimeoutError:
            raise Unreachable(host_of(self.guard.check_url(url)), "took too long") from None

    async def _document(self, url: str, budget: Budget, key: PrivateKey | None) -> Fetched:
        target = self.guard.check_url(url)
        for _ in range(2):
            reply = await self._get(target, budget, answers.ACCEPT_ACTIVITY, key)
            document = _parsed(reply, answers.is_activity)
            claimed = document.get("id")
            if not isinstance(claimed, str):
                raise Malformed("id", claimed)
            target = self.guard.check_url(claimed)
            if target == reply.url:
                return Fetched(str(reply.url), document)
        raise Forged(f"what is at {url[:200]} says to be {str(target)[:200]}, which says to be another")

    async def _json(self, url: str, budget: Budget, accept: str) -> Fetched:
        reply = await self._get(self.guard.check_url(url), budget, accept, None)
        return Fetched(str(reply.url), _parsed(reply, answers.is_json))

    async def _file(self, url: str, budget: Budget, accept: str) -> tuple[str, bytes]:
        reply = await self._get(self.guard.check_url(url), budget, accept, None)
        return answers.only(reply.headers, "Content-Type"), reply.body

    async def _page(self, url: str, budget: Budget) -> FetchedPage:
        reply = await self._get(self.guard.check_url(url), budget, answers.ACCEPT_PAGE, None, whole=False)
        media_type = answers.only(reply.headers, "Content-Type")
        if not answers.is_page(media_type):
            raise Malformed("Content-Type", media_type)
        return FetchedPage(str(reply.url), answers.charset(media_type), reply.body)

    async def _get(self, url: URL, budget: Budget, accept: str, key: PrivateKey | None, *, whole: bool = True) -> Reply:
        """Follows redirects; each hop is checked, paid for and signed like the first."""
        for _ in range(1 + REDIRECTS):
            reply = await self._knock(url, budget, accept, key, whole=whole)
            place = answers.only(reply.headers, "Location") if reply.status in _MOVED else ""
            if not place:
                if reply.status != answers.OK:
                    self._refuse(reply)
                return reply
            url = self._next(url, place)
        raise Refused(f"more than {REDIRECTS} redirects, the last one to {str(url)[:200]}")

    def _next(self, url: URL, place: str) -> URL:
        try:
            return self.guard.check_url(str(url.join(URL(place))))
        except ValueError as error:
            raise Refused(f"redirected to {place[:80]!r}: {error}") from None

    async def _knock(
        self, url: URL, budget: Budget, accept: str, key: PrivateKey | None, *, whole: bool = True
    ) -> Reply:
        """One answer: the first that is no refusal of our signature."""
        host = host_of(url)
        self._permit(host)
        peer, now = self._peers.of(host), self._clock()
        if peer.quiet_until > now:
            raise Busy(host, "asked us not to fetch for a while")
        headers = {"Accept": accept, **self._headers}
        if key is None:
            budget.spend()
            return await self._transport.get(url, host, peer, headers, whole=whole)
        manners = peer.manners(None, now, ed25519=self._ed25519 is not None and key is self.key)
        for tried in manners:
            budget.spend()
            by = self._ed25519 if self._ed25519 and tried == "ed25519" else key
            signed = sign(scheme_of(tried), "GET", str(url), by, now)
            reply = await self._transport.get(url, host, peer, headers | signed)
            _hear(peer, reply, tried)
            if not _minds(reply.status, tried):
                return reply
            if tried == "ed25519":
                peer.refused_ed25519(now)
        if len(manners) - manners.count("ed25519") > 1:
            peer.one_knock_until = now + ONE_KNOCK
        return reply

    def _refuse(self, reply: Reply) -> NoReturn:
        host, now = host_of(reply.url), self._clock()
        if reply.status in _BUSY:
            wait = answers.retry_after(reply.headers, now)
            if wait is None and reply.status in _LATER:
                wait = QUIET
            self._peers.of(host).quiet_until = now + min(wait or 0.0, LONGEST_QUIET)
        if reply.status in _GONE:
            raise Gone(f"{reply.url}: {reply.status}")
        if reply.status in _LATER or not _ACCEPTED.start <= reply.status < _SERVER_ERROR:
            raise Busy(host, f"answered {reply.status}")
        raise Refused(f"{host} answered {reply.status}: {answers.reason(reply.body)}")

    def _permit(self, host: str) -> None:
        if self._policy is not None and not self._policy(host):
            raise Refused(f"{host}: we do not talk to this server")

    def _inbox(self, url: str) -> tuple[URL, str, str]:
        """Checked and taken apart; kept, for inboxes come again and again."""
        kept = self._inboxes.get(url)
        if kept is None:
            if len(self._inboxes) >= URLS_KEPT:
                self._inboxes.clear()
            target = self.guard.check_url(url)
            kept = self._inboxes[url] = target, str(target), host_of(target)
        return kept

    def _answer(self, reply: Reply, scheme: Manner) -> Answer:
        if reply.status in _ACCEPTED:
            return Answer(reply.status, None, scheme, "")
        wait = answers.retry_after(reply.headers, self._clock())
        return Answer(reply.status, wait, scheme, answers.reason(reply.body))


def _minds(status: int, tried: Manner) -> bool:
    """Does a fetch deserve another signature?  What one actor says of Ed25519 must not cost us others of his host."""
    if tried == "ed25519":
        return status >= _REFUSALS and status not in _NOT_OF_KEYS
    return status in _KNOCK_GET


def _hear(peer: Peer, reply: Reply, tried: Manner) -> None:
    """What an answer says of the signatures that they accept."""
    if reply.status in _ACCEPTED and tried != "ed25519":
        peer.scheme = tried
    if not peer.ed25519 and "Accept-Signature" in reply.headers:
        peer.ed25519 = answers.takes_ed25519(reply.headers)


def _parsed(reply: Reply, accepts: Callable[[str], bool]) -> dict[str, Any]:
    media_type = answers.only(reply.headers, "Content-Type")
    if not accepts(media_type):
        raise Malformed("Content-Type", media_type)
    return parse_object(reply.body)
