"""Keeps new posts, ours and remote, with all that follows from them: a fixed number of statements for any number.

posts → what belongs to them → comments that waited for them → counts → home feeds → conversations → notifications
→ events
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, case, insert, or_, select, update
from sqlalchemy.dialects import postgresql  # SQLite has the same ON CONFLICT

from social import cards, conversations, fulltext, notifications, timelines
from social.cards import Linking
from social.collections import tagging
from social.conversations import Said
from social.events import Posted
from social.notifications import Row
from social.numbers import number_of
from social.posts import healing
from social.posts.healing import Healed, Place
from social.visibility import OPEN
from store.events import announce
from store.ids import first_id, new_id
from store.prepared import Change, Prepared, padded
from store.tables import Account, accounts, follows, hashtags, media, mentions, polls, post_tags, posts, users
from store.tables.base import Id, Instant

NEWS: Final = timedelta(days=14)  # older posts that are fetched surprise nobody; peers deliver late, but not that late

_POST = Change(postgresql.insert(posts).on_conflict_do_nothing(index_elements=["uri"]))
_MENTION = Change(postgresql.insert(mentions).on_conflict_do_nothing())
_TAG = Change(postgresql.insert(post_tags).on_conflict_do_nothing())
_HASHTAG = Change(postgresql.insert(hashtags).on_conflict_do_nothing())
_MEDIA = Change(insert(media))
_POLL = Change(insert(polls))
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
_STORED = Prepared(select(posts.c.uri, posts.c.id).where(posts.c.uri.in_(_URIS)))


@dataclass(frozen=True, slots=True)
class Mention:
    """`tell`: one of ours, who should hear of it."""

    account_id: int
    silent: bool
    tell: bool


@dataclass(slots=True)
class Fresh:
    """A post that is not stored yet, and all that belongs to it.  `values`: the columns of its row.

    answers:  the author of its parent, if he is one of ours and should hear of it.
    may_list: False for authors who are kept off the public feeds.
    """

    author: Account
    values: dict[str, Any]
    answers: int | None = None
    may_list: bool = True
    mentions: Sequence[Mention] = ()
    tags: Mapping[str, str] = field(default_factory=dict)  # name → as written
    media: Sequence[Mapping[str, Any]] = ()
    poll: Mapping[str, Any] | None = None
    quote: str | None = None  # what a post of another server quotes, and who allowed it
    quote_approval: str | None = None
    tags_collections: bool = False  # known when it is stored

    @property
    def id(self) -> int:
        number: int = self.values["id"]
        return number

    @property
    def uri(self) -> str:
        uri: str = self.values["uri"]
        return uri

    @property
    def place(self) -> Place:
        return Place(self.id, self.uri, self.author.id, self.values["thread_id"], self.may_list)


def store(
    tx: Connection,
    batch: Sequence[Fresh],
    now: datetime,
    known: Iterable[Place] = (),
    *,
    quiet_before: datetime | None = None,
) -> list[Fresh]:
    """Stores `batch`, parents before their comments.  Gives back those that are new: another lane may have been faster.

    known:        posts that were here already; comments that still wait for one of them are healed, too.
    quiet_before: what is older comes into no feed, and nobody is told.
    """
    new = _insert(tx, batch)
    insert_belongings(tx, new)
    healed = healing.heal(tx, [*known, *(one.place for one in new if not one.values["local"])])
    for one in new:  # a comment that came before its parent, in the same batch
        if healed.parents:
            one.values["thread_id"] = healed.thread(one.values["thread_id"])
        if place := healed.parents.get(one.id):
            one.values["reply_to_id"] = place.id
    linking = [_linking(one) for one in new]
    linked, tagged = cards.link(tx, linking, now), tagging.tag(tx, linking)
    for one in new:
        one.values["card_id"] = linked.get(one.id)
        one.tags_collections = one.id in tagged
    _count(tx, new, healed)
    first = first_id(quiet_before) if quiet_before else 0
    loud = [one for one in new if one.id >= first]
    timelines.push(tx, [number for number in (*(one.id for one in loud), *healed.parents) if number >= first])
    conversations.add(tx, _direct(loud))
    timelines.push_tagged(tx, [one.id for one in loud if one.tags and one.may_list])
    _notify(tx, [one for one in loud if one.values["published"] > now - NEWS], now)
    fulltext.ask(tx, [one.id for one in new if _may_be_found(one)])
    for one in loud:
        announce(tx, Posted(one.id, one.author.id))
    return new


def store_quietly(tx: Connection, batch: Sequence[Fresh]) -> list[Fresh]:
    """Old posts of ours: they come into no feed, and nobody is told.  Gives back those that are new."""
    new = _insert(tx, batch)
    insert_belongings(tx, new)
    _count(tx, new, Healed())
    fulltext.ask(tx, [one.id for one in new])
    return new


def _may_be_found(one: Fresh) -> bool:
    """By its words, by anybody here; the index looks closer, but is not asked about all that passes by."""
    return one.values["local"] or one.author.indexable or any(mention.tell for mention in one.mentions)


def _linking(one: Fresh) -> Linking:
    return Linking(one.id, one.values["html"], one.values["visibility"])


def _direct(new: Sequence[Fresh]) -> list[Said]:
    return [
        Said(one.id, one.author.id, one.values["thread_id"], tuple(mention.account_id for mention in one.mentions))
        for one in new
        if one.values["visibility"] == "direct"
    ]


def _insert(tx: Connection, batch: Sequence[Fresh]) -> list[Fresh]:
    if not batch:
        return []
    if _POST.each(tx, [one.values for one in batch]) == len(batch):
        return list(batch)
    stored = {row[0]: row[1] for row in _STORED.rows(tx, uris=padded([one.uri for one in batch]))}
    return [one for one in batch if stored.get(one.uri) == one.id]


def insert_belongings(tx: Connection, new: Sequence[Fresh]) -> None:
    """Stores what belongs to posts whose rows are there."""
    _MENTION.each(
        tx,
        (
            {"post_id": one.id, "account_id": mention.account_id, "silent": mention.silent}
            for one in new
            for mention in one.mentions
        ),
    )
    _TAG.each(
        tx,
        ({"post_id": one.id, "name": name, "shown": shown} for one in new for name, shown in one.tags.items()),
    )
    _HASHTAG.each(
        tx,
        (
            {"name": name, "number": number_of(name), "shown": shown}
            for one in new
            if one.values["visibility"] == "public"
            for name, shown in one.tags.items()
        ),
    )
    _MEDIA.each(
        tx,
        (
            {**item, "id": new_id(), "post_id": one.id, "position": position}
            for one in new
            for position, item in enumerate(one.media)
        ),
    )
    _POLL.each(tx, ({**one.poll, "post_id": one.id} for one in new if one.poll is not None))


_LAST = bindparam("last", type_=Instant)
_WROTE = Change(
    update(accounts)
    .where(accounts.c.id == bindparam("author", type_=Id))
    .values(
        posts_count=accounts.c.posts_count + bindparam("more"),
        last_post_at=case(
            (or_(accounts.c.last_post_at.is_(None), accounts.c.last_post_at < _LAST), _LAST),
            else_=accounts.c.last_post_at,
        ),
    )
)
_ANSWERED = Change(
    update(posts)
    .where(posts.c.id == bindparam("parent", type_=Id))
    .values(replies_count=posts.c.replies_count + bindparam("more"), version=posts.c.version + 1)
)


def count_posts(tx: Connection, wrote: Mapping[int, Sequence[datetime]]) -> None:
    """New posts and boosts of these accounts, and when they were published."""
    # In order of id, so that two batches never lock each other's rows crosswise.
    rows = [{"author": who, "more": len(moments), "last": max(moments)} for who, moments in sorted(wrote.items())]
    _WROTE.each(tx, rows)


def _count(tx: Connection, new: Sequence[Fresh], healed: Healed) -> None:
    """Direct posts are counted nowhere, and private comments not with their parent: a count would tell of them."""
    wrote: dict[int, list[datetime]] = defaultdict(list)
    answers = healed.answers.copy()
    for one in new:
        parent, visibility = one.values["reply_to_id"], one.values["visibility"]
        if visibility != "direct":
            wrote[one.author.id].append(one.values["published"])
        if parent is not None and visibility in OPEN and one.id not in healed.parents:
            answers[parent] += 1
    count_posts(tx, wrote)
    _ANSWERED.each(tx, [{"parent": parent, "more": more} for parent, more in sorted(answers.items()) if more])


_parent = posts.alias("parent")
_ASKED_TO_HEAR = Prepared(
    select(follows.c.follower_id, posts.c.author_id, posts.c.id)
    .join_from(posts, follows, follows.c.target_id == posts.c.author_id)
    .join(users, users.c.account_id == follows.c.follower_id)
    .outerjoin(_parent, _parent.c.id == posts.c.reply_to_id)
    .where(
        posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)),
        follows.c.notify,
        follows.c.accepted,
        posts.c.visibility != "direct",
        or_(posts.c.reply_to_uri.is_(None), _parent.c.author_id == posts.c.author_id),
    )
)


def _notify(tx: Connection, new: Sequence[Fresh], now: datetime) -> None:
    """Those mentioned, then who is answered, then who asked to hear of this author; each once."""
    if not new:
        return
    rows: dict[tuple[int, int], Row] = {}
    for one in new:
        for mention in one.mentions:
            # Who is only addressed hears of what he would see nowhere else.
            if mention.tell and (not mention.silent or one.values["visibility"] == "direct"):
                rows[mention.account_id, one.id] = (mention.account_id, "mention", one.author.id, one.id)
        if one.answers is not None and one.values["visibility"] in OPEN:
            rows[one.answers, one.id] = (one.answers, "mention", one.author.id, one.id)
    for follower_id, author_id, post_id in _ASKED_TO_HEAR.rows(tx, ids=padded([one.id for one in new])):
        rows.setdefault((follower_id, post_id), (follower_id, "status", author_id, post_id))
    notifications.notify_many(tx, rows.values(), now)
