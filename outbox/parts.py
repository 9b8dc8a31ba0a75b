"""All that a document, an entity or a page needs to know of posts, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, exists, select

from federation.hosts import upwards
from store.memory import Memory
from store.prepared import Prepared, padded
from store.races import Vanished
from store.tables import (
    Account,
    Card,
    Media,
    Poll,
    Post,
    Quote,
    accounts,
    apps,
    cards,
    media,
    mentions,
    polls,
    post_tags,
    posts,
    quotes,
    tagged_collections,
)
from store.tables.base import Id

T = TypeVar("T")
_Row: TypeAlias = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Mentioned:
    """`acct` as Account.acct; `silent`: addressed, but not named in the text."""

    id: int
    uri: str
    acct: str
    username: str
    url: str
    silent: bool

    @classmethod
    def of(cls, id_: int, uri: str, username: str, domain: str | None, url: str, *, silent: bool) -> "Mentioned":
        return cls(id_, uri, username if domain is None else f"{username}@{domain}", username, url, silent)


@dataclass(frozen=True, slots=True)
class Tag:
    """`name` is how hashtags are compared, `shown` how this author writes it; neither has a #."""

    name: str
    shown: str


@dataclass(frozen=True, slots=True)
class Written:
    """The program that a post of ours was written with."""

    name: str
    website: str | None


@dataclass(frozen=True, slots=True)
class Parts:
    """A post with all that belongs to it.  `boost_of_uri`: what it boosts; `parent_author_id`: whom it answers;
    `written`: with which program; `card`: what its first link leads to, once that is known; `quote`: what it quotes;
    `moved`: who its author is now, if he moved to one who is known here; `credited`: who wrote what `card` shows, and
    says so himself;
    `collections`: to which it links."""

    post: Post
    author: Account
    mentions: tuple[Mentioned, ...] = ()
    tags: tuple[Tag, ...] = ()
    media: tuple[Media, ...] = ()
    poll: Poll | None = None
    boost_of_uri: str | None = None
    parent_author_id: int | None = None
    written: Written | None = None
    card: Card | None = None
    quote: Quote | None = None
    moved: Account | None = None
    credited: Account | None = None
    collections: tuple[int, ...] = ()


_IDS = bindparam("ids", expanding=True, type_=Id)
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
_PARENTS = posts.alias("parent")
_BOOSTED = posts.alias("boosted")
# What most posts have none of is not asked for unless it is there: a look at an index, instead of a statement.
_HAS = (
    exists().where(mentions.c.post_id == posts.c.id),
    exists().where(post_tags.c.post_id == posts.c.id),
    exists().where(media.c.post_id == posts.c.id),
    exists().where(tagged_collections.c.post_id == posts.c.id),
)
_POSTS = Prepared(
    select(posts, accounts, _BOOSTED.c.uri, _PARENTS.c.author_id, *_HAS, quotes)
    .join(accounts, accounts.c.id == posts.c.author_id)
    .outerjoin(_BOOSTED, _BOOSTED.c.id == posts.c.boost_of_id)
    .outerjoin(_PARENTS, _PARENTS.c.id == posts.c.reply_to_id)
    .outerjoin(quotes, quotes.c.post_id == posts.c.id)
    .where(posts.c.id.in_(_IDS))
)
_POST_ENDS = len(posts.c)
_AUTHOR_ENDS = _POST_ENDS + len(accounts.c)

_KIND, _APP, _CARD = (posts.c.keys().index(name) for name in ("kind", "app_id", "card_id"))
_HAS_BEGINS = _AUTHOR_ENDS + 2
_QUOTE_BEGINS = _HAS_BEGINS + len(_HAS)

