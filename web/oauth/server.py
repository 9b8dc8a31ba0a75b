"""The token endpoint on authlib: RFC 6749 (client authentication, authorization code, client credentials), RFC 7636.

All of it is synchronous and runs inside one unit of work, as `exchange` below.  The authorization endpoint is ours
(web/oauth/asking.py); docs/adr says why.
"""

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    AuthorizationCodeMixin,
    AuthorizationServer,
    ClientCredentialsGrant,
    ClientMixin,
    InvalidGrantError,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from sqlalchemy import Connection

from social import apps, codes, users
from social.errors import Invalid
from social.secrets import new_token, sha256
from store.tables import App, Code, User
from web import scopes

logging.getLogger("authlib").setLevel(logging.INFO)  # below that it writes tokens and codes down

_BY_SECRET: Final = ("client_secret_post",)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the endpoint."""

    status: int
    body: dict[str, Any]


class Asked(OAuth2Request):
    """What a program sends, in whichever form.  A secret from the header of basic auth is among the parameters, too."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__("POST", "https://here/oauth/token")
        self.payload = BasicOAuth2Payload(dict(given))

    @property
    def form(self) -> dict[str, str]:
        data: dict[str, str] = self.payload.data
        return data


def exchange(tx: Connection, asked: Asked, now: datetime) -> Said:
    """A token for a code, or for a program itself; or why there is none.

    A refusal is an answer, too, and no exception, so what it writes stays: a code that comes twice ends its tokens.
    """
    said: Said = _Server(tx, now).create_token_response(asked)
    return said


def client(tx: Connection, asked: Asked, now: datetime) -> App | None:
    """The program that asks, by its secret."""
    try:
        found: _Client = _Server(tx, now).authenticate_client(asked, _BY_SECRET)
    except OAuth2Error:
        return None
    return found.app


class _Client(ClientMixin):
    """A program.  One may leave its secret out (RFC 7636) when it proves that the code was made for it."""

    def __init__(self, app: App) -> None:
        self.app = app

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(self.app.secret_hash, sha256(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method in (*_BY_SECRET, "none")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "client_credentials")


class _Given(AuthorizationCodeMixin):
    """A code that was found, for the library."""

    code_challenge_method = "S256"

    def __init__(self, code: Code) -> None:
        self.code = code
        self.code_challenge = code.challenge

    def get_redirect_uri(self) -> str:
        return self.code.redirect_uri

    def get_scope(self) -> str:
        return self.code.scopes


class _ByCode(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = (*_BY_SECRET, "none")

    def query_authorization_code(self, code: str, client: _Client) -> _Given | None:
        """One that was used before ends what was given for it."""
        tx, now = self.server.tx, self.server.now
        found = codes.find(tx, sha256(code))
        if found is None or found.app_id != client.app.id:
            return None
        if found.used_at is not None:
            apps.revoke_given_for(tx, found.hash, now)
        return _Given(found) if codes.is_good(found, now) else None

    def authenticate_user(self, authorization_code: _Given) -> User | None:
        return users.in_good_standing(self.server.tx, authorization_code.code.account_id)

    def delete_authorization_code(self, authorization_code: _Given) -> None:
        """It is marked as used before there is a token: see `_Server.save_token`."""


class _ByProgram(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = _BY_SECRET

    def validate_requested_scope(self) -> None:
        try:
            wanted = scopes.checked(self.request.payload.scope or "read")
        except Invalid as invalid:
            raise InvalidScopeError from invalid
        if not scopes.within(wanted, self.request.client.app.scopes):
            raise InvalidScopeError("The requested scope is more than the application was registered for")


class _Server(AuthorizationServer):
    """For one unit of work."""

    def __init__(self, tx: Connection, now: datetime) -> None:
        super().__init__()
        self.tx, self.now = tx, now
        self.register_grant(_ByCode, [CodeChallenge(required=True)])
        self.register_grant(_ByProgram)

    def query_client(self, client_id: str) -> _Client | None:
        app = apps.by_client_id(self.tx, client_id)
        return None if app is None else _Client(app)

    def generate_token(self, *_: object, scope: str | None = None, **__: object) -> dict[str, Any]:
        return {
            "access_token": new_token(),
            "token_type": "Bearer",
            "scope": scopes.checked(scope or "read"),
            "created_at": int(self.now.timestamp()),
        }

    def save_token(self, token: dict[str, Any], request: Asked) -> None:
        given, user = request.authorization_code, request.user
        if given is not None and not codes.use(self.tx, given.code, self.now):  # two came at the same moment
            apps.revoke_given_for(self.tx, given.code.hash, self.now)
            raise InvalidGrantError("Invalid 'code' in request.")
        apps.issue_token(
            self.tx,
            request.client.app.id,
            user.account_id if user else None,
            token["scope"],
            sha256(token["access_token"]),
            self.now,
            given.code.hash if given else None,
        )

    def create_oauth2_request(self, request: Asked) -> Asked:
        return request

    def send_signal(self, name: str, *args: object, **more: object) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: dict[str, Any], headers: object) -> Said:  # noqa: ARG002  see tokens
        return Said(status, body)
