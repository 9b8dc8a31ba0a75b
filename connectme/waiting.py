"""Without a database the server stays: it takes messages for the spool, says how it is, and waits.

    open the house ── cannot: away, older, being changed ──→ a provisional house serves ── it can be used ──┐
        ↑                                                                                                    │
        └───────────── its file was replaced: close it ←── the house serves ←────────── looked at ───────────┘

What is wrong (another server's database, a newer one) is refused at the start, when somebody looks on; later it is
waited for, and nothing is written into it.  An embedded database of an older version is changed meanwhile, by a process
of its own (connectme/child.py); on PostgreSQL, `connectme db upgrade` is waited for.
"""

import asyncio
import logging
import sqlite3
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from connectme import child, lock, schema
from connectme.errors import Failure
from connectme.house import House, opened, provisional
from connectme.loop import until
from connectme.settings import Settings
from ops import belonging, identity, parts
from ops.change import progress
from ops.findings import first_line
from ops.modes import Board, Mode

log = logging.getLogger(__name__)

LOOK: Final = 1.0  # seconds between two looks whether the database is there
AGAIN: Final = 60.0  # seconds before a change that failed is tried again
SLOWEST: Final = 4.0  # … between two processes that could not begin: each costs a second of CPU
Work = Callable[[House, asyncio.Event], Awaitable[None]]


async def in_houses(
    settings: Settings, stop: asyncio.Event, work: Work, *, meanwhile: Work | None = None, first: bool = True
) -> None:
    """Runs `work(house, end)` until `stop` is set; `end` is set with it, or when the house has to be opened anew.

    meanwhile: the same in a provisional house, while there is no database.  first: the process that has it changed.
    Raises: Failure, at the start, for a database that is wrong or cannot be changed.
    """
    at_start = True
    while not stop.is_set():
        why: Exception | None = None
        try:
            await _fit(settings)
            async with opened(settings) as house:
                at_start = False
                await _run(work, house, stop)
        except (SQLAlchemyError, sqlite3.Error, OSError, Failure) as error:
            if at_start and isinstance(error, Failure) and not isinstance(error, schema.Away):
                raise
            why = error
            log.warning("without a database for now: %s", first_line(error))
        if why is not None:
            await _meanwhile(settings, stop, meanwhile, why, _Change(settings, stop, at_start) if first else None)
        at_start = False


async def _run(work: Work, house: House, stop: asyncio.Event) -> None:
    end = asyncio.Event()
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(house.lost.wait())]
    working = asyncio.ensure_future(work(house, end))
    try:
        await asyncio.wait([*waiting, working], return_when=asyncio.FIRST_COMPLETED)
        end.set()
        await working
    finally:
        end.set()
        for task in waiting:
            task.cancel()


async def _meanwhile(
    settings: Settings, stop: asyncio.Event, work: Work | None, why: Exception, change: "_Change | None"
) -> None:
    """Returns when the database can be used, or `stop` is set."""
    async with provisional(settings, _mode(why)) as house:
        looking = asyncio.create_task(_until_there(settings, stop, house.board, change))
        looking.add_done_callback(lambda _: house.lost.set())
        try:
            if work is not None:
                await _run(work, house, stop)
            await looking
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking


def _mode(why: Exception) -> Mode:
    return Mode("maintenance" if isinstance(why, schema.Changing) else "emergency", reason=first_line(why))


async def _until_there(settings: Settings, stop: asyncio.Event, board: Board, change: "_Change | None") -> None:
    """Raises: Failure, when the database cannot be changed at the start."""
    while not stop.is_set():
        try:
            await _fit(settings)
        except Failure as error:
            mode = _mode(error)
            board.found(mode.name, mode.reason)
            if isinstance(error, schema.ToChange) and change is not None and await change.made():
                continue
        else:
            return
        await until(stop, LOOK)


async def _fit(settings: Settings) -> None:
    """Raises: Failure, while it is not there or not fit to be opened."""
    if why := missing(settings):
        raise schema.Away(why)
    with lock.using(settings):
        found, begun = await schema.looked(settings), progress.unfinished(settings.data_dir)
    state = found.state
    if state == "empty":
        raise schema.ToChange("the database is empty")
    if begun and begun.stage not in progress.HARMLESS:
        raise schema.ToChange("a change of the database was interrupted")
    if state == "behind" and settings.sqlite_file:
        raise schema.ToChange("the database is of an older version")
    if state == "behind":
        raise schema.Changing(
            "the database is of an older version; run `connectme db upgrade`, this server waits for it"
        )
    if found.parts is not None and (lost := parts.needed(identity.parts(), found.parts)):
        raise schema.CannotUse(belonging.refusal(parts.missing("schema.needed", lost)))


class _Change:
    """Has an older database brought to this version, by a process that ends with this one."""

    def __init__(self, settings: Settings, stop: asyncio.Event, at_start: bool) -> None:
        self._settings, self._stop = settings, stop
        self._at_start = at_start
        self._due = 0.0
        self._pause = LOOK
        self._killed = 0

    async def made(self) -> bool:
        """Is it done?  Raises: CannotUse, at the start, when it cannot be done."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._due:
            return False
        status = await self._run()
        if status is not None and status < 0 and not self._stop.is_set():
            self._killed += 1
            log.error("the change of the database was killed (signal %s); it goes on", -status)
            self._due = loop.time() + (AGAIN if self._killed > 1 else 0.0)
            return False
        if status == child.AWAY:  # held by somebody else, as by `connectme db upgrade`
            self._due = loop.time() + self._pause
            self._pause = min(2 * self._pause, SLOWEST)
        elif status != 0 and not self._stop.is_set():
            if self._at_start:
                raise schema.CannotUse("the database was not brought to this version; see above")
            self._due = loop.time() + AGAIN
        return status == 0

    async def _run(self) -> int | None:
        """The exit status; None when it had to be stopped, from which it goes on the next time."""
        process = await asyncio.create_subprocess_exec(
            *child.argv("change"), stdin=PIPE, env=child.environment(self._settings), start_new_session=True
        )
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([stopped, ended := asyncio.create_task(process.wait())], return_when="FIRST_COMPLETED")
            return ended.result() if ended.done() else None
        finally:
            stopped.cancel()
            if process.returncode is None:
                process.kill()
                await process.wait()


def missing(settings: Settings) -> str:
    """Why a file that should be there must not be made anew; empty when it is there, or never was."""
    file = settings.sqlite_file
    if file is None or file.exists() or belonging.recall(settings.data_dir) is None:
        return ""
    return f"{file} is missing, and there was a database; bring it back, or restore a backup"
