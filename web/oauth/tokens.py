"""Token, revoke and userinfo endpoints: https://docs.joinmastodon.org/methods/oauth/, RFC 6749, RFC 7009.

Grants: authorization_code, for a person; client_credentials, for the program alone.  The password grant stays off.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import orjson
from aiohttp import web

from social import apps
from social.errors import Refusal
from social.secrets import sha256
from web import auth, params
from web.api import shapes
from web.api.answers import answer
from web.api.spec import spec
from web.auth import Caller
from web.errors import PLAIN
from web.keys import DATABASE, ORIGIN
from web.oauth import server
from web.oauth.server import Asked

routes = web.RouteTableDef()

_CLIENT = {"client_id": str, "client_secret": str}
_SAYS = {
    "invalid_client": "Client authentication failed: unknown client, or a wrong secret",
    "invalid_grant": "That is no longer, or never was, good for a token",
    "unsupported_grant_type": "The grant types here are authorization_code and client_credentials",
}
_NAMES = ("grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier", "scope", "token")


@routes.post("/oauth/token")
@spec(
    answers=shapes.Token,
    body={"grant_type": str, "code": str, **_CLIENT, "redirect_uri": str, "code_verifier": str, "scope": str},
)
@auth.public
async def token(request: web.Request) -> web.Response:
    try:
        asked = await _asked(request)
    except Refusal as refusal:
        return _denied(request, "invalid_request", str(refusal), 400)
    said = await request.app[DATABASE].write(server.exchange, asked, datetime.now(UTC))
    if said.status == 200:
        return _answer(said.body)
    code: str = said.body["error"]
    says = said.body.get("error_description") or _SAYS.get(code, "The request cannot be granted")
    if code == "invalid_client":  # the library's words are about its own methods
        return _denied(request, code, _SAYS[code], 401)
    return _denied(request, code, says, 400)


@routes.post("/oauth/revoke")
@spec(body={**_CLIENT, "token": str})
@auth.public
async def revoke(request: web.Request) -> web.Response:
    """200 also for a token that nobody knows (RFC 7009, section 2.2)."""
    now, db = datetime.now(UTC), request.app[DATABASE]
    try:
        asked = await _asked(request)
    except Refusal as refusal:
        return _denied(request, "invalid_request", str(refusal), 400)
    app = await db.read(server.client, asked, now)
    if app is None:
        return _denied(request, "unauthorized_client", "You are not authorized to revoke this token", 403)
    await db.write(apps.revoke_token, app.id, sha256(asked.form.get("token", "")), now)
    return _answer({})


@routes.get("/oauth/userinfo")
@spec(answers=shapes.UserInfo)
@auth.person("profile", "read:accounts")
async def userinfo(request: web.Request, caller: Caller) -> web.Response:
    """Who came, in the words of OpenID Connect, which Mastodon took for it."""
    origin, it = request.app[ORIGIN], caller.account
    found: shapes.UserInfo = {
        "iss": origin.base_url,
        "sub": it.uri,
        "name": it.name,
        "preferred_username": it.username,
        "profile": it.url,
        "picture": it.avatar_url or origin.url("/static/missing.png"),
    }
    return answer(found)


routes.post("/oauth/userinfo")(userinfo)


async def _asked(request: web.Request) -> Asked:
    """Raises: Invalid."""
    given = await params.read(request)
    found = {name: given.text(name) for name in _NAMES if name in given}
    if (who := _basic(request)) is not None:
        found["client_id"], found["client_secret"] = who
    return Asked(found)


def _basic(request: web.Request) -> tuple[str, str] | None:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(value.encode("ascii"), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError):
        return None
    return (unquote_plus(name).replace("\0", ""), unquote_plus(secret)) if colon else None


def _denied(request: web.Request, code: str, says: str, status: int) -> web.Response:
    response = _answer(
        {"error": code, "error_description": says or "That is no longer, or never was, good for a token"}, status
    )
    if status == 401 and "Authorization" in request.headers:  # RFC 6749, section 5.2
        response.headers["WWW-Authenticate"] = 'Basic realm="oauth", charset="UTF-8"'
    return response


def _answer(body: dict[str, Any], status: int = 200) -> web.Response:
    headers = {**PLAIN, "Cache-Control": "no-store", "Pragma": "no-cache"}
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json", headers=headers)
