"""What units announce; told to `Database.listeners` after the commit."""

from dataclasses import dataclass


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
    post_id: int
    author_id: int


@dataclass(frozen=True, slots=True)
class Notified:
    account_id: int
    notification_id: int
