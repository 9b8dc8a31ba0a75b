"""StatusEdit: https://docs.joinmastodon.org/entities/StatusEdit/"""

from dataclasses import fields
from typing import Any

from social.views import PostView
from store.tables import Edit, Media
from web.api import shapes
from web.api.entities.account import account, emojis, moment
from web.api.entities.frame import Frame
from web.api.entities.media import media_attachment
from web.api.entities.quote import quote
from web.api.entities.status import content, status


def status_edit(it: Edit, view: PostView, frame: Frame) -> shapes.StatusEdit:
    """view: the post as it is now; its quote stays through all edits."""
    entity: shapes.StatusEdit = {
        "content": content(it.title, it.html),
        "spoiler_text": it.summary,
        "sensitive": it.sensitive,
        "created_at": moment(it.at),
        "account": account(view.parts.author, frame.origin, view.parts.moved, view.may_show),
        "media_attachments": [media_attachment(_media(kept), frame.origin) for kept in it.media],
        "emojis": emojis(it.emojis, frame.origin),
    }
    if it.poll is not None:
        entity["poll"] = {"options": [{"title": title} for title in it.poll["options"]]}
    if view.quote is not None:
        entity["quote"] = quote(view.quote, lambda quoted: status(quoted, frame))
    return entity


def _media(kept: dict[str, Any]) -> Media:
    """As the text had it; what was kept before there were more fields has fewer of them."""
    values: dict[str, Any] = {field.name: kept.get(field.name) for field in fields(Media)}
    return Media(**values)
