"""What many people use, share and like at the moment: counted by housekeeping (rank.py), read by all (show.py)."""

from social.trends.rank import compute
from social.trends.show import KINDS, LinkView, judge, links, posts, tags

__all__ = ["KINDS", "LinkView", "compute", "judge", "links", "posts", "tags"]
