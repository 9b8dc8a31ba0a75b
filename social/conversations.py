"""Direct posts as conversations: for each of ours who may read them one per thread, with its last post.

Written when a post is stored (social/posts/storing.py), so that the list is one indexed query.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, case, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social import accounts, views
from social.errors import NotFound
from social.events import Conversed
from social.pages import Page
from social.paging import Paged, padded
from social.views import PostView
from social.visibility import silences
from store.events import announce
from store.ids import new_id
from store.rows import many, one
from store.tables import Account, Conversation, conversations, mentions, posts, users
from store.tables.base import Id

MOST: Final = 100  # participants that are remembered

_IDS = bindparam("ids", expanding=True, type_=Id)
_OWNER = bindparam("owner", type_=Id)
_THIS = (conversations.c.id == bindparam("asked", type_=Id), conversations.c.owner_id == _OWNER)
_OURS = select(users.c.account_id).where(
    users.c.account_id.in_(_IDS), ~silences(users.c.account_id, bindparam("author", type_=Id))
)
_BEFORE = select(conversations).where(
    conversations.c.thread_id == bindparam("thread", type_=Id), conversations.c.owner_id.in_(_IDS)
)
_ADD = insert(conversations)
_PUT = _ADD.on_conflict_do_update(
    index_elements=["thread_id", "owner_id"],
    set_={
        "last_post_id": case(
            (_ADD.excluded.last_post_id > conversations.c.last_post_id, _ADD.excluded.last_post_id),
            else_=conversations.c.last_post_id,
        ),
        "unread": _ADD.excluded.unread,
        "participants": _ADD.excluded.participants,
    },
).returning(conversations.c.id)
_ENDING = select(conversations).where(conversations.c.last_post_id.in_(_IDS))
_LAST_OF: Select[Any] = select(func.max(posts.c.id)).where(
    posts.c.thread_id == bindparam("thread", type_=Id),
    posts.c.visibility == "direct",
    posts.c.id.not_in(_IDS),
    or_(
        posts.c.author_id == _OWNER,
        exists().where(mentions.c.post_id == posts.c.id, mentions.c.account_id == _OWNER),
    ),
)
_POINT = update(conversations).where(*_THIS).values(last_post_id=bindparam("last", type_=Id))
_END = delete(conversations).where(*_THIS)
_MARK = update(conversations).where(*_THIS).values(unread=bindparam("is_unread"))
_FIND = select(conversations).where(*_THIS)
_THESE = select(conversations).where(conversations.c.id.in_(_IDS), conversations.c.owner_id == _OWNER)
_PAGE = Paged(
    select(conversations.c.last_post_id).where(conversations.c.owner_id == _OWNER), conversations.c.last_post_id
)
_SOME = (
    select(conversations)
    .where(conversations.c.owner_id == _OWNER, conversations.c.last_post_id.in_(_IDS))
    .order_by(conversations.c.last_post_id.desc())
)


@dataclass(frozen=True, slots=True)
class Said:
    """A new direct post; `people` are those whom it addresses."""

    post_id: int
    author_id: int
    thread_id: int
    people: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConversationView:
    """`last` is None when its owner may no longer see that post."""

    conversation: Conversation
    accounts: tuple[Account, ...]
    last: PostView | None


def add(tx: Connection, new: Iterable[Said]) -> None:
    """To the conversations of all of ours who wrote or got them."""
    for said in new:
        everybody = list(dict.fromkeys([said.author_id, *said.people]))[:MOST]
        owners = list(tx.scalars(_OURS, {"ids": padded(everybody), "author": said.author_id}))
        if not owners:
            continue
        before = many(tx, _BEFORE, Conversation, thread=said.thread_id, ids=padded(owners))
        knew = {it.owner_id: it.participants for it in before}
        for owner in owners:
            others = [one for one in dict.fromkeys([*everybody, *knew.get(owner, ())]) if one != owner]
            row = Conversation(new_id(), owner, said.thread_id, said.post_id, owner != said.author_id, others[:MOST])
            number = tx.execute(_PUT, _values(row)).scalar_one()
            announce(tx, Conversed(owner, number))


def without(tx: Connection, ids: Sequence[int]) -> None:
    """The posts `ids` are about to go: what ended with one of them ends with the one before."""
    for it in many(tx, _ENDING, Conversation, ids=ids):
        last = tx.scalar(_LAST_OF, {"thread": it.thread_id, "owner": it.owner_id, "ids": ids})
        this = {"asked": it.id, "owner": it.owner_id}
        if last is None:
            tx.execute(_END, this)
        else:
            tx.execute(_POINT, {**this, "last": last})
            announce(tx, Conversed(it.owner_id, it.id))


def page(tx: Connection, owner_id: int, page: Page) -> list[ConversationView]:
    """A page of his conversations, by their last posts, the newest first."""
    last = _PAGE(tx, page, owner=owner_id)
    if not last:
        return []
    return _views(tx, owner_id, many(tx, _SOME, Conversation, owner=owner_id, ids=padded(last)))


def get(tx: Connection, owner_id: int, conversation_id: int) -> ConversationView:
    """Raises: NotFound."""
    found = one(tx, _FIND, Conversation, asked=conversation_id, owner=owner_id)
    if found is None:
        raise NotFound("Record not found")
    return _views(tx, owner_id, [found])[0]


def some(tx: Connection, owner_id: int, ids: Sequence[int]) -> list[ConversationView]:
    """Those of `ids` that are his and still there."""
    return _views(tx, owner_id, many(tx, _THESE, Conversation, owner=owner_id, ids=padded(ids)))


def mark(tx: Connection, owner_id: int, conversation_id: int, *, unread: bool) -> ConversationView:
    """Raises: NotFound."""
    tx.execute(_MARK, {"asked": conversation_id, "owner": owner_id, "is_unread": unread})
    return get(tx, owner_id, conversation_id)


def end(tx: Connection, owner_id: int, conversation_id: int) -> None:
    """Out of his list, until somebody says more.  Raises: NotFound."""
    if not tx.execute(_END, {"asked": conversation_id, "owner": owner_id}).rowcount:
        raise NotFound("Record not found")


def _views(tx: Connection, owner_id: int, found: Sequence[Conversation]) -> list[ConversationView]:
    """Who speaks only to himself is the only one in it."""
    people = accounts.by_ids(tx, {owner_id, *(number for it in found for number in it.participants)})
    shown = {it.parts.post.id: it for it in views.posts(tx, [it.last_post_id for it in found], owner_id)}
    return [
        ConversationView(
            it,
            tuple(people[number] for number in it.participants if number in people) or (people[owner_id],),
            shown.get(it.last_post_id),
        )
        for it in found
    ]


def _values(row: Conversation) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in conversations.c}
