"""Misskey names a Follow by its two people and an Undo by its Follow: who follows, stops, and follows again says the
same thing twice, letter by letter, and means it.

A copy means nothing (rule 1 of inbox/handle.py).  What tells the two apart is the moment at which the sender signed:
after the first Undo of a Follow we keep it, and a known Follow or Undo counts when it was signed later than the last
one that did.  A replay carries the old moment, and the signature covers it.
"""

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading import JSON, kinds, types, uri
from inbox.handlers.inside import inside
from inbox.messages import Verified
from store.tables import handled
from store.tables.base import Instant

_AT = bindparam("moment", type_=Instant)
_KEEP = insert(handled)
_KEEP = _KEEP.on_conflict_do_update(
    index_elements=["uri"], set_={"at": _KEEP.excluded.at}, where=handled.c.at < _KEEP.excluded.at
)
_COUNTS = update(handled).where(handled.c.uri == bindparam("name"), handled.c.at < _AT).values(at=_AT)


def undone(tx: Connection, message: Verified) -> None:
    """A Follow was taken back: from now on its name may be used again."""
    name = _name(message)
    if name is not None and message.signed is not None:
        tx.execute(_KEEP, {"uri": name, "at": message.signed})


def counts(tx: Connection, message: Verified) -> bool:
    """Is this known Follow, or Undo of one, said anew?"""
    name, signed = _name(message), message.signed
    return (
        name is not None and signed is not None and bool(tx.execute(_COUNTS, {"name": name, "moment": signed}).rowcount)
    )


def _name(message: Verified) -> str | None:
    """Of the pair: each has its own, below the actor, so that nobody touches what others said."""
    what = _follow(message.document)
    return None if what is None else f"again {message.actor_uri} {what}"


def _follow(document: JSON) -> str | None:
    if "Follow" in types(document):
        return uri(document, "id")
    return uri(inside(document), "id") if "Undo/Follow" in kinds(document) else None
