"""Status: https://docs.joinmastodon.org/entities/Status/"""

from datetime import datetime
from typing import Any

from federation.origin import Origin
from social.views import PostView
from store.tables import Media, Poll
from web.api.entities.account import account, emojis, moment


def status(view: PostView, origin: Origin, now: datetime) -> dict[str, Any]:
    parts = view.parts
    post, author = parts.post, parts.author
    boosted = status(view.boost_of, origin, now) if view.boost_of else None
    return {
        "id": str(post.id),
        "uri": post.uri,
        "url": post.url or post.uri,
        "created_at": moment(post.published),
        "edited_at": moment(post.edited_at),
        "in_reply_to_id": str(post.reply_to_id) if post.reply_to_id else None,
        "in_reply_to_account_id": str(parts.parent_author_id) if parts.parent_author_id else None,
        "sensitive": post.sensitive,
        "spoiler_text": post.summary,
        "visibility": post.visibility,
        "language": post.language,
        "replies_count": post.replies_count,
        "reblogs_count": post.boosts_count,
        "favourites_count": post.likes_count,
        "quotes_count": 0,
        "content": _content(view),
        "reblog": boosted,
        "application": None,
        "account": account(author, origin),
        "media_attachments": [media_attachment(m) for m in parts.media],
        "mentions": [
            {"id": str(m.id), "username": m.username, "acct": m.acct, "url": m.url}
            for m in parts.mentions
            if not m.silent
        ],
        "tags": [{"name": t.shown, "url": origin.tag(t.name)} for t in parts.tags],
        "emojis": emojis(post.emojis),
        "card": None,
        "poll": poll(parts.poll, view.voted, now) if parts.poll else None,
        "favourited": view.liked,
        "reblogged": view.boosted,
        "muted": False,
        "bookmarked": False,
        "pinned": view.pinned,
        "filtered": [],
    }


def _content(view: PostView) -> str:
    """Long posts keep their title in the text, since clients have no other place for it."""
    post = view.parts.post
    if not post.title:
        return post.html
    title = post.title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<p><strong>{title}</strong></p>{post.html}"


def media_attachment(it: Media) -> dict[str, Any]:
    """MediaAttachment: https://docs.joinmastodon.org/entities/MediaAttachment/"""
    meta: dict[str, Any] = {}
    if it.width and it.height:
        size = f"{it.width}x{it.height}"
        meta["original"] = {"width": it.width, "height": it.height, "size": size, "aspect": it.width / it.height}
    if it.focus_x is not None and it.focus_y is not None:
        meta["focus"] = {"x": it.focus_x, "y": it.focus_y}
    return {
        "id": str(it.id),
        "type": it.kind,
        "url": it.url,
        "preview_url": it.preview_url or it.url,
        "remote_url": it.url,
        "preview_remote_url": None,
        "text_url": None,
        "meta": meta or None,
        "description": it.description or None,
        "blurhash": it.blurhash,
    }


def poll(it: Poll, votes: tuple[int, ...] | None, now: datetime) -> dict[str, Any]:
    """Poll: https://docs.joinmastodon.org/entities/Poll/

    votes: the reader's own choices, () when he has none, None when nobody in particular reads.
    """
    expired = it.closed_at is not None or (it.expires_at is not None and it.expires_at <= now)
    return {
        "id": str(it.post_id),
        "expires_at": moment(it.expires_at),
        "expired": expired,
        "multiple": it.multiple,
        "votes_count": sum(option["votes"] for option in it.options),
        "voters_count": it.voters_count,
        "options": [{"title": option["title"], "votes_count": option["votes"]} for option in it.options],
        "emojis": [],
        **({} if votes is None else {"voted": bool(votes), "own_votes": list(votes)}),
    }
