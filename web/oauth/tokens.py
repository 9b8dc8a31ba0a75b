"""Token and revoke endpoints: https://docs.joinmastodon.org/methods/oauth/, RFC 6749, RFC 7009.

Grants: client_credentials, a token of the program alone.  A token that speaks for a person is made on the server, by
`connectme token create NAME`.  The password grant stays off.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import unquote_plus

import orjson
from aiohttp import web

from social import apps
from social.errors import Invalid, Refusal
from social.secrets import new_token, sha256
from store.tables import App
from web import auth, params, scopes
from web.api import shapes
from web.api.spec import spec
from web.errors import PLAIN
from web.keys import DATABASE
from web.params import Params

routes = web.RouteTableDef()


class _Denied(Exception):
    """`code` is one of RFC 6749, section 5.2."""

    def __init__(self, code: str, says: str, status: int = 400) -> None:
        super().__init__(says)
        self.code, self.status = code, status


@routes.post("/oauth/token")
@spec(
    answers=shapes.Token,
    body={"grant_type": str, "client_id": str, "client_secret": str, "scope": str},
    partial="grant `client_credentials`",
)
@auth.public
async def token(request: web.Request) -> web.Response:
    try:
        return await _token(request, await params.read(request))
    except _Denied as denied:
        return _denied(request, denied.code, str(denied), denied.status)
    except Refusal as refusal:
        return _denied(request, "invalid_request", str(refusal), 400)


async def _token(request: web.Request, given: Params) -> web.Response:
    app = await _client(request, given)
    if given.text("grant_type") != "client_credentials":
        raise _Denied("unsupported_grant_type", "The grant type is not supported here: only client_credentials is")
    try:
        wanted = scopes.checked(given.text("scope") or "read")
    except Invalid as invalid:
        raise _Denied("invalid_scope", str(invalid)) from invalid
    if not scopes.within(wanted, app.scopes):
        raise _Denied("invalid_scope", "The requested scope is more than the application asked for")
    secret, now = new_token(), datetime.now(UTC)
    made = await request.app[DATABASE].write(apps.issue_token, app.id, None, wanted, sha256(secret), now)
    return _answer(
        {"access_token": secret, "token_type": "Bearer", "scope": made.scopes, "created_at": int(now.timestamp())}
    )


@routes.post("/oauth/revoke")
@spec(body={"client_id": str, "client_secret": str, "token": str})
@auth.public
async def revoke(request: web.Request) -> web.Response:
    """200 also for a token that nobody knows (RFC 7009, section 2.2)."""
    try:
        given = await params.read(request)
        app = await _client(request, given)
        await request.app[DATABASE].write(apps.revoke_token, app.id, sha256(given.text("token")), datetime.now(UTC))
    except _Denied as denied:
        return _denied(request, "unauthorized_client", str(denied), 403)
    except Refusal as refusal:
        return _denied(request, "invalid_request", str(refusal), 400)
    return _answer({})


async def _client(request: web.Request, given: Params) -> App:
    """The program that asks, by basic auth or parameters."""
    client_id, secret = _basic(request) or (given.text("client_id"), given.text("client_secret"))
    app = await request.app[DATABASE].read(apps.by_client_id, client_id)
    if app is None or not hmac.compare_digest(app.secret_hash, sha256(secret)):
        raise _Denied("invalid_client", "Client authentication failed: unknown client, or a wrong secret", 401)
    return app


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
    headers = {}
    if status == 401 and "Authorization" in request.headers:  # RFC 6749, section 5.2
        headers["WWW-Authenticate"] = 'Basic realm="oauth", charset="UTF-8"'
    return _answer({"error": code, "error_description": says}, status, headers)


def _answer(body: dict[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    common = {**PLAIN, "Cache-Control": "no-store", "Pragma": "no-cache", **(headers or {})}
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json", headers=common)
