"""Runs an async main function in this process, until it ends or is told to stop; and waits for that."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from connectme.settings import Settings
from connectme.supervisor import STOPPING

log = logging.getLogger(__name__)

GRACE = 8.0  # seconds to finish; a supervisor kills after two more


class Main(Protocol):
    """`serve_web`, `serve_single` of connectme.app; `run_worker` of connectme.worker."""

    def __call__(self, settings: Settings, *, stop: asyncio.Event) -> Coroutine[Any, Any, None]: ...


def run(main: Main, settings: Settings, *, grace: float = GRACE) -> int:
    """The exit status: 0 ended when asked to, 1 not in time.  What `main` raises is raised.

    SIGTERM, SIGINT and SIGHUP set `stop`; `main` then has `grace` seconds to finish, less at a second signal.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_until_stopped(main, settings, grace))


async def until(stop: asyncio.Event, seconds: float) -> bool:
    """Waits; True when `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """`work` goes on while the block lasts, and ends with it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed, else None: that of asyncio."""
    try:
        import uvloop  # noqa: PLC0415  not on every system
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _until_stopped(main: Main, settings: Settings, grace: float) -> int:
    stop, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, lambda: hurry.set() if stop.is_set() else stop.set())
    working = asyncio.create_task(main(settings, stop=stop))
    await _first(working, stop.wait())
    if not working.done():
        await _first(working, hurry.wait(), grace)
    if not working.done():
        log.error("still at work after %s s or a second signal; leaving it", grace)
        await _abandon(working)
        return 1
    await working
    return 0


async def _first(working: "asyncio.Task[None]", other: Awaitable[object], seconds: float | None = None) -> None:
    waiting = asyncio.ensure_future(other)
    await asyncio.wait({working, waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _abandon(working: "asyncio.Task[None]") -> None:
    """Lets it close its files; if it does not even do that, the process ends here."""
    working.cancel()
    await asyncio.wait({working}, timeout=1.0)
    if not working.done():
        os._exit(1)
