"""Like, EmojiReact, Dislike, and Undo of each."""

from sqlalchemy import Connection

from federation.errors import Malformed
from federation.reading import JSON, identity, read_reaction, types, uri
from inbox.handlers.inside import object_uri, taken_back
from inbox.messages import Here, Verified
from social import reactions
from store.tables import Account


def like(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """A Like with an emoji in its content is a reaction (FEP-c0e0)."""
    document = message.document
    if read_reaction(document):
        react(tx, actor, message, here)
    else:
        reactions.receive_like(tx, actor, object_uri(document), identity(document), here.now)


def react(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    found = read_reaction(message.document)
    if found is None:
        raise Malformed("content", "what is no emoji")  # whatever it says is not for the log
    post = object_uri(message.document)
    activity = identity(message.document)
    reactions.receive_reaction(tx, actor, post, activity, found.content, found.emoji_url, here.now)


def dislike(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    document = message.document
    reactions.receive_reaction(tx, actor, object_uri(document), identity(document), reactions.DISLIKE, None, here.now)


def undo(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    inner = taken_back(message.document, actor)
    post, what = uri(inner, "object"), uri(inner, "id")
    name = _name(inner)
    if name is None:
        reactions.receive_unlike(tx, actor, post, what, here.now)
    else:
        reactions.receive_unreaction(tx, actor, post, what, name, here.now)


def _name(document: JSON) -> str | None:
    """Of the reaction; None: a plain like."""
    if "Dislike" in types(document):
        return reactions.DISLIKE
    found = read_reaction(document)
    if found is None:
        return None if "Like" in types(document) else ""
    return found.content
