"""Whose notifications somebody wants: the clause that judges them at arrival, and his policy.

A policy has a level for each reason to doubt a sender: accept, filter (kept back until he says whether he wants to hear
of that one: social/notification_requests.py) or drop.  Only news that somebody else causes is judged: see FILTERABLE.
Source: https://docs.joinmastodon.org/methods/notifications/#get-policy
"""

import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.errors import Invalid
from store.rows import one
from store.tables import (
    NotificationPolicy,
    accounts,
    follows,
    mentions,
    notification_permissions,
    notification_policies,
    notification_requests,
    notifications,
    posts,
    users,
)
from store.tables.base import Id, Instant

ACCEPT, FILTER, DROP = "accept", "filter", "drop"
LEVELS: Final = (ACCEPT, FILTER, DROP)
FILTERABLE: Final = ("mention", "quote", "reblog", "follow", "follow_request", "favourite", "added_to_collection")
REASONS: Final = (
    "for_not_following",
    "for_not_followers",
    "for_new_accounts",
    "for_private_mentions",
    "for_limited_accounts",
    "for_bots",
)
# A first private message is no reason to doubt anybody, until the one who gets it says so: he would not learn of it.
USUAL: Final[Mapping[str, str]] = {**dict.fromkeys(REASONS, ACCEPT), "for_limited_accounts": FILTER}
NEW: Final = timedelta(days=30)  # such accounts are new
NEW_FOLLOWER: Final = timedelta(days=3)  # who follows to get around a policy waits so long
MOST_SHOWN: Final = 100  # requests that a summary counts

_FROM, _POST = bindparam("from_id", type_=Id), bindparam("post_id", type_=Id)
_WHOM = users.c.account_id
_policy = notification_policies
_mine = posts.alias("mine")

_FOLLOWS = exists().where(follows.c.target_id == _FROM, follows.c.follower_id == _WHOM, follows.c.accepted)
_FOLLOWS_BACK = exists().where(
    follows.c.target_id == _WHOM,
    follows.c.follower_id == _FROM,
    follows.c.accepted,
    follows.c.created_at < bindparam("followed_before", type_=Instant),
)
_IS_NEW = exists().where(accounts.c.id == _FROM, accounts.c.created_at > bindparam("born_after", type_=Instant))
_IS_BOT = exists().where(accounts.c.id == _FROM, or_(accounts.c.kind == "Service", accounts.c.kind == "Application"))
_ANSWERS = (
    select(_mine.c.id)
    .join(mentions, and_(mentions.c.post_id == _mine.c.id, mentions.c.account_id == _FROM))
    .where(_mine.c.thread_id == posts.c.thread_id, _mine.c.author_id == _WHOM)
    .correlate(users, posts)
    .exists()
)
_IS_PRIVATE = exists().where(posts.c.id == _POST, posts.c.visibility == "direct", ~_ANSWERS)
_PERMITTED = exists().where(notification_permissions.c.account_id == _WHOM, notification_permissions.c.from_id == _FROM)
_IS_LIMITED = exists().where(accounts.c.id == _FROM, or_(accounts.c.silenced_at.is_not(None), accounts.c.host_limited))
_IS_JUDGED = bindparam("judged", type_=Boolean())


def doubts() -> ColumnElement[str]:
    """What the policy (`users` outer joined with it) says of the news at hand, one level after the other; usually "".

    For the statement of an arrival, see notifications.py; `facts` has its parameters.
    """
    of_limited = func.coalesce(_policy.c.for_limited_accounts, USUAL["for_limited_accounts"])
    reasons = (
        case((~_FOLLOWS, _policy.c.for_not_following)),
        case((~_FOLLOWS_BACK, _policy.c.for_not_followers)),
        case((and_(_IS_NEW, ~_FOLLOWS), _policy.c.for_new_accounts)),
        case((and_(_IS_PRIVATE, ~_FOLLOWS), _policy.c.for_private_mentions)),
        case((and_(_IS_LIMITED, ~_FOLLOWS), of_limited)),
        case((and_(_IS_BOT, ~_FOLLOWS), _policy.c.for_bots)),
    )
    said = reduce(operator.add, (func.coalesce(reason, "") for reason in reasons))
    may_doubt = and_(_IS_JUDGED, or_(_policy.c.account_id.is_not(None), _IS_LIMITED), ~_PERMITTED)
    return case((may_doubt, said), else_="")


def facts(kind: str, now: datetime) -> dict[str, Any]:
    """Parameters of `doubts`."""
    return {"judged": kind in FILTERABLE, "born_after": now - NEW, "followed_before": now - NEW_FOLLOWER}


@dataclass(frozen=True, slots=True)
class Summary:
    """What waits: from how many (MOST_SHOWN at most), and how much of it."""

    requests: int
    notifications: int


_OWNER = bindparam("owner", type_=Id)
_FIND = select(_policy).where(_policy.c.account_id == _OWNER)
_PUT = insert(_policy)
_SET = _PUT.on_conflict_do_update(index_elements=["account_id"], set_={name: _PUT.excluded[name] for name in REASONS})
_waiting = (
    select(func.count().label("number"))
    .select_from(notification_requests)
    .join(
        notifications,
        and_(
            notifications.c.account_id == notification_requests.c.account_id,
            notifications.c.from_id == notification_requests.c.from_id,
            notifications.c.filtered,
        ),
    )
    .where(notification_requests.c.account_id == _OWNER)
    .group_by(notification_requests.c.from_id)
    .limit(MOST_SHOWN)
    .subquery()
)
_SUMMARY = select(func.count(), func.coalesce(func.sum(_waiting.c.number), literal(0))).select_from(_waiting)


def policy(tx: Connection, account_id: int) -> NotificationPolicy:
    """What he wants, or the usual."""
    return one(tx, _FIND, NotificationPolicy, owner=account_id) or NotificationPolicy(account_id, **USUAL)


def set_policy(tx: Connection, account_id: int, changes: Mapping[str, str]) -> NotificationPolicy:
    """changes: some of REASONS, each with one of LEVELS.  Raises: Invalid."""
    for name, level in changes.items():
        if name not in REASONS or level not in LEVELS:
            raise Invalid(f"{name} should be one of {', '.join(LEVELS)}")
    made = NotificationPolicy(**{**asdict(policy(tx, account_id)), **changes})
    tx.execute(_SET, asdict(made))
    return made


def summary(tx: Connection, account_id: int) -> Summary:
    row = tx.execute(_SUMMARY, {"owner": account_id}).one()
    return Summary(int(row[0]), int(row[1]))
