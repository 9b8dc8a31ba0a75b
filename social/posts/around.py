"""What hangs on a post: its direct comments, and how many like and boost it.  For collections of ActivityPub."""

from sqlalchemy import Connection, bindparam, select

from social.pages import Page
from social.paging import Paged
from social.visibility import visible
from store.tables import posts
from store.tables.base import Id

_REPLIES = Paged(select(posts.c.id).where(posts.c.reply_to_id == bindparam("post", type_=Id), visible()), posts.c.id)
_URIS = select(posts.c.id, posts.c.uri).where(posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))


def replies(tx: Connection, post_id: int, viewer_id: int | None, page: Page) -> list[tuple[int, str]]:
    """(id, uri) of direct comments that the viewer may see, newest first."""
    ids = _REPLIES(tx, page, post=post_id, viewer=viewer_id)
    found: dict[int, str] = {row[0]: row[1] for row in tx.execute(_URIS, {"ids": ids})} if ids else {}
    return [(i, found[i]) for i in ids if i in found]
