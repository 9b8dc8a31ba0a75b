"""What others say: proof that a message came from its actor, or a mere hint that there is something to look at."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from federation.origin import Origin
from federation.reading import JSON


@dataclass(frozen=True, slots=True)
class Verified:
    """An activity whose signature was checked, on the bytes in `body`, against the key of `actor_uri`, its actor.

    Made by inbox/receive.py, and by inbox/spool.py from what that one kept.  Handlers take nothing else, so none can
    run on unchecked input.
    """

    actor_uri: str
    document: JSON
    body: bytes = field(default=b"", repr=False)  # as it was received: forwarding sends these bytes
    recipient: str | None = None  # the name in /users/NAME/inbox; None: the shared inbox
    sync: str | None = None  # the Collection-Synchronization header (FEP-8fcf)


@dataclass(frozen=True, slots=True)
class Hint:
    """An activity that somebody else sent than its actor: relayed or forwarded.

    Nothing in it is believed.  It only says what to ask the origin for.
    """

    signer_uri: str
    document: JSON


Message: TypeAlias = Verified | Hint


@dataclass(frozen=True, slots=True)
class Here:
    """Where and when a message is handled."""

    origin: Origin
    now: datetime
