"""Without a database the server stays: it takes messages for the spool, says how it is, and waits.

    open the house ── cannot: away ──→ a provisional house serves ── the database is back ──┐
        ↑                                                                                   │
        └───────────── its file was replaced: close it ←── the house serves ←── looked at ──┘

What is wrong (another server's database, a newer one) is refused at the start, when somebody looks on; later it is
waited for, and nothing is written into it.
"""

import asyncio
import logging
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from connectme import schema
from connectme.errors import Failure
from connectme.house import House, opened, provisional
from connectme.settings import Settings
from ops import belonging
from ops.findings import first_line
from ops.modes import Board

log = logging.getLogger(__name__)

LOOK: Final = 1.0  # seconds between two looks whether the database is there
Work = Callable[[House, asyncio.Event], Awaitable[None]]


async def in_houses(
    settings: Settings, stop: asyncio.Event, work: Work, *, meanwhile: Work | None = None, first: bool = True
) -> None:
    """Runs `work(house, end)` until `stop` is set; `end` is set with it, or when the house has to be opened anew.

    meanwhile: the same in a provisional house, while there is no database.  first: the process that migrates.
    Raises: Failure, at the start, for a database that is wrong.
    """
    at_start = True
    while not stop.is_set():
        reason = ""
        try:
            if why := missing(settings):
                raise schema.Away(why)
            if not at_start:
                await _check(settings, first=first)
            async with opened(settings) as house:
                at_start = False
                await _run(work, house, stop)
        except (SQLAlchemyError, sqlite3.Error, OSError, Failure) as error:
            if at_start and isinstance(error, Failure) and not isinstance(error, schema.Away):
                raise
            reason = first_line(error)
            log.warning("without a database for now: %s", reason)
        at_start = False
        if reason:
            await _meanwhile(settings, stop, meanwhile, reason, first=first)


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


async def _meanwhile(settings: Settings, stop: asyncio.Event, work: Work | None, reason: str, *, first: bool) -> None:
    """Returns when the database can be used, or `stop` is set."""
    async with provisional(settings, reason) as house:
        looking = asyncio.create_task(_until_there(settings, stop, house.board, house.lost, first=first))
        try:
            if work is not None:
                await _run(work, house, stop)
            await looking
        finally:
            looking.cancel()


async def _until_there(
    settings: Settings, stop: asyncio.Event, board: Board, there: asyncio.Event, *, first: bool
) -> None:
    while not stop.is_set():
        try:
            await _check(settings, first=first)
        except Failure as error:
            board.found("emergency", first_line(error))
        else:
            there.set()
            return
        try:
            async with asyncio.timeout(LOOK):
                await stop.wait()
        except TimeoutError:
            continue


async def _check(settings: Settings, *, first: bool) -> None:
    """Raises: Failure, while it is not there or not fit to be opened."""
    if why := missing(settings):
        raise schema.Away(why)
    state = (await schema.looked(settings)).state
    if state == "behind" and settings.sqlite_file and first:
        process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "connectme.child", "prepare")
        if await process.wait() == 0:
            return
    if state != "current":
        raise schema.WrongDatabase(
            "the database that is there now is " + ("empty" if state == "empty" else "an older one")
        )


def missing(settings: Settings) -> str:
    """Why a file that should be there must not be made anew; empty when it is there, or never was."""
    file = settings.sqlite_file
    if file is None or file.exists() or belonging.recall(settings.data_dir) is None:
        return ""
    return f"{file} is missing, and there was a database; bring it back, or restore a backup"
