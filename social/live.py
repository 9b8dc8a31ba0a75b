"""What a stream shows: new and changed posts, and for whom of those who listen, in a fixed number of queries.

The same clauses that cut feeds decide here, so nothing is streamed that its reader would not find.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, not_, select, true, union_all

from social import views
from social.filters.loading import Kept, load_many
from social.filters.matching import matches
from social.paging import padded, parted
from social.views import PostView
from social.visibility import visible, wanted
from store.tables import bookmarks, follows, home_entries, likes, poll_votes, posts, thread_mutes, users
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
_OTHER = users.c.account_id
_KEPT_FROM = (
    select(posts.c.id, _OTHER)
    .join_from(posts, users, true())
    .where(posts.c.id.in_(_IDS), _OTHER.in_(_WHO), not_(and_(visible(viewer=_OTHER), wanted(viewer=_OTHER))))
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
    """Whose streams are open: home feeds, and such as show what everybody writes."""

    home: Collection[int]
    public: Collection[int]


@dataclass(frozen=True, slots=True)
class Arrival:
    """`view` is how the post looks to who did nothing with it; `own`: how it looks to those who did,
    or who have a filter that it meets."""

    view: PostView
    home: frozenset[int]  # on whose home feeds it is
    kept_from: frozenset[int]  # those of Listeners.public who would not find it
    own: dict[int, PostView] = field(default_factory=dict)


def arrivals(tx: Connection, ids: Sequence[int], listeners: Listeners, now: datetime) -> dict[int, Arrival]:
    """What there is to show of the posts `ids`.  Those that are gone, or long past, are left out."""
    looks = {
        number: view
        for number, view in views.alike(tx, ids).items()
        if view.parts.post.published > now - RECENT or view.parts.post.edited_at is not None
    }
    if not looks:
        return {}
    home = _pairs(tx, _HOME, list(looks), listeners.home)
    hidden = _pairs(tx, _KEPT_FROM, [n for n, view in looks.items() if _is_open(view)], listeners.public)
    who = {*listeners.home, *listeners.public}
    own = _own(tx, looks, who)
    _filter(tx, looks, who, own, now)
    return {
        number: Arrival(view, frozenset(home[number]), frozenset(hidden[number]), own.get(number, {}))
        for number, view in looks.items()
    }


def followers(tx: Connection, author_ids: Sequence[int], who: Collection[int]) -> dict[int, set[int]]:
    """Those of `who` that follow each of the authors."""
    return _pairs(tx, _FOLLOWERS, author_ids, who)


def _is_open(view: PostView) -> bool:
    return view.parts.post.visibility == "public"


def _pairs(tx: Connection, query: Any, ids: Sequence[int], who: Iterable[int]) -> dict[int, set[int]]:
    """What is asked for (ids) → the accounts it goes with."""
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
    """One by one: those who listen and have liked the post already, or wrote it, are few."""
    shown = {number: (view.boost_of or view).parts.post.id for number, view in looks.items()}
    touched: dict[int, set[int]] = defaultdict(set)
    for number, account_id in tx.execute(_TOUCHED, {"ids": padded(list({*shown, *shown.values()}))}):
        if account_id in who:
            touched[number].add(account_id)
    found: dict[int, dict[int, PostView]] = defaultdict(dict)
    for number, original in shown.items():
        for account_id in touched[number] | touched[original]:
            view = views.post(tx, number, account_id)
            if view is not None:
                found[number][account_id] = view
    return found
