"""The processes that answer requests: web, or web and worker in one.  The worker alone is in connectme/worker.py.

Each `serve_…` returns after `stop` is set and what was begun is done; connectme/loop.py runs them.
"""

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

from aiohttp import web, web_response
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Middleware
from sqlalchemy.exc import SQLAlchemyError

from connectme import __version__
from connectme.attendance import Attendance
from connectme.house import House
from connectme.keeper import Keeper
from connectme.loop import until
from connectme.observing import is_traced
from connectme.ready import ready, started
from connectme.settings import Settings
from connectme.sockets import open_listener
from connectme.waiting import in_houses
from federation.actors import fetch_key
from federation.client import Budget
from federation.errors import Forged
from federation.keys import PublicKey, load_public
from inbox import routes as inbox_routes
from inbox.append import Appender
from inbox.keys import KeyRing, NoKey, Unchecked
from inbox.receive import Parcel, Receiver
from ops.modes import Board
from social import accounts, instance
from social.errors import Unauthorised, Unavailable
from store.tables import INSTANCE_ACTOR_ID, Account
from web import client_address, keys, limits, tally
from web import routes as web_routes
from web.barred import BARRED, Barred
from web.fetched import FETCHED, Fetched
from web.streaming import routes as streaming
from web.streaming.hub import Hub

log = logging.getLogger(__name__)

FETCHES = 5  # requests for one key: the key, its owner, WebFinger both ways; and one with a key they do not know
KEEP_ALIVE = 75.0  # seconds
MODE_EVERY = 0.5  # seconds between two looks whether streams have to end
COUNTS_EVERY = 2.0  # seconds between two moments at which counts of the inbox are written down


