"""Posts and links that trend: may they be shown among the trends?  Hashtags: hashtags.py, sites: publishers.py."""

from datetime import datetime

from sqlalchemy import Connection

from social import trends, verdicts
from social.moderation import audit
from social.moderation.sanctions import Staff
from social.trends import LinkView
from social.views import PostView


def posts(tx: Connection, by: Staff, limit: int, offset: int) -> list[tuple[PostView, bool | None]]:
    """All that trend, and what was said of each; None: nothing so far."""
    found = trends.all_posts(tx, by.account.id, limit, offset)
    said = verdicts.said(tx, ["post"], [str(view.parts.post.id) for view in found])
    return [(view, said.get(("post", str(view.parts.post.id)))) for view in found]


def judge_post(tx: Connection, by: Staff, post_id: int, allowed: bool, now: datetime) -> PostView:
    """Raises: NotFound, for one that does not trend."""
    view = trends.trending_post(tx, post_id, by.account.id)
    _judge(tx, by, "post", str(post_id), str(post_id), allowed, now)
    return view


def judge_link(tx: Connection, by: Staff, card_id: int, allowed: bool, now: datetime) -> LinkView:
    """Raises: NotFound, for one that does not trend."""
    card = trends.card(tx, card_id)
    _judge(tx, by, "link", str(card.id), card.url, allowed, now)
    (view,) = trends.look(tx, [card], now)
    return view


def _judge(tx: Connection, by: Staff, kind: str, subject: str, name: str, allowed: bool, now: datetime) -> None:
    verdicts.judge(tx, kind, subject, allowed, by.account.id, now)
    audit.note(tx, by.account, "approve" if allowed else "reject", f"trending {kind}", name, now)
