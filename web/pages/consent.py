"""/oauth/authorize: a person decides what a program may do in his name.

A program opens this page in a window of its own and watches it, so nothing here, nor on the way through /login, cuts
that tie (no Cross-Origin-Opener-Policy) or says where the form may lead (no form-action).
"""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from social import codes
from social.secrets import new_token, sha256
from social.sessions import SignedIn
from web import scopes
from web.keys import DATABASE, ORIGIN
from web.oauth import asking, words
from web.oauth.asking import OUT_OF_BAND, Asking, Unknown, Wrong
from web.pages import addresses, frame
from web.params import Params, of_query

routes = web.RouteTableDef()

_AT = "/oauth/authorize"
_FRESH = {"Cache-Control": "no-store"}


async def ask(request: web.Request) -> web.Response:
    """Whoever is not signed in goes to /login and comes back."""
    given, signed = of_query(request), await frame.look(request)
    try:
        it = await _read(request, given)
    except Unknown as problem:
        return _refusal(request, problem)
    except Wrong as problem:
        if signed is None:  # anybody can register an address: strangers are not sent to it from here
            return addresses.see_other(_to_login(addresses.local(request.path_qs, "/home"), again=False))
        return _refusal(request, problem)
    if signed is None or given.flag("force_login"):
        back = addresses.with_query(_AT, **it.fields)
        return addresses.see_other(_to_login(back, again=signed is not None))
    return _page(request, signed, it)


async def decide(request: web.Request) -> web.Response:
    """Allowed: a code, once and for ten minutes.  Denied: the program hears so."""
    signed, given = await frame.posted(request)
    try:
        it = await _read(request, given)
    except (Unknown, Wrong) as problem:
        return _refusal(request, problem)
    granted = scopes.of_role(it.scopes, signed.user.role)
    if given.text("decision") != "allow" or not granted:
        says = "The resource owner or authorization server denied the request"
        return _refusal(request, Wrong("access_denied", says, it.redirect_uri, it.state))
    code = new_token()
    await request.app[DATABASE].write(_issue, it, signed.account.id, granted, sha256(code), datetime.now(UTC))
    if it.out_of_band:
        return addresses.see_other(addresses.with_query(f"{_AT}/native", code=code))
    return _leave(asking.back(it.redirect_uri, request.app[ORIGIN].base_url, it.state, code=code))


def _issue(tx: Connection, it: Asking, account_id: int, granted: str, code_hash: bytes, now: datetime) -> None:
    codes.issue(tx, code_hash, it.app.id, account_id, it.redirect_uri, granted, it.challenge, now)


for place in (_AT, f"{_AT}/"):
    routes.get(place)(ask)
    routes.post(place)(decide)


@routes.get(f"{_AT}/native")
async def native(request: web.Request) -> web.Response:
    """The code, for programs that have no address; the person copies it."""
    await frame.member(request)
    more = {**_FRESH, "Referrer-Policy": "no-referrer"}
    return frame.show(request, "code.html", headers=more, code=of_query(request).text("code")[:200], noindex=True)


async def _read(request: web.Request, given: Params) -> Asking:
    """Raises: Unknown, Wrong."""
    values = {name: given.text(name) for name in asking.FIELDS}
    return await request.app[DATABASE].read(asking.read, values)


def _page(request: web.Request, signed: SignedIn, it: Asking) -> web.Response:
    granted = scopes.of_role(it.scopes, signed.user.role)
    return frame.show(
        request,
        "consent.html",
        headers=_FRESH,
        policy=frame.usual_policy(forms=False),
        asking=it,
        allows=words.of(granted),
        withheld=granted != it.scopes,
        other=_to_login(addresses.with_query(_AT, **it.fields), again=True),
        noindex=True,
    )


def _to_login(back: str, *, again: bool) -> str:
    return addresses.with_query("/login", next=back, **({"again": 1} if again else {}))


def _refusal(request: web.Request, problem: Unknown | Wrong) -> web.Response:
    if isinstance(problem, Unknown) or problem.redirect_uri == OUT_OF_BAND:
        return frame.show_error(request, 400, str(problem))
    issuer = request.app[ORIGIN].base_url
    said = {"error": problem.code, "error_description": str(problem)}
    return _leave(asking.back(problem.redirect_uri, issuer, problem.state, **said))


def _leave(address: str) -> web.Response:
    """To the program: the one redirect that leads away from here, to an address that was compared."""
    headers = {"Location": address, "Referrer-Policy": "no-referrer", **_FRESH}
    return web.Response(status=303, headers=headers)
