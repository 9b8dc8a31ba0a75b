"""What many people use, share and like at the moment: counted by housekeeping (rank.py), read by all (show.py)."""

from social.trends.rank import compute
from social.trends.show import (
    KINDS,
    LinkView,
    all_posts,
    card,
    judge,
    judged_links,
    judged_tags,
    links,
    look,
    posts,
    tags,
    trending_names,
    trending_post,
)

__all__ = [
    "KINDS",
    "LinkView",
    "all_posts",
    "card",
    "compute",
    "judge",
    "judged_links",
    "judged_tags",
    "links",
    "look",
    "posts",
    "tags",
    "trending_names",
    "trending_post",
]
