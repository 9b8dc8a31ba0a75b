"""What only the network can tell: is this server reached by its name, believed, and does what others sign arrive whole?

Side by side, each for some seconds at most.  What needs a server that runs says so when none does.
"""

import asyncio
import secrets
import sqlite3
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from federation.client import Client, Limits
from federation.errors import Malformed
from federation.guard import Guard
from federation.keys import PrivateKey, load_private
from federation.origin import Origin
from federation.signatures import sign
from ops import certificate, clock
from ops.doctor import content, services
from ops.doctor.case import Case, broken
from ops.doctor.services import LONGEST, PATIENCE
from ops.doctor.words import ill, well
from ops.findings import Finding, first_line
from ops.watch import asking
from social import accounts
from store.tables import INSTANCE_ACTOR_ID

SOON: Final = 14  # days that a certificate has left
OFF, WRONG = 30.0, 300.0  # seconds that a clock is off
LARGEST: Final = 1 << 18  # bytes of an answer
_ACTIVITY: Final = "application/activity+json"
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_TROUBLE: Final = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Visit:
    case: Case
    origin: Origin
    session: aiohttp.ClientSession
    key: PrivateKey | None = None  # the server's own; None: the database does not tell
    others: tuple[str, ...] = ()  # servers that we know

    @property
    def names(self) -> list[tuple[str, int]]:
        """Host and port of the address, and of the domain where that is another."""
        scheme = self.origin.scheme
        parts = [urlsplit(self.origin.base_url), urlsplit(f"{scheme}://{self.origin.domain}")]
        usual = 443 if scheme == "https" else 80
        return list(dict.fromkeys((part.hostname or "", part.port or usual) for part in parts))


Look: TypeAlias = Callable[[Visit], Awaitable[list[Finding]]]


async def look(case: Case, stores: services.Stores) -> list[Finding]:
    """stores: what opens each bucket, by its name."""
    origin = Origin(case.settings.domain, case.settings.base_url)
    key, others = await _known(case)
    tls: ssl.SSLContext | bool = True
    if case.settings.ca_file:
        tls = ssl.create_default_context()
        tls.load_verify_locations(case.settings.ca_file)
    limits = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), timeout=limits) as session:
        visit = Visit(case, origin, session, key, others)
        found = await asyncio.gather(
            *(_in_time(check, visit) for check in CHECKS),
            services.look(case, stores),
        )
    return [one for some in found for one in some]


async def _in_time(check: Look, visit: Visit) -> list[Finding]:
    try:
        async with asyncio.timeout(LONGEST):
            return await check(visit)
    except Exception as error:  # noqa: BLE001  whatever it is, the others go on
        return [broken(check, error)]


async def _known(case: Case) -> tuple[PrivateKey | None, tuple[str, ...]]:
    """The server's own key and its neighbours; nothing, when the database cannot be read: others say why."""
    with suppress(SQLAlchemyError, sqlite3.Error, OSError, ValueError, Malformed):
        return await content.within(case, _read)
    return None, ()


def _read(tx: Connection, _: Case) -> tuple[PrivateKey | None, tuple[str, ...]]:
    own = [key for key in accounts.keys_of(tx, INSTANCE_ACTOR_ID) if key.kind == "rsa" and key.private]
    return (load_private(own[0].id, own[0].private or "") if own else None), tuple(clock.to_ask(tx))


async def names(visit: Visit) -> list[Finding]:
    guard = Guard(visit.case.settings.allowed_private_networks)
    found = []
    for name, port in visit.names:
        if name in _LOCAL:
            continue
        try:
            async with asyncio.timeout(PATIENCE):
                told = await asyncio.get_running_loop().getaddrinfo(name, port)
        except (OSError, TimeoutError) as error:
            trouble = f"leads nowhere ({first_line(error)})"
            found.append(ill("network.names", "error", trouble, name=name, trouble=trouble))
            continue
        addresses = list(dict.fromkeys(str(one[4][0]) for one in told))
        evidence = f"{name}: {', '.join(addresses)}"
        if any(guard.allows(address) for address in addresses):
            found.append(well("network.names", evidence))
        else:
            trouble = "leads, from here, to private addresses alone"
            found.append(ill("network.names", "warning", evidence, name=name, trouble=trouble))
    return found


