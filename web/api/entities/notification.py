"""Notification: https://docs.joinmastodon.org/entities/Notification/"""

from datetime import datetime
from typing import Any

from social.notifications import NotificationView

from federation.origin import Origin
from web.api.entities.account import account, moment
from web.api.entities.status import status


def notification(view: NotificationView, origin: Origin, now: datetime) -> dict[str, Any]:
    it = view.notification
    return {
        "id": str(it.id),
        "type": it.kind,
        "group_key": f"ungrouped-{it.id}",
        "created_at": moment(it.created_at),
        "account": account(view.account, origin),
        **({"status": status(view.post, origin, now)} if view.post else {}),
    }
