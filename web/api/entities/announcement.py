"""Announcement: https://docs.joinmastodon.org/entities/Announcement/"""

from federation.origin import Origin
from social.announcements import AnnouncementView, ReactionView
from social.media.uploads import address
from social.text import find_hashtags, normalise_tag
from store.tables import CustomEmoji
from web.api import shapes
from web.api.entities.account import emojis, moment
from web.api.entities.frame import Frame
from web.api.entities.status import status


def announcement(view: AnnouncementView, frame: Frame) -> shapes.Announcement:
    it, origin = view.announcement, frame.origin
    entity: shapes.Announcement = {
        "id": str(it.id),
        "content": it.html,
        "starts_at": moment(it.starts_at),
        "ends_at": moment(it.ends_at),
        "all_day": it.all_day,
        "published_at": moment(it.published_at),
        "updated_at": moment(it.updated_at),
        "mentions": [
            {"id": str(one.id), "username": one.username, "acct": one.acct, "url": one.url} for one in view.people
        ],
        "statuses": [status(post, frame) for post in view.posts],
        "tags": [
            {"name": normalise_tag(tag), "url": origin.tag(normalise_tag(tag))} for tag in find_hashtags(it.source)
        ],
        "emojis": emojis(it.emojis, origin),
        "reactions": [_reaction(one, origin, told=view.read is not None) for one in view.reactions],
    }
    if view.read is not None:
        entity["read"] = view.read
    return entity


def _reaction(it: ReactionView, origin: Origin, *, told: bool) -> shapes.Reaction:
    entity: shapes.Reaction = {"name": it.name, "count": it.count}
    if told:
        entity["me"] = it.me
    if it.emoji is not None:
        entity["url"] = address(origin, it.emoji.file)
        entity["static_url"] = address(origin, it.emoji.still_file or it.emoji.file)
    return entity


def custom_emoji(it: CustomEmoji, origin: Origin) -> shapes.CustomEmoji:
    """CustomEmoji: https://docs.joinmastodon.org/entities/CustomEmoji/"""
    entity: shapes.CustomEmoji = {
        "shortcode": it.shortcode,
        "url": address(origin, it.file),
        "static_url": address(origin, it.still_file or it.file),
        "visible_in_picker": True,
    }
    if it.category is not None:
        entity["category"] = it.category
    return entity
