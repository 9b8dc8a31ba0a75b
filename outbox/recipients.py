"""To whom: queries that yield (activity_id, host, inbox), each inbox once however many people share it.

People of ours are never among them: what concerns them happened in the same transaction.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, union

from federation import hosts
from store.prepared import Prepared
from store.tables import (
    accounts,
    deliveries,
    fetches,
    follows,
    host_policies,
    likes,
    mentions,
    poll_votes,
    posts,
    reactions,
)
from store.tables.base import Id

_WHICH = bindparam("activity", type_=Id)
_ACTIVITY = _WHICH.label("activity_id")
_SENDER = bindparam("sender", type_=Id)
_POST = bindparam("post", type_=Id)

_PRESENT = accounts.c.host.is_not(None) & accounts.c.deleted_at.is_(None) & accounts.c.suspended_at.is_(None)
_INBOX = func.coalesce(accounts.c.shared_inbox, accounts.c.inbox)
# In the order of the indexes, which makes writing them a third cheaper.
_SHARED = (
    select(_ACTIVITY, accounts.c.host, _INBOX.label("inbox"))
    .where(_PRESENT)
    .group_by(accounts.c.host, _INBOX)
    .order_by(accounts.c.host, _INBOX)
)

FOLLOWERS = _SHARED.join(follows, follows.c.follower_id == accounts.c.id).where(
    follows.c.target_id == _SENDER, follows.c.accepted
)
ELSEWHERE = FOLLOWERS.where(accounts.c.host != bindparam("except_host"))
ACCOUNTS = _SHARED.where(accounts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
# Whoever writes to one person writes to that person's own inbox (ActivityPub section 7.1.3): Follow, Accept, Reject …
# reach servers whose shared inbox takes only what is public.  Also to the suspended: a Reject must reach them.
ONE = select(_ACTIVITY, accounts.c.host, accounts.c.inbox).where(
    accounts.c.id == bindparam("receiver", type_=Id), accounts.c.host.is_not(None), accounts.c.deleted_at.is_(None)
)


def _holders() -> Select[Any]:
    """Whose server has a copy of a post of ours: the audience that it had, and whoever did something with it."""
    replies, parents = posts.alias("reply"), posts.alias("parent")
    audience = (
        select(follows.c.follower_id)
        .join(posts, posts.c.author_id == follows.c.target_id)
        .where(posts.c.id == _POST, posts.c.visibility != "direct", follows.c.accepted)
    )
    answered = select(parents.c.author_id).join(posts, posts.c.reply_to_id == parents.c.id).where(posts.c.id == _POST)
    everybody = union(
        audience,
        answered,
        select(replies.c.author_id).where(replies.c.reply_to_id == _POST),
        select(posts.c.author_id).where(posts.c.boost_of_id == _POST),
        *(
            select(table.c.account_id).where(table.c.post_id == _POST)
            for table in (mentions, likes, reactions, poll_votes)
        ),
    )
    return _SHARED.where(accounts.c.id.in_(everybody))


HOLDERS = _holders()
# Whose server came for a post of ours by itself, and to which nothing of the activity goes otherwise: ask it last.
FETCHERS = select(_ACTIVITY, fetches.c.host, fetches.c.inbox).where(
    fetches.c.post_id == _POST,
    fetches.c.host.not_in(select(deliveries.c.host).where(deliveries.c.activity_id == _WHICH)),
)

_LEVELS = Prepared(select(host_policies.c.host, host_policies.c.level))


def blocked(tx: Connection, names: Callable[[], Iterable[str]]) -> list[str]:
    """Those of `names()`, hosts, that are blocked.  It is only asked when there are any policies.

    Names are compared here: as SQL, thousands of policies against thousands of hosts would take seconds.  Nothing is
    known here of the list of the mode `allowlist`: what is not on it, the client refuses to send.
    """
    policies = {row[0]: row[1] for row in _LEVELS.rows(tx)}
    if "block" not in policies.values():
        return []
    return [name for name in names() if hosts.nearest(policies, name) == "block"]