async def certificates(visit: Visit) -> list[Finding]:
    if visit.origin.scheme != "https":
        return []
    ca_file, now = str(visit.case.settings.ca_file or ""), visit.case.now.timestamp()
    return [
        await asyncio.to_thread(_certificate, name, port, now, ca_file)
        for name, port in visit.names
        if name not in _LOCAL or ca_file
    ]


def _certificate(name: str, port: int, now: float, ca_file: str) -> Finding:
    try:
        seen = certificate.look(name, port, now, ca_file=ca_file)
    except OSError as error:
        return ill("network.certificate", "warning", first_line(error), name=name, trouble="was not seen")
    if seen.days is None:
        return ill("network.certificate", "error", seen.wrong, name=name, trouble=f"is not believed: {seen.wrong}")
    evidence = f"{name}:{port}: {seen.days} days left"
    if seen.days < SOON:
        return ill("network.certificate", "warning", evidence, name=name, trouble=f"ends in {seen.days} days")
    return well("network.certificate", evidence)


async def address(visit: Visit) -> list[Finding]:
    """Through the public address, as others come; what goes wrong first is all that is told."""
    url = visit.origin.url("/livez")
    try:
        status, body, _ = await _get(visit, url)
        trouble = "" if (status, body.strip()) == (200, b"ok") else f"it answers {status}: {_beginning(body)}"
    except _TROUBLE as error:
        trouble = _why(error)
    if not trouble:
        more = await asyncio.gather(found(visit), echoed(visit), streams(visit))
        return [well("network.address", url), *(one for some in more for one in some)]
    here = await asyncio.to_thread(asking.ask, visit.case.settings.bind, "/livez", timeout=PATIENCE)
    if here.status != 200:
        return [ill("network.serves", "notice", f"{url}: {trouble}", bind=visit.case.settings.bind)]
    return [ill("network.address", "error", trouble, url=visit.origin.base_url, trouble=trouble)]


async def found(visit: Visit) -> list[Finding]:
    """WebFinger of the server itself, by its domain, and the actor that it names."""
    origin, domain = visit.origin, visit.origin.domain
    resource = quote(f"acct:{domain}@{domain}")
    url = f"{origin.scheme}://{domain}/.well-known/webfinger?resource={resource}"
    try:
        status, body, last = await _get(visit, url)
        links = _json(body).get("links", []) if status == 200 else []
        named = [one.get("href") for one in links if isinstance(one, dict) and one.get("rel") == "self"]
        if origin.instance_actor not in named:
            return [_lost(f"{last} answered {status}: {_beginning(body)}", f"WebFinger of {domain} names another")]
        status, body, last = await _get(visit, origin.instance_actor, {"Accept": _ACTIVITY})
        if status != 200 or _json(body).get("id") != origin.instance_actor:
            return [_lost(f"{last} answered {status}: {_beginning(body)}", "the actor of this server is not there")]
    except (*_TROUBLE, ValueError) as error:
        return [_lost(f"{url}: {_why(error)}", f"WebFinger of {domain} gives no answer of use")]
    return [well("network.found", f"{url} names {origin.instance_actor}")]


def _lost(evidence: str, trouble: str) -> Finding:
    return ill("network.found", "error", evidence, trouble=trouble)


async def echoed(visit: Visit) -> list[Finding]:
    """A message that the server sends to itself, signed as deliveries are: web/echo.py says what came of it."""
    if visit.key is None:
        return []
    url, token = visit.origin.url("/inbox/echo"), secrets.token_hex(16)
    body = orjson.dumps({"token": token})
    headers = {"Content-Type": _ACTIVITY, **sign("cavage", "POST", url, visit.key, time.time(), body)}
    try:
        async with visit.session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            status, said = answer.status, await answer.content.read(LARGEST)
    except _TROUBLE as error:
        return [_unsigned(_why(error))]
    if status == 404:  # a server from before there was such a thing
        return [ill("network.signature", "notice", _beginning(said), trouble="the server does not know the question")]
    if status != 200:
        return [_unsigned(f"{status}: {_beginning(said)}")]
    try:
        seen = _json(said)
    except ValueError:
        seen = {}
    if seen.get("token") != token:
        return [_unsigned(f"something else answered: {_beginning(said)}")]
    return [well("network.signature", f"{url} accepted it"), _proxy(visit, seen)]


