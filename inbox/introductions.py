"""Who a new actor is: fetched by the door with his key, kept beside his first message, stored when that is handled.

So a new actor costs one request for his profile and no transaction of his own; and when his message is refused in the
end, nothing of him stays.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from federation.reading import Actor
from social import accounts
from store.tables import Account


@dataclass(frozen=True, slots=True)
class Introduction:
    """federation.actors.Met, and when: what was learnt of him later counts more."""

    actor: Actor
    handle: str
    at: datetime


_DECODER = msgspec.json.Decoder(Introduction)


def packed(introduction: Introduction) -> bytes:
    return msgspec.json.encode(introduction)


def unpacked(text: bytes) -> Introduction:
    """Raises: msgspec.MsgspecError, for what `packed` did not make."""
    return _DECODER.decode(text)


def meet(tx: Connection, introduction: Introduction) -> Account:
    """Raises: NotAllowed, see social.accounts.remember."""
    return accounts.remember(tx, introduction.actor, introduction.handle, introduction.at)
