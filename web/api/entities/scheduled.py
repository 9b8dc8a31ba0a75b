"""ScheduledStatus: https://docs.joinmastodon.org/entities/ScheduledStatus/"""

from social.scheduled import ScheduledView
from web.api import shapes
from web.api.entities.account import moment
from web.api.entities.frame import Frame
from web.api.entities.media import media_attachment


def scheduled_status(view: ScheduledView, frame: Frame) -> shapes.ScheduledStatus:
    said = view.row.params
    return {
        "id": str(view.row.id),
        "scheduled_at": moment(view.row.scheduled_at),
        "params": {
            "text": said["text"],
            "poll": said["poll"],
            "media_ids": said["media_ids"],
            "sensitive": said["sensitive"],
            "spoiler_text": said["spoiler_text"],
            "visibility": said["visibility"],
            "in_reply_to_id": said["in_reply_to_id"],
            "language": said["language"],
            "application_id": view.row.app_id,
            "scheduled_at": None,
            "idempotency": said["idempotency"],
            "with_rate_limit": False,
            "local_only": said["local_only"],
        },
        "media_attachments": [media_attachment(it, frame.origin) for it in view.media],
    }
