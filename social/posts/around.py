"""What hangs on a post: its direct comments, and who likes and boosts it."""

from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, exists, func, or_, select

from social import accounts
from social.pages import Page
from social.paging import Paged
from social.posts import find
from social.visibility import VIEWER, visible
from store.tables import Account, blocks, likes, posts
from store.tables import accounts as accounts_table
from store.tables.base import Id

_REPLIES = Paged(select(posts.c.id).where(posts.c.reply_to_id == bindparam("post", type_=Id), visible()), posts.c.id)
_URIS = select(posts.c.id, posts.c.uri).where(posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)))


def replies(tx: Connection, post_id: int, viewer_id: int | None, page: Page) -> list[tuple[int, str]]:
    """(id, uri) of direct comments that the viewer may see, newest first."""
    ids = _REPLIES(tx, page, post=post_id, viewer=viewer_id)
    found: dict[int, str] = {row[0]: row[1] for row in tx.execute(_URIS, {"ids": ids})} if ids else {}
    return [(i, found[i]) for i in ids if i in found]


_THREAD = Paged(
    select(posts.c.id).where(
        posts.c.thread_id == bindparam("thread", type_=Id), posts.c.boost_of_id.is_(None), visible()
    ),
    posts.c.id,
)
_IN_THREAD = select(func.count()).where(
    posts.c.thread_id == bindparam("thread", type_=Id), posts.c.boost_of_id.is_(None), visible()
)


def conversation(tx: Connection, root_id: int, viewer_id: int | None, page: Page) -> list[tuple[int, str]]:
    """(id, uri) of the posts of a thread that the viewer may see, newest first."""
    ids = _THREAD(tx, page, thread=root_id, viewer=viewer_id)
    found: dict[int, str] = {row[0]: row[1] for row in tx.execute(_URIS, {"ids": ids})} if ids else {}
    return [(i, found[i]) for i in ids if i in found]


def conversation_size(tx: Connection, root_id: int, viewer_id: int | None) -> int:
    return tx.scalar(_IN_THREAD, {"thread": root_id, "viewer": viewer_id}) or 0


_person = accounts_table.alias("person")  # the clause of visibility asks the table itself


def _by(query: Select[Any], cut_by: Any, who: Any) -> Paged:
    """Without those who are gone, and those whom the viewer blocks or who block him."""
    apart = exists().where(
        or_(
            and_(blocks.c.account_id == VIEWER, blocks.c.target_id == who),
            and_(blocks.c.account_id == who, blocks.c.target_id == VIEWER),
        )
    )
    here = _person.c.suspended_at.is_(None) & _person.c.deleted_at.is_(None)
    return Paged(query.join(_person, _person.c.id == who).where(here, ~apart), cut_by)


_POST = bindparam("post", type_=Id)
_LIKED: Final = _by(
    select(likes.c.id, likes.c.account_id).where(likes.c.post_id == _POST), likes.c.id, likes.c.account_id
)
_BOOSTED: Final = _by(
    select(posts.c.id, posts.c.author_id).where(posts.c.boost_of_id == _POST, visible()), posts.c.id, posts.c.author_id
)


def liked_by(tx: Connection, post_id: int, viewer_id: int | None, page: Page) -> list[tuple[int, Account]]:
    """Who likes a post that the viewer may see, the latest first, each with the number that the list is cut by.

    Raises: NotFound.
    """
    return _people(tx, _LIKED, post_id, viewer_id, page)


def boosted_by(tx: Connection, post_id: int, viewer_id: int | None, page: Page) -> list[tuple[int, Account]]:
    """The same of who boosts it."""
    return _people(tx, _BOOSTED, post_id, viewer_id, page)


def _people(tx: Connection, paged: Paged, post_id: int, viewer_id: int | None, page: Page) -> list[tuple[int, Account]]:
    post = find.original(tx, post_id, viewer_id)
    rows = paged.rows(tx, page, post=post.id, viewer=viewer_id)
    found = accounts.by_ids(tx, [row[1] for row in rows])
    return [(row[0], found[row[1]]) for row in rows]
