"""Tells the other processes of this server what was announced here (social/events.py), and hears what they tell.

house.db.listeners.append(bus.tell)
await bus.listen(hub.hear)
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import orjson

from social import events
from store.wires import LONGEST, Wire

log = logging.getLogger(__name__)

PAUSE: Final = 0.005  # seconds in which events come together into one message


class Bus:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._told: list[bytes] = []
        self._closed = False

    def tell(self, event: object) -> None:
        """A listener for Database.listeners: what happened is told soon, together with what else happens."""
        said = events.encode(event)
        if said is None or self._closed:
            return
        if not self._told:
            asyncio.get_running_loop().call_later(PAUSE, self._send)
        self._told.append(orjson.dumps(said))

    async def listen(self, hear: Callable[[object], None]) -> None:
        """`hear(event)` for each that another process told."""
        await self._wire.listen(partial(_understand, hear))

    async def close(self) -> None:
        self._closed = True
        self._send()
        await self._wire.close()

    def _send(self) -> None:
        told, self._told = self._told, []
        message: list[bytes] = []
        size = 0
        for one in told:
            if message and size + len(one) + 1 > LONGEST - 2:
                self._wire.send(b"[" + b",".join(message) + b"]")
                message, size = [], 0
            message.append(one)
            size += len(one) + 1
        if message:
            self._wire.send(b"[" + b",".join(message) + b"]")


def _understand(hear: Callable[[object], None], message: bytes) -> None:
    try:
        said: list[Any] = orjson.loads(message)
    except orjson.JSONDecodeError:
        log.warning("another process said what is no JSON")
        return
    for one in said:
        event = events.decode(one)
        if event is not None:
            hear(event)
