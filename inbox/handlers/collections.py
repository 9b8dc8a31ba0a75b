"""Collections of accounts: what others hold, who asks to show one of ours, and who answers ours (FEP-7aa9)."""

from sqlalchemy import Connection

from federation.errors import Malformed
from federation.reading import identity, read_featured_collection, read_featured_item, uri
from federation.reading.values import is_web
from inbox.handlers import follows, hints, pins
from inbox.handlers.inside import inside, object_uri
from inbox.messages import Here, Verified
from social.collections import theirs
from store import jobs
from store.tables import Account


def told(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """An Add or Update with the collection inside."""
    theirs.receive(tx, actor, read_featured_collection(inside(message.document)), here.now)


def add_item(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    target = uri(message.document, "target")
    if target is not None:
        theirs.receive_item(tx, actor, target, read_featured_item(inside(message.document)), here.now)


def add(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """A post to his pins, or a collection, by their ids; or what somebody did, to a conversation of his (FEP-171b)."""
    if hints.passed_on(tx, actor, inside(message.document), here):
        return
    target = uri(message.document, "target")
    if target is not None and target == actor.collections_uri:
        what = object_uri(message.document)
        payload = {"uri": what, "actor": actor.uri, "followed": True}
        jobs.ask(tx, theirs.FETCH, f"{what} {actor.uri}", payload, here.now)
    else:
        pins.add(tx, actor, message, here)


def remove(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """Of a post, a collection, or of somebody in one: the target says which."""
    target = uri(message.document, "target")
    if target is not None and target != actor.featured_uri and is_web(target):
        theirs.receive_remove(tx, actor, target, object_uri(message.document))
    pins.remove(tx, actor, message, here)


def request(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    collection = uri(message.document, "instrument")
    if collection is None or not is_web(collection):
        raise Malformed("instrument", message.document.get("instrument"))
    account, asked = object_uri(message.document), identity(message.document)
    theirs.receive_request(tx, actor, asked, collection, account, here.now)


def accept(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """By id alone it may be a Follow that is accepted, or an answer by somebody elsewhere."""
    asked = object_uri(message.document)
    if not theirs.is_request(asked, here.origin):
        if not hints.accepted(tx, actor, message.document, here):
            follows.accept(tx, actor, message, here)
        return
    approval = uri(message.document, "result")
    if approval is None or not is_web(approval):
        raise Malformed("result", message.document.get("result"))
    theirs.receive_answer(tx, actor, asked, approval, here.now)


def reject(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    asked = object_uri(message.document)
    if theirs.is_request(asked, here.origin):
        theirs.receive_answer(tx, actor, asked, None, here.now)
    else:
        follows.reject(tx, actor, message, here)


def withdraw(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    theirs.receive_revocation(tx, actor, object_uri(message.document), here.now)
