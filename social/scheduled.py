"""Posts that wait for their moment: checked when they are written, published exactly once (connectme/housekeeping.py).

A row is deleted in the transaction that publishes its post: whatever happens in between, there is one of the two.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from federation.origin import Origin
from social.errors import Invalid, NotFound
from social.media import attaching
from social.pages import Page
from social.paging import Paged, padded
from social.posts import drafts, find, publish
from social.posts.drafts import Draft, PollDraft
from store.ids import new_id
from store.rows import many, one
from store.tables import Media, Post, ScheduledPost, media, scheduled_posts, users
from store.tables import accounts as accounts_table
from store.tables.base import Id, Instant

SOONEST: Final = timedelta(minutes=5)
LATEST: Final = timedelta(days=3650)
MOST: Final = 300  # of one person
MOST_A_DAY: Final = 25
AT_ONCE: Final = 100
LATER: Final = timedelta(hours=1)  # what cannot be published is tried again

_ROW, _OWNER = scheduled_posts.c.id == bindparam("asked", type_=Id), bindparam("owner", type_=Id)
_MINE = scheduled_posts.c.account_id == _OWNER
_ADD = insert(scheduled_posts)
_FIND = select(scheduled_posts).where(_ROW, _MINE)
_IDS = select(scheduled_posts.c.id).where(_MINE)
_SOME = select(scheduled_posts).where(_MINE, scheduled_posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
_PAGE = Paged(_IDS, scheduled_posts.c.id)
_LOCK = select(users.c.account_id).where(users.c.account_id == _OWNER).with_for_update()  # so that the count holds
_HOW_MANY: Select[Any] = select(func.count()).select_from(scheduled_posts).where(_MINE)
_ON_THAT_DAY = _HOW_MANY.where(
    scheduled_posts.c.scheduled_at >= bindparam("dawn", type_=Instant),
    scheduled_posts.c.scheduled_at < bindparam("night", type_=Instant),
    scheduled_posts.c.id != bindparam("but", type_=Id),
)
_MOVE = update(scheduled_posts).where(_ROW).values(scheduled_at=bindparam("at"))
_CANCEL = delete(scheduled_posts).where(_ROW, _MINE)
_DUE = (
    select(scheduled_posts.c.id)
    .join(accounts_table, accounts_table.c.id == scheduled_posts.c.account_id)
    .where(
        scheduled_posts.c.scheduled_at <= bindparam("now", type_=Instant),
        accounts_table.c.suspended_at.is_(None),
        accounts_table.c.deleted_at.is_(None),
    )
    .order_by(scheduled_posts.c.scheduled_at)
    .limit(AT_ONCE)
)
_TAKE = (
    select(scheduled_posts)
    .where(_ROW, scheduled_posts.c.scheduled_at <= bindparam("now", type_=Instant))
    .with_for_update(skip_locked=True)
)
_DONE = delete(scheduled_posts).where(_ROW)
_FILES = select(media).where(media.c.id.in_(bindparam("ids", expanding=True, type_=Id)), media.c.account_id == _OWNER)


@dataclass(frozen=True, slots=True)
class ScheduledView:
    """With the files that it will have."""

    row: ScheduledPost
    media: tuple[Media, ...]


def schedule(
    tx: Connection, account_id: int, draft: Draft, at: datetime, now: datetime, key: str | None = None
) -> ScheduledPost:
    """Keeps `draft` for `at`.  key: what the client calls it.

    Raises: Invalid, for what cannot be posted, or not then; NotFound, when the author may not see what he answers.
    """
    draft = drafts.check(draft, now)
    if draft.reply_to_id is not None:
        find.original(tx, draft.reply_to_id, account_id)
    tx.execute(_LOCK, {"owner": account_id})
    if (tx.scalar(_HOW_MANY, {"owner": account_id}) or 0) >= MOST:
        raise Invalid(f"You have exceeded the limit of {MOST} scheduled posts")
    _check_moment(tx, account_id, at, now)
    attaching.hold(tx, account_id, draft.media_ids or (), at, now)
    made = ScheduledPost(new_id(), account_id, at, _params(draft, key, now), draft.app_id, now)
    tx.execute(_ADD, asdict(made))
    return made


def move(tx: Connection, account_id: int, scheduled_id: int, at: datetime, now: datetime) -> None:
    """To another moment.  Raises: NotFound, Invalid."""
    tx.execute(_LOCK, {"owner": account_id})
    row = _find(tx, account_id, scheduled_id)
    _check_moment(tx, account_id, at, now, but=row.id)
    attaching.hold(tx, account_id, _media_ids(row), at, now)
    tx.execute(_MOVE, {"asked": row.id, "at": at})


def cancel(tx: Connection, account_id: int, scheduled_id: int) -> None:
    """Raises: NotFound."""
    if not tx.execute(_CANCEL, {"asked": scheduled_id, "owner": account_id}).rowcount:
        raise NotFound("Record not found")


def get(tx: Connection, account_id: int, scheduled_id: int) -> ScheduledView:
    """Raises: NotFound."""
    return _views(tx, account_id, [_find(tx, account_id, scheduled_id)])[0]


def page(tx: Connection, account_id: int, page: Page) -> list[ScheduledView]:
    """The latest written first, in three queries."""
    ids = _PAGE(tx, page, owner=account_id)
    if not ids:
        return []
    rows = many(tx, _SOME, ScheduledPost, owner=account_id, ids=padded(ids))
    return _views(tx, account_id, sorted(rows, key=lambda row: -row.id))


def due(tx: Connection, now: datetime) -> list[int]:
    """The ids of those whose moment has come, 100 at most, the earliest first."""
    return list(tx.scalars(_DUE, {"now": now}))


def publish_due(tx: Connection, origin: Origin, scheduled_id: int, now: datetime) -> Post | None:
    """Publishes one of them.  None: somebody else did, or it was cancelled.  Raises: Invalid."""
    row = one(tx, _TAKE, ScheduledPost, asked=scheduled_id, now=now)
    if row is None:
        return None
    tx.execute(_DONE, {"asked": row.id})
    return publish.publish(tx, origin, row.account_id, _draft(tx, row, now), now)


def put_off(tx: Connection, scheduled_id: int, now: datetime) -> None:
    """It cannot be published: its author still finds it in the list."""
    tx.execute(_MOVE, {"asked": scheduled_id, "at": now + LATER})


def _check_moment(tx: Connection, account_id: int, at: datetime, now: datetime, but: int = 0) -> None:
    if at < now + SOONEST:
        raise Invalid("The scheduled date must be in the future, by five minutes at least")
    if at > now + LATEST:
        raise Invalid("The scheduled date is too far away")
    dawn = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = {"owner": account_id, "dawn": dawn, "night": dawn + timedelta(days=1), "but": but}
    if (tx.scalar(_ON_THAT_DAY, day) or 0) >= MOST_A_DAY:
        raise Invalid(f"You have exceeded the limit of {MOST_A_DAY} scheduled posts for that day")


def _find(tx: Connection, account_id: int, scheduled_id: int) -> ScheduledPost:
    row = one(tx, _FIND, ScheduledPost, asked=scheduled_id, owner=account_id)
    if row is None:
        raise NotFound("Record not found")
    return row


def _views(tx: Connection, account_id: int, rows: Sequence[ScheduledPost]) -> list[ScheduledView]:
    ids = [number for row in rows for number in _media_ids(row)]
    found = {it.id: it for it in many(tx, _FILES, Media, ids=padded(ids) or [0], owner=account_id)}
    return [ScheduledView(row, tuple(found[i] for i in _media_ids(row) if i in found)) for row in rows]


def _media_ids(row: ScheduledPost) -> list[int]:
    return [int(number) for number in row.params["media_ids"] or ()]


def _params(draft: Draft, key: str | None, now: datetime) -> dict[str, Any]:
    """As the API tells them: what the client sent, what it left out as its author likes it."""
    asked = draft.poll
    return {
        "text": draft.text,
        "poll": None if asked is None else {
            "options": list(asked.options),
            "expires_in": round((asked.expires_at - now).total_seconds()),
            "multiple": asked.multiple,
            "hide_totals": asked.hide_totals,
        },
        "media_ids": [str(number) for number in draft.media_ids] if draft.media_ids else None,
        "sensitive": draft.sensitive,
        "spoiler_text": draft.summary or None,
        "visibility": draft.visibility,
        "language": draft.language,
        "in_reply_to_id": draft.reply_to_id,
        "local_only": draft.local_only,
        "idempotency": key,
    }  # fmt: skip


def _draft(tx: Connection, row: ScheduledPost, now: datetime) -> Draft:
    """An answer to what is gone by now is posted as no answer."""
    said, asked = row.params, row.params["poll"]
    parent = said["in_reply_to_id"]
    try:
        parent = None if parent is None else find.original(tx, parent, row.account_id).id
    except NotFound:
        parent = None
    return Draft(
        text=said["text"],
        visibility=said["visibility"],
        summary=said["spoiler_text"] or "",
        sensitive=said["sensitive"],
        language=said["language"],
        reply_to_id=parent,
        poll=None if asked is None else PollDraft(
            tuple(asked["options"]),
            now + timedelta(seconds=asked["expires_in"]),
            asked["multiple"],
            asked["hide_totals"],
        ),
        media_ids=tuple(_media_ids(row)),
        local_only=said["local_only"],
        app_id=row.app_id,
    )  # fmt: skip
