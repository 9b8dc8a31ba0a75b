"""The outgoing mail: an activity is kept once, a delivery per inbox, and a host says when to try it.

`host.due` is the whole queue: None while there is no mail, a past moment when there is, the end of the lease while a
worker talks with the host, and the end of the wait while the host is silent.  Only the hosts of an activity that is
`asleep` do not know of it yet (outbox/waking.py).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, false, text

from store.tables.base import Id, Instant, Json, id_column, metadata

activities = Table(
    "activity",
    metadata,
    id_column(),
    Column("sender_id", Id, ForeignKey("account.id"), nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),  # the JSON as it is signed and sent
    Column("synchronise", Integer, nullable=False),  # 1: tell receivers our digest of their followers (FEP-8fcf)
    Column("created_at", Instant, nullable=False, index=True),
    Column("asleep", Boolean, nullable=False, server_default=false()),
)
Index(
    "ix_activity_asleep",
    activities.c.asleep,
    sqlite_where=text("asleep = 1"),  # as SQLAlchemy asks for it
    postgresql_where=activities.c.asleep,
)

deliveries = Table(
    "delivery",
    metadata,
    # No foreign key: PostgreSQL looks for each row by itself, which takes longer than all else of a post to thousands.
    # Deliveries are made in the transaction of their activity, and it is not swept before them.
    Column("activity_id", Id, primary_key=True, autoincrement=False),
    Column("host", Text, primary_key=True),
    Column("inbox", Text, primary_key=True),
    Index("ix_delivery_host_activity_id", "host", "activity_id"),
    sqlite_with_rowid=False,
)

hosts = Table(
    "host",
    metadata,
    Column("name", Text, primary_key=True),  # host[:port], lower case
    Column("failures", Integer, nullable=False),  # in a row
    Column("failing_since", Instant),
    Column("due", Instant, index=True),
    Column("scheme", Text),  # cavage, rfc9421, ed25519 (RFC 9421 with it): last accepted, or said to be known
    Column("last_error", Text),  # one line
    Column("succeeded_at", Instant),
    Column("heard_at", Instant),  # when it last sent us something that was signed well
    Column("software", Json),  # {"name", "version"} of its NodeInfo
)


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    failures: int
    failing_since: datetime | None
    due: datetime | None
    scheme: str | None
    last_error: str | None
    succeeded_at: datetime | None
    heard_at: datetime | None
    software: dict[str, str] | None
