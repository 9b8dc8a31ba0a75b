"""What a stream shows: new and changed posts, and for whom of those who listen, in a fixed number of queries.

The same clauses that cut feeds decide here, so nothing is streamed that its reader would not find.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, not_, or_, select, true, union_all

from social import views
from social.filters.loading import Kept, load_many
from social.filters.matching import matches
from social.paging import padded, parted
from social.views import PostView
from social.visibility import OPEN, visible, wanted
from store.tables import (
    bookmarks,
    follows,
    home_entries,
    likes,
    list_entries,
    lists,
    poll_votes,
    posts,
    quotes,
    thread_mutes,
    users,
)
from store.tables.base import Id

RECENT: Final = timedelta(hours=6)  # what is older is fetched, not new: it has no place on top of a feed

_IDS = bindparam("ids", expanding=True, type_=Id)
_WHO = bindparam("who", expanding=True, type_=Id)
_READER = home_entries.c.owner_id
_HOME = (
    select(home_entries.c.post_id, _READER)
    .join(posts, posts.c.id == home_entries.c.post_id)
    .where(_READER.in_(_WHO), home_entries.c.post_id.in_(_IDS), visible(viewer=_READER), wanted(viewer=_READER))
)
_OWNER = lists.c.account_id
_LISTED = (
    select(list_entries.c.post_id, list_entries.c.list_id)
    .join(lists, lists.c.id == list_entries.c.list_id)
    .join(posts, posts.c.id == list_entries.c.post_id)
    .where(lists.c.id.in_(_WHO), list_entries.c.post_id.in_(_IDS), visible(viewer=_OWNER), wanted(viewer=_OWNER))
)
_OTHER = users.c.account_id
_KEPT_FROM = (
    select(posts.c.id, _OTHER)
    .join_from(posts, users, true())
    .where(posts.c.id.in_(_IDS), _OTHER.in_(_WHO), not_(and_(visible(viewer=_OTHER), wanted(viewer=_OTHER))))
)

# What is quoted is shown to all who may see it, and `views.alike` shows it when everybody may.
_quoted = posts.alias("quoted")
_open = _quoted.c.visibility.in_(OPEN)
_seen = and_(visible(_quoted, _OTHER), wanted(_quoted, _OTHER))
_QUOTED_OTHERWISE = (
    select(quotes.c.post_id, _OTHER)
    .join_from(quotes, _quoted, _quoted.c.id == quotes.c.quoted_id)
    .join(users, true())
    .where(
        quotes.c.post_id.in_(_IDS),
        quotes.c.state == "accepted",
        _OTHER.in_(_WHO),
        or_(and_(_open, not_(_seen)), and_(not_(_open), _seen)),
    )
)

_FOLLOWERS = select(follows.c.target_id, follows.c.follower_id).where(
    follows.c.target_id.in_(_IDS), follows.c.follower_id.in_(_WHO), follows.c.accepted
)


def _did(post: Any, who: Any) -> Any:
    return select(post, who).join(users, users.c.account_id == who).where(post.in_(_IDS))


# Those of ours for whom the post does not look as it looks to the others.
_TOUCHED = union_all(
    _did(posts.c.id, posts.c.author_id),
    _did(likes.c.post_id, likes.c.account_id),
    _did(posts.c.boost_of_id, posts.c.author_id),
    _did(poll_votes.c.post_id, poll_votes.c.account_id),
    _did(bookmarks.c.post_id, bookmarks.c.account_id),
    select(posts.c.id, thread_mutes.c.account_id).where(
        thread_mutes.c.thread_id == posts.c.thread_id, posts.c.id.in_(_IDS)
    ),
)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Whose streams are open: home feeds, such as show what everybody writes, and lists (each with its owner)."""

    home: Collection[int]
    public: Collection[int]
    lists: Mapping[int, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.home or self.public or self.lists)

    @property
    def everybody(self) -> set[int]:
        return {*self.home, *self.public, *self.lists.values()}


@dataclass(frozen=True, slots=True)
class Arrival:
    """`view` is how the post looks to who has nothing to do with it; `own`: how it looks to those who have,
    or who have a filter that it meets."""

    view: PostView
    home: frozenset[int]  # on whose home feeds it is
    kept_from: frozenset[int]  # those of Listeners.public who would not find it
    lists: frozenset[int] = frozenset()  # those of Listeners.lists in which it is
    own: dict[int, PostView] = field(default_factory=dict)


