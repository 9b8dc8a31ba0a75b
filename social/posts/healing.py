"""Comments that came before the post they answer: when it comes, the two halves of the conversation become one.

A comment keeps its parent's uri for ever (`reply_to_uri`); while the parent is not here `reply_to_id` is None.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, select, update

from social.paging import padded
from social.posts import merging
from social.visibility import OPEN
from store.tables import posts
from store.tables.base import Id


@dataclass(frozen=True, slots=True)
class Place:
    """A post, and its place in a conversation.  may_list: False for authors who are kept off the public feeds."""

    id: int
    uri: str
    author_id: int
    thread_id: int
    may_list: bool = True


@dataclass(slots=True)
class Healed:
    """`parents`: comment → the post that it had waited for.  `answers`: how many comments a post won that count."""

    parents: dict[int, Place] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    moved: dict[int, int] = field(default_factory=dict)  # thread → the thread that it became part of

    def thread(self, number: int) -> int:
        """Where the thread `number` went."""
        while number in self.moved:
            number = self.moved[number]
        return number


_child = posts.alias("child")
# An outer join although only matches are wanted: for an inner one SQLite begins with all posts that answer nothing.
_WAITING: Select[Any] = (
    select(posts.c.id.label("parent_id"), _child.c.id, _child.c.author_id, _child.c.thread_id, _child.c.visibility)
    .outerjoin(
        _child,
        and_(_child.c.reply_to_uri == posts.c.uri, _child.c.reply_to_id.is_(None), _child.c.reply_to_uri.is_not(None)),
    )
    .where(posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
)
_JOIN = (
    update(posts)
    .where(posts.c.id == bindparam("child", type_=Id), posts.c.reply_to_id.is_(None))
    .values(
        reply_to_id=bindparam("parent", type_=Id),
        listed=case(
            (bindparam("lists", type_=posts.c.listed.type), posts.c.visibility == "public"), else_=posts.c.listed
        ),
        version=posts.c.version + 1,
    )
)
_MERGE = (
    update(posts).where(posts.c.thread_id == bindparam("old", type_=Id)).values(thread_id=bindparam("new", type_=Id))
)


def heal(tx: Connection, places: Iterable[Place]) -> Healed:
    """Joins the comments that wait for any of `places` with it, and their threads with its thread.

    One query when nobody waits, which is nearly always.
    """
    healed, by_id = Healed(), {place.id: place for place in places}
    if not by_id:
        return healed
    rows = tx.execute(_WAITING, {"ids": padded(list(by_id))}).all()
    for child in sorted((row for row in rows if row.id is not None), key=lambda row: row.id):
        _heal(tx, healed, child, by_id[child.parent_id])
    for old in healed.moved:
        tx.execute(_MERGE, {"old": old, "new": healed.thread(old)})
        merging.merge(tx, old, healed.thread(old))
    return healed


def _heal(tx: Connection, healed: Healed, child: Any, place: Place) -> None:
    old, new = healed.thread(child.thread_id), healed.thread(place.thread_id)
    if old == new:  # the post descends from its own answer: somebody lies, and a circle has no beginning
        return
    lists = place.may_list and child.author_id == place.author_id
    if tx.execute(_JOIN, {"child": child.id, "parent": place.id, "lists": lists}).rowcount:
        healed.moved[old] = new
        healed.parents[child.id] = place
        healed.answers[place.id] += child.visibility in OPEN
