"""Notification: https://docs.joinmastodon.org/entities/Notification/"""

from typing import Any

from social.notifications import NotificationView
from web.api.entities.account import account, moment
from web.api.entities.frame import Frame
from web.api.entities.status import status


def notification(view: NotificationView, frame: Frame) -> dict[str, Any]:
    it = view.notification
    return {
        "id": str(it.id),
        "type": it.kind,
        "group_key": f"ungrouped-{it.id}",
        "created_at": moment(it.created_at),
        "account": account(view.account, frame.origin),
        **({"status": status(view.post, frame)} if view.post else {}),
    }
