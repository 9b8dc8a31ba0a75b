"""What a policy keeps back (social/filtering.py), one request for each sender: shown, accepted, dismissed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import views
from social.errors import NotFound
from social.events import NotificationsMerged
from social.pages import Page
from social.paging import Paged, padded
from social.views import PostView
from store.events import announce
from store.tables import (
    Account,
    NotificationRequest,
    accounts,
    notification_permissions,
    notification_requests,
    notifications,
)
from store.tables.base import Id

_OWNER = bindparam("owner", type_=Id)
_IDS = bindparam("ids", expanding=True, type_=Id)
_OWN = notification_requests.c.account_id == _OWNER
_kept = and_(
    notifications.c.account_id == notification_requests.c.account_id,
    notifications.c.from_id == notification_requests.c.from_id,
    notifications.c.filtered,
)

_NEW = insert(notification_requests).from_select(
    ["account_id", "from_id", "id", "created_at", "updated_at"],
    select(
        notifications.c.account_id,
        notifications.c.from_id,
        func.min(notifications.c.id),
        func.max(notifications.c.created_at),
        func.max(notifications.c.created_at),
    )
    .where(notifications.c.id.in_(_IDS), notifications.c.filtered)
    .group_by(notifications.c.account_id, notifications.c.from_id),
)
_ARRIVE = _NEW.on_conflict_do_update(
    index_elements=["account_id", "from_id"], set_={"updated_at": _NEW.excluded.updated_at}
)
_SOMETHING: Select[Any] = (
    select(notification_requests.c.id)
    .join(accounts, accounts.c.id == notification_requests.c.from_id)
    .where(
        _OWN,
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        select(notifications.c.id).where(_kept).correlate(notification_requests).exists(),
    )
)
_PAGE = Paged(_SOMETHING, notification_requests.c.id)
_LOAD: Select[Any] = (
    select(
        notification_requests,
        func.count(notifications.c.id),
        func.max(notifications.c.post_id),
        accounts,
    )
    .select_from(notification_requests)
    .join(accounts, accounts.c.id == notification_requests.c.from_id)
    .join(notifications, _kept)
    .where(notification_requests.c.id.in_(_IDS), _OWN)
    .group_by(notification_requests.c.account_id, notification_requests.c.from_id, accounts.c.id)
    .order_by(notification_requests.c.id.desc())
)
_WIDTH = len(notification_requests.c)


@dataclass(frozen=True, slots=True)
class RequestView:
    """`count`: what is kept back.  `post`: the newest that it is about, if any."""

    request: NotificationRequest
    account: Account
    count: int
    post: PostView | None


def arrive(tx: Connection, ids: Sequence[int]) -> None:
    """Notifications `ids` came and are kept back: there is a request for each sender."""
    tx.execute(_ARRIVE, {"ids": padded(ids)})


def page(tx: Connection, account_id: int, page: Page) -> list[RequestView]:
    """A page of his requests, newest first."""
    return _load(tx, account_id, _PAGE(tx, page, owner=account_id))


def one(tx: Connection, account_id: int, request_id: int) -> RequestView:
    """Raises: NotFound."""
    found = _load(tx, account_id, [request_id])
    if not found:
        raise NotFound("Record not found")
    return found[0]


def _load(tx: Connection, account_id: int, ids: Sequence[int]) -> list[RequestView]:
    if not ids:
        return []
    rows = tx.execute(_LOAD, {"ids": padded(ids), "owner": account_id}).all()
    about = [row[_WIDTH + 1] for row in rows if row[_WIDTH + 1] is not None]
    shown = {view.parts.post.id: view for view in views.posts(tx, about, account_id)}
    return [
        RequestView(
            NotificationRequest(*row[:_WIDTH]),
            Account(*row[_WIDTH + 2 :]),
            row[_WIDTH],
            shown.get(row[_WIDTH + 1] or 0),
        )
        for row in rows
    ]


_SENDERS = select(notification_requests.c.from_id).where(_OWN, notification_requests.c.id.in_(_IDS))
_FROM_THESE = and_(
    notifications.c.account_id == _OWNER,
    notifications.c.from_id.in_(bindparam("senders", expanding=True, type_=Id)),
    notifications.c.filtered,
)
_PERMIT = insert(notification_permissions).on_conflict_do_nothing()
_LET_IN = update(notifications).where(_FROM_THESE).values(filtered=False)
_DROP = delete(notifications).where(_FROM_THESE)
_END = delete(notification_requests).where(
    _OWN, notification_requests.c.from_id.in_(bindparam("senders", expanding=True, type_=Id))
)


def accept(tx: Connection, account_id: int, ids: Sequence[int], now: datetime) -> int:
    """What was kept back joins his notifications, and nothing of these senders is kept back again."""
    senders = _senders(tx, account_id, ids)
    if senders:
        tx.execute(_PERMIT, [{"account_id": account_id, "from_id": one, "created_at": now} for one in senders])
        tx.execute(_LET_IN, {"owner": account_id, "senders": padded(senders)})
        tx.execute(_END, {"owner": account_id, "senders": padded(senders)})
        announce(tx, NotificationsMerged(account_id))
    return len(senders)


def dismiss(tx: Connection, account_id: int, ids: Sequence[int]) -> int:
    """What was kept back is dropped; what they do later is judged anew."""
    senders = _senders(tx, account_id, ids)
    if senders:
        tx.execute(_DROP, {"owner": account_id, "senders": padded(senders)})
        tx.execute(_END, {"owner": account_id, "senders": padded(senders)})
    return len(senders)


def _senders(tx: Connection, account_id: int, ids: Sequence[int]) -> list[int]:
    return list(tx.scalars(_SENDERS, {"owner": account_id, "ids": padded(ids)})) if ids else []
