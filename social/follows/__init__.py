"""Who follows whom: none → requested → following.  Requested is not following (security rule 16).

`ours` is what our people do, `theirs` what other servers tell us, `many` new
followers together, `lists` what is shown of it.
"""

from social.follows.lists import Listed, followers_page, following_page, requests_page
from social.follows.many import Wish, let_in, welcome
from social.follows.ours import accept_request, ask, reject_request, remove_follower, unfollow
from social.follows.theirs import accepted, receive, rejected, undone
from social.relationships import Relationship, relationship

__all__ = [
    "Listed",
    "Relationship",
    "Wish",
    "accept_request",
    "accepted",
    "ask",
    "followers_page",
    "following_page",
    "let_in",
    "receive",
    "reject_request",
    "rejected",
    "relationship",
    "remove_follower",
    "requests_page",
    "undone",
    "unfollow",
    "welcome",
]
