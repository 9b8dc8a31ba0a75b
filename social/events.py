"""What units announce; told to `Database.listeners` after the commit, and to other processes by store/wires.

An event travels as its name and its fields (`encode`, `decode`), which are ids and words, never what somebody wrote:
whoever hears it loads what he may see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Posted:
    """A new post or boost, ours or remote."""

    post_id: int
    author_id: int


@dataclass(frozen=True, slots=True)
class Edited:
    post_id: int
    author_id: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """`visibility` and `listed` as they were, and whom of ours a direct post was addressed to: nobody else can say any
    more who had seen it."""

    post_id: int
    author_id: int
    visibility: str = "direct"
    listed: bool = False
    local: bool = False
    addressed: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Notified:
    account_id: int
    notification_id: int


@dataclass(frozen=True, slots=True)
class NotificationsMerged:
    """Notification requests were accepted, and their notifications are among the others now."""

    account_id: int


@dataclass(frozen=True, slots=True)
class FiltersChanged:
    account_id: int


@dataclass(frozen=True, slots=True)
class Conversed:
    """A conversation of `account_id` has a new or another last post."""

    account_id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement was published or changed."""

    announcement_id: int


@dataclass(frozen=True, slots=True)
class AnnouncementReacted:
    announcement_id: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class AnnouncementDeleted:
    announcement_id: int


@dataclass(frozen=True, slots=True)
class AccessEnded:
    """Some or all tokens of `account_id` are good for nothing any more."""

    account_id: int


TRAVELLING: Final[dict[str, type[Any]]] = {
    kind.__name__: kind
    for kind in (
        Posted,
        Edited,
        Deleted,
        Notified,
        NotificationsMerged,
        FiltersChanged,
        Conversed,
        Announced,
        AnnouncementReacted,
        AnnouncementDeleted,
        AccessEnded,
    )
}


def encode(event: object) -> list[Any] | None:
    """None: that event is for this process alone.

    >>> encode(Notified(1, 2)), encode("something else")
    (['Notified', 1, 2], None)
    """
    kind: type[Any] | None = TRAVELLING.get(type(event).__name__)
    if kind is None or not isinstance(event, kind):
        return None
    return [kind.__name__, *[getattr(event, name) for name in kind.__slots__]]


def decode(said: Sequence[Any]) -> object | None:
    """None: another version of this server said something that we do not know.

    >>> decode(["Notified", 1, 2]), decode(["Applauded", 1]), decode(["Notified"])
    (Notified(account_id=1, notification_id=2), None, None)
    """
    kind = TRAVELLING.get(said[0]) if said else None
    try:
        return None if kind is None else kind(*said[1:])
    except TypeError:
        return None
