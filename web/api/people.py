"""What routes about accounts have in common: the account that is meant, what is done to it, lists of accounts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from social import accounts, follows
from social.errors import NotFound
from social.pages import Page
from store.tables import INSTANCE_ACTOR_ID, Account
from web.api.answers import answer, id_of, path_id
from web.api.entities.account import account, relationship
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.paging import links, page_of


async def account_of(request: web.Request) -> Account:
    """The account of the path.  Raises: NotFound."""
    return shown(await request.app[DATABASE].read(accounts.by_id, path_id(request)))


def shown(found: Account | None) -> Account:
    """Not those who are deleted; nor the server's own actor, who is nobody to look at.  Raises: NotFound."""
    if found is None or found.deleted_at is not None or found.id == INSTANCE_ACTOR_ID:
        raise NotFound("Record not found")
    return found


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
    entities = [account(one.account, request.app[ORIGIN]) for one in found]
    return answer(entities, links(request, [one.id for one in found], page))


def _listed(
    tx: Connection, unit: Callable[..., list[follows.Listed]], it: Account, page: Page, reader_id: int | None
) -> list[follows.Listed]:
    """Nothing of who is suspended, and nothing for those whom he blocks."""
    if it.is_gone or (reader_id is not None and follows.relationship(tx, reader_id, [it.id])[it.id].blocked_by):
        return []
    return unit(tx, it.id, page)