class Unreadable(logging.Filter):
    """What cannot be read as HTTP is its sender's fault: a line, and no trace; it would quote his headers."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | web.RequestPayloadError):
            return True
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args = f"{record.getMessage()}: %s", (type(error).__name__,)
        record.exc_info = None
        return log.isEnabledFor(logging.INFO)


UNREADABLE = Unreadable()
# The header Server of every answer, what could not be read as HTTP included: not what it is made of, in which version.
vars(web_response)["SERVER_SOFTWARE"] = "ConnectMe"
ATTENDANCE = web.AppKey("ATTENDANCE", Attendance)


async def serve_web(settings: Settings, *, index: int = 0, stop: asyncio.Event) -> None:
    with open_listener(settings, shared=settings.web_processes > 1) as listener:

        async def serve(house: House, end: asyncio.Event) -> None:
            await _serve(house, end, listener, first=index == 0)

        await in_houses(settings, stop, serve, meanwhile=serve, first=index == 0)


async def serve_single(settings: Settings, *, stop: asyncio.Event) -> None:
    """Web and worker in one process: the least memory, and no waiting between them."""
    from connectme.worker import Worker  # noqa: PLC0415  a process for the web alone is smaller without it

    with open_listener(settings, shared=False) as listener:

        async def serve(house: House, end: asyncio.Event) -> None:
            worker = Worker(house)
            house.db.listeners.append(worker.hear)
            working = asyncio.create_task(worker.run(end))
            try:
                await _serve(house, end, listener, first=True, wake=worker.processor.wake)
            finally:
                end.set()
                await working

        async def meanwhile(house: House, end: asyncio.Event) -> None:
            await _serve(house, end, listener, first=False)

        await in_houses(settings, stop, serve, meanwhile=meanwhile)


async def _serve(
    house: House, stop: asyncio.Event, listener: socket.socket, *, first: bool, wake: Callable[[], None] = lambda: None
) -> None:
    """listener: stays open when this ends, so that who comes before the next house waits for it."""
    logging.getLogger("aiohttp.server").addFilter(UNREADABLE)
    appender = Appender(house.spool, house.counts, wake=wake)
    app, requests = make_app(house, appender), tally.Tally()
    # auto_decompress: nobody sends compressed bodies but those who hope that we unpack them.
    runner = web.AppRunner(
        app,
        access_log=tally.LOG,
        access_log_class=tally.access_log(requests.add),
        auto_decompress=False,
        keepalive_timeout=KEEP_ALIVE,
        shutdown_timeout=5.0,
    )
    await runner.setup()
    following = [
        asyncio.create_task(house.rules.follow(house.db, stop)),
        asyncio.create_task(app[BARRED].follow(house.db, stop)),
        asyncio.create_task(_write_counts(house, appender, requests, stop)),
        asyncio.create_task(app[ATTENDANCE].run(stop)),
        asyncio.create_task(_end_streams(house.board, app[streaming.HUB], stop)),
    ]
    try:
        site = web.SockSite(runner, listener.dup(), backlog=1024)
        await site.start()
        if first:
            await _greet(house, app)
        await stop.wait()
    finally:
        await runner.cleanup()
        stop.set()
        await asyncio.gather(*following)
        await appender.flush()


def make_app(house: House, appender: Appender) -> web.Application:
    """All routes, and what they need."""
    settings = house.settings
    app = web.Application(client_max_size=inbox_routes.LARGEST, middlewares=_middlewares(settings))
    ring = KeyRing(house.db, house.spool, lambda key_id: fetch_key(house.client, key_id, Budget(FETCHES)))
    receiver = Receiver(house.origin, ring, house.rules, appender, house.counts)
    app[inbox_routes.RECEIVER] = receiver
    app[inbox_routes.RECIPIENTS] = inbox_routes.Recipients(house.db)
    app[inbox_routes.ADDRESS] = client_address.network
    barred = app[BARRED] = Barred()
    app[inbox_routes.SHUTS_OUT] = barred.shuts_out
    attendance = app[ATTENDANCE] = Attendance(settings.data_dir)
    app[inbox_routes.IS_AWAY] = lambda: bool(house.db.shut)
    app[inbox_routes.MISSED] = attendance.missed
    app[keys.DATABASE], app[keys.ORIGIN], app[keys.REMOTE] = house.db, house.origin, house.gatherer
    app[keys.CONFIG] = keys.Config(
        version=__version__,
        title=settings.title,
        description=settings.description,
        contact_email=settings.contact_email,
        registrations=settings.registrations,
        authorized_fetch=settings.authorized_fetch,
        rate_limits=settings.rate_limits,
        trusted_proxies=settings.trusted_proxies,
        metrics_token=settings.metrics_token,
        setup_token="" if _is_here(house) else secrets.token_urlsafe(16),
        languages=settings.languages,
        show_domain_blocks=settings.show_domain_blocks,
        source_url=settings.source_url,
        limited_federation=settings.federation_mode == "allowlist",
        vapid_key=house.push_key.shown,
        mails=bool(settings.smtp_url),
        trends=settings.trends,
        trends_review=settings.trends_review,
        address_days=settings.address_days,
    )
    app[keys.BLOBS], app[keys.WORKSHOP], app[keys.PROXY] = house.blobs, house.workshop, house.cache
    app[keys.BOARD] = house.board
    app[keys.GUARD] = house.client.guard
    app[keys.POOL] = ThreadPoolExecutor(2, thread_name_prefix="slow")
    app[keys.SIGNER] = _signer(house, receiver)
    app[keys.OURSELVES] = _ourselves(house, receiver)
    app[keys.KEEPER] = Keeper(settings, house.board)
    app[keys.READY] = lambda: ready(house)
    app[keys.STARTED] = lambda: started(house)
    app[keys.METRICS] = lambda: _metrics(house)
    app[limits.LIMITS] = limits.Limits()
    app[FETCHED] = Fetched(house.db)
    app.router.add_routes(inbox_routes.routes)
    web_routes.add(app)
    _stream(house, app)
    return app


def _middlewares(settings: Settings) -> list[Middleware]:
    if not is_traced(settings):
        return []
    from ops.tracing import requests  # noqa: PLC0415  an extra

    return [requests]


def _stream(house: House, app: web.Application) -> None:
    hub = app[streaming.HUB] = Hub(house.db, house.origin)

    async def start(_: web.Application) -> None:
        hub.start()
        await house.bus.listen(hub.hear)

    async def stop(_: web.Application) -> None:
        await hub.stop()

    app.on_startup.append(start)
    app.on_shutdown.append(stop)


def _is_here(house: House) -> bool:
    """A server for this machine alone: whoever reaches its first page may become its owner."""
    return house.origin.scheme == "http" and house.origin.host.partition(":")[0] in ("localhost", "127.0.0.1")


def _signer(house: House, receiver: Receiver) -> Callable[[web.Request], Awaitable[Account | None]]:
    async def signer(request: web.Request) -> Account | None:
        if "Signature" not in request.headers:
            return None
        headers, address = tuple(request.headers.items()), client_address.network(request)
        try:
            key: PublicKey = await receiver.authenticate(request.method, request.raw_path, headers, address)
        except Unchecked as error:
            raise Unavailable("Who signed cannot be known now", why=str(error)) from error
        except NoKey as error:
            raise Unauthorised("The key of the signature is not to be had", why=str(error)) from error
        return await house.db.read(accounts.find_by_uri, key.owner)

    return signer


def _ourselves(house: House, receiver: Receiver) -> Callable[[web.Request, bytes], Awaitable[None]]:
    async def ourselves(request: web.Request, body: bytes) -> None:
        key = next((key for key in await house.db.read(accounts.keys_of, INSTANCE_ACTOR_ID) if key.kind == "rsa"), None)
        if key is None:
            raise Forged("this server has no key yet")
        own = load_public(key.id, house.origin.instance_actor, key.public)
        headers, address = tuple(request.headers.items()), client_address.network(request)
        receiver.ourselves(Parcel(request.raw_path, headers, body, address), own)

    return ourselves


async def _greet(house: House, app: web.Application) -> None:
    """Says where the first page is, while there is nobody to see it."""
    with suppress(SQLAlchemyError, OSError):
        if not await house.db.read(instance.has_people):
            token = app[keys.CONFIG].setup_token
            address = house.origin.url("/setup") + (f"?token={token}" if token else "")
            log.info("nobody has an account here yet; make the owner's at %s", address)


async def _write_counts(house: House, appender: Appender, requests: tally.Tally, stop: asyncio.Event) -> None:
    """Counts go with the messages; those of refusals would wait for the next message that is kept."""
    while not stop.is_set():
        await until(stop, COUNTS_EVERY)
        for name, number in requests.take().items():
            house.counts.add(name, number=number)
        await appender.flush()


async def _end_streams(board: Board, hub: Hub, stop: asyncio.Event) -> None:
    """Whoever listens while the server closes is told why; who comes later is refused at the door."""
    while not await until(stop, MODE_EVERY):
        if board.mode.is_shut:
            hub.end_all(board.words)


async def _metrics(house: House) -> bytes:
    from ops import metrics  # noqa: PLC0415  many are never asked

    now = datetime.now(UTC)
    begun = time.perf_counter()
    try:
        queues, up = await house.db.read(metrics.of_database, now), True
    except (SQLAlchemyError, OSError):
        queues, up = [], False  # then the other numbers are wanted most
    took = time.perf_counter() - begun
    kept = await house.spool.read(metrics.of_spool, now)
    return metrics.render(
        [
            *queues,
            *metrics.of_reading(took, up=up),
            *kept,
            *metrics.of_backups(house.settings.data_dir, now),
            *metrics.of_checks(house.settings.data_dir, now),
            *metrics.of_process(),
        ]
    )
