"""Who asks: the bearer token of a program, or the session cookie of a browser.

The API never looks at cookies, pages never at tokens, so that neither can be used to forge the other.

Every route of the API says for whom it is, and for which scope: `person`, `anybody`, `program` or `public`.  One that
says nothing keeps the server from starting (web/api/routes.py).
"""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

from aiohttp import web
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from social import apps, sessions, users
from social.apps import Bearer
from social.errors import Invalid, NotAllowed, NotFound, Unauthorised
from social.secrets import sha256
from social.sessions import SignedIn
from store.tables import Account, App, Token, User
from web import client_address, scopes
from web.errors import Handler
from web.keys import DATABASE, ORIGIN

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")

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
ForReader: TypeAlias = Callable[[web.Request, "Reader"], Awaitable[web.StreamResponse]]
ForWriter: TypeAlias = Callable[[web.Request, "Writer"], Awaitable[web.StreamResponse]]
ForAnyReader: TypeAlias = Callable[[web.Request, "AnyReader"], Awaitable[web.StreamResponse]]

_MET: Final[set[bytes]] = set()  # hashes of tokens that were good, since the start
_MOST_MET: Final = 10_000

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
            return await handler(request, await _maybe(request, wanted))

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


def reader(*wanted: str) -> Callable[[ForReader], Handler]:
    """As `person`, for a route that reads but once: who asks is found out in the unit that reads."""
    return _within(Reader, wanted)


def writer(*wanted: str) -> Callable[[ForWriter], Handler]:
    """As `person`, for a route that writes but once: who asks is found out in the unit that writes.

    Whoever was not met yet is looked at first: nothing that a stranger sends is read, nor does he ever stand in the way
    of those who write.
    """

    def declare(handler: ForWriter) -> Handler:
        @wraps(handler)
        async def met(request: web.Request, writer: Writer) -> web.StreamResponse:
            await writer.meet()
            return await handler(request, writer)

        return _within(Writer, wanted)(met)

    return declare


def _within(
    kind: Callable[[web.Request, str, tuple[str, ...]], A], wanted: tuple[str, ...]
) -> Callable[[Callable[[web.Request, A], Awaitable[web.StreamResponse]]], Handler]:
    def declare(handler: Callable[[web.Request, A], Awaitable[web.StreamResponse]]) -> Handler:
        @wraps(handler)
        async def asked(request: web.Request) -> web.StreamResponse:
            token = sent(request)
            if not token:
                raise Unauthorised(_INVALID)
            try:
                return await handler(request, kind(request, token, wanted))
            except (Invalid, NotFound):  # of what is asked wrongly nobody hears whose token is none
                await _caller(request, wanted)
                raise

        DECLARED[asked] = " or ".join(wanted)
        return asked

    return declare


def any_reader(*wanted: str) -> Callable[[ForAnyReader], Handler]:
    """As `anybody`, for a route that reads but once."""

    def declare(handler: ForAnyReader) -> Handler:
        @wraps(handler)
        async def asked(request: web.Request) -> web.StreamResponse:
            token = sent(request)
            if token == "":
                raise Unauthorised(_INVALID)
            try:
                return await handler(request, AnyReader(request, token, wanted))
            except (Invalid, NotFound):
                await _maybe(request, wanted)
                raise

        DECLARED[asked] = "anybody, " + " or ".join(wanted)
        return asked

    return declare


@dataclass(frozen=True, slots=True)
class Reader:
    """A person who asks for one thing."""

    request: web.Request
    token: str
    wanted: tuple[str, ...]

    async def read(
        self, unit: Callable[Concatenate[Connection, int, P], T], *args: P.args, **more: P.kwargs
    ) -> tuple[Account, T]:
        """Who it is, and what `unit(tx, his_id, …)` finds.  Raises: what `person` raises, before `unit` is asked."""
        caller, found = await self.request.app[DATABASE].read(
            _for_person, sha256(self.token), self.wanted, unit, args, more
        )
        await _seen(self.request, caller)
        return caller.account, found


