"""Who asks: the bearer token of a program, or the session cookie of a browser.

The API never looks at cookies, pages never at tokens, so that neither can be used to forge the other.
"""

from dataclasses import dataclass

from aiohttp import web

from social import apps, sessions
from social.apps import Bearer
from social.errors import NotAllowed, Unauthorised
from social.secrets import sha256
from social.sessions import SignedIn
from store.tables import Account
from web import scopes
from web.keys import DATABASE, ORIGIN

_INVALID = "The access token is invalid"
_SCOPE = "This action is outside the authorized scopes"
SESSION = web.RequestKey[SignedIn | None]("SESSION")


@dataclass(frozen=True, slots=True)
class Caller:
    """A program, and the person for whom it speaks, if it does."""

    bearer: Bearer
    account: Account


async def bearer(request: web.Request) -> Bearer | None:
    """The token of the request.  None: there is none.  Raises: Unauthorised, when it is wrong or revoked."""
    header = request.headers.get("Authorization", "")
    kind, _, value = header.partition(" ")
    if not header:
        return None
    if kind.lower() != "bearer" or not value.strip():
        raise Unauthorised(_INVALID)
    found = await request.app[DATABASE].read(apps.token, sha256(value.strip()))
    if found is None:
        raise Unauthorised(_INVALID)
    return found


async def caller(request: web.Request, scope: str) -> Caller:
    """The person who asks, through a program that may `scope` (`read:statuses`).

    Raises: Unauthorised without a valid token of a person, NotAllowed outside its scopes.
    """
    found = await bearer(request)
    if found is None:
        raise Unauthorised(_INVALID)
    if not scopes.allows(found.token.scopes, scope):
        raise NotAllowed(_SCOPE)
    if found.account is None:
        raise NotAllowed("This method requires an authenticated user", why="a token of a program alone")
    if found.account.is_gone:
        raise NotAllowed("Your login is currently disabled")
    return Caller(found, found.account)


async def reader(request: web.Request, scope: str) -> Account | None:
    """As `caller`, where nobody in particular may ask too."""
    found = await bearer(request)
    if found is None or found.account is None:
        return None
    return (await caller(request, scope)).account


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
    response.del_cookie(cookie_name(request), path="/")
