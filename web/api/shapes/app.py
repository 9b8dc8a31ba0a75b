"""Programs."""

from typing import NotRequired, TypedDict


class Application(TypedDict):
    id: str
    name: str
    website: str | None
    scopes: list[str]
    redirect_uris: list[str]
    redirect_uri: str
    vapid_key: NotRequired[str]


class UserInfo(TypedDict):
    """Of OpenID Connect; `sub` is the address of the actor."""

    iss: str
    sub: str
    name: str
    preferred_username: str
    profile: str
    picture: str


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
