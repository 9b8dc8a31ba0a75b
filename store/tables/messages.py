"""What others said to us: `spooled` waits in its own file, `handled` is remembered beside its effects."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table, Text

from store.tables.base import NAMES, Id, Instant, id_column, metadata

handled = Table(
    "handled",
    metadata,
    Column("uri", Text, primary_key=True),  # of the activity; a second copy is a no-op
    Column("at", Instant, nullable=False, index=True),
    sqlite_with_rowid=False,
)

spool_metadata = MetaData(naming_convention=NAMES)

spooled = Table(
    "spooled",
    spool_metadata,
    id_column(),
    Column("actor_uri", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Instant, nullable=False),  # not before: a message that failed waits
    Column("error", Text),
    Column("recipient", Text),  # the name in /users/NAME/inbox; None: the shared inbox
    Column("sync", Text),  # the Collection-Synchronization header (FEP-8fcf)
    Column("signed", Instant),  # by the sender's clock
    Column("introduction", LargeBinary),  # of an actor who is new here: inbox/introductions.py
    Index("ix_spooled_actor_uri", "actor_uri", "id"),
)


@dataclass(frozen=True, slots=True)
class Spooled:
    id: int
    actor_uri: str
    body: bytes
    received: datetime
    attempts: int
    due: datetime
    error: str | None
    recipient: str | None
    sync: str | None
    signed: datetime | None
    introduction: bytes | None


# Keys of remote actors, beside the spool, so that messages can be checked while the main database is away.
cached_keys = Table(
    "cached_key",
    spool_metadata,
    Column("id", Text, primary_key=True),  # keyId
    Column("owner", Text, nullable=False, index=True),  # the actor's uri
    Column("material", Text, nullable=False),  # PEM, or a Multikey
    Column("fetched_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class CachedKey:
    id: str
    owner: str
    material: str
    fetched_at: datetime


# What was refused, by reason, and accepted, by kind: counted here so that it survives restarts.
counts = Table(
    "count",
    spool_metadata,
    Column("name", Text, primary_key=True),
    Column("value", Id, nullable=False),
    sqlite_with_rowid=False,
)
