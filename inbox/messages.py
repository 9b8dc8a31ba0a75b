"""What others say: proof that a message came from its actor, or a mere hint that there is something to look at."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from federation.origin import Origin
from federation.reading import JSON
from inbox.introductions import Introduction


@dataclass(frozen=True, slots=True)
class Verified:
    """An activity whose signature was checked, on the bytes in `body`, against the key of `actor_uri`, its actor.

    Made by inbox/receive.py, by inbox/spool.py from what that one kept, and by inbox/handlers/proven.py from a hint
    that proves whose it is.  Handlers take nothing else, so none can run on unchecked input.
    """

    actor_uri: str
    document: JSON
    body: bytes = field(default=b"", repr=False)  # as it was received: forwarding sends these bytes
    recipient: str | None = None  # the name in /users/NAME/inbox; None: the shared inbox
    sync: str | None = None  # the Collection-Synchronization header (FEP-8fcf)
    signed: datetime | None = field(default=None, compare=False)  # by the sender's clock, and covered by the signature
    introduction: Introduction | None = field(default=None, compare=False)  # of an actor who is new here


@dataclass(frozen=True, slots=True)
class Hint:
    """An activity that somebody else sent than its actor: relayed or forwarded.

    Nothing in it is believed, unless it carries a proof (inbox/handlers/proven.py).  It only says what to ask the
    origin for.
    """

    signer_uri: str
    document: JSON
    body: bytes = field(default=b"", repr=False)


Message: TypeAlias = Verified | Hint


@dataclass(frozen=True, slots=True)
class Here:
    """Where and when a message is handled."""

    origin: Origin
    now: datetime
