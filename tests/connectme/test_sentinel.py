"""The sentinel: what it makes of a database that is gone, replaced, read-only, or on a full disk."""

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from connectme.sentinel import Sentinel
from ops import damage, identity
from ops.change import progress
from ops.integrity import check as integrity
from ops.modes import Mode
from store.database import Away
from store.sqlite import Replaced
from tests.web.site import Site, running


@pytest.fixture
async def site(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Site]:
    shutil.copy(sqlite_template, tmp_path / "main.db")
    async with running(f"sqlite:///{tmp_path / 'main.db'}", tmp_path) as made:
        yield made


@pytest.fixture
async def sentinel(site: Site) -> Sentinel:
    house = site.house
    return Sentinel(house.board, house.db, house.settings, await site.db.read(identity.instance_id), house.lost)


async def looks(sentinel: Sentinel, number: int) -> Mode:
    for _ in range(number - 1):
        await sentinel.look()
    return await sentinel.look()


def file_of(site: Site):
    file = site.house.settings.sqlite_file
    assert file is not None
    return file


async def test_all_is_well(sentinel: Sentinel):
    assert (await looks(sentinel, 3)).is_normal


async def test_a_missing_file_is_an_emergency_and_its_return_opens_again(site: Site, sentinel: Sentinel):
    file = file_of(site)
    file.rename(file.with_suffix(".away"))
    assert (await sentinel.look()).is_normal  # seen once is not seen
    mode = await sentinel.look()
    assert mode.name == "emergency"
    assert "missing" in mode.reason
    with pytest.raises(Away):
        await site.db.read(identity.instance_id)
    with pytest.raises(Away):
        await site.db.write(identity.note_proxy_key)
    file.with_suffix(".away").rename(file)
    assert (await looks(sentinel, 2)).name == "emergency"
    assert (await sentinel.look()).is_normal
    assert not site.house.lost.is_set()
    await site.db.read(identity.instance_id)


async def test_what_was_written_into_a_file_that_is_gone_is_not_acknowledged(site: Site):
    file = file_of(site)
    file.rename(file.with_suffix(".away"))
    with pytest.raises(Replaced):
        await site.db.write(identity.note_proxy_key)


async def test_another_file_in_its_place_asks_for_a_new_house_at_once(site: Site, sentinel: Sentinel):
    file = file_of(site)
    file.rename(file.with_suffix(".away"))
    file.write_bytes(b"")
    assert (await sentinel.look()).name == "emergency"
    assert site.house.lost.is_set()


async def test_another_database_is_not_written_into(site: Site):
    house = site.house
    sentinel = Sentinel(house.board, house.db, house.settings, "somebody else", house.lost)
    mode = await looks(sentinel, 2)
    assert mode.name == "emergency"
    assert "another database" in mode.reason
    with pytest.raises(Away):
        await site.db.write(identity.note_proxy_key)


async def test_a_disk_that_is_nearly_full_makes_it_read_only(site: Site):
    house = site.house
    settings = replace(house.settings, disk_reserve_mb=1 << 40)
    sentinel = Sentinel(house.board, house.db, settings, await site.db.read(identity.instance_id), house.lost)
    mode = await looks(sentinel, 2)
    assert mode.name == "read-only"
    assert "free" in mode.reason
    await site.db.read(identity.instance_id)


async def test_a_database_that_is_being_changed_is_maintenance(site: Site, sentinel: Sentinel):
    folder = site.house.settings.data_dir
    change = progress.tell(folder, progress.begun("upgrade", "rehearsing"))
    assert (await looks(sentinel, 2)).is_normal
    change = progress.tell(folder, change, stage="migrating")
    assert (await looks(sentinel, 2)).name == "maintenance"
    progress.tell(folder, change, stage="done")
    assert (await looks(sentinel, 3)).is_normal


def overwrite(file: Path, table: str) -> None:
    with closing(sqlite3.connect(file)) as link:
        link.execute("PRAGMA wal_checkpoint(truncate)")
        (root,) = link.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
        (size,) = link.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as stream:
        stream.seek((root - 1) * size)
        stream.write(b"\x55" * size)


def rules(tx: Connection) -> int:
    return int(tx.exec_driver_sql("SELECT count(*) FROM rule").scalar_one())


def rule(tx: Connection) -> None:
    tx.exec_driver_sql("DELETE FROM rule WHERE hint = 'x'")


@pytest.mark.parametrize("how", ["read", "written", "written with others"])
async def test_whoever_meets_a_damaged_page_makes_the_server_read_only(site: Site, sentinel: Sentinel, how: str):
    folder = site.house.settings.data_dir
    overwrite(file_of(site), "rule")
    with pytest.raises(DatabaseError, match="malformed"):
        match how:
            case "read":
                await site.db.read(rules)
            case "written":
                await site.db.write(rule)
            case _:
                well, ill = site.db.write(identity.note_proxy_key), site.db.write(rule)
                await well
                await ill
    mode = await looks(sentinel, 2)
    assert mode.name == "read-only"
    assert "malformed" in mode.reason
    again = Sentinel(site.house.board, site.db.aside(), site.house.settings, sentinel._instance, site.house.lost)
    assert "malformed" in (await looks(again, 2)).reason  # the others know, too
    integrity.keep(folder, await integrity.check(site.db, datetime.now(UTC)))
    assert damage.of(folder, file_of(site))  # it is still there
    await site.db.read(identity.instance_id)


async def test_damage_is_over_with_its_file_or_when_the_whole_file_is_sound(site: Site, sentinel: Sentinel):
    file, folder = file_of(site), site.house.settings.data_dir
    damage.note(folder, file, "database disk image is malformed", datetime.now(UTC))
    assert (await looks(sentinel, 2)).name == "read-only"
    integrity.keep(folder, await integrity.check(site.db, datetime.now(UTC)))
    assert (await looks(sentinel, 3)).is_normal
    damage.note(folder, file, "database disk image is malformed", datetime.now(UTC))
    shutil.copy(file, file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)
    assert damage.of(folder, file) == ""


async def test_a_file_that_was_cut_short_is_damaged_also_when_nobody_reads_there(site: Site, sentinel: Sentinel):
    file = file_of(site)
    with closing(sqlite3.connect(file)) as link:
        link.execute("PRAGMA wal_checkpoint(truncate)")
    os.truncate(file, file.stat().st_size - 4096)
    mode = await looks(sentinel, 2)
    assert mode.name == "read-only"
    assert "cut short" in mode.reason
    assert (await looks(sentinel, 3)).name == "read-only"
