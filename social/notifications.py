"""What somebody here should know: one row per fact, however often and concurrently it arrives.

An arrival: is it for one of ours, who does not block the sender? → what does his policy say (social/filtering.py)? →
with what is it shown as one (below)? → is a program of his woken (social/push.py)?
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Boolean,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import filtering, notification_requests, push, subjects, views
from social.collections.views import CollectionView
from social.events import Notified
from social.filtering import DROP, FILTER
from social.pages import Page
from social.paging import Paged, padded
from social.subjects import ReportView, Subject, WarningView
from social.views import PostView
from social.visibility import silences
from store.events import announce
from store.ids import new_id
from store.prepared import Change, Prepared
from store.tables import (
    Account,
    Notification,
    Severance,
    accounts,
    notification_policies,
    notifications,
    posts,
    thread_mutes,
    users,
)
from store.tables import (
    notification_requests as requests_table,
)
from store.tables.base import Id, Instant

KINDS: Final = (
    "mention",  # an answer, too
    "status",  # by whom he asked to be told of
    "reblog",
    "follow",
    "follow_request",
    "favourite",
    "poll",
    "update",  # of what he boosted
    "quote",
    "quoted_update",  # of what he quotes; the post is his own
    "severed_relationships",  # subject_id is the severance
    "moderation_warning",  # subject_id is the warning
    "admin.sign_up",
    "admin.report",  # subject_id is the report
    "added_to_collection",  # subject_id is the collection
    "collection_update",
)
GROUPED: Final = ("favourite", "reblog", "follow", "admin.sign_up")
LONGEST_GROUP: Final = 12  # hours
_FROM_HIMSELF: Final = ("poll", "severed_relationships", "moderation_warning")  # news that nobody else brings
_STAFF: Final = ("owner", "admin", "moderator")
_HOUR: Final = 3_600

Row: TypeAlias = tuple[int, str, int, int | None]  # whom, what, by whom, about which post

_FROM = bindparam("from_id", type_=Id)
_KEY, _LOWEST = bindparam("group_key", type_=Text()), bindparam("lowest", type_=Text())
_QUIET = exists().where(
    posts.c.id == bindparam("post_id", type_=Id),
    thread_mutes.c.thread_id == posts.c.thread_id,
    thread_mutes.c.account_id == users.c.account_id,
)
_arrived = (  # one row, if the news is for one of ours
    select(users.c.account_id, filtering.doubts().label("doubts"))
    .outerjoin(notification_policies, notification_policies.c.account_id == users.c.account_id)
    .where(
        users.c.account_id == bindparam("whom", type_=Id),
        or_(users.c.account_id != _FROM, bindparam("from_himself", type_=Boolean())),
        ~silences(users.c.account_id, _FROM),
        ~_QUIET,
    )
    .subquery()
)
_filtered = _arrived.c.doubts.contains(FILTER)
_group = (  # the one that is under way, or a new one
    select(func.coalesce(func.max(notifications.c.group_key), _KEY))
    .where(
        notifications.c.account_id == _arrived.c.account_id,
        notifications.c.group_key > _LOWEST,
        notifications.c.group_key <= _KEY,
    )
    .scalar_subquery()
)
_TELL = Change(
    insert(notifications)
    .from_select(
        ["id", "account_id", "kind", "from_id", "post_id", "subject_id", "created_at", "filtered", "group_key"],
        select(
            bindparam("id", type_=Id),
            _arrived.c.account_id,
            bindparam("kind", type_=Text()),
            _FROM,
            bindparam("post_id", type_=Id),
            bindparam("subject_id", type_=Id),
            bindparam("now", type_=Instant),
            _filtered,
            case((~_filtered, _group)),
        ).where(~_arrived.c.doubts.contains(DROP)),
    )
    .on_conflict_do_nothing()
)
_TOLD = Prepared(  # and whether it wakes a program
    select(notifications.c.id, notifications.c.account_id, notifications.c.filtered, push.IS_FOR_A_PROGRAM).where(
        notifications.c.id.in_(bindparam("ids", expanding=True, type_=Id))
    )
)
_FORGET = delete(notifications).where(
    notifications.c.kind.in_(bindparam("kinds", expanding=True)),
    notifications.c.subject_id == bindparam("subject", type_=Id),
    or_(bindparam("whom", type_=Id).is_(None), notifications.c.account_id == bindparam("whom", type_=Id)),
)
_STAFF_IDS = select(users.c.account_id).where(users.c.role.in_(_STAFF)).order_by(users.c.account_id)


@dataclass(frozen=True, slots=True)
class NotificationView:
    """`post` is None where it is about none (follow, admin.sign_up, …)."""

    notification: Notification
    account: Account
    post: PostView | None
    subject: Subject | None = None

    @property
    def report(self) -> ReportView | None:
        return self.subject if isinstance(self.subject, ReportView) else None

    @property
    def warning(self) -> WarningView | None:
        return self.subject if isinstance(self.subject, WarningView) else None

    @property
    def severance(self) -> Severance | None:
        return self.subject if isinstance(self.subject, Severance) else None

    @property
    def collection(self) -> CollectionView | None:
        return self.subject if isinstance(self.subject, CollectionView) else None


def notify(tx: Connection, account_id: int, kind: str, from_id: int, post_id: int | None, now: datetime) -> None:
    """Tells `account_id`; nothing when he is not of ours, is `from_id` himself, blocks or mutes him, wants the
    conversation to be quiet, or knows already; what his policy says of `from_id` counts, too."""
    notify_many(tx, [(account_id, kind, from_id, post_id)], now)


def notify_many(tx: Connection, rows: Iterable[Row], now: datetime) -> None:
    """The same for many, in two statements; further ones only where something is kept back or pushed."""
    _tell(tx, [_arrival(*row, None, now) for row in rows])


def notify_staff(tx: Connection, kind: str, from_id: int, now: datetime, *, subject_id: int | None = None) -> None:
    """Tells those who keep this server in order."""
    staff = tx.scalars(_STAFF_IDS).all()
    _tell(tx, [_arrival(one, kind, from_id, None, subject_id, now) for one in staff])


def notify_of(tx: Connection, kind: str, rows: Iterable[tuple[int, int]], now: datetime) -> None:
    """News that nobody else brings: (whom, the id of what it is about)."""
    _tell(tx, [_arrival(whom, kind, whom, None, subject_id, now) for whom, subject_id in rows])


def notify_about(tx: Connection, kind: str, from_id: int, subject_id: int, whom: Iterable[int], now: datetime) -> None:
    """News of what `from_id` did with something of his."""
    _tell(tx, [_arrival(one, kind, from_id, None, subject_id, now) for one in whom])


def forget_about(tx: Connection, kinds: Sequence[str], subject_id: int, whom: int | None = None) -> None:
    """Nobody, or only `whom` not, is told of it any more."""
    tx.execute(_FORGET, {"kinds": padded(kinds), "subject": subject_id, "whom": whom})


def _arrival(
    whom: int, kind: str, from_id: int, post_id: int | None, subject_id: int | None, now: datetime
) -> dict[str, Any]:
    """The parameters of _TELL."""
    key, lowest = _group_keys(kind, post_id, now)
    return {
        "id": new_id(),
        "whom": whom,
        "kind": kind,
        "from_id": from_id,
        "post_id": post_id,
        "subject_id": subject_id,
        "now": now,
        "from_himself": kind in _FROM_HIMSELF,
        "group_key": key,
        "lowest": lowest,
        **filtering.facts(kind, now),
    }


def _group_keys(kind: str, post_id: int | None, now: datetime) -> tuple[str | None, str | None]:
    """The key of a group that begins now, and one before the oldest that may still go on.

    A key ends in the hour, six digits since 1984 and until 2084, at which its group began.
    """
    if kind not in GROUPED:
        return None, None
    prefix = kind if post_id is None else f"{kind}-{post_id}"
    hour = int(now.timestamp()) // _HOUR
    return f"{prefix}-{hour:06}", f"{prefix}-{hour - LONGEST_GROUP:06}"


def _tell(tx: Connection, new: list[dict[str, Any]]) -> None:
    if not new:
        return
    _TELL.each(tx, new)
    told = _TOLD.rows(tx, ids=padded([row["id"] for row in new]))
    if kept_back := [id_ for id_, _, filtered, _ in told if filtered]:
        notification_requests.arrive(tx, kept_back)
    if waking := [id_ for id_, _, filtered, wakes in told if wakes and not filtered]:
        push.wake(tx, waking, new[0]["now"])
    for id_, whom, filtered, _ in told:
        if not filtered:
            announce(tx, Notified(whom, id_))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which notifications somebody asks for.  from_id: of one sender, those that are kept back included."""

    kinds: Collection[str] = KINDS
    without: Collection[str] = ()
    from_id: int | None = None
    filtered_too: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of `fits`.  Kinds that do not exist are none."""
        return {
            "kinds": padded([kind for kind in KINDS if kind in self.kinds and kind not in self.without] or [""]),
            "filtered_too": self.filtered_too or self.from_id is not None,
            "sender": self.from_id,
        }


ALL: Final = Choice()
WHOSE: Final = notifications.c.account_id == bindparam("viewer", type_=Id)


@cache
def fits(of: Any = notifications) -> Any:
    """The clause for what may be listed at all, and was asked for (Choice.values)."""
    author = accounts.alias("author")
    gone = or_(author.c.suspended_at.is_not(None), author.c.deleted_at.is_not(None))
    sender = bindparam("sender", type_=Id)
    return and_(
        of.c.kind.in_(bindparam("kinds", expanding=True)),
        or_(bindparam("filtered_too", type_=Boolean()), ~of.c.filtered),
        or_(sender.is_(None), of.c.from_id == sender),
        ~exists().where(author.c.id == of.c.from_id, gone),
        ~silences(of.c.account_id, of.c.from_id),
    )


_PAGE = Paged(select(notifications.c.id).where(WHOSE, fits()), notifications.c.id)
_LOAD: Select[Any] = (
    select(notifications, accounts)
    .join(accounts, accounts.c.id == notifications.c.from_id)
    .where(notifications.c.id.in_(bindparam("ids", expanding=True, type_=Id)), WHOSE)
    .order_by(notifications.c.id.desc())
)
_WIDTH = len(notifications.c)


def page(tx: Connection, account_id: int, page: Page, choice: Choice = ALL) -> list[NotificationView]:
    """A page of his notifications, newest first, in thirteen queries at most."""
    return load(tx, account_id, _PAGE(tx, page, viewer=account_id, **choice.values))


def one(tx: Connection, account_id: int, notification_id: int) -> NotificationView | None:
    """One of his own; None when there is no such thing."""
    return next(iter(load(tx, account_id, [notification_id])), None)


def load(tx: Connection, account_id: int, ids: Sequence[int]) -> list[NotificationView]:
    """Without those about posts that he may no longer see."""
    if not ids:
        return []
    rows = tx.execute(_LOAD, {"ids": padded(ids), "viewer": account_id}).all()
    found = [(Notification(*row[:_WIDTH]), Account(*row[_WIDTH:])) for row in rows]
    about = list({notification.post_id for notification, _ in found if notification.post_id is not None})
    shown = {view.parts.post.id: view for view in views.posts(tx, about, account_id)}
    subjects_ = subjects.load(tx, [it for it, _ in found])
    return [
        NotificationView(it, author, shown.get(it.post_id or 0), subjects_.get(it.id))
        for it, author in found
        if (it.post_id is None or it.post_id in shown) and (it.kind not in subjects.KINDS or it.id in subjects_)
    ]


SEEN_TO: Final = (
    select(users.c.notifications_read).where(users.c.account_id == bindparam("viewer", type_=Id)).scalar_subquery()
)
_news = select(notifications.c.id).where(WHOSE, fits(), notifications.c.id > SEEN_TO)
_UNREAD = select(func.count()).select_from(_news.limit(bindparam("most")).subquery())
_READ_TO = bindparam("newest", type_=Id)
_READ = (
    update(users)
    .where(users.c.account_id == bindparam("viewer", type_=Id))
    .values(
        notifications_read=case((users.c.notifications_read < _READ_TO, _READ_TO), else_=users.c.notifications_read)
    )
)
_DISMISS = delete(notifications).where(WHOSE, notifications.c.id == bindparam("asked", type_=Id))
_CLEAR = delete(notifications).where(WHOSE)
_CLEAR_REQUESTS = delete(requests_table).where(requests_table.c.account_id == bindparam("viewer", type_=Id))


def unread(tx: Connection, account_id: int, choice: Choice = ALL, most: int = 1_000) -> int:
    """How many are newer than the newest that he saw; `most` at most."""
    return tx.scalar(_UNREAD, {"viewer": account_id, "most": most, **choice.values}) or 0


def read(tx: Connection, account_id: int, newest_id: int) -> None:
    """He saw all up to `newest_id`; never goes back."""
    tx.execute(_READ, {"viewer": account_id, "newest": newest_id})


def dismiss(tx: Connection, account_id: int, notification_id: int) -> None:
    tx.execute(_DISMISS, {"viewer": account_id, "asked": notification_id})


def clear(tx: Connection, account_id: int) -> None:
    """What is kept back goes, too."""
    tx.execute(_CLEAR, {"viewer": account_id})
    tx.execute(_CLEAR_REQUESTS, {"viewer": account_id})
