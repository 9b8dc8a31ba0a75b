"""Numbers for what is kept by its name (hashtags, servers, sites): programs want ids, and pages cut by them."""

import heapq
from collections.abc import Iterable
from hashlib import blake2b

from social.errors import NotFound
from social.pages import Page
from store.ids import LARGEST


def number_of(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1


def page(names: Iterable[str], part: Page) -> list[str]:
    """Of any number of names those of one page, the highest number first."""
    after = part.since_id if part.min_id is None else part.min_id
    above = -1 if after is None else after
    below = LARGEST + 1 if part.max_id is None else part.max_id
    within = ((number, name) for number, name in ((number_of(name), name) for name in names) if above < number < below)
    if part.min_id is None:
        return [name for _, name in heapq.nlargest(part.limit, within)]
    return [name for _, name in heapq.nsmallest(part.limit, within)][::-1]


def named(names: Iterable[str], number: int) -> str:
    """Raises: NotFound."""
    for name in names:
        if number_of(name) == number:
            return name
    raise NotFound("Record not found")