_MENTIONS = Prepared(
    select(
        mentions.c.post_id,
        accounts.c.id,
        accounts.c.uri,
        accounts.c.username,
        accounts.c.domain,
        accounts.c.url,
        mentions.c.silent,
    )
    .join(accounts, accounts.c.id == mentions.c.account_id)
    .where(mentions.c.post_id.in_(_IDS))
    .order_by(mentions.c.post_id, accounts.c.id)
)
_TAGS = Prepared(
    select(post_tags.c.post_id, post_tags.c.name, post_tags.c.shown)
    .where(post_tags.c.post_id.in_(_IDS))
    .order_by(post_tags.c.post_id, post_tags.c.name)
)
_MEDIA = Prepared(
    select(media).where(media.c.post_id.in_(_IDS)).order_by(media.c.post_id, media.c.position, media.c.id)
)
_COLLECTIONS = Prepared(
    select(tagged_collections.c.post_id, tagged_collections.c.collection_id)
    .where(tagged_collections.c.post_id.in_(_IDS))
    .order_by(tagged_collections.c.post_id, tagged_collections.c.collection_id)
)
_POLLS = Prepared(select(polls).where(polls.c.post_id.in_(_IDS)))
_APPS = Prepared(select(apps.c.id, apps.c.name, apps.c.website).where(apps.c.id.in_(_IDS)))
_MOVED = Prepared(select(accounts).where(accounts.c.uri.in_(_URIS)))
_WRITERS = Prepared(select(accounts).where(accounts.c.id.in_(_IDS)))
_CARDS = Prepared(select(cards).where(cards.c.id.in_(_IDS), cards.c.kind != "none"))


class Loaded(dict[int, Parts]):
    """By the post's id.  Who asks for one that is not there knew that it was, a moment ago."""

    def __missing__(self, post_id: int) -> Parts:
        raise Vanished(f"post {post_id}")


def load(tx: Connection, ids: Sequence[int]) -> Loaded:
    """The parts of those posts of `ids` that exist, whoever may see them: that is for the caller to know.

    One query, and one each for mentions, hashtags, files, collections, polls, programs, cards, their authors and
    moves where there are any, however many posts.
    """
    rows = _rows(tx, _POSTS, ids)
    if not rows:
        return Loaded()
    naming, tagging, attaching, showing = ([row[0] for row in rows if row[_HAS_BEGINS + at]] for at in range(len(_HAS)))
    named = _by_post((row[0], _mentioned(row)) for row in _rows(tx, _MENTIONS, naming))
    tagged = _by_post((row[0], Tag(row[1], row[2])) for row in _rows(tx, _TAGS, tagging))
    attached = _by_post((row[1], Media(*row)) for row in _rows(tx, _MEDIA, attaching))
    shown = _by_post((row[0], row[1]) for row in _rows(tx, _COLLECTIONS, showing))
    asked = _load_polls(tx, rows)
    written = {row[0]: Written(*row[1:]) for row in _rows(tx, _APPS, _some(rows, _APP))}
    previews = {row[0]: Card(*row) for row in _rows(tx, _CARDS, _some(rows, _CARD))}
    writers = credited(tx, previews.values())
    authors = [Account(*row[_POST_ENDS:_AUTHOR_ENDS]) for row in rows]
    new = moved(tx, authors)
    found = Loaded()
    for row, author in zip(rows, authors, strict=True):
        post = Post(*row[:_POST_ENDS])
        found[post.id] = Parts(
            post,
            author,
            tuple(named.get(post.id, ())),
            tuple(tagged.get(post.id, ())),
            tuple(attached.get(post.id, ())),
            asked.get(post.id),
            row[_AUTHOR_ENDS],
            row[_AUTHOR_ENDS + 1],
            written.get(post.app_id or 0),
            previews.get(post.card_id or 0),
            _quote(row),
            None if author.is_gone else new.get(author.moved_to or ""),
            writers.get(post.card_id or 0),
            tuple(shown.get(post.id, ())),
        )
    return found


def moved(tx: Connection, people: Iterable[Account]) -> dict[str, Account]:
    """Where those went who moved, by `moved_to`; no query where nobody did.  Who is gone went nowhere."""
    uris = list({one.moved_to for one in people if one.moved_to is not None and not one.is_gone})
    found = _MOVED.typed(tx, uris=padded(uris)) if uris else ()
    return {one.uri: one for one in (Account(*row) for row in found)}


