"""What signing in and signing up need beside a login: codes of programs, links in mails, second factors."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, Text

from store.tables.base import Id, Instant, metadata

codes = Table(
    "code",
    metadata,
    Column("hash", LargeBinary, primary_key=True),  # SHA-256 of the authorization code
    Column("app_id", Id, ForeignKey("app.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("redirect_uri", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("challenge", Text),  # of PKCE, S256
    Column("created_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Code:
    """What a person allowed a program, until the program fetches its token."""

    hash: bytes
    app_id: int
    account_id: int
    redirect_uri: str
    scopes: str
    challenge: str | None
    created_at: datetime
    used_at: datetime | None


links = Table(
    "link",
    metadata,
    Column("hash", LargeBinary, primary_key=True),  # SHA-256 of the secret in the mail
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),  # confirm, password
    Column("email", Text, nullable=False),  # where it was sent
    Column("created_at", Instant, nullable=False, index=True),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a mail that proves who reads that address."""

    hash: bytes
    account_id: int
    purpose: str
    email: str
    created_at: datetime


signups = Table(
    "signup",
    metadata,
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("app_id", Id),  # the program by which; it may be gone
    Column("reason", Text, nullable=False),
    Column("locale", Text),
)


@dataclass(frozen=True, slots=True)
class Signup:
    """How somebody came here who made his account himself."""

    account_id: int
    app_id: int | None
    reason: str
    locale: str | None


second_factors = Table(
    "second_factor",
    metadata,
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("secret", Text, nullable=False),  # base32: the server has to know it to check a code
    Column("created_at", Instant, nullable=False),
    Column("last_step", BigInteger, nullable=False),  # of the last code that was used: none is good twice
)


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Codes by time (RFC 6238), asked for at sign-in."""

    account_id: int
    secret: str
    created_at: datetime
    last_step: int


recovery_codes = Table(
    "recovery_code",
    metadata,
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, primary_key=True),
    sqlite_with_rowid=False,
)
