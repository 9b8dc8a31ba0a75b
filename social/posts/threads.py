"""A conversation around a post, as far as it is known here and the viewer may see it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, Integer, Select, and_, bindparam, literal, select

from social.posts import find
from social.visibility import visible, wanted
from store.prepared import Prepared
from store.rows import many
from store.tables import Post, posts
from store.tables.base import Id


class Limits(NamedTuple):
    ancestors: int
    descendants: int
    depth: int  # of descendants


MEMBERS: Final = Limits(4_096, 4_096, 4_096)
ANYBODY: Final = Limits(40, 60, 20)  # as Mastodon has them
_LOOKED_AT: Final = 2  # times as many descendants are read as are shown: some are not for this viewer


@dataclass(frozen=True, slots=True)
class Thread:
    """Ids: `ancestors` the oldest first, `descendants` each after its parent and before its parent's next answer.

    missing: the uris of parents that should be here and are not.
    """

    ancestors: tuple[int, ...]
    descendants: tuple[int, ...]
    missing: tuple[str, ...]


_POST = bindparam("post", type_=Id)
_DEEP: BindParameter[int] = bindparam("deep", type_=Integer)
_SEEN = and_(visible(), wanted()).label("seen")


def _ancestors() -> Select[Any]:
    up = (
        select(posts.c.reply_to_id.label("id"), literal(1).label("depth"))
        .where(posts.c.id == _POST, posts.c.reply_to_id.is_not(None))
        .cte("up", recursive=True)
    )
    child = posts.alias("child")
    up = up.union_all(
        select(child.c.reply_to_id, up.c.depth + 1)
        .join(child, child.c.id == up.c.id)
        .where(child.c.reply_to_id.is_not(None), up.c.depth < _DEEP)
    )
    return (
        select(posts.c.id, posts.c.reply_to_id, posts.c.reply_to_uri, _SEEN)
        .join(up, up.c.id == posts.c.id)
        .order_by(up.c.depth.desc())
    )


def _descendants() -> Select[Any]:
    down = select(posts.c.id, literal(1).label("depth")).where(posts.c.reply_to_id == _POST).cte("down", recursive=True)
    answer = posts.alias("answer")
    down = down.union_all(
        select(answer.c.id, down.c.depth + 1)
        .join(answer, answer.c.reply_to_id == down.c.id)
        .where(down.c.depth < _DEEP)
    )
    return (
        select(posts.c.id, posts.c.reply_to_id, posts.c.author_id, _SEEN)
        .join(down, down.c.id == posts.c.id)
        .limit(bindparam("most"))
    )


_ANCESTORS, _DESCENDANTS = Prepared(_ancestors()), Prepared(_descendants())


class _Above(NamedTuple):
    id: int
    reply_to_id: int | None
    reply_to_uri: str | None
    seen: bool


class _Below(NamedTuple):
    id: int
    reply_to_id: int
    author_id: int
    seen: bool


def thread(tx: Connection, post_id: int, viewer_id: int | None) -> Thread:
    """The thread around a post.  Raises: NotFound, when the viewer may not see the post."""
    return around(tx, find.visible(tx, post_id, viewer_id), viewer_id)


def around(tx: Connection, post: Post, viewer_id: int | None) -> Thread:
    """The thread around a post that the viewer may see, in two queries at most."""
    limits = ANYBODY if viewer_id is None else MEMBERS
    asked = {"post": post.id, "viewer": viewer_id}
    above = many(tx, _ANCESTORS, _Above, **asked, deep=limits.ancestors) if post.reply_to_id is not None else []
    below = many(tx, _DESCENDANTS, _Below, **asked, deep=limits.depth, most=_LOOKED_AT * limits.descendants)
    top = above[0] if above else post
    return Thread(
        tuple(row.id for row in above if row.seen),
        tuple(_in_order(below, post.id, post.author_id))[: limits.descendants],
        (top.reply_to_uri,) if top.reply_to_id is None and top.reply_to_uri is not None else (),
    )


def _in_order(rows: Sequence[_Below], root_id: int, root_author_id: int) -> Iterator[int]:
    """The tree of `rows` in depth, of each post's answers its author's own first, then the oldest."""
    answers: dict[int, list[_Below]] = defaultdict(list)
    authors = {root_id: root_author_id, **{row.id: row.author_id for row in rows}}
    for row in rows:
        answers[row.reply_to_id].append(row)
    for parent, found in answers.items():
        found.sort(key=lambda row: (row.author_id == authors.get(parent), -row.id))  # the last is taken first
    waiting = answers.pop(root_id, [])
    while waiting:
        row = waiting.pop()
        if row.seen:
            yield row.id
        waiting += answers.pop(row.id, ())
