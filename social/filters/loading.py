"""The filters of readers, with all that is in them: one query where there are none, else three."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from social.paging import parted
from store.rows import many
from store.tables import Filter, FilterKeyword, FilterPost, filter_keywords, filter_posts, filters
from store.tables.base import Id

_THEIRS = filters.c.account_id.in_(bindparam("owners", expanding=True, type_=Id))
_FILTERS = select(filters).where(_THEIRS).order_by(filters.c.id)
_KEYWORDS = (
    select(filter_keywords)
    .join(filters, filters.c.id == filter_keywords.c.filter_id)
    .where(_THEIRS)
    .order_by(filter_keywords.c.id)
)
_POSTS = (
    select(filter_posts)
    .join(filters, filters.c.id == filter_posts.c.filter_id)
    .where(_THEIRS)
    .order_by(filter_posts.c.id)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A filter and what is in it."""

    filter: Filter
    keywords: tuple[FilterKeyword, ...] = ()
    posts: tuple[FilterPost, ...] = ()


def load(tx: Connection, owner_id: int) -> tuple[Kept, ...]:
    """All, the oldest first; expired ones too: whoever applies them knows what time it is."""
    return load_many(tx, [owner_id]).get(owner_id, ())


def load_many(tx: Connection, owner_ids: Collection[int]) -> dict[int, tuple[Kept, ...]]:
    """By their owners.  Those who have none are not in it."""
    found: dict[int, list[Kept]] = defaultdict(list)
    for owners in parted(list(owner_ids)):
        for kept in _some(tx, owners):
            found[kept.filter.account_id].append(kept)
    return {owner_id: tuple(kept) for owner_id, kept in found.items()}


def _some(tx: Connection, owners: list[int]) -> list[Kept]:
    found = many(tx, _FILTERS, Filter, owners=owners)
    if not found:
        return []
    words: dict[int, list[FilterKeyword]] = defaultdict(list)
    chosen: dict[int, list[FilterPost]] = defaultdict(list)
    for keyword in many(tx, _KEYWORDS, FilterKeyword, owners=owners):
        words[keyword.filter_id].append(keyword)
    for post in many(tx, _POSTS, FilterPost, owners=owners):
        chosen[post.filter_id].append(post)
    return [Kept(it, tuple(words[it.id]), tuple(chosen[it.id])) for it in found]
