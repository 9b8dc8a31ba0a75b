"""Block, and Undo of it."""

from sqlalchemy import Connection

from federation.reading import JSON, identity, uri
from inbox.handlers.inside import object_uri, taken_back
from inbox.messages import Here, Verified
from social import accounts, blocks
from store.tables import Account


def block(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    if _is_ban(message.document):
        return
    target = accounts.find_by_uri(tx, object_uri(message.document))
    if target is not None and target.is_local:
        blocks.receive_block(tx, actor, target, identity(message.document), here.now)


def undo(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    inner = taken_back(message.document, actor)
    if _is_ban(inner):
        return
    target = uri(inner, "object")
    found = accounts.find_by_uri(tx, target) if target else None
    blocks.receive_unblock(tx, actor, found, uri(inner, "id"), here.now)


def _is_ban(document: JSON) -> bool:
    """From a group or a server, its `target`, as moderators of Lemmy say it: no matter between the two."""
    return document.get("target") is not None
