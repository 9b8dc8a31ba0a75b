"""Finding posts.  `visible` is for whatever a person asks for; the others do not know who is asking."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from social.errors import NotFound
from social.paging import parted
from social.visibility import visible as visible_clause
from store.ids import LARGEST
from store.prepared import Prepared
from store.rows import many, one
from store.tables import Post, posts
from store.tables.base import Id

_WITH_ID = select(posts).where(posts.c.id == bindparam("asked", type_=Id))
_BY_ID = Prepared(_WITH_ID)
_BY_URI = select(posts).where(posts.c.uri == bindparam("uri"))
_BY_URIS = select(posts).where(posts.c.uri.in_(bindparam("uris", expanding=True)))
_VISIBLE = Prepared(_WITH_ID.where(visible_clause()))
# Who changes it need not keep away rows that only name the post (likes, answers); who deletes it has to, at once: if he
# did so later, he would wait for one who waits for him.
_HOLD_ID, _HOLD_URI = ({goes: what.with_for_update(key_share=not goes) for goes in (False, True)}
                       for what in (_WITH_ID, _BY_URI))  # fmt: skip


def by_id(tx: Connection, post_id: int) -> Post:
    """Raises: NotFound."""
    post = one(tx, _BY_ID, Post, asked=post_id) if 0 < post_id <= LARGEST else None
    if post is None:
        raise NotFound("No such post", why=str(post_id))
    return post


def by_uri(tx: Connection, uri: str) -> Post:
    """Raises: NotFound."""
    if post := find_by_uri(tx, uri):
        return post
    raise NotFound("No such post", why=uri)


def find_by_uri(tx: Connection, uri: str) -> Post | None:
    return one(tx, _BY_URI, Post, uri=uri)


def hold(tx: Connection, uri: str, *, goes: bool = False) -> Post | None:
    """`find_by_uri` for who will change it, or delete it (`goes`): nobody else does, until the unit ends."""
    return one(tx, _HOLD_URI[goes], Post, uri=uri)


def by_uris(tx: Connection, uris: Sequence[str]) -> dict[str, Post]:
    """Those of `uris` that are here."""
    return {post.uri: post for part in parted(uris) for post in many(tx, _BY_URIS, Post, uris=part)}


def visible(tx: Connection, post_id: int, viewer_id: int | None) -> Post:
    """Raises: NotFound, also when it is there but not for the viewer."""
    post = one(tx, _VISIBLE, Post, asked=post_id, viewer=viewer_id) if 0 < post_id <= LARGEST else None
    if post is None:
        raise NotFound("No such post", why=f"{post_id} for {viewer_id}")
    return post


def original(tx: Connection, post_id: int, viewer_id: int | None) -> Post:
    """The same, and for a boost what it boosts: that is what people like, boost and answer.  Raises: NotFound."""
    post = visible(tx, post_id, viewer_id)
    return post if post.boost_of_id is None else visible(tx, post.boost_of_id, viewer_id)


def own(tx: Connection, post_id: int, author_id: int) -> Post:
    """Raises: NotFound, when it is not by `author_id`, or a boost."""
    return _own(by_id(tx, post_id), author_id)


def hold_own(tx: Connection, post_id: int, author_id: int, *, goes: bool = False) -> Post:
    """`own` for who will change it, as `hold`."""
    return _own(one(tx, _HOLD_ID[goes], Post, asked=post_id) if 0 < post_id <= LARGEST else None, author_id)


def _own(post: Post | None, author_id: int) -> Post:
    if post is None or post.author_id != author_id or post.boost_of_id is not None:
        raise NotFound("No such post", why=f"there is none of {author_id}'s")
    return post
