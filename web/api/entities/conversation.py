"""Conversation: https://docs.joinmastodon.org/entities/Conversation/"""

from social.conversations import ConversationView
from web.api import shapes
from web.api.entities.account import shown_to
from web.api.entities.frame import Frame
from web.api.entities.status import status


def conversation(view: ConversationView, frame: Frame) -> shapes.Conversation:
    return {
        "id": str(view.conversation.id),
        "unread": view.conversation.unread,
        "accounts": [shown_to(it, frame) for it in view.accounts],
        "last_status": None if view.last is None else status(view.last, frame),
    }
