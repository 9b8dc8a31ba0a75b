"""What pages for staff have in common: who may, and who did it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from aiohttp import web

from social.errors import NotAllowed
from social.moderation.sanctions import Staff
from social.sessions import SignedIn
from social.users import ROLES
from web.keys import DATABASE, ORIGIN
from web.pages import frame
from web.params import Params

T = TypeVar("T")

_FOR: Final = {
    "moderator": "This page is for moderators",
    "admin": "This page is for those who run the server",
}


def staff(signed: SignedIn, least: str = "moderator") -> Staff:
    """Who is at least that.  Raises: NotAllowed."""
    if ROLES.index(signed.user.role) > ROLES.index(least):
        raise NotAllowed(_FOR[least], why=f"a {signed.user.role}")
    return Staff(signed.account, signed.user.role)


async def looks(request: web.Request, least: str = "moderator") -> Staff:
    """Who opens a page.  Raises: NotAllowed."""
    return staff(await frame.member(request), least)


async def acts(request: web.Request, least: str = "moderator") -> tuple[Staff, Params]:
    """Who sends a form, and what is in it.  Raises: NotAllowed."""
    signed, given = await frame.posted(request)
    return staff(signed, least), given


async def do(request: web.Request, by: Staff, unit: Callable[..., T], *args: Any) -> T:
    """`unit(tx, by, …, now)`, which writes down who did it."""
    return await request.app[DATABASE].write(unit, by, *args, datetime.now(UTC))


def ours(request: web.Request) -> tuple[str, str]:
    """What is never limited."""
    origin = request.app[ORIGIN]
    return origin.host, origin.domain
