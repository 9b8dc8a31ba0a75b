"""Who follows whom: none → requested → following.  Requested is not following (security rule 16).

`ours` is what our people do, `theirs` what other servers tell us, `lists` what is shown of it.
"""

from social.follows.lists import Listed, followers_page, following_page, requests_page
from social.follows.ours import accept_request, ask, reject_request, remove_follower, unfollow
from social.follows.theirs import accepted, receive, rejected, undone
from social.relationships import Relationship, relationship

__all__ = [
    "Listed",
    "Relationship",
    "accept_request",
    "accepted",
    "ask",
    "followers_page",
    "following_page",
    "receive",
    "reject_request",
    "rejected",
    "relationship",
    "remove_follower",
    "requests_page",
    "undone",
    "unfollow",
]
