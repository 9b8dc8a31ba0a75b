"""Where a file takes the place of what is here: what is not in it ends, some at a time, before its rows are done.

What came after the file stays.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, exists, select, update

from social import blocks, domains, follows, lists, marks, mutes
from social.imports.reading import NAME
from store import tables
from store.tables import Import, accounts, import_rows, imports, posts
from store.tables.base import Id

AT_ONCE: Final = 20

_OF, _IMPORT = bindparam("of", type_=Id), bindparam("import", type_=Id)
_CLEARED = update(imports).where(imports.c.id == _IMPORT).values(cleared=True)


def _unnamed(key: ColumnElement[str]) -> ColumnElement[bool]:
    return ~exists().where(import_rows.c.import_id == _IMPORT, import_rows.c.key == key)


def _people(table: Table, owner: ColumnElement[int], *more: ColumnElement[bool]) -> Select[Any]:
    return (
        select(table.c.target_id)
        .join(accounts, accounts.c.id == table.c.target_id)
        .where(owner == _OF, table.c.id < _IMPORT, _unnamed(accounts.c.handle), *more)
        .where(accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None))
        .limit(AT_ONCE)
    )


_LEFT: Final[dict[str, Select[Any]]] = {
    "follows": _people(tables.follows, tables.follows.c.follower_id, tables.follows.c.accepted),
    "mutes": _people(tables.mutes, tables.mutes.c.account_id, tables.mutes.c.expires_at.is_(None)),
    "blocks": _people(tables.blocks, tables.blocks.c.account_id),
    "domain_blocks": select(tables.domain_blocks.c.domain)
    .where(tables.domain_blocks.c.account_id == _OF, tables.domain_blocks.c.id < _IMPORT)
    .where(_unnamed(tables.domain_blocks.c.domain))
    .limit(AT_ONCE),
    "bookmarks": select(posts.c.id)
    .join(tables.bookmarks, tables.bookmarks.c.post_id == posts.c.id)
    .where(tables.bookmarks.c.account_id == _OF, tables.bookmarks.c.id < _IMPORT, _unnamed(posts.c.uri))
    .limit(AT_ONCE),
}
_END: Final[dict[str, Callable[[Connection, int, Any, datetime], object]]] = {
    "follows": follows.unfollow,
    "mutes": mutes.unmute,
    "blocks": blocks.unblock,
    "domain_blocks": lambda tx, owner_id, domain, _: domains.unblock(tx, owner_id, domain),
    "bookmarks": marks.unbookmark,
}
_TITLE: Any = bindparam("title")
_STRANGERS = (
    select(tables.list_members.c.account_id)
    .join(accounts, accounts.c.id == tables.list_members.c.account_id)
    .where(tables.list_members.c.list_id == bindparam("list", type_=Id), tables.list_members.c.id < _IMPORT)
    .where(_unnamed(accounts.c.handle + " " + _TITLE))
    .limit(AT_ONCE)
)
_SAID = select(import_rows.c.said).where(import_rows.c.import_id == _IMPORT)


def clear(tx: Connection, it: Import, now: datetime) -> bool:
    """Some; is there more?"""
    if it.kind == "lists":
        more = _clear_lists(tx, it)
    else:
        found = tx.scalars(_LEFT[it.kind], {"of": it.account_id, "import": it.id}).all()
        for other in found:
            _END[it.kind](tx, it.account_id, other, now)
        more = len(found) == AT_ONCE
    if not more:
        tx.execute(_CLEARED, {"import": it.id})
    return more


def _clear_lists(tx: Connection, it: Import) -> bool:
    """Lists that the file does not name go; of the others, those who are not in it."""
    named = {said.get(NAME, "") for said in tx.scalars(_SAID, {"import": it.id})}
    for mine in lists.all_of(tx, it.account_id):
        if mine.id > it.id:
            continue
        if mine.title not in named:
            lists.remove(tx, it.account_id, mine.id)
            return True
        found = tx.scalars(_STRANGERS, {"import": it.id, "list": mine.id, "title": mine.title}).all()
        lists.remove_members(tx, it.account_id, mine.id, found)
        if found:
            return True
    return False
