"""Posts as a reader sees them: all that a page or an entity needs, loaded at once.

Everything that shows a post to anybody comes through `posts`, which leaves out what he may not see.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, bindparam, exists, or_, select, type_coerce

from outbox import parts
from outbox.parts import Parts
from social.collections import consent
from social.collections import views as collection_views
from social.collections.consent import Standing
from social.collections.views import CollectionView
from social.filters.loading import Kept, load
from social.pages import Page
from social.paging import Paged, padded
from social.quoting import Verdict, verdict
from social.visibility import OPEN, VIEWER, visible, wanted
from store.prepared import Prepared
from store.tables import Quote, accounts, bookmarks, filters, follows, likes, pins, poll_votes, quotes, thread_mutes
from store.tables import posts as posts_table
from store.tables.base import Id

_IDS = bindparam("ids", expanding=True, type_=Id)
_QUOTED = select(posts_table.c.id, ~wanted()).where(posts_table.c.id.in_(_IDS), visible())
_SHOWN = ("accepted", "blocked_account", "blocked_domain", "muted_account")
_AT_ONCE = 1_000  # ids: a statement takes 32,766 parameters
_mine = posts_table.alias("mine")


def _follows(follower: ColumnElement[Any], target: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists().where(follows.c.follower_id == follower, follows.c.target_id == target, follows.c.accepted)


_LETS_SOME: Final = or_(  # show him in their collections: consent.depends
    and_(accounts.c.host.is_(None), accounts.c.locked),
    type_coerce(accounts.c.feature_policy, Text).contains("follow"),
)
_HAS_FILTERS: Final = exists().where(filters.c.account_id == VIEWER)
_FLAGS: Final[tuple[ColumnElement[bool], ...]] = (
    exists().where(likes.c.post_id == posts_table.c.id, likes.c.account_id == VIEWER),
    exists().where(_mine.c.boost_of_id == posts_table.c.id, _mine.c.author_id == VIEWER),
    exists().where(bookmarks.c.post_id == posts_table.c.id, bookmarks.c.account_id == VIEWER),
    exists().where(pins.c.post_id == posts_table.c.id, pins.c.account_id == VIEWER),
    exists().where(thread_mutes.c.thread_id == posts_table.c.thread_id, thread_mutes.c.account_id == VIEWER),
    and_(  # only where it matters: may he quote it?
        type_coerce(posts_table.c.quote_policy, Text).contains("followers"),
        _follows(VIEWER, posts_table.c.author_id),
    ),
    _HAS_FILTERS,
    and_(_LETS_SOME, _follows(VIEWER, posts_table.c.author_id)),
    and_(_LETS_SOME, _follows(posts_table.c.author_id, VIEWER)),
)
_OF_FRESH = Prepared(
    select(
        exists().where(thread_mutes.c.thread_id == bindparam("thread", type_=Id), thread_mutes.c.account_id == VIEWER),
        _HAS_FILTERS,
    )
)
_VOTES = Prepared(
    select(poll_votes.c.post_id, poll_votes.c.option)
    .where(poll_votes.c.account_id == VIEWER, poll_votes.c.post_id.in_(_IDS))
    .order_by(poll_votes.c.option)
)
# The parts' stamps, what a post quotes, and what the viewer did with it.
_ALL = select(*parts.STAMP, quotes.c.quoted_id, *_FLAGS).select_from(
    parts.STAMPED.outerjoin(quotes, and_(quotes.c.post_id == posts_table.c.id, quotes.c.state == "accepted"))
)
_POSTS = _ALL.where(posts_table.c.id.in_(_IDS))
_NEEDED, _VISIBLE = Prepared(_POSTS), Prepared(_POSTS.where(visible()))
_QUOTED_AT: Final = len(parts.STAMP)
_BOOSTED_AT: Final = next(at for at, column in enumerate(parts.STAMP) if column is posts_table.c.boost_of_id)


class _Did(NamedTuple):
    """What the reader did with a post."""

    liked: bool = False
    boosted: bool = False
    bookmarked: bool = False
    pinned: bool = False
    muted: bool = False
    follows: bool = False
    has_filters: bool = False
    following: bool = False
    followed_by: bool = False


class PostView(NamedTuple):
    """One post for one reader.  Plain data: rendering it cannot query.

    `muted`: he wants the conversation to be quiet.  `voted`: the numbers of his options.  `filters`: all that he has.
    `collections`: to which it links.  `may_show`: its author, in a collection of his own.
    """

    parts: Parts
    boost_of: "PostView | None" = None
    quote: "QuoteView | None" = None
    may_quote: Verdict = "unknown"
    liked: bool = False
    boosted: bool = False
    bookmarked: bool = False
    pinned: bool = False
    muted: bool = False
    voted: tuple[int, ...] = ()
    filters: tuple[Kept, ...] = ()
    collections: tuple[CollectionView, ...] = ()
    may_show: consent.Verdict = "denied"


@dataclass(frozen=True, slots=True)
class QuoteView:
    """What a post quotes, for one reader.  post: None where it is not shown, and in what is itself quoted.

    state: as https://docs.joinmastodon.org/entities/Quote/ has them.
    """

    state: str
    post: PostView | None = None
    quoted_id: int | None = None


class _Mine:
    """What the reader did with some posts."""

    def __init__(
        self, tx: Connection, did: Mapping[int, _Did], viewer_id: int | None, found: Mapping[int, Parts]
    ) -> None:
        self._did, self._viewer_id = did, viewer_id
        self._votes: dict[int, list[int]] = defaultdict(list)
        self._filters: tuple[Kept, ...] = ()
        self._collections = _collections(tx, found.values(), viewer_id)
        if viewer_id is None:
            return
        asked = [number for number, one in found.items() if one.poll is not None]
        for post_id, option in _VOTES.rows(tx, ids=padded(asked), viewer=viewer_id) if asked else ():
            self._votes[post_id].append(option)
        if any(one.has_filters for one in did.values()):
            self._filters = load(tx, viewer_id)

    def view(self, post: Parts, boost_of: PostView | None, quote: QuoteView | None) -> PostView:
        """A boost shows what the reader did with the post that it boosts, as Mastodon does."""
        of = post.post.boost_of_id or post.post.id
        did, by = self._did[of], self._did[post.post.id]
        stands = Standing(following=bool(by.following), followed_by=bool(by.followed_by))
        return PostView(
            post,
            boost_of,
            quote,
            verdict(post.post, self._viewer_id, follows=bool(by.follows)),
            bool(did.liked),
            bool(did.boosted),
            bool(did.bookmarked),
            bool(did.pinned),
            bool(did.muted),
            tuple(self._votes.get(of, ())),
            self._filters,
            _linked(post, self._collections),
            consent.verdict(post.author, self._viewer_id, stands),
        )


class Feed:
    """A list of posts, newest first: a query for the ids of those that `viewer` may see, as Paged takes it.

    Calling it gives a page of them: one query, where all is as it was remembered, and nothing boosts or quotes.
    """

    def __init__(self, query: Select[Any], column: ColumnElement[int]) -> None:
        self._page = Paged(query, column, lambda ids: _ALL.where(posts_table.c.id.in_(ids)))

    def __call__(self, tx: Connection, page: Page, viewer_id: int | None, **values: Any) -> list[PostView]:
        rows = self._page.prepared(tx, page, viewer=viewer_id, **values)
        return _views(tx, sorted(rows, key=itemgetter(0), reverse=True), viewer_id)


def posts(tx: Connection, ids: Sequence[int], viewer_id: int | None) -> list[PostView]:
    """The views of those of `ids` that the viewer may see, in that order; boosts with what they boost.

    A fixed number of queries for each thousand: one where all is as it was remembered, and nothing boosts or quotes.
    """
    return [
        view for start in range(0, len(ids), _AT_ONCE) for view in _some(tx, ids[start : start + _AT_ONCE], viewer_id)
    ]


def _some(tx: Connection, ids: Sequence[int], viewer_id: int | None) -> list[PostView]:
    found = {row[0]: row for row in _VISIBLE.rows(tx, ids=padded(ids), viewer=viewer_id)}
    return _views(tx, [found[number] for number in ids if number in found], viewer_id)


def _views(tx: Connection, listed: Sequence[Sequence[Any]], viewer_id: int | None) -> list[PostView]:
    """listed: rows of _ALL."""
    rows = list(listed)
    boosted = {row[0]: row[_BOOSTED_AT] for row in rows}
    if inner := [one for one in boosted.values() if one is not None]:
        rows += _NEEDED.rows(tx, ids=padded(inner), viewer=viewer_id)
    quoted = _quoted(tx, [row[_QUOTED_AT] for row in rows if row[_QUOTED_AT] is not None], viewer_id)
    if quoted:
        rows += _NEEDED.rows(tx, ids=padded(list(quoted)), viewer=viewer_id)
    did = {row[0]: _Did(*row[_QUOTED_AT + 1 :]) for row in rows}
    found = parts.stamped(tx, rows)
    mine = _Mine(tx, did, viewer_id, found)

    def view(post_id: int) -> PostView:
        inner, one = boosted.get(post_id), found[post_id]
        return mine.view(one, None if inner is None else view(inner), quote(one, deep=True))

    def quote(one: Parts, *, deep: bool) -> QuoteView | None:
        if one.quote is None:
            return None
        state = _state(one.quote, quoted) if deep else one.quote.state
        shown = deep and state in _SHOWN and one.quote.quoted_id in found
        of = found[one.quote.quoted_id] if shown and one.quote.quoted_id else None
        inner = mine.view(of, None, quote(of, deep=False)) if of else None
        return QuoteView(state, inner, one.quote.quoted_id if state in _SHOWN else None)

    return [view(row[0]) for row in listed]


def _quoted(tx: Connection, ids: Sequence[int], viewer_id: int | None) -> dict[int, bool]:
    """Those that the viewer may see; True for those of which he wants to see nothing."""
    if not ids:
        return {}
    return {row[0]: bool(row[1]) for row in tx.execute(_QUOTED, {"ids": padded(ids), "viewer": viewer_id})}


def _state(quote: Quote, quoted: Mapping[int, bool]) -> str:
    if quote.state != "accepted":
        return quote.state
    if quote.quoted_id is None:
        return "deleted"
    if quote.quoted_id not in quoted:
        return "unauthorized"
    return "blocked_account" if quoted[quote.quoted_id] else "accepted"


def fresh(tx: Connection, made: Parts) -> PostView:
    """A post that quotes nothing as its author sees it in the transaction that made it: nobody did anything with it."""
    number, author_id = made.post.id, made.author.id
    muted, has_filters = _OF_FRESH.rows(tx, thread=made.post.thread_id, viewer=author_id)[0]
    did = _Did(muted=bool(muted), has_filters=bool(has_filters))
    return _Mine(tx, {number: did}, author_id, {number: made}).view(made, None, None)


def alike(tx: Connection, ids: Sequence[int]) -> dict[int, PostView]:
    """How posts look to who did nothing with them.  Whoever calls this decides who may see them (social/live.py)."""
    found = parts.recall(tx, padded(ids))
    originals = parts.recall(tx, padded([one.post.boost_of_id for one in found.values() if one.post.boost_of_id]))
    quoted = parts.recall(tx, padded(_quoted_ids([*found.values(), *originals.values()])))

    shown = _collections(tx, [*found.values(), *originals.values()], None)

    def view(one: Parts) -> PostView:
        boosted = originals.get(one.post.boost_of_id or 0)
        inner = None if boosted is None else view(boosted)
        return PostView(one, inner, _openly(one.quote, quoted), collections=_linked(one, shown))

    return {
        number: view(one)
        for number, one in found.items()
        if one.post.boost_of_id is None or one.post.boost_of_id in originals
    }


def _collections(tx: Connection, found: Iterable[Parts], viewer_id: int | None) -> dict[int, CollectionView]:
    """Those to which posts link, and that the viewer may see; no query where none does."""
    return collection_views.some(tx, list({number for one in found for number in one.collections}), viewer_id)


def _linked(one: Parts, shown: Mapping[int, CollectionView]) -> tuple[CollectionView, ...]:
    return tuple([shown[number] for number in one.collections if number in shown])


def with_filters(view: PostView, filters: tuple[Kept, ...]) -> PostView:
    """How a post looks to who did nothing with it, but has filters."""
    boost_of = None if view.boost_of is None else with_filters(view.boost_of, filters)
    quote = view.quote
    if quote is not None and quote.post is not None:
        quote = replace(quote, post=with_filters(quote.post, filters))
    return view._replace(boost_of=boost_of, quote=quote, filters=filters)


def _quoted_ids(found: Sequence[Parts]) -> list[int]:
    there = (one.quote for one in found if one.quote is not None and one.quote.state == "accepted")
    return [quote.quoted_id for quote in there if quote.quoted_id is not None]


def _openly(quote: Quote | None, quoted: Mapping[int, Parts]) -> QuoteView | None:
    """A quote as everybody may see it."""
    if quote is None:
        return None
    of = quoted.get(quote.quoted_id or 0)
    closed = of is not None and (of.post.visibility not in OPEN or of.author.is_gone)
    state = _state(quote, {} if of is None or closed else {of.post.id: False})
    return QuoteView(state, PostView(of), of.post.id) if state == "accepted" and of else QuoteView(state)


def post(tx: Connection, post_id: int, viewer_id: int | None) -> PostView | None:
    """One of them; None when there is nothing that the viewer may see."""
    return next(iter(_some(tx, [post_id], viewer_id)), None)
