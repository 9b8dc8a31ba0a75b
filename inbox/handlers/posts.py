"""Create, Update and Delete of posts and comments; votes, which are Creates, too.

An object is believed when it is embedded, lives on the host of the verified actor, and is attributed to him; anything
else is fetched from where it lives (docs/federation: authority; security rules 13 to 15).
"""

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from federation.errors import Forged, Malformed
from federation.reading import JSON, POST_KINDS, Note, is_vote, read_note, same_origin, types, uri
from federation.reading.values import is_web, objects
from inbox.handlers import actors, forwarding, hints
from inbox.handlers.inside import inside, object_uri, taken_back
from inbox.messages import Here, Verified
from social import accounts, polls, quotes
from social.posts import find
from social.posts.delete import receive_delete
from social.posts.edit import receive_edit
from social.posts.receive import receive
from store.tables import Account

BALLOT: Final = 32  # objects of one Create
_AUDIENCE: Final = ("to", "cc")


def plain_note(message: Verified) -> Note | None:
    """The note of a Create that only needs to be stored; None: it is for `create`, or for another handler.

    Never raises: what is wrong with the message will be said by the handler.
    """
    if types(message.document) != ["Create"]:
        return None
    try:
        note = own_note(message)
    except Malformed:
        return None
    return None if note is None or _is_vote(note) else note


def create(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """GoToSocial sends all votes of one ballot together."""
    found = objects(message.document.get("object"), BALLOT)
    notes = list(filter(None, [_own(one, message) for one in found]))
    if not notes:
        _fetch(tx, message, here)
    is_passed_on = False  # the message, however many answers are in it
    for note in notes:
        if _is_vote(note):
            polls.receive_vote(tx, actor, note, here.now)  # does nothing when the poll is not ours
        else:
            receive(tx, actor, note, here.now)
            is_passed_on = is_passed_on or forwarding.forward(tx, message, note, here)


def update(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """Of a post that is not here yet: it is the Create that comes late."""
    what = object_uri(message.document)
    if what == actor.uri:
        actors.update(tx, actor, message, here)
        return
    note = own_note(message)
    if note is not None:
        receive_edit(tx, actor, note, here.now)
        forwarding.forward(tx, message, note, here)
        return
    known = find.find_by_uri(tx, what)
    if known is not None and known.author_id != actor.id:
        raise Forged(f"{actor.uri} changes what is not his")
    if known is not None:
        hints.ask_for_post(tx, what, here, fresh=True)


def delete(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """Also before the Create: then it is kept out when it comes."""
    what = object_uri(message.document)
    if what == actor.uri:
        accounts.forget(tx, actor, here.now)
        return
    if not same_origin(what, actor.uri):
        raise Forged(f"{actor.uri} deletes what is not his")
    quotes.receive_revocation(tx, actor, what, here.now)
    forwarding.forward_delete(tx, message, what, here)
    receive_delete(tx, actor, what, here.now)


def restore(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """Undo of a Delete."""
    hints.restored(tx, taken_back(message.document, actor), here)


def own_note(message: Verified) -> Note | None:
    """The embedded post, if the actor may say what it is.  Raises: Malformed."""
    return _own(inside(message.document), message)


def _own(found: JSON, message: Verified) -> Note | None:
    """Where it says nothing about whom it is for, the activity around it does (ActivityPub section 6)."""
    if POST_KINDS.isdisjoint(types(found)):
        return None
    if all(found.get(field) is None for field in _AUDIENCE):
        found = {**found, **{field: message.document.get(field) for field in _AUDIENCE}}
    note = read_note(found, message.actor_uri)
    if message.actor_uri not in note.authors or not same_origin(note.id, message.actor_uri):
        return None
    return note if note.author == message.actor_uri else replace(note, author=message.actor_uri)


def _is_vote(note: Note) -> bool:
    """And not a picture with a name."""
    return is_vote(note) and not note.attachments


def _fetch(tx: Connection, message: Verified, here: Here) -> None:
    found = inside(message.document)
    what = uri(message.document, "object")
    if what is None or not is_web(what):
        raise Malformed("object", message.document.get("object"))
    if not found or not POST_KINDS.isdisjoint(types(found)):
        hints.ask_for_post(tx, what, here)
