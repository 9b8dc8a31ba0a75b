"""Announce of a post, and Undo; Announce of an activity, as groups do (FEP-1b12)."""

from sqlalchemy import Connection

from federation.reading import JSON, PUBLIC, identity, instant, uri, uris
from inbox.handlers import hints
from inbox.handlers.inside import inside, object_uri, taken_back
from inbox.messages import Here, Verified
from social import boosts
from store.tables import Account


def announce(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """What is inside is never believed: it is asked for where it lives."""
    document = message.document
    if hints.passed_on(tx, actor, inside(document), here):
        return
    boosts.receive_announce_of(
        tx,
        actor,
        identity(document),
        object_uri(document),
        instant(document, "published"),
        _visibility(document, actor),
        here.now,
    )


def undo(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    inner = taken_back(message.document, actor)
    boosts.receive_unannounce(tx, actor, uri(inner, "object"), uri(inner, "id"), here.now)


def _visibility(document: JSON, actor: Account) -> str:
    to, cc = uris(document, "to"), uris(document, "cc")
    if PUBLIC in to:
        return "public"
    if PUBLIC in cc:
        return "unlisted"
    return "private" if actor.followers_uri in (*to, *cc) else "direct"
