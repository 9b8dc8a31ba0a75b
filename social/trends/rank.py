"""Counts what trends, every few minutes, in queries that look at a bounded number of rows.

How many different people used a hashtag, or shared a link, in the last two days is compared with the five days before:
the score is (seen - expected)² / expected.  A post is as good as the people who liked or boosted it are many; it loses
half of its score in twelve hours, and an author has one at most.  Only public posts count that are not sensitive, of
people who let themselves be found (`discoverable`), and whose servers are not limited.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Select, bindparam, delete, func, select, union
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation import hosts
from social.cards import NOTHING
from social.moderation.hosts import LIMIT, policies
from social.paging import padded
from store.ids import NODE_BITS, SEQUENCE_BITS
from store.tables import Trend, accounts, cards, likes, post_tags, posts, trends
from store.tables.base import Id, Instant

LATELY: Final = timedelta(days=2)
BEFORE: Final = timedelta(days=5)  # before that
LEAST: Final = 3  # people: two may be one
HALF_LIFE: Final = timedelta(hours=12)
NEWEST: Final = 20_000  # posts that are looked at
CANDIDATES: Final = 200
KEPT: Final = 100  # of each kind
_ID_BITS: Final = NODE_BITS + SEQUENCE_BITS

_since, _until = bindparam("since", type_=Id), bindparam("until", type_=Id)
_author = accounts.alias("author")
_suitable = (
    posts.c.visibility == "public",
    ~posts.c.sensitive,
    ~posts.c.local_only,
    _author.c.discoverable,
    _author.c.suspended_at.is_(None),
    _author.c.deleted_at.is_(None),
    _author.c.silenced_at.is_(None),
)
_newest = select(posts.c.id).where(posts.c.id >= _since).order_by(posts.c.id.desc()).limit(NEWEST).subquery("newest")


def _uses(subject: Any) -> Select[Any]:
    """(subject, author, his host)."""
    return (
        select(subject, posts.c.author_id, _author.c.host)
        .distinct()
        .join_from(posts, _author, _author.c.id == posts.c.author_id)
        .where(*_suitable)
    )


_SUBJECTS: BindParameter[list[Any]] = bindparam("subjects", expanding=True)
_earlier = (posts.c.id >= _since, posts.c.id < _until)
_USED_TAGS = (
    _uses(post_tags.c.name).join(post_tags, post_tags.c.post_id == posts.c.id).join(_newest, _newest.c.id == posts.c.id)
)
_USED_TAGS_BEFORE = (
    _uses(post_tags.c.name)
    .join(post_tags, post_tags.c.post_id == posts.c.id)
    .where(post_tags.c.name.in_(_SUBJECTS), post_tags.c.post_id >= _since, post_tags.c.post_id < _until)
)
_SHARED = (
    _uses(posts.c.card_id)
    .join(cards, cards.c.id == posts.c.card_id)
    .join(_newest, _newest.c.id == posts.c.id)
    .where(cards.c.kind != NOTHING)
)
_SHARED_BEFORE = _uses(posts.c.card_id).where(posts.c.card_id.in_(_SUBJECTS), *_earlier)
_LIKED = (  # listed: no comments on others, nothing of limited servers
    select(posts.c.id, posts.c.author_id)
    .join(_author, _author.c.id == posts.c.author_id)
    .where(posts.c.listed, posts.c.id >= _since, posts.c.likes_count + posts.c.boosts_count >= LEAST, *_suitable)
    .order_by((posts.c.likes_count + posts.c.boosts_count).desc(), posts.c.id.desc())
    .limit(CANDIDATES)
)
_boost = posts.alias("boost")
_POST_IDS = bindparam("ids", expanding=True, type_=Id)
_people = union(
    select(likes.c.post_id, likes.c.account_id).where(likes.c.post_id.in_(_POST_IDS)),
    select(_boost.c.boost_of_id, _boost.c.author_id).where(_boost.c.boost_of_id.in_(_POST_IDS)),
).subquery("people")
_PEOPLE = (
    select(_people.c.post_id, func.count())
    .join(posts, posts.c.id == _people.c.post_id)
    .where(_people.c.account_id != posts.c.author_id)
    .group_by(_people.c.post_id)
)
_INSERT = insert(trends)
_SET = _INSERT.on_conflict_do_update(
    index_elements=["kind", "subject"],
    set_={name: _INSERT.excluded[name] for name in ("score", "people", "computed_at")},
)
_FORGET = delete(trends).where(trends.c.computed_at < bindparam("at", type_=Instant))
_LATEST = select(func.max(trends.c.computed_at, type_=Instant))
_RATIO: Final = LATELY / BEFORE


def compute(tx: Connection, now: datetime, every: timedelta = timedelta(0)) -> bool:
    """Counts all anew.  every: not, when it was done (by another process) since so long.  False: it was."""
    latest = tx.scalar(_LATEST)
    if latest is not None and latest > now - every:
        return False
    limited = {policy.host: policy.level for policy in policies(tx)}
    found = [*_tags(tx, now, limited), *_links(tx, now, limited), *_posts(tx, now)]
    if found:
        tx.execute(_SET, [asdict(one) for one in sorted(found, key=lambda one: (one.kind, one.subject))])
    tx.execute(_FORGET, {"at": now})
    return True


def _tags(tx: Connection, now: datetime, limited: Mapping[str, str]) -> list[Trend]:
    return _rising(tx, "tag", (_USED_TAGS, _USED_TAGS_BEFORE), now, limited)


def _links(tx: Connection, now: datetime, limited: Mapping[str, str]) -> list[Trend]:
    return _rising(tx, "link", (_SHARED, _SHARED_BEFORE), now, limited)


def _rising(
    tx: Connection, kind: str, queries: tuple[Select[Any], Select[Any]], now: datetime, limited: Mapping[str, str]
) -> list[Trend]:
    """What more people use than before."""
    lately = _people_of(tx.execute(queries[0], {"since": _id(now - LATELY)}), limited)
    most = sorted((subject for subject in lately if lately[subject] >= LEAST), key=lambda one: -lately[one])
    if not (some := most[:CANDIDATES]):
        return []
    asked = {"subjects": padded(some), "since": _id(now - LATELY - BEFORE), "until": _id(now - LATELY)}
    before = _people_of(tx.execute(queries[1], asked), limited)
    found = []
    for subject in some:
        expected = max(before.get(subject, 0) * _RATIO, 1.0)
        if lately[subject] > expected:
            score = (lately[subject] - expected) ** 2 / expected
            found.append(Trend(kind, str(subject), score, lately[subject], now))
    return _best(found)


def _people_of(rows: Iterable[Any], limited: Mapping[str, str]) -> dict[Any, int]:
    """How many different people each subject has; those of limited servers do not count."""
    people: dict[Any, set[int]] = defaultdict(set)
    for subject, author_id, host in rows:
        if host is None or hosts.nearest(limited, host) != LIMIT:
            people[subject].add(author_id)
    return {subject: len(those) for subject, those in people.items()}


def _posts(tx: Connection, now: datetime) -> list[Trend]:
    authors = {row[0]: row[1] for row in tx.execute(_LIKED, {"since": _id(now - LATELY)})}
    if not authors:
        return []
    best: dict[int, Trend] = {}
    for post_id, people in tx.execute(_PEOPLE, {"ids": padded(list(authors))}):
        age = max(0.0, now.timestamp() - (post_id >> _ID_BITS) / 1_000)
        score = people * 0.5 ** (age / HALF_LIFE.total_seconds())
        one = Trend("post", str(post_id), score, people, now)
        if people >= LEAST and (authors[post_id] not in best or best[authors[post_id]].score < score):
            best[authors[post_id]] = one
    return _best(best.values())


def _best(found: Iterable[Trend]) -> list[Trend]:
    return sorted(found, key=lambda one: (-one.score, one.subject))[:KEPT]


def _id(moment: datetime) -> int:
    """The least id of a post of that moment."""
    return int(moment.timestamp() * 1_000) << _ID_BITS
