"""Programs."""

from typing import TypedDict


class Application(TypedDict):
    id: str
    name: str
    website: str | None
    scopes: list[str]
    redirect_uris: list[str]
    redirect_uri: str


class ApplicationWithSecret(Application):
    """CredentialApplication; `client_secret_expires_at` is 0: never."""

    client_id: str
    client_secret: str
    client_secret_expires_at: int


class Token(TypedDict):
    """`created_at`: Unix seconds."""

    access_token: str
    token_type: str
    scope: str
    created_at: int
