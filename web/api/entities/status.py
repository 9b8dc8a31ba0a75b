"""Status: https://docs.joinmastodon.org/entities/Status/"""

from collections.abc import Callable
from html import escape
from typing import Any

from outbox.parts import Written
from social.views import PostView
from store.tables import Poll
from web.api import shapes
from web.api.entities.account import account, emojis, moment
from web.api.entities.card import preview_card
from web.api.entities.collection import collection
from web.api.entities.filter import filtered
from web.api.entities.frame import Frame
from web.api.entities.media import media_attachment
from web.api.entities.quote import quote, quote_approval


def status(view: PostView, frame: Frame) -> shapes.Status:
    entity = shared(view, frame)
    vary(entity, view, frame)
    return entity


def shared(view: PostView, frame: Frame) -> shapes.Status:
    """What depends on `view.parts`, `may_show` and our own address alone, whoever reads it; see web/api/pieces.py."""
    parts = view.parts
    post, author = parts.post, parts.author
    entity: shapes.Status = {
        "id": str(post.id),
        "uri": post.uri,
        "url": post.url or post.uri,
        "created_at": moment(post.published),
        "edited_at": moment(post.edited_at),
        "in_reply_to_id": str(post.reply_to_id) if post.reply_to_id else None,
        "in_reply_to_account_id": str(parts.parent_author_id) if parts.parent_author_id else None,
        "sensitive": post.sensitive or author.sensitized_at is not None,
        "spoiler_text": post.summary,
        "visibility": post.visibility,
        "language": post.language,
        "replies_count": post.replies_count,
        "reblogs_count": post.boosts_count,
        "favourites_count": post.likes_count,
        "quotes_count": post.quotes_count,
        "quote": None,
        "quote_approval": {"automatic": [], "manual": [], "current_user": "unknown"},
        "content": content(post.title, post.html),
        "reblog": None,
        "application": None if parts.written is None else _application(parts.written),
        "account": account(author, frame.origin, parts.moved, view.may_show),
        "media_attachments": [media_attachment(m, frame.origin) for m in parts.media],
        "mentions": [
            {"id": str(m.id), "username": m.username, "acct": m.acct, "url": m.url}
            for m in parts.mentions
            if not m.silent
        ],
        "tags": [{"name": t.shown, "url": frame.origin.tag(t.name)} for t in parts.tags],
        "emojis": emojis(post.emojis, frame.origin),
        "card": preview_card(parts.card, parts.credited, frame.origin) if parts.card else None,
        "poll": None,
        "filtered": [],
        "tagged_collections": [],
        "local_only": post.local_only,
    }
    return entity


def vary(entity: shapes.Status, view: PostView, frame: Frame, inner: Callable[[PostView, Frame], Any] = status) -> None:
    """All the rest: what differs from reader to reader, or with time.  inner: renders what a boost boosts."""
    entity["reblog"] = inner(view.boost_of, frame) if view.boost_of else None
    entity["poll"] = poll(view, view.parts.poll, frame) if view.parts.poll else None
    entity["quote"] = quote(view.quote, lambda quoted: inner(quoted, frame))
    entity["quote_approval"] = quote_approval(view)
    entity["filtered"] = filtered(view, frame)
    entity["tagged_collections"] = [collection(one, frame.origin) for one in view.collections]
    card = view.parts.card
    if card is not None and card.creator_id is not None:
        entity["card"] = preview_card(card, view.parts.credited, frame.origin, frame.reader_id)
    if frame.reader_id is None:
        return
    entity["favourited"] = view.liked
    entity["reblogged"] = view.boosted
    entity["muted"] = view.muted
    entity["bookmarked"] = view.bookmarked
    entity["pinned"] = view.pinned


def content(title: str, html: str) -> str:
    """Long posts keep their title in the text, since clients have no other place for it."""
    return f"<p><strong>{escape(title, quote=False)}</strong></p>{html}" if title else html


def _application(it: Written) -> shapes.StatusApplication:
    return {"name": it.name, "website": it.website}


def poll(view: PostView, it: Poll, frame: Frame) -> shapes.Poll:
    """Poll: https://docs.joinmastodon.org/entities/Poll/

    Its author counts as one who has voted, so that clients show him the results, as with Mastodon.
    """
    expired = it.is_over(frame.now)
    secret = it.hide_totals and not expired
    entity: shapes.Poll = {
        "id": str(it.post_id),
        "expires_at": moment(it.expires_at),
        "expired": expired,
        "multiple": it.multiple,
        "votes_count": sum(option["votes"] for option in it.options),
        "voters_count": it.voters_count,
        "options": [
            {"title": option["title"], "votes_count": None if secret else option["votes"]} for option in it.options
        ],
        "emojis": emojis(view.parts.post.emojis, frame.origin),
    }
    if frame.reader_id is not None:
        own = view.parts.author.id == frame.reader_id
        entity["voted"], entity["own_votes"] = own or bool(view.voted), list(view.voted)
    return entity
