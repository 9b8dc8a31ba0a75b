"""What a push says, looked up when it is sent: it may have been dismissed, hidden or blocked since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Select, bindparam, select

from federation.origin import Origin
from social import notifications as news
from social import push
from social.notifications import ALL, NotificationView, fits
from social.sanitise import plain
from store.rows import many
from store.tables import PushSubscription, accounts, notifications, push_subscriptions
from store.tables.base import Id

BODY: Final = 140  # characters, as with Mastodon
NAME: Final = 100
ADDRESS: Final = 1_000  # of a picture; longer ones are left out
LOCALE: Final = "en"  # in which the titles are
_TITLES: Final = {
    "mention": "{} mentioned you",
    "status": "{} wrote",
    "reblog": "{} boosted your post",
    "follow": "{} follows you",
    "follow_request": "{} asks to follow you",
    "favourite": "{} likes your post",
    "poll": "A poll of {} has ended",
    "update": "{} changed a post",
    "quote": "{} quoted your post",
    "quoted_update": "{} changed a post that you quoted",
    "severed_relationships": "You lost follows",
    "moderation_warning": "A moderator wrote to you",
    "admin.sign_up": "{} signed up",
    "admin.report": "{} reported somebody",
    "added_to_collection": "{} added you to a collection",
    "collection_update": "{} changed a collection that you are in",
}

_ASKED = bindparam("asked", type_=Id)
_WHOM: Select[Any] = (
    select(notifications.c.account_id)
    .join_from(notifications, accounts, accounts.c.id == notifications.c.account_id)
    .where(notifications.c.id == _ASKED, fits(), accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None))
)
_PROGRAMS = (
    select(push_subscriptions)
    .join_from(push_subscriptions, notifications, push.wanted())
    .where(notifications.c.id == _ASKED)
    .order_by(push_subscriptions.c.id)
)


@dataclass(frozen=True, slots=True)
class Push:
    view: NotificationView
    programs: Sequence[PushSubscription]


def load(tx: Connection, notification_id: int) -> Push | None:
    """None: nobody is to hear of it any more."""
    account_id = tx.scalar(_WHOM, {"asked": notification_id, **ALL.values})
    view = None if account_id is None else news.one(tx, account_id, notification_id)
    if view is None:
        return None
    return Push(view, many(tx, _PROGRAMS, PushSubscription, asked=notification_id))


def message(view: NotificationView, origin: Origin) -> bytes:
    """JSON, as programs know it from Mastodon; without the token, of which only a hash is kept."""
    it, sender = view.notification, view.account
    icon = sender.avatar_url or ""
    said = {
        "access_token": "",
        "preferred_locale": LOCALE,
        "notification_id": str(it.id),
        "notification_type": it.kind,
        "icon": icon if 0 < len(icon) <= ADDRESS else origin.url("/static/missing.png"),
        "title": title(view),
        "body": _body(view),
    }
    return orjson.dumps(said)


def title(view: NotificationView) -> str:
    sender = view.account
    return _TITLES.get(view.notification.kind, "{}").format((sender.display_name or sender.username)[:NAME])


def _body(view: NotificationView) -> str:
    if view.report is not None:
        return _short(view.report.report.comment)
    if view.warning is not None:
        return _short(view.warning.warned.text)
    if view.severance is not None:
        return _short(view.severance.target_name)
    if view.collection is not None:
        return _short(view.collection.collection.name)
    if view.post is None:
        return _short(plain(view.account.note))
    post = view.post.parts.post
    return _short(post.summary or plain(post.html))


def _short(text: str) -> str:
    return text if len(text) <= BODY else text[: BODY - 1].rstrip() + "…"
