"""New followers from other servers, many in a fixed number of statements.

Only those who are let in at once; whoever is refused, waits, or follows already is for theirs.receive.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, union_all

from federation.reading import same_origin
from outbox import documents, enqueue
from social import accounts, moderation, notifications, ties
from social.accounts import Newcomer
from social.follows.ours import ANSWER_AFTER
from store.ids import new_id
from store.prepared import Prepared, padded
from store.tables import INSTANCE_ACTOR_ID, Account, Follow, blocks, domain_blocks, follows, tombstones
from store.tables.base import Id


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """The remote `follower` asks to follow `target`, with the activity `uri`.  newcomer: he is not stored yet."""

    follower: Account
    target: Account
    uri: str
    newcomer: Newcomer | None = None


_URIS: Any = bindparam("uris", expanding=True)
_TARGETS = bindparam("targets", expanding=True, type_=Id)
_FOLLOWERS = bindparam("followers", expanding=True, type_=Id)
_USED = Prepared(
    union_all(
        select(follows.c.uri).where(follows.c.uri.in_(_URIS)),
        select(tombstones.c.uri).where(tombstones.c.uri.in_(_URIS)),
    )
)
_PAIRS = Prepared(  # (target, follower)
    union_all(
        select(follows.c.target_id, follows.c.follower_id).where(
            follows.c.target_id.in_(_TARGETS), follows.c.follower_id.in_(_FOLLOWERS)
        ),
        select(blocks.c.account_id, blocks.c.target_id).where(
            blocks.c.account_id.in_(_TARGETS), blocks.c.target_id.in_(_FOLLOWERS)
        ),
        select(blocks.c.target_id, blocks.c.account_id).where(
            blocks.c.account_id.in_(_FOLLOWERS), blocks.c.target_id.in_(_TARGETS)
        ),
    )
)
_SHUNNED = Prepared(
    select(domain_blocks.c.account_id, domain_blocks.c.domain).where(
        domain_blocks.c.account_id.in_(_TARGETS), domain_blocks.c.domain.in_(bindparam("domains", expanding=True))
    )
)


def welcome(tx: Connection, wishes: Collection[Wish]) -> frozenset[Wish]:
    """Those that nothing stands against: no block, no policy, no consent that is asked for, nothing said before."""
    likely = [wish for wish in wishes if _is_open(wish.target) and same_origin(wish.uri, wish.follower.uri)]
    if not likely:
        return frozenset()
    targets = padded(list({wish.target.id for wish in likely}))
    used = {row[0] for row in _USED.rows(tx, uris=padded([wish.uri for wish in likely]))}
    domains = padded(list({wish.follower.domain or "" for wish in likely}))
    shunned = {tuple(row) for row in _SHUNNED.rows(tx, targets=targets, domains=domains)}
    held = moderation.holding(tx, {wish.follower.host or "" for wish in likely})
    # Whose face is not kept is met one by one: accounts.remember leaves it out, accounts.add does not look.
    unwelcome = {
        host for host, one in held.items() if one.level in (moderation.BLOCK, moderation.LIMIT) or one.reject_media
    }
    tied: set[tuple[int, int]] = set()
    if stored := [wish.follower.id for wish in likely if wish.newcomer is None]:  # nobody knows the others
        accounts.hold(tx, *targets)  # who may block one of them just now
        tied = {(row[0], row[1]) for row in _PAIRS.rows(tx, targets=targets, followers=padded(stored))}
    found = []
    for wish in likely:
        follower, target = wish.follower, wish.target
        if (
            wish.uri not in used
            and (target.id, follower.domain) not in shunned
            and (target.id, follower.id) not in tied
            and (follower.host or "") not in unwelcome
        ):
            found.append(wish)
            used.add(wish.uri)
            tied.add((target.id, follower.id))
    return frozenset(found)


def let_in(tx: Connection, wishes: Sequence[Wish], now: datetime) -> None:
    """What `welcome` found, each of another follower, who is stored by now: followed, told, answered."""
    new = [Follow(wish.target.id, wish.follower.id, new_id(), wish.uri, True, True, False, now) for wish in wishes]
    ties.add_many(tx, new)
    notifications.notify_many(tx, [(row.target_id, "follow", row.follower_id, None) for row in new], now)
    letters = [
        (wish.target, documents.accept(row, wish.follower, wish.target), wish.follower)
        for row, wish in zip(new, wishes, strict=True)
    ]
    enqueue.to_each(tx, letters, now, delay=ANSWER_AFTER)


def _is_open(target: Account) -> bool:
    return (
        target.is_local
        and not target.locked
        and not target.is_gone
        and target.moved_to is None
        and target.id != INSTANCE_ACTOR_ID
    )
