"""People whom a reader may not know yet: the directory, and whom to follow.

Only who wants to be found is shown (discoverable).  `last_post_at` has no index, for it changes with every post: who is
active is read from the newest public posts, and whom many follow is looked for among those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.visibility import keeps_apart
from store.rows import many
from store.tables import INSTANCE_ACTOR_ID, Account, accounts, dismissed_suggestions, follows, posts, users
from store.tables.base import Id

RECENT: Final = 4_000  # public posts, among whose authors the active ones are
FRIENDS: Final = 200  # followed last, whose follows are looked at

_READER = bindparam("reader", type_=Id)
_MOST: BindParameter[int] = bindparam("most")


def _found() -> list[ColumnElement[bool]]:
    return [
        accounts.c.discoverable,
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        accounts.c.moved_to.is_(None),
        accounts.c.id != INSTANCE_ACTOR_ID,
        ~keeps_apart(accounts.c.id),
    ]


def _authors(*where: ColumnElement[bool]) -> Any:
    newest = (
        select(posts.c.author_id, posts.c.id)
        .where(posts.c.listed, *where)
        .order_by(posts.c.id.desc())
        .limit(RECENT)
        .subquery()
    )
    last = func.max(newest.c.id).label("last")
    return select(newest.c.author_id, last).group_by(newest.c.author_id).subquery()


def _part(query: Select[Any]) -> Select[Any]:
    return query.limit(_MOST).offset(bindparam("skip"))


def _active(*where: ColumnElement[bool]) -> Select[Any]:
    authors = _authors(*where)
    query = select(accounts).join(authors, authors.c.author_id == accounts.c.id).where(*_found())
    return _part(query.order_by(authors.c.last.desc()))


_ours = select(accounts).join(users, users.c.account_id == accounts.c.id)
_DIRECTORY = {
    ("active", False): _active(),
    ("active", True): _active(posts.c.local),
    ("new", False): _part(select(accounts).where(*_found()).order_by(accounts.c.id.desc())),
    ("new", True): _part(
        _ours.where(users.c.confirmed_at.is_not(None), users.c.approved_at.is_not(None), *_found()).order_by(
            users.c.account_id.desc()
        )
    ),
}
ORDERS: Final = ("active", "new")

_unknown = [
    accounts.c.id != _READER,
    ~exists().where(follows.c.target_id == accounts.c.id, follows.c.follower_id == _READER),
    ~exists().where(dismissed_suggestions.c.account_id == _READER, dismissed_suggestions.c.target_id == accounts.c.id),
]
_friends = (
    select(follows.c.target_id)
    .where(follows.c.follower_id == _READER, follows.c.accepted)
    .order_by(follows.c.id.desc())
    .limit(FRIENDS)
    .subquery()
)
_theirs = follows.alias("theirs")
_common = (
    select(_theirs.c.target_id, func.count().label("friends"))
    .join(_friends, _friends.c.target_id == _theirs.c.follower_id)
    .where(_theirs.c.accepted)
    .group_by(_theirs.c.target_id)
    .subquery()
)
_OF_FRIENDS = (
    select(accounts)
    .join(_common, _common.c.target_id == accounts.c.id)
    .where(*_found(), *_unknown)
    .order_by(_common.c.friends.desc(), accounts.c.followers_count.desc(), accounts.c.id)
    .limit(_MOST)
)
_seen = _authors()
_FOLLOWED = (
    select(accounts)
    .join(_seen, _seen.c.author_id == accounts.c.id)
    .where(*_found(), *_unknown)
    .order_by(accounts.c.followers_count.desc(), accounts.c.id)
    .limit(_MOST)
)
_DISMISS = insert(dismissed_suggestions).on_conflict_do_nothing()
_THERE = select(accounts.c.id).where(accounts.c.id == bindparam("asked", type_=Id))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """why: friends_of_friends, most_followed; as Mastodon names them, the best reason first."""

    account: Account
    why: tuple[str, ...]


def directory(
    tx: Connection, viewer_id: int | None, order: str, most: int, skip: int = 0, *, local: bool = False
) -> list[Account]:
    """order: `active`, who wrote publicly last comes first; `new`, who came last.  Nobody whom the viewer avoids."""
    return many(tx, _DIRECTORY[order, local], Account, viewer=viewer_id, most=most, skip=skip)


def suggestions(tx: Connection, reader_id: int, most: int) -> list[Suggestion]:
    """Whom those follow whom the reader follows; then whom many follow, of those who write.  Two queries."""
    values = {"reader": reader_id, "viewer": reader_id, "most": most}
    near = many(tx, _OF_FRIENDS, Account, **values)
    far = many(tx, _FOLLOWED, Account, **values)
    reasons: dict[int, list[str]] = {}
    for why, found in (("friends_of_friends", near), ("most_followed", far)):
        for one in found:
            reasons.setdefault(one.id, []).append(why)
    people: Sequence[Account] = list({one.id: one for one in [*near, *far]}.values())
    return [Suggestion(one, tuple(reasons[one.id])) for one in people[:most]]


def dismiss(tx: Connection, reader_id: int, account_id: int) -> None:
    """Suggested no more.  Nothing happens for an account that there is not."""
    if tx.execute(_THERE, {"asked": account_id}).first() is not None:
        tx.execute(_DISMISS, {"account_id": reader_id, "target_id": account_id})
