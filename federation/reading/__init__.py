"""Reads what other servers send.

Total functions: whatever JSON comes in, they return a frozen value or raise `Malformed`, nothing else
(tests/federation/test_reading.py tries to break that).  One bad optional field costs that field, never the
post.  Each known oddity of a real server is handled in one place, here, and named beside a document in
tests/golden/.  Nothing here fetches, and nothing here decides who may be believed.
"""

from federation.reading.activities import (
    CARRIERS,
    INCOMPLETE,
    Activity,
    Flag,
    Move,
    Reaction,
    carried,
    completed,
    read_activity,
    read_flag,
    read_move,
    read_reaction,
)
from federation.reading.actors import ACTOR_KINDS, Actor, Field, Image, Key, read_actor, read_keys
from federation.reading.approvals import QuoteAuthorization, read_quote_authorization
from federation.reading.collections import COLLECTION_KINDS, Collection, read_collection
from federation.reading.events import Event
from federation.reading.featured import (
    FeatureAuthorization,
    FeaturedCollection,
    FeaturedItem,
    read_feature_authorization,
    read_featured_collection,
    read_featured_item,
)
from federation.reading.media import Attachment
from federation.reading.posts import (
    POST_KINDS,
    Note,
    Option,
    Poll,
    Visibility,
    is_vote,
    read_note,
    visibility,
)
from federation.reading.tags import Emoji, Mention, hashtag
from federation.reading.values import (
    JSON,
    PUBLIC,
    actor_of,
    embedded,
    host_of,
    identity,
    instant,
    kinds,
    same_origin,
    text,
    types,
    uri,
    uris,
)

__all__ = [
    "ACTOR_KINDS",
    "CARRIERS",
    "COLLECTION_KINDS",
    "INCOMPLETE",
    "JSON",
    "POST_KINDS",
    "PUBLIC",
    "Activity",
    "Actor",
    "Attachment",
    "Collection",
    "Emoji",
    "Event",
    "FeatureAuthorization",
    "FeaturedCollection",
    "FeaturedItem",
    "Field",
    "Flag",
    "Image",
    "Key",
    "Mention",
    "Move",
    "Note",
    "Option",
    "Poll",
    "QuoteAuthorization",
    "Reaction",
    "Visibility",
    "actor_of",
    "carried",
    "completed",
    "embedded",
    "hashtag",
    "host_of",
    "identity",
    "instant",
    "is_vote",
    "kinds",
    "read_activity",
    "read_actor",
    "read_collection",
    "read_feature_authorization",
    "read_featured_collection",
    "read_featured_item",
    "read_flag",
    "read_keys",
    "read_move",
    "read_note",
    "read_quote_authorization",
    "read_reaction",
    "same_origin",
    "text",
    "types",
    "uri",
    "uris",
    "visibility",
]
