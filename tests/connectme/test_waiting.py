"""A server changes its older database by a process of its own: what becomes of it when that one is killed."""

import asyncio
import sys

import pytest

from connectme import child, schema, waiting
from connectme.settings import Settings

KILLED = "import os; os.kill(os.getpid(), 9)"


@pytest.fixture
def change(tmp_path, monkeypatch):
    """ends(code): the next one does this."""
    settings = Settings.load(environ={
        "CONNECTME_CONFIG": "/dev/null", "CONNECTME_DOMAIN": "ours.test", "CONNECTME_DATA_DIR": str(tmp_path)
    })  # fmt: skip
    made = waiting._Change(settings, asyncio.Event(), at_start=True)
    made.ends = lambda code: monkeypatch.setattr(child, "argv", lambda *_: (sys.executable, "-S", "-c", code))
    return made


async def test_a_change_that_is_killed_goes_on_at_once_and_the_next_time_after_a_while(change):
    change.ends(KILLED)
    assert not await change.made()
    assert not await change.made()
    change.ends("")
    assert not await change.made()  # not yet
    change._due = 0.0
    assert await change.made()


async def test_a_change_that_cannot_begin_is_tried_less_often_and_never_long_after(change):
    change.ends("raise SystemExit(75)")
    pauses = []
    for _ in range(4):
        begun = asyncio.get_running_loop().time()
        change._due = 0.0
        assert not await change.made()
        assert change._due > begun
        pauses.append(change._pause)
    assert pauses == [2.0, 4.0, 4.0, 4.0]
    change.ends("")
    assert not await change.made()  # not yet
    change._due = 0.0
    assert await change.made()


async def test_a_change_that_cannot_be_made_ends_a_server_that_starts(change):
    change.ends("raise SystemExit(1)")
    with pytest.raises(schema.CannotUse, match="see above"):
        await change.made()
