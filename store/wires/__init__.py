"""How processes that share a database tell each other what happened.

    wire = open_wire(database_url, folder)
    wire.send(b"…")                      soon, to all others that listen; nothing waits for it
    await wire.listen(hear)              hear(b"…") for what others send from now on
    await wire.close()

On PostgreSQL by LISTEN and NOTIFY (postgresql.py), on SQLite by Unix sockets in a folder (unix.py).  What is sent may
be lost when a process or a connection ends; whoever needs certainty looks into the database, now and then.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import make_url

LONGEST: Final = 7_500  # bytes of a message; PostgreSQL takes less than 8,000


class Wire(Protocol):
    def send(self, message: bytes, /) -> None:
        """UTF-8, at most LONGEST bytes.  Returns at once."""

    async def listen(self, hear: Callable[[bytes], None], /) -> None:
        """Once.  `hear` is called in the event loop, never with what this process sent."""

    async def close(self) -> None: ...


def open_wire(database_url: str, folder: Path) -> Wire:
    """folder: of this server alone, where sockets may be made."""
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite":
        from store.wires.unix import UnixWire  # noqa: PLC0415  one of the two is enough

        return UnixWire(folder)
    from store.wires.postgresql import PostgreSQLWire  # noqa: PLC0415

    return PostgreSQLWire(address)
