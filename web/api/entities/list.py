"""List, Tag and Marker: https://docs.joinmastodon.org/entities/List/, /Tag/ and /Marker/"""

from federation.origin import Origin
from social.tags import TagView
from store.tables import AccountList
from store.tables import Marker as Row
from web.api import shapes
from web.api.entities.account import moment


def list_(it: AccountList) -> shapes.List:
    return {
        "id": str(it.id),
        "title": it.title,
        "replies_policy": it.replies_policy,
        "exclusive": it.exclusive,
    }


def tag(it: TagView, origin: Origin) -> shapes.Tag:
    entity: shapes.Tag = {
        "id": str(it.id),
        "name": it.shown,
        "url": origin.tag(it.name),
        "history": [
            {"day": str(day.start), "accounts": str(day.accounts), "uses": str(day.uses)} for day in it.history
        ],
    }
    if it.following is not None:
        entity["following"], entity["featuring"] = it.following, it.featuring
    return entity


def marker(it: Row) -> shapes.Marker:
    return {"last_read_id": str(it.last_read), "version": it.version, "updated_at": moment(it.updated_at)}
