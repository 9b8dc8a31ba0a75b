"""Notifications that clients show as one: those of a kind, about the same, within some hours.

The key is stored at arrival (social/notifications.py).  A page is cut by heads: of a group, the newest one within its
bounds (going up: the oldest); a group that goes on beyond the page comes again on the next, as with Mastodon.
Source: https://docs.joinmastodon.org/methods/grouped_notifications/
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
)

from social import notifications as news
from social.errors import NotFound
from social.notifications import ALL, GROUPED, SEEN_TO, WHOSE, Choice, NotificationView, fits
from social.pages import Page
from social.paging import MOST, padded
from store.ids import LARGEST
from store.rows import many
from store.tables import Account, accounts, notifications
from store.tables.base import Id

SAMPLE: Final = 8  # accounts of a group that are shown
MOST_ACCOUNTS: Final = 1_000
UNGROUPED: Final = "ungrouped-"
_UNGROUPED_KEY: Final = re.compile(r"ungrouped-([0-9]{1,19})")

_BELOW, _ABOVE = bindparam("below", type_=Id), bindparam("above", type_=Id)
_KEYS: BindParameter[list[str]] = bindparam("keys", expanding=True)
_other = notifications.alias("other")


def _same_group(nearer: ColumnElement[bool]) -> ColumnElement[bool]:
    """Is there one of the same group, `nearer` to where the page begins, that is listed itself?"""
    return exists().where(
        _other.c.account_id == notifications.c.account_id,
        _other.c.group_key == notifications.c.group_key,
        nearer,
        fits(_other),
    )


def _heads(nearer: ColumnElement[bool], above: Any = _ABOVE) -> Select[Any]:
    groups = and_(
        notifications.c.group_key.is_not(None), notifications.c.kind.in_(bindparam("grouped", expanding=True))
    )
    return (
        select(notifications.c.id)
        .where(WHOSE, fits(), notifications.c.id < _BELOW, notifications.c.id > above)
        .where(or_(~groups, ~_same_group(nearer)))
        .limit(bindparam("most"))
    )


_NEWEST = _heads(and_(_other.c.id > notifications.c.id, _other.c.id < _BELOW)).order_by(notifications.c.id.desc())
_NEAREST = _heads(and_(_other.c.id < notifications.c.id, _other.c.id > _ABOVE)).order_by(notifications.c.id)
_UNREAD = select(func.count()).select_from(
    _heads(and_(_other.c.id > notifications.c.id, _other.c.id < _BELOW), SEEN_TO).subquery()
)
_of_groups = (
    select(
        notifications.c.group_key,
        notifications.c.id,
        notifications.c.from_id,
        notifications.c.created_at,
        func.count().over(partition_by=notifications.c.group_key).label("number"),
        func.min(case((notifications.c.id >= bindparam("lowest", type_=Id), notifications.c.id)))
        .over(partition_by=notifications.c.group_key)
        .label("oldest"),
        func.row_number()
        .over(partition_by=notifications.c.group_key, order_by=notifications.c.id.desc())
        .label("place"),
    )
    .where(WHOSE, fits(), notifications.c.group_key.in_(_KEYS), notifications.c.id <= bindparam("highest", type_=Id))
    .subquery()
)
_GROUPS = select(_of_groups).where(_of_groups.c.place <= SAMPLE).order_by(_of_groups.c.group_key, _of_groups.c.place)
_PEOPLE = select(accounts).where(accounts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
_BY_KEY = (
    select(notifications.c.id)
    .where(WHOSE, fits(), notifications.c.group_key == bindparam("key"))
    .order_by(notifications.c.id.desc())
    .limit(1)
)
_SENDERS = (
    select(notifications.c.from_id)
    .where(WHOSE, fits(), notifications.c.group_key == bindparam("key"))
    .group_by(notifications.c.from_id)
    .order_by(func.max(notifications.c.id).desc())
    .limit(MOST_ACCOUNTS)
)
_DISMISS = delete(notifications).where(WHOSE, notifications.c.group_key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Group:
    """`head`: what the page was cut by.  `sample`: the senders of the newest ones, the newest first.

    newest, newest_at, oldest: of those on the page; oldest is None for a group that is asked for alone.
    """

    key: str
    head: NotificationView
    count: int
    newest: int
    newest_at: datetime
    oldest: int | None
    sample: tuple[Account, ...]


def page(
    tx: Connection, account_id: int, page: Page, choice: Choice = ALL, grouped: Collection[str] = GROUPED
) -> list[Group]:
    """A page of groups, newest first, in twelve queries at most.  grouped: kinds that come in groups."""
    after = page.since_id if page.min_id is None else page.min_id
    most = max(0, min(page.limit, MOST))
    asked = {
        **_common(account_id, choice, grouped),
        "below": _bound(LARGEST if page.max_id is None else page.max_id),
        "above": _bound(after or 0),
        "most": most,
    }
    up = page.min_id is not None
    ids = list(tx.scalars(_NEAREST if up else _NEWEST, asked))
    if not ids:
        return []
    # The last page has all that is left, also of groups whose head is not the last of it.
    highest, lowest = max(ids), min(ids)
    if len(ids) < most:
        highest, lowest = (asked["below"] - 1, lowest) if up else (highest, asked["above"] + 1)
    heads = news.load(tx, account_id, ids)
    return _groups(tx, account_id, heads, choice, grouped, (lowest, highest))


def one(tx: Connection, account_id: int, key: str) -> Group:
    """Raises: NotFound."""
    number = _number(key)
    asked = {"viewer": account_id, "key": key, **ALL.values}
    found = news.load(tx, account_id, [number] if number else list(tx.scalars(_BY_KEY, asked)))
    if not found:
        raise NotFound("Record not found")
    return _groups(tx, account_id, found, ALL, () if number else GROUPED, None)[0]


def senders(tx: Connection, account_id: int, key: str) -> list[Account]:
    """Everybody in a group, the newest first."""
    if number := _number(key):
        return [view.account for view in news.load(tx, account_id, [number])]
    ids = list(tx.scalars(_SENDERS, {"viewer": account_id, "key": key, **ALL.values}))
    known = _people(tx, ids)
    return [known[number] for number in ids]


def dismiss(tx: Connection, account_id: int, key: str) -> None:
    if number := _number(key):
        news.dismiss(tx, account_id, number)
    else:
        tx.execute(_DISMISS, {"viewer": account_id, "key": key})


def unread(
    tx: Connection, account_id: int, choice: Choice = ALL, most: int = 100, grouped: Collection[str] = GROUPED
) -> int:
    """How many groups have something newer than the newest that he saw; `most` at most."""
    asked = {**_common(account_id, choice, grouped), "below": LARGEST, "most": most}
    return tx.scalar(_UNREAD, asked) or 0


def _groups(
    tx: Connection,
    account_id: int,
    heads: Sequence[NotificationView],
    choice: Choice,
    grouped: Collection[str],
    bounds: tuple[int, int] | None,
) -> list[Group]:
    lowest, highest = bounds or (0, LARGEST)
    keys = {key for view in heads if (key := _key(view, grouped))}
    members: dict[str, list[Any]] = defaultdict(list)
    if keys:
        asked = {"lowest": lowest, "highest": highest, "keys": padded(sorted(keys)), "viewer": account_id}
        for row in tx.execute(_GROUPS, {**asked, **choice.values}):
            members[row.group_key].append(row)
    known = _people(tx, list({row.from_id for rows in members.values() for row in rows}))
    return [_group(view, members.get(_key(view, grouped) or "", []), known, paged=bounds is not None) for view in heads]


def _group(head: NotificationView, members: Sequence[Any], known: dict[int, Account], *, paged: bool) -> Group:
    it = head.notification
    if not members:
        return Group(f"{UNGROUPED}{it.id}", head, 1, it.id, it.created_at, it.id if paged else None, (head.account,))
    first = members[0]
    sample = tuple(known[number] for number in dict.fromkeys(row.from_id for row in members))
    oldest = first.oldest if paged else None
    return Group(first.group_key, head, first.number, first.id, first.created_at, oldest, sample)


def _key(view: NotificationView, grouped: Collection[str]) -> str | None:
    return view.notification.group_key if view.notification.kind in grouped else None


def _people(tx: Connection, ids: Sequence[int]) -> dict[int, Account]:
    if not ids:
        return {}
    return {one.id: one for one in many(tx, _PEOPLE, Account, ids=padded(ids))}


def _common(account_id: int, choice: Choice, grouped: Collection[str]) -> dict[str, Any]:
    kinds = padded([kind for kind in GROUPED if kind in grouped] or [""])
    return {"viewer": account_id, "grouped": kinds, **choice.values}


def _number(key: str) -> int | None:
    """The id in the key of one that is in no group."""
    found = _UNGROUPED_KEY.fullmatch(key)
    number = int(found[1]) if found else 0
    return number if 0 < number <= LARGEST else None


def _bound(number: int) -> int:
    return max(0, min(number, LARGEST))
