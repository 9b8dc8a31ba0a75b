"""What we say: rows into the structs of federation.vocabulary.  Pure, and no queries: see outbox.parts.

Ids of what has no row of its own are made here, from ids and moments that the caller has: see each function.
"""

from outbox.documents.activities import (
    accept,
    add,
    block,
    emoji_react,
    flag,
    follow,
    like,
    move,
    reject,
    remove,
    undo,
    vote,
)
from outbox.documents.actors import actor, delete_actor, instance_actor, update_actor
from outbox.documents.posts import Audience, announce, audience, context_of, create, delete, note, update
from outbox.documents.quotes import (
    QUOTE_REQUEST,
    asked_to_quote,
    delete_approval,
    quote_answer,
    quote_authorization,
    quote_request,
)

__all__ = [
    "QUOTE_REQUEST",
    "Audience",
    "accept",
    "actor",
    "add",
    "announce",
    "asked_to_quote",
    "audience",
    "block",
    "context_of",
    "create",
    "delete",
    "delete_actor",
    "delete_approval",
    "emoji_react",
    "flag",
    "follow",
    "instance_actor",
    "like",
    "move",
    "note",
    "quote_answer",
    "quote_authorization",
    "quote_request",
    "reject",
    "remove",
    "undo",
    "update",
    "update_actor",
    "vote",
]
