"""Events between processes: each kind survives, many share a message, and nonsense is not heard."""

import asyncio
import dataclasses

import orjson
import pytest

from connectme.bus import Bus
from social import events
from social.events import Notified, Posted
from store.wires import LONGEST


class Straight:
    """A wire to itself."""

    def __init__(self):
        self.sent = []
        self.used = asyncio.Event()

    def send(self, message):
        self.sent.append(message)
        self.used.set()

    async def listen(self, hear):
        self.hear = hear

    async def close(self):
        pass


@pytest.mark.parametrize("kind", events.TRAVELLING.values())
def test_each_event_arrives_as_it_was(kind):
    values = [
        {"int": 7, "str": "x", "bool": True, "list": [7, 8]}[str(f.type.__name__)] for f in dataclasses.fields(kind)
    ]
    event = kind(*values)
    assert events.decode(orjson.loads(orjson.dumps(events.encode(event)))) == event


async def test_what_happens_together_travels_together_in_messages_of_bounded_size():
    wire, heard = Straight(), []
    bus = Bus(wire)
    await bus.listen(heard.append)
    told = [Posted(number, (1 << 63) - 1) for number in range(2_000)]
    for event in told:
        bus.tell(event)
    bus.tell("for this process alone")
    assert wire.sent == []
    await bus.close()
    assert 2 <= len(wire.sent) < 20
    assert max(map(len, wire.sent)) <= LONGEST
    for message in wire.sent:
        wire.hear(message)
    assert heard == told


async def test_one_event_is_sent_after_a_moment_and_none_after_the_end():
    wire = Straight()
    bus = Bus(wire)
    bus.tell(Notified(1, 2))
    async with asyncio.timeout(60):
        await wire.used.wait()
    assert wire.sent == [b'[["Notified",1,2]]']
    await bus.close()
    bus.tell(Notified(3, 4))
    assert len(wire.sent) == 1


async def test_what_is_no_json_or_unknown_is_not_heard_and_the_rest_is():
    wire, heard = Straight(), []
    bus = Bus(wire)
    await bus.listen(heard.append)
    for message in (b"{", b'[["Applauded",1],["Notified"],[],["Notified",1,2]]'):
        wire.hear(message)
    assert heard == [Notified(1, 2)]
    await bus.close()
