"""Filter, FilterResult and the old V1::Filter: https://docs.joinmastodon.org/entities/Filter/"""

from social.filters.loading import Kept
from social.filters.matching import Match, matches
from social.views import PostView
from store.tables import Filter, FilterKeyword, FilterPost
from web.api import shapes
from web.api.entities.account import moment
from web.api.entities.frame import Frame


def filter_(kept: Kept) -> shapes.Filter:
    entity = _bare(kept.filter)
    entity["keywords"] = [keyword(one) for one in kept.keywords]
    entity["statuses"] = [filter_status(one) for one in kept.posts]
    return entity


def keyword(it: FilterKeyword) -> shapes.FilterKeyword:
    return {"id": str(it.id), "keyword": it.keyword, "whole_word": it.whole_word}


def filter_status(it: FilterPost) -> shapes.FilterStatus:
    return {"id": str(it.id), "status_id": str(it.post_id)}


def filtered(view: PostView, frame: Frame) -> list[shapes.FilterResult]:
    """What the reader's filters say of a post; of a boost, what they say of what it boosts."""
    if not view.filters:
        return []
    shown = view.boost_of or view
    ids = (view.parts.post.id, shown.parts.post.id)
    return [_result(match) for match in matches(view.filters, shown.parts, ids, frame.now)]


def _result(match: Match) -> shapes.FilterResult:
    return {
        "filter": _bare(match.filter),
        "keyword_matches": list(match.keywords) or None,
        "status_matches": [str(number) for number in match.posts] or None,
    }


def _bare(it: Filter) -> shapes.Filter:
    return {
        "id": str(it.id),
        "title": it.title,
        "context": it.contexts,
        "expires_at": moment(it.expires_at),
        "filter_action": it.action,
    }


def v1_filter(kept: Kept, it: FilterKeyword) -> shapes.V1Filter:
    """A keyword, as clients know it that are older than filters with several."""
    return {
        "id": str(it.id),
        "phrase": it.keyword,
        "context": kept.filter.contexts,
        "whole_word": it.whole_word,
        "expires_at": moment(kept.filter.expires_at),
        "irreversible": kept.filter.action == "hide",
    }
