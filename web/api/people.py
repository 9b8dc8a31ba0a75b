"""What routes about accounts have in common: the account that is meant, what is done to it, lists of accounts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, bindparam, select

from social import accounts, follows
from social.errors import NotFound
from social.known import Known, known
from social.pages import Page
from store.prepared import Prepared
from store.tables import INSTANCE_ACTOR_ID, Account, users
from store.tables import accounts as accounts_table
from store.tables.base import Id
from web.api.answers import answer, id_of, path_id
from web.api.entities import account as entity
from web.api.entities.account import relationship
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.paging import links, page_of


async def account_of(request: web.Request) -> Account:
    """The account of the path.  Raises: NotFound."""
    return (await known_of(request)).account


async def known_of(request: web.Request, reader: Account | None = None) -> Known:
    """The same, with what its row does not say.  Raises: NotFound."""
    return await request.app[DATABASE].read(_one, path_id(request), id_of(reader))


def _one(tx: Connection, account_id: int, reader_id: int | None) -> Known:
    return shown(tx, accounts.by_ids(tx, [account_id]).get(account_id), reader_id)


def shown(tx: Connection, found: Account | None, reader_id: int | None = None) -> Known:
    """Not those who are deleted, or wait for a moderator or a letter; nor the server's own actor, who is nobody to
    look at.  Raises: NotFound."""
    if found is None or found.deleted_at is not None or found.id == INSTANCE_ACTOR_ID:
        raise NotFound("Record not found")
    (it,) = known(tx, [found], reader_id)
    if it.waits:
        raise NotFound("Record not found")
    return it


_SHOWN = Prepared(
    select(accounts_table.c.deleted_at, users.c.account_id, users.c.confirmed_at, users.c.approved_at)
    .select_from(accounts_table.outerjoin(users, users.c.account_id == accounts_table.c.id))
    .where(accounts_table.c.id == bindparam("id", type_=Id))
)


def is_shown(tx: Connection, account_id: int) -> None:
    """The rule of `shown`, where the account itself is not wanted.  Raises: NotFound."""
    for deleted_at, login, confirmed_at, approved_at in _SHOWN.rows(tx, id=account_id):
        waits = login is not None and (confirmed_at is None or approved_at is None)
        if deleted_at is None and account_id != INSTANCE_ACTOR_ID and not waits:
            return
    raise NotFound("Record not found")


async def act(request: web.Request, caller: Caller, unit: Callable[..., Any], *more: Any) -> web.Response:
    """What `unit(tx, own_id, other_id, now, …)` does, and what both are to each other after it."""
    it, db = await account_of(request), request.app[DATABASE]
    await db.write(unit, caller.account.id, it.id, datetime.now(UTC), *more)
    known = await db.read(follows.relationship, caller.account.id, [it.id])
    return answer(relationship(known[it.id]))


async def people(
    request: web.Request,
    unit: Callable[..., list[follows.Listed]],
    it: Account,
    reader: Account | None,
    *,
    hideable: bool = False,
) -> web.Response:
    """A list of `it`, cut by ids that only the Link header tells.  hideable: he may keep it for himself."""
    if hideable and it.hide_collections and it.id != id_of(reader):
        return answer([])
    page = page_of(request, usual=40, most=80)
    found = await request.app[DATABASE].read(_listed, unit, it, page, id_of(reader))
    entities = [entity.known(one, request.app[ORIGIN]) for _, one in found]
    return answer(entities, links(request, [number for number, _ in found], page))


def _listed(
    tx: Connection, unit: Callable[..., list[follows.Listed]], it: Account, page: Page, reader_id: int | None
) -> list[tuple[int, Known]]:
    """Nothing of who is suspended, and nothing for those whom he blocks."""
    if it.is_gone or (reader_id is not None and follows.relationship(tx, reader_id, [it.id])[it.id].blocked_by):
        return []
    listed = unit(tx, it.id, page)
    return list(zip([one.id for one in listed], known(tx, [one.account for one in listed], reader_id), strict=True))
