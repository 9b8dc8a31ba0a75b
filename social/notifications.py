"""What somebody here should know: one row per fact, however often and concurrently it arrives.

Kinds: mention (an answer, too), status (by whom he asked to be told of), reblog, follow, follow_request, favourite,
poll, update.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Select, and_, bindparam, case, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import views
from social.events import Notified
from social.pages import Page
from social.paging import Paged, padded
from social.views import PostView
from store.events import announce
from store.ids import new_id
from store.tables import Account, Notification, accounts, blocks, notifications, posts, thread_mutes, users
from store.tables.base import Id, Instant

KINDS: Final = ("mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update")

Row: TypeAlias = tuple[int, str, int, int | None]  # whom, what, by whom, about which post

_ABOUT = bindparam("post_id", type_=Id)
_FROM = bindparam("from_id", type_=Id)
_BLOCKED = exists().where(blocks.c.account_id == users.c.account_id, blocks.c.target_id == _FROM)
_QUIET = exists().where(
    posts.c.id == _ABOUT, thread_mutes.c.thread_id == posts.c.thread_id, thread_mutes.c.account_id == users.c.account_id
)
_TELL = (
    insert(notifications)
    .from_select(
        ["id", "account_id", "kind", "from_id", "post_id", "created_at"],
        select(
            bindparam("id", type_=Id),
            users.c.account_id,
            bindparam("kind", type_=notifications.c.kind.type),
            _FROM,
            _ABOUT,
            bindparam("now", type_=Instant),
        ).where(
            users.c.account_id == bindparam("whom", type_=Id),
            # Only the end of his own poll, or of one in which he voted, is news that nobody else brings.
            or_(users.c.account_id != _FROM, literal("poll") == bindparam("kind", type_=notifications.c.kind.type)),
            ~_BLOCKED,
            ~_QUIET,
        ),
    )
    .on_conflict_do_nothing()
)
_TOLD = select(notifications.c.id, notifications.c.account_id).where(
    notifications.c.id.in_(bindparam("ids", expanding=True, type_=Id))
)


@dataclass(frozen=True, slots=True)
class NotificationView:
    """`post` is None for follows only."""

    notification: Notification
    account: Account
    post: PostView | None


def notify(tx: Connection, account_id: int, kind: str, from_id: int, post_id: int | None, now: datetime) -> None:
    """Tells `account_id`; nothing when he is not of ours, is `from_id` himself, blocks him, wants the
    conversation to be quiet, or knows already."""
    notify_many(tx, [(account_id, kind, from_id, post_id)], now)


def notify_many(tx: Connection, rows: Iterable[Row], now: datetime) -> None:
    """The same for many, in two statements."""
    new = [
        {"id": new_id(), "whom": whom, "kind": kind, "from_id": by, "post_id": post_id, "now": now}
        for whom, kind, by, post_id in rows
    ]
    if not new:
        return
    tx.execute(_TELL, new)
    for row in tx.execute(_TOLD, {"ids": padded([row["id"] for row in new])}):
        announce(tx, Notified(row.account_id, row.id))


_WHOSE = notifications.c.account_id == bindparam("viewer", type_=Id)
_FITS = and_(
    accounts.c.suspended_at.is_(None),
    accounts.c.deleted_at.is_(None),
    notifications.c.kind.in_(bindparam("kinds", expanding=True)),
    ~exists().where(blocks.c.account_id == notifications.c.account_id, blocks.c.target_id == notifications.c.from_id),
)
_WITH_AUTHORS: Select[Any] = select(notifications.c.id).join(accounts, accounts.c.id == notifications.c.from_id)
_PAGE = Paged(_WITH_AUTHORS.where(_WHOSE, _FITS), notifications.c.id)
_LOAD: Select[Any] = (
    select(notifications, accounts)
    .join(accounts, accounts.c.id == notifications.c.from_id)
    .where(notifications.c.id.in_(bindparam("ids", expanding=True, type_=Id)), _WHOSE)
    .order_by(notifications.c.id.desc())
)
_WIDTH = len(notifications.c)


def page(
    tx: Connection,
    account_id: int,
    page: Page,
    *,
    kinds: Collection[str] = KINDS,
    without: Collection[str] = (),
) -> list[NotificationView]:
    """A page of his notifications, newest first, in nine queries at most."""
    asked = [kind for kind in KINDS if kind in kinds and kind not in without]
    if not asked:
        return []
    return _load(tx, account_id, _PAGE(tx, page, viewer=account_id, kinds=padded(asked)))


def one(tx: Connection, account_id: int, notification_id: int) -> NotificationView | None:
    """One of his own; None when there is no such thing."""
    return next(iter(_load(tx, account_id, [notification_id])), None)


def _load(tx: Connection, account_id: int, ids: Sequence[int]) -> list[NotificationView]:
    """Without those about posts that he may no longer see."""
    if not ids:
        return []
    rows = tx.execute(_LOAD, {"ids": padded(ids), "viewer": account_id}).all()
    found = [(Notification(*row[:_WIDTH]), Account(*row[_WIDTH:])) for row in rows]
    about = list({notification.post_id for notification, _ in found if notification.post_id is not None})
    shown = {view.parts.post.id: view for view in views.posts(tx, about, account_id)}
    return [
        NotificationView(notification, author, shown.get(notification.post_id or 0))
        for notification, author in found
        if notification.post_id is None or notification.post_id in shown
    ]


_UNREAD = (
    select(func.count())
    .select_from(notifications)
    .join(users, users.c.account_id == notifications.c.account_id)
    .where(_WHOSE, notifications.c.id > users.c.notifications_read)
)
_READ_TO = bindparam("newest", type_=Id)
_READ = (
    update(users)
    .where(users.c.account_id == bindparam("viewer", type_=Id))
    .values(
        notifications_read=case((users.c.notifications_read < _READ_TO, _READ_TO), else_=users.c.notifications_read)
    )
)
_DISMISS = delete(notifications).where(_WHOSE, notifications.c.id == bindparam("asked", type_=Id))
_CLEAR = delete(notifications).where(_WHOSE)


def unread(tx: Connection, account_id: int) -> int:
    """How many are newer than the newest that he saw."""
    return tx.scalar(_UNREAD, {"viewer": account_id}) or 0


def read(tx: Connection, account_id: int, newest_id: int) -> None:
    """He saw all up to `newest_id`; never goes back."""
    tx.execute(_READ, {"viewer": account_id, "newest": newest_id})


def dismiss(tx: Connection, account_id: int, notification_id: int) -> None:
    tx.execute(_DISMISS, {"viewer": account_id, "asked": notification_id})


def clear(tx: Connection, account_id: int) -> None:
    tx.execute(_CLEAR, {"viewer": account_id})
