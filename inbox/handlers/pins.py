"""Add and Remove: posts that somebody pins to his profile."""

from sqlalchemy import Connection

from federation.reading import types, uri
from inbox.handlers.inside import inside, object_uri
from inbox.messages import Here, Verified
from social import pins
from store.tables import Account


def add(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    target = uri(message.document, "target")
    if target is not None and not _is_tag(message):
        pins.receive_add(tx, actor, target, object_uri(message.document), here.now)


def remove(tx: Connection, actor: Account, message: Verified, _: Here) -> None:
    target = uri(message.document, "target")
    if target is not None and not _is_tag(message):
        pins.receive_remove(tx, actor, target, object_uri(message.document))


def _is_tag(message: Verified) -> bool:
    """Topics of a profile have no id, and their own collection, which is not shown yet."""
    return "Hashtag" in types(inside(message.document))