@dataclass(frozen=True, slots=True)
class Writer:
    """A person who does one thing."""

    request: web.Request
    token: str
    wanted: tuple[str, ...]

    async def caller(self) -> Caller:
        """Who it is, where that has to be known before.  Raises: what `person` raises."""
        return await _caller(self.request, self.wanted)

    async def meet(self) -> None:
        """Looks who it is, if that was never done.  Raises: what `person` raises."""
        hashed = sha256(self.token)
        if hashed not in _MET:
            await self.caller()
            if len(_MET) >= _MOST_MET:
                _MET.clear()
            _MET.add(hashed)

    async def write(
        self, unit: Callable[Concatenate[Connection, Caller, P], T], *args: P.args, **more: P.kwargs
    ) -> tuple[Caller, T]:
        """Who it is, and what `unit(tx, caller, …)` returns.  Raises: what `person` raises, before `unit` is asked."""
        db, hashed = self.request.app[DATABASE], sha256(self.token)
        caller, done = await db.write(_as_person, hashed, self.wanted, unit, args, more)
        await _seen(self.request, caller)
        return caller, done


@dataclass(frozen=True, slots=True)
class AnyReader:
    """Anybody who asks for one thing.  token: None, when he does not say who he is."""

    request: web.Request
    token: str | None
    wanted: tuple[str, ...]

    async def read(
        self, unit: Callable[Concatenate[Connection, int | None, P], T], *args: P.args, **more: P.kwargs
    ) -> tuple[Account | None, T]:
        """Who it is, and what `unit(tx, his_id, …)` finds.  Raises: what `anybody` raises, before `unit` is asked."""
        hashed = None if self.token is None else sha256(self.token)
        return await self.request.app[DATABASE].read(_for_anybody, hashed, self.wanted, unit, args, more)


def _for_person(
    tx: Connection, token: bytes, wanted: tuple[str, ...], unit: Callable[..., T], args: Any, more: Any
) -> tuple[Caller, T]:
    caller = _person(_let_in(apps.token(tx, token)), wanted)
    return caller, unit(tx, caller.account.id, *args, **more)


def _as_person(
    tx: Connection, token: bytes, wanted: tuple[str, ...], unit: Callable[..., T], args: Any, more: Any
) -> tuple[Caller, T]:
    caller = _person(_let_in(apps.token(tx, token)), wanted)
    return caller, unit(tx, caller, *args, **more)


def _for_anybody(
    tx: Connection, token: bytes | None, wanted: tuple[str, ...], unit: Callable[..., T], args: Any, more: Any
) -> tuple[Account | None, T]:
    if token is None:
        return None, unit(tx, None, *args, **more)
    found = _let_in(apps.token(tx, token))
    check_scopes(found, wanted)
    return found.account, unit(tx, found.account.id if found.account else None, *args, **more)


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
    token = sent(request)
    return None if token is None else await known(request, token, waiting=waiting)


def sent(request: web.Request) -> str | None:
    """The token as it was sent; empty for what is none.  None: nothing was sent."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    kind, _, value = header.partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


async def known(request: web.Request, token: str, *, waiting: bool = False) -> Bearer:
    """Whose token that is.  Raises: Unauthorised when it is wrong or revoked, NotAllowed."""
    found = await request.app[DATABASE].read(apps.token, sha256(token)) if token else None
    return _let_in(found, waiting=waiting)


def _let_in(found: Bearer | None, *, waiting: bool = False) -> Bearer:
    """Raises: Unauthorised for nobody, NotAllowed for one who may not come in yet, unless `waiting`."""
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
    caller = _person(found, wanted)
    await _seen(request, caller)
    return caller


async def _maybe(request: web.Request, wanted: tuple[str, ...]) -> Account | None:
    """Raises: Unauthorised for a token that is none, NotAllowed outside its scopes."""
    found = await bearer(request)
    if found is None:
        return None
    check_scopes(found, wanted)
    return found.account


def _person(found: Bearer, wanted: tuple[str, ...]) -> Caller:
    """Raises: NotAllowed outside its scopes, Invalid for one of no person."""
    check_scopes(found, wanted)
    if found.account is None or found.user is None:
        raise Invalid("This method requires an authenticated user", why="a token of a program alone")
    return Caller(found.account, found.user, found.app, found.token)


async def _seen(request: web.Request, caller: Caller) -> None:
    """Notes, once on each day, that he was here."""
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if not all(when and when >= today for when in (caller.token.last_used_at, caller.user.seen_at)):
        with suppress(SQLAlchemyError, sqlite3.Error, OSError):  # nobody is refused for want of a statistic
            await request.app[DATABASE].write(apps.used, caller.token, now, client_address.kept(request))


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
