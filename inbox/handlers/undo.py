"""Undo of an activity that is given only by its id: what was it?"""

from collections.abc import Callable

from sqlalchemy import Connection

from federation.errors import Forged
from federation.reading import same_origin
from inbox.handlers.inside import object_uri, taken_back
from inbox.messages import Here, Verified
from social import blocks, boosts, follows, reactions, ties, undone
from store.tables import Account


def by_id(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """Nothing of that name by him: then it is still to come, and will not count."""
    taken_back(message.document, actor)
    what, now = object_uri(message.document), here.now
    if not same_origin(what, actor.uri):
        raise Forged(f"{actor.uri} takes back what is not his")
    follow = ties.by_uri(tx, what)
    if follow is not None and follow.follower_id == actor.id:
        follows.undone(tx, actor, None, what, now)
        return
    others: tuple[Callable[[], bool], ...] = (
        lambda: reactions.receive_unlike(tx, actor, None, what, now),
        lambda: reactions.receive_unreaction(tx, actor, None, what, "", now),
        lambda: boosts.receive_unannounce(tx, actor, None, what, now),
        lambda: blocks.receive_unblock(tx, actor, None, what, now),
    )
    if any(take() for take in others):
        undone.take(tx, what, actor.uri)  # those asked before did not know it, and took it for something to come
    else:
        undone.bury(tx, what, actor.uri, now)
