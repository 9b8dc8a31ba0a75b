"""Token and revoke endpoints: https://docs.joinmastodon.org/methods/oauth/, RFC 6749, RFC 7009.

Grants: client_credentials, a token of the program alone.  A token that speaks for a person is made on the server, by
`connectme token create NAME`.  The password grant stays off.
"""

import base64
import binascii
import hmac
from datetime import UTC, datetime
from urllib.parse import unquote_plus

import orjson
from aiohttp import web

from social import apps
from social.errors import Refusal
from social.secrets import new_token, sha256
from store.tables import App
from web import params, scopes
from web.errors import CORS
from web.keys import DATABASE
from web.params import Params

routes = web.RouteTableDef()


class _Denied(Exception):
    """`code` is one of RFC 6749, section 5.2."""

    def __init__(self, code: str, says: str, status: int = 400) -> None:
        super().__init__(says)
        self.code, self.status = code, status


@routes.post("/oauth/token")
async def token(request: web.Request) -> web.Response:
    try:
        return await _token(request, await params.read(request))
    except _Denied as denied:
        return _answer({"error": denied.code, "error_description": str(denied)}, denied.status)
    except Refusal as refusal:
        return _answer({"error": "invalid_request", "error_description": str(refusal)}, 400)


async def _token(request: web.Request, given: Params) -> web.Response:
    app = await _client(request, given)
    grant = given.text("grant_type")
    if grant != "client_credentials":
        raise _Denied("unsupported_grant_type", "The grant type is not supported here: only client_credentials is")
    wanted = given.text("scope") or "read"
    if not scopes.within(scopes.checked(wanted), app.scopes):
        raise _Denied("invalid_scope", "The requested scope is invalid, unknown, or malformed")
    secret, now = new_token(), datetime.now(UTC)
    await request.app[DATABASE].write(apps.issue_token, app.id, None, wanted, sha256(secret), now)
    return _answer(
        {"access_token": secret, "token_type": "Bearer", "scope": wanted, "created_at": int(now.timestamp())}
    )


@routes.post("/oauth/revoke")
async def revoke(request: web.Request) -> web.Response:
    """200 also for a token that nobody knows (RFC 7009, section 2.2)."""
    try:
        given = await params.read(request)
        app = await _client(request, given)
        await request.app[DATABASE].write(apps.revoke_token, app.id, sha256(given.text("token")), datetime.now(UTC))
    except _Denied as denied:
        return _answer({"error": "unauthorized_client", "error_description": str(denied)}, 403)
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
        name, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (unquote_plus(name), unquote_plus(secret)) if colon else None


def _answer(body: dict[str, object], status: int = 200) -> web.Response:
    headers = {**CORS, "Cache-Control": "no-store", "Pragma": "no-cache"}
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json", headers=headers)
