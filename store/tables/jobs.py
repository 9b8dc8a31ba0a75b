"""Work that needs the network and is asked for by those who may not wait for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Table, Text

from store.tables.base import Instant, Json, id_column, metadata

jobs = Table(
    "job",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),  # fetch_post, fetch_account, …: connectme/errands.py has the table
    Column("key", Text, nullable=False, unique=True),  # asked for twice before it begins, done once
    Column("payload", Json, nullable=False),
    Column("due", Instant, nullable=False, index=True),  # while it is leased: the end of the lease
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
)


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: str
    key: str
    payload: dict[str, Any]
    due: datetime
    attempts: int
    error: str | None


# Facts about this database: the domain it was made for, the id of the instance.
facts = Table(
    "fact",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
