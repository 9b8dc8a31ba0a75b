"""What many people use, share and like at the moment: counted by housekeeping (rank.py), read by all (show.py)."""

from social.trends.rank import compute
from social.trends.show import (
    LinkView,
    all_posts,
    card,
    judged_links,
    links,
    look,
    posts,
    sites,
    tags,
    trending_names,
    trending_post,
)

__all__ = [
    "LinkView",
    "all_posts",
    "card",
    "compute",
    "judged_links",
    "links",
    "look",
    "posts",
    "sites",
    "tags",
    "trending_names",
    "trending_post",
]