def arrivals(
    tx: Connection, new: Collection[int], changed: Collection[int], listeners: Listeners, now: datetime
) -> dict[int, Arrival]:
    """What there is to show of these posts.  Those that are gone are left out, and new ones that are long past."""
    looks = {
        number: view
        for number, view in views.alike(tx, list({*new, *changed})).items()
        if number in changed or view.parts.post.published > now - RECENT
    }
    if not looks:
        return {}
    home = _pairs(tx, _HOME, list(looks), listeners.home)
    hidden = _pairs(tx, _KEPT_FROM, [n for n, view in looks.items() if _is_open(view)], listeners.public)
    listed = _pairs(tx, _LISTED, list(looks), listeners.lists)
    own = _own(tx, looks, listeners.everybody)
    _filter(tx, looks, listeners.everybody, own, now)
    return {
        number: Arrival(
            view, frozenset(home[number]), frozenset(hidden[number]), frozenset(listed[number]), own.get(number, {})
        )
        for number, view in looks.items()
    }


def followers(tx: Connection, author_ids: Sequence[int], who: Collection[int]) -> dict[int, set[int]]:
    """Those of `who` that follow each of the authors."""
    return _pairs(tx, _FOLLOWERS, author_ids, who)


def _is_open(view: PostView) -> bool:
    return view.parts.post.visibility == "public"


def _pairs(tx: Connection, query: Any, ids: Sequence[int], who: Iterable[int]) -> dict[int, set[int]]:
    """What is asked for (ids) → those of `who` that it goes with."""
    found: dict[int, set[int]] = defaultdict(set)
    if ids:
        for part in parted(list(who)):
            for number, account_id in tx.execute(query, {"ids": padded(ids), "who": part}):
                found[number].add(account_id)
    return found


def _filter(
    tx: Connection, looks: dict[int, PostView], who: set[int], own: dict[int, dict[int, PostView]], now: datetime
) -> None:
    """Adds those who have filters that a post meets: the looks of all others say that it meets none."""
    for account_id, filters in load_many(tx, who).items():
        for number, view in looks.items():
            if account_id not in own[number] and _meets(filters, view, now):
                own[number][account_id] = views.with_filters(view, filters)


def _meets(filters: Sequence[Kept], view: PostView, now: datetime) -> bool:
    """Does it, or what it quotes?"""
    shown = view.boost_of or view
    if matches(filters, shown.parts, (view.parts.post.id, shown.parts.post.id), now):
        return True
    quoted = shown.quote.post if shown.quote else None
    return quoted is not None and bool(matches(filters, quoted.parts, [quoted.parts.post.id], now))


def _own(tx: Connection, looks: dict[int, PostView], who: set[int]) -> dict[int, dict[int, PostView]]:
    """One by one: those who listen and have liked the post already, or wrote it, are few, and so are those who see
    something else where it quotes."""
    shown = {number: _shown(view) for number, view in looks.items()}
    touched: dict[int, set[int]] = defaultdict(set)
    for number, account_id in tx.execute(_TOUCHED, {"ids": padded(list(set().union(*shown.values())))}):
        if account_id in who:
            touched[number].add(account_id)
    quoting = [view.parts.post.id for view in map(_original, looks.values()) if view.quote is not None]
    for number, others in _pairs(tx, _QUOTED_OTHERWISE, quoting, who).items():
        touched[number] |= others
    found: dict[int, dict[int, PostView]] = defaultdict(dict)
    for number, ids in shown.items():
        for account_id in set().union(*(touched[one] for one in ids)):
            view = views.post(tx, number, account_id)
            if view is not None:
                found[number][account_id] = view
    return found


def _original(view: PostView) -> PostView:
    return view.boost_of or view


def _shown(view: PostView) -> set[int]:
    """The ids of all that is seen of a post: what it boosts, what that quotes."""
    quote = _original(view).quote
    quoted = set() if quote is None or quote.quoted_id is None else {quote.quoted_id}
    return {view.parts.post.id, _original(view).parts.post.id} | quoted
