"""Posts as a reader sees them: all that a page or an entity needs, loaded at once.

Everything that shows a post to anybody comes through `posts`, which leaves out what he may not see.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, literal, select, union_all

from outbox import parts
from outbox.parts import Parts
from social.paging import padded
from social.visibility import VIEWER, visible
from store.prepared import Prepared
from store.tables import bookmarks, likes, pins, poll_votes, thread_mutes
from store.tables import posts as posts_table
from store.tables.base import Id

_IDS = bindparam("ids", expanding=True, type_=Id)
_VISIBLE = Prepared(select(posts_table.c.id, posts_table.c.boost_of_id).where(posts_table.c.id.in_(_IDS), visible()))
_AT_ONCE = 1_000  # ids: a statement takes 32,766 parameters
_LIKED, _BOOSTED, _PINNED, _VOTED, _BOOKMARKED, _MUTED = range(6)


def _mine(what: int, post: Any, owner: Any, option: Any = None, *also: Any) -> Any:
    number = literal(0) if option is None else option
    return select(literal(what), post, number).where(owner == VIEWER, post.in_(_IDS), *also)


_MINE = Prepared(
    union_all(
        _mine(_LIKED, likes.c.post_id, likes.c.account_id),
        _mine(_BOOSTED, posts_table.c.boost_of_id, posts_table.c.author_id),
        _mine(_PINNED, pins.c.post_id, pins.c.account_id),
        _mine(_VOTED, poll_votes.c.post_id, poll_votes.c.account_id, poll_votes.c.option),
        _mine(_BOOKMARKED, bookmarks.c.post_id, bookmarks.c.account_id),
        _mine(
            _MUTED,
            posts_table.c.id,
            thread_mutes.c.account_id,
            None,
            thread_mutes.c.thread_id == posts_table.c.thread_id,
        ),
    )
)


@dataclass(frozen=True, slots=True)
class PostView:
    """One post for one reader.  Plain data: rendering it cannot query.

    `muted`: he wants the conversation to be quiet.  `voted`: the numbers of his options.
    """

    parts: Parts
    boost_of: "PostView | None" = None
    liked: bool = False
    boosted: bool = False
    bookmarked: bool = False
    pinned: bool = False
    muted: bool = False
    voted: tuple[int, ...] = ()


class _Mine:
    """What the reader did with some posts."""

    def __init__(self, tx: Connection, ids: list[int], viewer_id: int | None) -> None:
        self._did: dict[int, set[int]] = defaultdict(set)
        self._votes: dict[int, list[int]] = defaultdict(list)
        if viewer_id is None:
            return
        for what, post_id, option in _MINE.rows(tx, ids=ids, viewer=viewer_id):
            self._did[what].add(post_id)
            if what == _VOTED:
                self._votes[post_id].append(option)

    def view(self, post: Parts, boost_of: PostView | None) -> PostView:
        """A boost shows what the reader did with the post that it boosts, as Mastodon does."""
        of = post.post.boost_of_id or post.post.id
        return PostView(
            post,
            boost_of,
            liked=of in self._did[_LIKED],
            boosted=of in self._did[_BOOSTED],
            bookmarked=of in self._did[_BOOKMARKED],
            pinned=of in self._did[_PINNED],
            muted=of in self._did[_MUTED],
            voted=tuple(sorted(self._votes.get(of, ()))),
        )


def posts(tx: Connection, ids: Sequence[int], viewer_id: int | None) -> list[PostView]:
    """The views of those of `ids` that the viewer may see, in that order; boosts with what they boost.

    Nine queries at most for each thousand.
    """
    return [
        view for start in range(0, len(ids), _AT_ONCE) for view in _some(tx, ids[start : start + _AT_ONCE], viewer_id)
    ]


def _some(tx: Connection, ids: Sequence[int], viewer_id: int | None) -> list[PostView]:
    visible_ids = _VISIBLE.rows(tx, ids=padded(ids), viewer=viewer_id)
    boosted = {row[0]: row[1] for row in visible_ids}
    needed = padded(list({*boosted, *filter(None, boosted.values())}))
    if not needed:
        return []
    found, mine = parts.recall(tx, needed), _Mine(tx, needed, viewer_id)

    def view(post_id: int) -> PostView:
        inner = boosted.get(post_id)
        return mine.view(found[post_id], None if inner is None else view(inner))

    return [view(post_id) for post_id in ids if post_id in boosted]


def alike(tx: Connection, ids: Sequence[int]) -> dict[int, PostView]:
    """How posts look to who did nothing with them.  Whoever calls this decides who may see them (social/live.py)."""
    found = parts.recall(tx, padded(ids))
    originals = parts.recall(tx, padded([one.post.boost_of_id for one in found.values() if one.post.boost_of_id]))
    return {
        number: PostView(one, PostView(originals[one.post.boost_of_id]) if one.post.boost_of_id else None)
        for number, one in found.items()
        if one.post.boost_of_id is None or one.post.boost_of_id in originals
    }


def post(tx: Connection, post_id: int, viewer_id: int | None) -> PostView | None:
    """One of them; None when there is nothing that the viewer may see."""
    return next(iter(posts(tx, [post_id], viewer_id)), None)
