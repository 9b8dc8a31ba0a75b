"""How far is our clock from those of other servers?  Signatures depend on it: a request says when it was signed.

There is a date in the head of every answer of the web, so a few servers that we know are asked for any; what counts is
the one in the middle, since one of them may be wrong itself.  What came out is in state/clock.json, for the supervisor.
"""

import asyncio
import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import Connection, func, or_, select

from federation.client import Client
from federation.errors import FederationError
from ops import state
from store.tables import host_policies, hosts

FILE: Final = "clock.json"
ENOUGH: Final = 2  # servers, for anybody to be woken
ASKED: Final = 5
_HALF: Final = 0.5  # seconds: a date has no fractions, so it is half a second old on average
_TIMEX: Final = 256  # bytes, more than the kernel's struct timex has
_UNSYNCHRONISED: Final = 5  # TIME_ERROR
_HEARD = func.coalesce(hosts.c.succeeded_at, hosts.c.heard_at)
_HOSTS = (
    select(hosts.c.name)
    .where(hosts.c.failures == 0, or_(hosts.c.succeeded_at.is_not(None), hosts.c.heard_at.is_not(None)))
    .where(hosts.c.name.not_in(select(host_policies.c.host).where(host_policies.c.level == "block")))
    .order_by(_HEARD.desc(), hosts.c.name)
    .limit(ASKED)
)


@dataclass(frozen=True, slots=True)
class Skew:
    """seconds: ours is ahead by so many, negative: behind; by the answers of so many servers."""

    seconds: float
    servers: int


def to_ask(tx: Connection) -> list[str]:
    """Servers that answered lately."""
    return list(tx.scalars(_HOSTS))


async def measure(client: Client, names: Sequence[str], clock: Callable[[], float] = time.time) -> Skew | None:
    """None: nobody told."""
    found = await asyncio.gather(*(_ahead(client, name, clock) for name in names))
    known = [seconds for seconds in found if seconds is not None]
    return Skew(round(median(known), 1), len(known)) if known else None


async def _ahead(client: Client, name: str, clock: Callable[[], float]) -> float | None:
    begun = clock()
    try:
        theirs = parsedate_to_datetime(await client.date(name)).timestamp()
    except (FederationError, ValueError, OverflowError):
        return None
    return (begun + clock()) / 2 - theirs - _HALF


def note(data_dir: Path, found: Skew, now: datetime) -> None:
    """Raises: OSError."""
    state.write_json(state.folder(data_dir) / FILE, {"at": now, **asdict(found)})


def is_kept_right() -> bool | None:
    """Does the system say that something keeps its clock right (NTP)?  None: it does not tell."""
    try:
        told = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX))
    except (OSError, AttributeError):
        return None
    return None if told < 0 else told != _UNSYNCHRONISED
