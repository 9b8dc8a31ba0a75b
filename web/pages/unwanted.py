"""What the filters of the reader make of a post on a page."""

from datetime import datetime

from social.filters.matching import action, matches
from social.views import PostView


def verdict(view: PostView, place: str, now: datetime) -> tuple[str, str]:
    """(hide, warn, blur or nothing; the names of the filters that say so) of a post on a page.

    What he wrote himself he wants to see.
    """
    shown = view.boost_of or view
    if not view.filters or not place or view.filters[0].filter.account_id == shown.parts.author.id:
        return "", ""
    met = matches(view.filters, shown.parts, (view.parts.post.id, shown.parts.post.id), now)
    wanted = action(met, place)
    said = (one.filter.title for one in met if one.filter.action == wanted and place in one.filter.contexts)
    return wanted, ", ".join(said)
