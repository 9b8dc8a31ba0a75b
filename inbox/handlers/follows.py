"""Follow, the answers to it, and Undo."""

from sqlalchemy import Connection

from federation.errors import Malformed
from federation.reading import JSON, identity, same_origin, types, uri
from inbox import again
from inbox.handlers.inside import inside, object_uri, taken_back
from inbox.messages import Here, Verified
from social import accounts, follows
from social.errors import NotFound
from store.tables import Account


def plain_follow(message: Verified) -> str | None:
    """The uri of whom a Follow asks for, if it may be one of many; None: it is for `follow`, or for another handler.

    Never raises: what is wrong with the message will be said by the handler.
    """
    if message.sync is not None or types(message.document) != ["Follow"]:
        return None
    try:
        own = same_origin(identity(message.document), message.actor_uri)
        return object_uri(message.document) if own else None
    except Malformed:
        return None


def follow(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    target = accounts.find_by_uri(tx, object_uri(message.document))
    if target is None or not target.is_local:
        raise NotFound("No such account here", why=str(message.document.get("object"))[:200])
    follows.receive(tx, actor, target, identity(message.document), here.now, signed=message.signed)


def accept(tx: Connection, actor: Account, message: Verified, _: Here) -> None:
    follows.accepted(tx, actor, **_meant(message.document))


def reject(tx: Connection, actor: Account, message: Verified, _: Here) -> None:
    follows.rejected(tx, actor, **_meant(message.document))


def undo_follow(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    inner = taken_back(message.document, actor)
    target = uri(inner, "object")
    found = accounts.find_by_uri(tx, target) if target else None
    follows.undone(tx, actor, found, uri(inner, "id"), message.signed or here.now)
    again.undone(tx, message)


def _meant(document: JSON) -> dict[str, str | None]:
    """Which Follow is answered: by its id, or with our Follow inside, whose id some servers change."""
    inner = inside(document)
    return {"uri": uri(document, "object"), "follower": uri(inner, "actor"), "target": uri(inner, "object")}