def _unsigned(trouble: str) -> Finding:
    return ill("network.signature", "error", trouble, trouble=trouble)


def _proxy(visit: Visit, seen: dict[str, Any]) -> Finding:
    evidence = ", ".join(f"{name} {seen.get(name) or 'none'}" for name in ("peer", "host", "forwarded", "scheme"))
    trouble = ""
    if seen.get("host", "").lower() != visit.origin.host:
        trouble = f"the proxy passes on {seen.get('host') or 'no Host'} instead of Host {visit.origin.host}"
    elif seen.get("forwarded") and not seen.get("trusted"):
        trouble = f"the proxy comes from {seen.get('peer')}, which TRUSTED_PROXIES does not name"
    elif visit.origin.scheme == "https" and not seen.get("forwarded"):
        trouble = "the proxy does not say for whom it asks (no X-Forwarded-For)"
    elif visit.origin.scheme == "https" and seen.get("scheme") not in ("", "https"):
        trouble = f"the proxy says {seen.get('scheme')} in X-Forwarded-Proto, and BASE_URL is https"
    return ill("network.proxy", "warning", evidence, trouble=trouble) if trouble else well("network.proxy", evidence)


async def streams(visit: Visit) -> list[Finding]:
    """A WebSocket as programs open it, on which the server says one thing (web/streaming/routes.py)."""
    url = visit.origin.url("/api/v1/streaming/health")
    try:
        async with visit.session.ws_connect(url) as link:
            said = await link.receive(PATIENCE)
    except aiohttp.WSServerHandshakeError as error:
        trouble = f"it answers {error.status} to who wants a WebSocket"
    except _TROUBLE as error:
        trouble = _why(error)
    else:
        if said.type is aiohttp.WSMsgType.TEXT:
            return [well("network.streams", url)]
        trouble = "it ends before anything came"
    return [ill("network.streams", "warning", f"{url}: {trouble}", trouble=trouble)]


async def clocks(visit: Visit) -> list[Finding]:
    settings = visit.case.settings
    seen = None
    if settings.outgoing and visit.others:
        guard = Guard(settings.allowed_private_networks, settings.allow_http_federation)
        limits = Limits(headers=PATIENCE, total=PATIENCE)
        ca_file = str(settings.ca_file) if settings.ca_file else None
        client = Client(guard=guard, user_agent=f"ConnectMe (+{settings.base_url}/)", ca_file=ca_file, limits=limits)
        try:
            seen = await clock.measure(client, visit.others)
        finally:
            await client.close()
    kept = {True: "yes", False: "no", None: "not known"}[clock.is_kept_right()]
    system = f"kept right by the system (NTP): {kept}"
    if seen is None:
        return [well("network.clock", f"no other server could be asked; {system}")]
    evidence = f"{seen.seconds:+} s against {seen.servers} of {', '.join(visit.others)}; {system}"
    if abs(seen.seconds) <= OFF:
        return [well("network.clock", evidence)]
    sure = abs(seen.seconds) > WRONG and seen.servers >= clock.ENOUGH
    way = "ahead of" if seen.seconds > 0 else "behind"
    return [ill("network.clock", "error" if sure else "warning", evidence, seconds=abs(seen.seconds), way=way,
                servers=seen.servers)]  # fmt: skip


async def _get(visit: Visit, url: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, str]:
    """Status, body, and where it came from in the end."""
    async with visit.session.get(url, headers=headers, max_redirects=3) as answer:
        return answer.status, await answer.content.read(LARGEST), str(answer.url)


def _json(body: bytes) -> dict[str, Any]:
    """Raises: ValueError."""
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004  as orjson has it
    return value


def _why(error: BaseException) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else first_line(error)


def _beginning(body: bytes) -> str:
    return " ".join(body[:200].decode("utf-8", "replace").split())[:120]


CHECKS: Final[tuple[Look, ...]] = (names, certificates, address, clocks)