def credited(tx: Connection, some: Iterable[Card]) -> dict[int, Account]:
    """Who wrote what these cards show, by card: whom a page names, if he says that its host may name him."""
    named = [one for one in some if one.creator_id is not None]
    found = {row[0]: Account(*row) for row in _rows(tx, _WRITERS, [one.creator_id for one in named if one.creator_id])}
    pairs = ((one, found.get(one.creator_id or 0)) for one in named)
    return {one.id: account for one, account in pairs if account is not None and may_name(account, one.host)}


def may_name(account: Account, host: str) -> bool:
    """May pages of that host say that this account wrote them?"""
    return not account.is_gone and not set(upwards(host)).isdisjoint(account.attribution_domains)


_WRITER = accounts.alias("writer")
STAMP: Final[tuple[ColumnElement[Any], ...]] = (
    posts.c.id,
    posts.c.version,
    posts.c.edited_at,  # this and what follows changes without the version
    posts.c.listed,
    posts.c.thread_id,
    posts.c.reply_to_id,
    posts.c.boost_of_id,
    posts.c.card_id,
    accounts.c.version,
    select(_WRITER.c.version)  # of whom the page names that its card shows: whether he lets it is his to say
    .join(cards, cards.c.creator_id == _WRITER.c.id)
    .where(cards.c.id == posts.c.card_id)
    .correlate(posts)
    .scalar_subquery(),
)
STAMPED: Final = posts.join(accounts, accounts.c.id == posts.c.author_id)
_STAMPS = Prepared(select(*STAMP).select_from(STAMPED).where(posts.c.id.in_(_IDS)))
_STAMP_ENDS: Final = len(STAMP)
_WEIGHS: Final = 2_500  # bytes, besides its text
REMEMBERED: Memory[Parts] = Memory(12 << 20)  # some 4,000 posts, fewer long ones


def recall(tx: Connection, ids: list[int]) -> dict[int, Parts]:
    """As `load`, but what did not change since it was last loaded is remembered: one query, when nothing did."""
    return stamped(tx, _STAMPS.rows(tx, ids=ids) if ids else ())


def stamped(tx: Connection, rows: Iterable[Sequence[Any]]) -> dict[int, Parts]:
    """The parts of posts of which the rows, as the driver gave them, begin with STAMP: of STAMPED, in this snapshot.

    The versions of a post, of its author and of who wrote what its card shows are compared; whatever else belongs to it
    changes only with its version.  Polls do not, nor do those to whom people moved: they are loaded each time.
    """
    found, changed = {}, {}
    for row in rows:
        stamp = tuple(row[:_STAMP_ENDS])
        known = REMEMBERED.get(tx, stamp[0], stamp)
        if known is None:
            changed[stamp[0]] = stamp
        else:
            found[stamp[0]] = known
    if changed:
        for number, made in load(tx, padded(list(changed))).items():
            found[number] = made
            if made.poll is None and made.author.moved_to is None:
                REMEMBERED.put(tx, number, changed[number], made, _WEIGHS + len(made.post.html))
    return found


def _quote(row: _Row) -> Quote | None:
    return None if row[_QUOTE_BEGINS] is None else Quote(*row[_QUOTE_BEGINS:])


def _rows(tx: Connection, query: Prepared, ids: Sequence[int]) -> Sequence[_Row]:
    return query.typed(tx, ids=padded(ids)) if ids else ()


def _some(rows: Iterable[_Row], column: int) -> list[int]:
    return list({row[column] for row in rows if row[column] is not None})


def _load_polls(tx: Connection, rows: Iterable[_Row]) -> dict[int, Poll]:
    questions = [row[0] for row in rows if row[_KIND] == "Question"]
    return {row[0]: Poll(*row) for row in _rows(tx, _POLLS, questions)}


def _by_post(found: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    lists: dict[int, list[T]] = defaultdict(list)
    for post_id, thing in found:
        lists[post_id].append(thing)
    return lists


def _mentioned(row: _Row) -> Mentioned:
    return Mentioned.of(*row[1:-1], silent=row[-1])
