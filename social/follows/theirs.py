"""What other servers tell us: Follow, Undo of it, and the answers to our own Follows.

Each is judged by who signed it, and by what we have stored; what the message says of others is compared, never used.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, update

from federation.reading import same_origin
from social import accounts, domains, moderation, notifications, ties, timelines
from social import undone as tombstones
from social.follows.ours import answer, refuse, settle
from store.ids import new_id
from store.tables import INSTANCE_ACTOR_ID, Account, Follow, follows
from store.tables.base import Id

_RENAME = (
    update(follows)
    .where(
        follows.c.target_id == bindparam("target", type_=Id), follows.c.follower_id == bindparam("follower", type_=Id)
    )
    .values(uri=bindparam("name"))
)


def receive(
    tx: Connection, follower: Account, target: Account, uri: str, now: datetime, *, signed: datetime | None = None
) -> None:
    """The remote `follower` asks to follow our `target`, with the activity `uri`.

    Who follows already is told again that he does: he asks because he did not hear it.
    signed: by his server's clock; after he took `uri` back, he means it anew.
    """
    if not target.is_local or tombstones.take(tx, uri, follower.uri, signed):
        return
    found, taken = ties.around(tx, follower.id, target.id, uri)
    usable = uri if not taken and same_origin(uri, follower.uri) else None
    if found is not None:
        found = _renamed(tx, found, usable)
        if found.accepted:
            answer(tx, found, follower, target, now)
        return
    accounts.hold(tx, target.id)
    if _is_unwelcome(tx, follower, target):
        asked = Follow(target.id, follower.id, new_id(), uri, False, True, False, now)
        refuse(tx, asked, now)
        return
    level = moderation.levels(tx, [follower.host or ""]).get(follower.host or "")
    if level == moderation.BLOCK:  # since his message came
        return
    agrees = not target.locked and level != moderation.LIMIT
    follow = ties.add(tx, follower, target, now, uri=usable, accepted=agrees)
    if follow is None:  # two copies at the same moment: the other one answers
        return
    notifications.notify(tx, target.id, "follow" if agrees else "follow_request", follower.id, None, now)
    if agrees:
        answer(tx, follow, follower, target, now, screened=True)


def accepted(
    tx: Connection,
    by: Account,
    *,
    uri: str | None,
    follower: str | None = None,
    target: str | None = None,
) -> bool:
    """`by` accepts a Follow: the one with that `uri`, else the one from `follower` to `target`, if they are embedded.

    Counts only for a Follow by one of ours to `by` that waits for this answer.  False: there is none.
    """
    follow = _asked(tx, by, uri, follower, target)
    if follow is None or not ties.accept(tx, follow):
        return False
    timelines.fill(tx, follow.follower_id, by.id)
    return True


def rejected(
    tx: Connection,
    by: Account,
    *,
    uri: str | None,
    follower: str | None = None,
    target: str | None = None,
) -> bool:
    """`by` refuses a Follow, or removes a follower of ours whom it had accepted.  Matched as in `accepted`."""
    follow = _asked(tx, by, uri, follower, target)
    if follow is None or ties.end(tx, follow.follower_id, by.id) is None:
        return False
    timelines.empty(tx, follow.follower_id, by.id)
    return True


def undone(tx: Connection, follower: Account, target: Account | None, uri: str | None, now: datetime) -> bool:
    """`follower` takes a Follow back: of `target` where that is known, else the one with that `uri`.

    The pair decides, not the id: servers that keep no ids invent one for the Undo.
    now: by his server's clock, where it is known.
    False: there is none yet; it will not count when it comes.
    """
    if target is None and uri is not None:
        found = ties.by_uri(tx, uri)
        if found is not None and found.follower_id == follower.id:
            target = accounts.by_id(tx, found.target_id)
    if target is not None and ties.end(tx, follower.id, target.id) is not None:
        settle(tx, target.id, follower.id)
        return True
    tombstones.bury(tx, uri, follower.uri, now)
    return False


def _asked(tx: Connection, by: Account, uri: str | None, follower: str | None, target: str | None) -> Follow | None:
    """The Follow of one of ours to `by` that is meant."""
    found = ties.by_uri(tx, uri) if uri else None
    if found is None and follower and target in (None, by.uri):
        asking = accounts.find_by_uri(tx, follower)
        found = ties.find(tx, asking.id, by.id) if asking else None
    if found is None or found.target_id != by.id:
        return None
    return found if accounts.by_id(tx, found.follower_id).is_local else None


def _is_unwelcome(tx: Connection, follower: Account, target: Account) -> bool:
    return (
        target.id == INSTANCE_ACTOR_ID
        or target.is_gone
        or target.moved_to is not None
        or ties.are_apart(tx, follower.id, target.id)
        or domains.shuns(tx, target.id, follower)
    )


def _renamed(tx: Connection, follow: Follow, uri: str | None) -> Follow:
    """The follow under the id that its follower uses now: his Undo will name that.  uri: None: it can name none."""
    if uri is None:
        return follow
    tx.execute(_RENAME, {"target": follow.target_id, "follower": follow.follower_id, "name": uri})
    return replace(follow, uri=uri)
