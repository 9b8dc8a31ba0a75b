"""Programs that are woken by notifications (Web Push): their subscriptions, and the jobs that wake them.

A job is written with the notification; what is said, and whether it still may be, is looked up when it is sent
(social/pushed.py).
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Text, and_, bindparam, cast, delete, exists, literal, or_, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.errors import Invalid, NotFound
from social.paging import padded
from store.events import announce
from store.ids import new_id
from store.jobs import Asked
from store.rows import one
from store.tables import PushSubscription, facts, follows, jobs, notifications, push_subscriptions, tokens
from store.tables.base import Id, Instant

POLICIES: Final = ("all", "followed", "follower", "none")
KEY_FACT: Final = "vapid_key"

_TOKEN = bindparam("token", type_=Id)
_FIND = select(push_subscriptions).where(push_subscriptions.c.token_id == _TOKEN)
_PUT = insert(push_subscriptions)
_SET = _PUT.on_conflict_do_update(
    index_elements=["token_id"],
    set_={one.name: _PUT.excluded[one.name] for one in fields(PushSubscription) if one.name != "token_id"},
)
_END = delete(push_subscriptions).where(push_subscriptions.c.token_id == _TOKEN)
_FORGET = delete(push_subscriptions).where(push_subscriptions.c.id == bindparam("asked", type_=Id))
_KEEP_KEY = insert(facts).on_conflict_do_nothing()
_KEY = select(facts.c.value).where(facts.c.name == KEY_FACT)

_follows = and_(
    follows.c.target_id == notifications.c.from_id,
    follows.c.follower_id == notifications.c.account_id,
    follows.c.accepted,
)
_followed_by = and_(
    follows.c.target_id == notifications.c.account_id,
    follows.c.follower_id == notifications.c.from_id,
    follows.c.accepted,
)


def wanted() -> ColumnElement[bool]:
    """Does the subscription want the notification?  Its token was not revoked."""
    policy = push_subscriptions.c.policy
    alert = literal("% ") + notifications.c.kind + " %"
    return and_(
        push_subscriptions.c.account_id == notifications.c.account_id,
        push_subscriptions.c.alerts.like(alert),
        or_(
            policy == "all",
            and_(policy == "followed", exists().where(_follows).correlate(notifications)),
            and_(policy == "follower", exists().where(_followed_by).correlate(notifications)),
        ),
        exists()
        .where(tokens.c.id == push_subscriptions.c.token_id, tokens.c.revoked_at.is_(None))
        .correlate(push_subscriptions),
    )


# Has whom the notification is for any program that wants to be woken?  For the query that is made anyway.
IS_FOR_A_PROGRAM: Final = exists().where(push_subscriptions.c.account_id == notifications.c.account_id)
_number = cast(notifications.c.id, Text)
_WAKE = (
    insert(jobs)
    .from_select(
        ["id", "kind", "key", "payload", "due", "attempts"],
        select(
            notifications.c.id,  # ids are never made twice, so it is free among the jobs
            literal("push"),
            literal("push ") + _number,
            literal('{"notification_id":') + _number + "}",
            bindparam("now", type_=Instant),
            literal(0),
        ).where(
            notifications.c.id.in_(bindparam("ids", expanding=True, type_=Id)),
            ~notifications.c.filtered,
            exists().where(wanted()),
        ),
    )
    .on_conflict_do_nothing()
)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which kinds a program is woken by, and of whom."""

    alerts: Collection[str]
    policy: str = "all"

    @property
    def columns(self) -> dict[str, Any]:
        """Raises: Invalid."""
        if self.policy not in POLICIES:
            raise Invalid(f"policy should be one of {', '.join(POLICIES)}")
        return {"alerts": f" {' '.join(sorted(set(self.alerts)))} ", "policy": self.policy}


@dataclass(frozen=True, slots=True)
class Address:
    """Where, and for whom to read; as federation.webpush and the guard checked it."""

    endpoint: str
    p256dh: bytes
    auth: bytes
    standard: bool


def wake(tx: Connection, ids: Sequence[int], now: datetime) -> None:
    """Asks for the programs that want notifications `ids` to be woken."""
    tx.execute(_WAKE, {"ids": padded(ids), "now": now})
    announce(tx, Asked())


def subscribe(
    tx: Connection, token_id: int, account_id: int, address: Address, wish: Wish, now: datetime
) -> PushSubscription:
    """One for each token: it replaces the one before.  Raises: Invalid."""
    own: dict[str, Any] = {"id": new_id(), "token_id": token_id, "account_id": account_id, "created_at": now}
    made = PushSubscription(**own, **asdict(address), **wish.columns)
    tx.execute(_SET, asdict(made))
    return made


def find(tx: Connection, token_id: int) -> PushSubscription:
    """Raises: NotFound."""
    if found := one(tx, _FIND, PushSubscription, token=token_id):
        return found
    raise NotFound("Record not found")


def change(tx: Connection, token_id: int, wish: Wish) -> PushSubscription:
    """Raises: NotFound, Invalid."""
    made = PushSubscription(**{**asdict(find(tx, token_id)), **wish.columns})
    tx.execute(_SET, asdict(made))
    return made


def unsubscribe(tx: Connection, token_id: int) -> None:
    tx.execute(_END, {"token": token_id})


def forget(tx: Connection, subscription_id: int) -> None:
    """Its push service says that it is no more."""
    tx.execute(_FORGET, {"asked": subscription_id})


def key(tx: Connection) -> str | None:
    """The private key by which push services know us."""
    found: Any = tx.scalar(_KEY)
    return None if found is None else str(found)


def keep_key(tx: Connection, made: str) -> str:
    """The key of all processes: `made`, unless another was faster."""
    tx.execute(_KEEP_KEY, {"name": KEY_FACT, "value": made})
    return key(tx) or made
