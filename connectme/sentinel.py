"""Looks every second whether the database answers, and says so: `house.board`, DATA_DIR/state/mode.json, outages.json.

    it does not answer      emergency    the database is shut to all but the sentinel: who asks is told at once
    it is another one       emergency    found by the id it carries; nothing is written into it
    the file was replaced   emergency    and the house is opened anew (connectme/waiting.py)
    it takes no writes      read-only
    pages of it are damaged read-only    whoever met them, see ops/damage.py
    the disk is nearly full read-only
    it is being changed     maintenance  state/change.json says so

Each process looks for itself; one of them, whoever has the lock, also writes it down.  A change for the worse counts
when it was seen twice, one for the better when it was seen three times.
"""

import asyncio
import logging
import shutil
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, update
from sqlalchemy.exc import SQLAlchemyError

from connectme.lock import is_taken
from connectme.loop import beside
from connectme.settings import Settings
from ops import damage, identity, modes, outages, state
from ops.change import progress
from ops.findings import first_line
from ops.modes import Board, Mode, Name
from store.database import Database
from store.tables import facts

log = logging.getLogger(__name__)

EVERY: Final = 1.0  # seconds
PATIENCE: Final = 5.0  # seconds for an answer
WORSE: Final = 2  # looks that agree
BETTER: Final = 3
_NOTHING = update(facts).where(facts.c.name == "").values(value="")


class Sentinel:
    """lost: set when the house has to be opened anew."""

    def __init__(self, board: Board, db: Database, settings: Settings, instance: str, lost: asyncio.Event) -> None:
        self._board, self._db, self._lost = board, db, lost
        self._aside = db.aside()
        self._data_dir, self._file = settings.data_dir, settings.sqlite_file
        self._reserve = settings.disk_reserve_mb << 20
        self._instance = instance
        self._is_open = bool(instance) or not db.shut
        self._opened = _which(self._file)
        self._seen: tuple[Name, int] = ("normal", 0)
        self._told: Mode | None = None

    def watching(self) -> AbstractAsyncContextManager[None]:
        return beside(self._run())

    async def _run(self) -> None:
        with (state.folder(self._data_dir) / "sentinel.lock").open("a", encoding="ascii") as lock:
            while True:
                try:
                    await self.look()
                    if is_taken(lock):
                        self._write_down()
                except Exception:  # it must not be the sentinel that falls asleep
                    log.exception("the sentinel could not look")
                await asyncio.sleep(EVERY)

    async def look(self) -> Mode:
        """One look; returns what holds."""
        name, reason = await self._verdict()
        now = self._board.server.name
        seen = self._seen[1] + 1 if self._seen[0] == name else 1
        self._seen = name, seen
        worse = modes.NAMES.index(name) > modes.NAMES.index(now)
        if name != now and (seen >= (WORSE if worse else BETTER) or self._lost.is_set()):
            log.warning("%s -> %s: %s", now, name, reason or "it works again")
            self._board.found(name, reason)
        if self._is_open:
            self._db.shut = reason or "away" if self._board.server.name == "emergency" else ""
        return self._board.look()

    async def _verdict(self) -> tuple[Name, str]:
        if not self._is_open:
            return self._board.server.name, self._board.server.reason  # as connectme/waiting.py has it
        if self._file is not None and (why := self._replaced(self._file)):
            return "emergency", why
        broken = self._damage()
        try:
            async with asyncio.timeout(PATIENCE):
                found, cut = await self._aside.read(_seen, self._file)
        except (SQLAlchemyError, OSError) as error:
            return "emergency", f"the database does not answer: {first_line(error)}"
        if found != self._instance:
            return "emergency", "this is another database than the one that was opened; bring that one back"
        if self._is_changing():
            return "maintenance", "the database is being changed"
        if broken or cut:
            self._db.damage = self._db.damage or cut
            return "read-only", f"the database is damaged: {broken or cut}"
        return await self._writing()

    async def _writing(self) -> tuple[Name, str]:
        free = shutil.disk_usage(self._data_dir).free
        # More is wanted to open again than to close: else it would go to and fro.
        least = self._reserve if self._board.server.name == "normal" else self._reserve * 5 // 4
        if free < least:
            return "read-only", f"only {free >> 20} MB are free on the disk of {self._data_dir.name}"
        try:
            async with asyncio.timeout(PATIENCE):
                await self._aside.write(touch)
        except (SQLAlchemyError, OSError) as error:
            return "read-only", f"the database takes no writes: {first_line(error)}"
        return "normal", ""

    def _damage(self) -> str:
        """What this process or another one met."""
        if says := self._db.damage or self._aside.damage:
            try:
                damage.note(self._data_dir, self._file, says, datetime.now(UTC))
            except OSError as error:
                log.warning("that the database is damaged cannot be written down: %s", error)
                return says
            self._db.damage = self._aside.damage = ""
        return damage.of(self._data_dir, self._file)

    def _replaced(self, file: Path) -> str:
        found = _which(file)
        if found is None:
            return f"{file.name} is missing; bring it back"
        if self._opened is not None and found[:2] != self._opened[:2]:
            self._lost.set()
            return f"{file.name} was replaced by another file"
        if found[2] < 512 <= (self._opened or found)[2]:
            return f"{file.name} was emptied; restore it from a backup"
        return ""

    def _is_changing(self) -> bool:
        """`connectme db upgrade` says how far it is (ops/change)."""
        found = progress.unfinished(self._data_dir)
        return found is not None and found.stage not in progress.HARMLESS

    def _write_down(self) -> None:
        """For other programs: the supervisor, the doctor, people."""
        if self._told is None:
            self._told = modes.server(self._data_dir)
        if self._board.server == self._told:
            return
        try:
            modes.say(self._data_dir, self._board.server)
            outages.note(self._data_dir, self._told, self._board.server, time.time())
            self._told = self._board.server
        except OSError as error:
            log.warning("the mode cannot be written down: %s", error)


def _which(file: Path | None) -> tuple[int, int, int] | None:
    try:
        found = file.stat() if file else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size) if found else None


def _seen(tx: Connection, file: Path | None) -> tuple[str, str]:
    """Whose the database is, and what is missing of its file."""
    found = identity.instance_id(tx)
    cut = damage.cut_short(file, lambda pragma: int(tx.exec_driver_sql(pragma).scalar_one())) if file else ""
    return found, cut


def touch(tx: Connection) -> None:
    """Writes to no row: a database that is read-only refuses even that."""
    tx.execute(_NOTHING)
