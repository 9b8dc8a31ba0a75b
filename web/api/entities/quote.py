"""Quote and QuoteApproval: https://docs.joinmastodon.org/entities/Quote/ and /entities/QuoteApproval/"""

from collections.abc import Callable
from typing import Any

from social.views import PostView, QuoteView
from web.api import shapes


def quote(it: QuoteView | None, show: Callable[[PostView], Any]) -> shapes.Quote | shapes.ShallowQuote | None:
    """What is itself quoted has a ShallowQuote: only the id."""
    if it is None:
        return None
    if it.post is not None:
        return {"state": it.state, "quoted_status": show(it.post)}
    if it.quoted_id is not None:
        return {"state": it.state, "quoted_status_id": str(it.quoted_id)}
    return {"state": it.state, "quoted_status": None}


def quote_approval(view: PostView) -> shapes.QuoteApproval:
    post = view.parts.post
    nobody: list[str] = []
    policy = post.quote_policy or {"automatic": nobody if post.local else ["public"], "manual": nobody}
    return {"automatic": policy["automatic"], "manual": policy["manual"], "current_user": view.may_quote}
