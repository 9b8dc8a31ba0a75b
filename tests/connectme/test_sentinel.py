"""The sentinel: what it makes of a database that is gone, replaced, read-only, or on a full disk."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectme.sentinel import Sentinel
from ops import identity
from ops.change import progress
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
