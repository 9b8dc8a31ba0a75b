"""Who may come in: logins, the sessions of browsers, programs (OAuth applications) and their tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, Table, Text

from store.tables.base import Id, Instant, Json, id_column, metadata

users = Table(
    "user",
    metadata,
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("email", Text, nullable=False, unique=True),  # lower case
    Column("password", Text, nullable=False),  # argon2id
    Column("role", Text, nullable=False),  # owner, admin, moderator, member
    Column("confirmed_at", Instant),
    Column("approved_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("notifications_read", Id, nullable=False),  # the newest notification that was seen
    Column("default_visibility", Text, nullable=False),
    Column("default_sensitive", Boolean, nullable=False),
    Column("default_language", Text),
    Column("settings", Json, nullable=False, server_default="{}"),  # see social/preferences.py
    Column("disabled_at", Instant),  # by a moderator
)


@dataclass(frozen=True, slots=True)
class User:
    account_id: int
    email: str
    password: str
    role: str
    confirmed_at: datetime | None
    approved_at: datetime | None
    created_at: datetime
    seen_at: datetime | None
    notifications_read: int
    default_visibility: str
    default_sensitive: bool
    default_language: str | None
    settings: dict[str, Any]
    disabled_at: datetime | None


sessions = Table(
    "session",
    metadata,
    Column("hash", LargeBinary, primary_key=True),  # SHA-256 of the cookie
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("agent", Text, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Session:
    hash: bytes
    account_id: int
    csrf: str
    created_at: datetime
    seen_at: datetime
    agent: str


apps = Table(
    "app",
    metadata,
    id_column(),
    Column("client_id", Text, nullable=False, unique=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("website", Text),
    Column("redirect_uris", Json, nullable=False),  # [uri]
    Column("scopes", Text, nullable=False),  # space between
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class App:
    id: int
    client_id: str
    secret_hash: bytes
    name: str
    website: str | None
    redirect_uris: list[str]
    scopes: str
    created_at: datetime


tokens = Table(
    "token",
    metadata,
    id_column(),
    Column("hash", LargeBinary, nullable=False, unique=True),  # SHA-256 of the token
    Column("app_id", Id, ForeignKey("app.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), index=True),  # None: the program's own
    Column("scopes", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("code_hash", LargeBinary, index=True),  # of the authorization code that it was given for
    Column("last_used_at", Instant),  # to the day
)


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    hash: bytes
    app_id: int
    account_id: int | None
    scopes: str
    created_at: datetime
    revoked_at: datetime | None
    code_hash: bytes | None = None
    last_used_at: datetime | None = None


idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("post_id", Id, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    sqlite_with_rowid=False,
)
