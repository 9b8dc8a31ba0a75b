"""Processes hear each other: here two ends in one process, which know nothing of each other."""

import asyncio
import os
import socket
from contextlib import AsyncExitStack

import pytest

from store.wires import LONGEST, open_wire
from store.wires import unix as unix_wires


@pytest.fixture
async def wires(url, tmp_path):
    """Makes ends of the wire of one database."""
    async with AsyncExitStack() as stack:

        def make():
            wire = open_wire(url, tmp_path / "live")
            stack.push_async_callback(wire.close)
            return wire

        yield make


class Ear:
    """Collects what is heard."""

    def __init__(self):
        self.heard, self._more = [], asyncio.Event()

    def __call__(self, message):
        self.heard.append(message)
        self._more.set()

    async def until(self, number):
        async with asyncio.timeout(60):
            while len(self.heard) < number:
                self._more.clear()
                await self._more.wait()
        return self.heard


async def test_all_others_hear_in_order_and_the_speaker_does_not(wires):
    speaker, *others = wires(), wires(), wires()
    ears = [Ear(), Ear(), Ear()]
    for wire, ear in zip((speaker, *others), ears, strict=True):
        await wire.listen(ear)
    said = [b"%d %s" % (number, b"x" * (LONGEST - 10)) for number in range(30)]
    for message in said:
        speaker.send(message)
    assert await ears[1].until(30) == said
    assert await ears[2].until(30) == said
    assert ears[0].heard == []


async def test_who_only_speaks_needs_no_ear_and_who_comes_later_hears_the_rest(wires):
    speaker, late, ear = wires(), wires(), Ear()
    speaker.send(b"perhaps nobody hears this")
    await late.listen(ear)
    speaker.send("größer".encode())
    while "größer".encode() not in ear.heard:
        await ear.until(len(ear.heard) + 1)


async def test_who_listens_is_looked_up_again_only_when_somebody_came_or_went(tmp_path, monkeypatch):
    folder, looks, real = tmp_path / "live", [], os.listdir
    wire, first, second = (unix_wires.UnixWire(folder) for _ in range(3))
    ears = [Ear(), Ear()]
    monkeypatch.setattr(os, "listdir", lambda where: looks.append(1) or real(where))
    await first.listen(ears[0])
    wire.send(b"1")
    await second.listen(ears[1])  # in the same tick of the clock
    wire.send(b"2")
    os.utime(folder, (1, 1))  # long ago
    for message in (b"3", b"4", b"5"):
        wire.send(message)
    assert (await ears[0].until(5), await ears[1].until(4)) == (
        [b"1", b"2", b"3", b"4", b"5"],
        [b"2", b"3", b"4", b"5"],
    )
    assert len(looks) == 3
    await second.close()
    wire.send(b"6")
    assert len(looks) == 4
    await first.close()
    await wire.close()


async def test_the_socket_of_a_killed_process_is_removed(tmp_path):
    folder = tmp_path / "live"
    wire, ear = unix_wires.UnixWire(folder), Ear()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(folder / "1-dead"))
    (folder / "2-no-socket").touch()
    other = unix_wires.UnixWire(folder)
    await other.listen(ear)
    wire.send(b"hello")
    assert await ear.until(1) == [b"hello"]
    assert len(os.listdir(folder)) == 1
    await other.close()
    await wire.close()
    assert os.listdir(folder) == []


async def test_a_listener_that_is_too_slow_misses_something_and_the_speaker_does_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(unix_wires, "MOST", 5)
    wire, deaf, ear = unix_wires.UnixWire(tmp_path), unix_wires.UnixWire(tmp_path), Ear()
    await deaf.listen(ear)
    for number in range(5_000):  # no turn for the listener in between
        wire.send(b"%d" % number)
    wire.send(b"x" * LONGEST)
    heard = len(await ear.until(6))
    assert heard < 5_000
    assert ear.heard[0] == b"0"
    await wire.close()
    await deaf.close()


async def test_a_path_that_is_too_long_for_a_socket_is_gone_round(tmp_path):
    folder = tmp_path / ("long" * 20) / ("long" * 20)
    one, two, ear = unix_wires.UnixWire(folder), unix_wires.UnixWire(folder), Ear()
    await two.listen(ear)
    one.send(b"hello")
    assert await ear.until(1) == [b"hello"]
    await one.close()
    await two.close()
