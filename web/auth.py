"""Who asks: the bearer token of a program, or the session cookie of a browser.

The API never looks at cookies, pages never at tokens, so that neither can be used to forge the other.

Every route of the API says for whom it is, and for which scope: `person`, `anybody`, `program` or `public`.  One that
says nothing keeps the server from starting (web/api/routes.py).
"""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Final, TypeAlias

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from social import apps, sessions, users
from social.apps import Bearer
from social.errors import Invalid, NotAllowed, Unauthorised
from social.secrets import sha256
from social.sessions import SignedIn
from store.tables import Account, App, Token, User
from web import client_address, scopes
from web.errors import Handler
from web.keys import DATABASE, ORIGIN

SEEN_EVERY: Final = timedelta(days=1)  # who uses a program is counted as active, to the day
_INVALID = "The access token is invalid"
_SCOPE = "This action is outside the authorized scopes"
SESSION = web.RequestKey[SignedIn | None]("SESSION")


@dataclass(frozen=True, slots=True)
class Caller:
    """A person who speaks through a program."""

    account: Account
    user: User
    app: App
    token: Token


ForPerson: TypeAlias = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]
ForAnybody: TypeAlias = Callable[[web.Request, Account | None], Awaitable[web.StreamResponse]]
ForProgram: TypeAlias = Callable[[web.Request, Bearer], Awaitable[web.StreamResponse]]

# Which scopes a route of the API wants, as docs/api-coverage.md says it.
DECLARED: dict[Handler, str] = {}


def person(*wanted: str) -> Callable[[ForPerson], Handler]:
    """For a person, through a program that may do one of `wanted` (`write:statuses`)."""

    def declare(handler: ForPerson) -> Handler:
        @wraps(handler)
        async def asked(request: web.Request) -> web.StreamResponse:
            return await handler(request, await _caller(request, wanted))

        DECLARED[asked] = " or ".join(wanted)
        return asked

    return declare


def anybody(*wanted: str) -> Callable[[ForAnybody], Handler]:
    """For nobody in particular (None), too.  Whoever comes with a token comes with one of `wanted`."""

    def declare(handler: ForAnybody) -> Handler:
        @wraps(handler)
        async def asked(request: web.Request) -> web.StreamResponse:
            found = await bearer(request)
            if found is not None:
                check_scopes(found, wanted)
            return await handler(request, found.account if found else None)

        DECLARED[asked] = "anybody, " + " or ".join(wanted)
        return asked

    return declare


def staff(*wanted: str, least: str = "moderator") -> Callable[[ForPerson], Handler]:
    """For a moderator, or who is mightier, through a program that may do one of `wanted` (`admin:read:accounts`)."""
    roles = users.ROLES[: users.ROLES.index(least) + 1]

    def declare(handler: ForPerson) -> Handler:
        @wraps(handler)
        async def asked(request: web.Request) -> web.StreamResponse:
            caller = await _caller(request, wanted)
            if caller.user.role not in roles:
                raise NotAllowed("This action is not allowed", why=f"by a {caller.user.role}")
            return await handler(request, caller)

        DECLARED[asked] = f"{least}, " + " or ".join(wanted)
        return asked

    return declare


def newcomer(*wanted: str) -> Callable[[ForPerson], Handler]:
    """As `person`, also for one whose address is not confirmed, or who waits for a moderator."""

    def declare(handler: ForPerson) -> Handler:
        @wraps(handler)
        async def asked(request: web.Request) -> web.StreamResponse:
            return await handler(request, await _caller(request, wanted, waiting=True))

        DECLARED[asked] = " or ".join(wanted)
        return asked

    return declare


def program(handler: ForProgram) -> Handler:
    """For any program with a token, in a person's name or its own."""

    @wraps(handler)
    async def asked(request: web.Request) -> web.StreamResponse:
        found = await bearer(request)
        if found is None:
            raise Unauthorised(_INVALID)
        return await handler(request, found)

    DECLARED[asked] = "any token"
    return asked


def public(handler: Handler) -> Handler:
    """For whoever asks; a token is not looked at."""
    DECLARED[handler] = "public"
    return handler


async def bearer(request: web.Request, *, waiting: bool = False) -> Bearer | None:
    """The token of the request.  None: there is none.  Raises: Unauthorised when it is wrong or revoked, NotAllowed.

    waiting: also of one who may not come in yet.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    kind, _, value = header.partition(" ")
    return await known(request, value.strip() if kind.lower() == "bearer" else "", waiting=waiting)


async def known(request: web.Request, token: str, *, waiting: bool = False) -> Bearer:
    """Whose token that is.  Raises: Unauthorised when it is wrong or revoked, NotAllowed."""
    found = await request.app[DATABASE].read(apps.token, sha256(token)) if token else None
    if found is None:
        raise Unauthorised(_INVALID)
    if waiting:
        return found
    if found.user is not None and found.user.confirmed_at is None:
        raise NotAllowed("Your login is missing a confirmed e-mail address")
    if found.user is not None and found.user.approved_at is None:
        raise NotAllowed("Your login is currently pending approval")
    return found


async def _caller(request: web.Request, wanted: tuple[str, ...], *, waiting: bool = False) -> Caller:
    """Raises: Unauthorised without a valid token, NotAllowed outside its scopes, Invalid for one of no person."""
    found = await bearer(request, waiting=waiting)
    if found is None:
        raise Unauthorised(_INVALID)
    check_scopes(found, wanted)
    if found.account is None or found.user is None:
        raise Invalid("This method requires an authenticated user", why="a token of a program alone")
    now = datetime.now(UTC)
    if not all(when and now - when < SEEN_EVERY for when in (found.token.last_used_at, found.user.seen_at)):
        with suppress(SQLAlchemyError, sqlite3.Error, OSError):  # nobody is refused for want of a statistic
            await request.app[DATABASE].write(apps.used, found.token, now, client_address.kept(request))
    return Caller(found.account, found.user, found.app, found.token)


def check_scopes(found: Bearer, wanted: tuple[str, ...]) -> None:
    """Raises: NotAllowed."""
    if not any(scopes.allows(found.token.scopes, scope) for scope in wanted):
        raise NotAllowed(_SCOPE)


def cookie_name(request: web.Request) -> str:
    """`__Host-` binds the cookie to this very host, and needs https."""
    return "__Host-session" if request.app[ORIGIN].scheme == "https" else "session"


async def session(request: web.Request) -> SignedIn | None:
    """The session of the browser, read once per request."""
    if SESSION not in request:
        cookie = request.cookies.get(cookie_name(request))
        request[SESSION] = await request.app[DATABASE].read(sessions.session, sha256(cookie)) if cookie else None
    return request[SESSION]


def remember(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    """Gives the browser its session."""
    secure = request.app[ORIGIN].scheme == "https"
    response.set_cookie(
        cookie_name(request), secret, max_age=30 * 86400, httponly=True, samesite="Lax", secure=secure, path="/"
    )


def forget(request: web.Request, response: web.StreamResponse) -> None:
    secure = request.app[ORIGIN].scheme == "https"
    response.del_cookie(cookie_name(request), path="/", secure=secure, httponly=True, samesite="Lax")
