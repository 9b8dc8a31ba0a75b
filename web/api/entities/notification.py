"""Notification: https://docs.joinmastodon.org/entities/Notification/"""

from social.notifications import NotificationView
from web.api import shapes
from web.api.entities.account import account, moment
from web.api.entities.frame import Frame
from web.api.entities.status import status


def notification(view: NotificationView, frame: Frame) -> shapes.Notification:
    it = view.notification
    entity: shapes.Notification = {
        "id": str(it.id),
        "type": it.kind,
        "group_key": f"ungrouped-{it.id}",
        "created_at": moment(it.created_at),
        "account": account(view.account, frame.origin),
    }
    if view.post:
        entity["status"] = status(view.post, frame)
    return entity
