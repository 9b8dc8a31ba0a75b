"""Which part of a list is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """`limit` items, newest first.

    max_id: only older ones. since_id: only newer ones, the newest of them. min_id: only newer ones, those next to it.
    Source: https://docs.joinmastodon.org/api/guidelines/#pagination
    """

    limit: int = 20
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
