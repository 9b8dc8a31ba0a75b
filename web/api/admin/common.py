"""What all of these routes have in common: who acts, and how it is answered."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from social.errors import NotFound
from social.moderation import people
from social.moderation.people import PersonView
from social.moderation.sanctions import Staff
from web.auth import Caller
from web.keys import DATABASE


def staff(caller: Caller) -> Staff:
    return Staff(caller.account, caller.user.role)


async def do(request: web.Request, caller: Caller, unit: Any, *args: Any) -> Any:
    """`unit(tx, staff, …, now)`."""
    given = (staff(caller), *args, datetime.now(UTC))
    return await request.app[DATABASE].write(unit, *given)


def person(tx: Connection, account_id: int) -> PersonView:
    """Raises: NotFound."""
    found = people.several(tx, [account_id])
    if not found:
        raise NotFound("Record not found")
    return found[0]


def verb(request: web.Request) -> str:
    """What is to be done: the last word of the path, where several have one route."""
    return request.path.rstrip("/").rpartition("/")[2]
