"""Tables (CSV) that somebody of ours brings along from elsewhere, and what of them is still to be done."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from store.tables.base import Id, Instant, Json, id_column, metadata

imports = Table(
    "import",
    metadata,
    id_column(),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),  # follows, mutes, … : social/imports
    Column("overwrite", Boolean, nullable=False),  # what is not in the file ends
    Column("cleared", Boolean, nullable=False),  # and has ended
    Column("total", Integer, nullable=False),  # 0: it is not all here yet
    Column("begun_at", Instant),  # None: he is still asked
    Column("ended_at", Instant),
    Index("uq_import_account_id", "account_id", "kind", unique=True),
)

# A row that was done is gone; one that failed stays, and says why.
import_rows = Table(
    "import_row",
    metadata,
    Column("import_id", Id, ForeignKey("import.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),  # of the file
    Column("key", Text),  # whom it is about, as our tables have it; None: it is no good
    Column("host", Text, nullable=False),  # which has to be asked; "": none
    Column("said", Json, nullable=False),  # column → text
    Column("due", Instant),  # None: it failed
    Column("tries", Integer, nullable=False),
    Column("why", Text),
    Index("uq_import_row_key", "import_id", "key", unique=True),
    Index("ix_import_row_due", "import_id", "due"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Import:
    id: int
    account_id: int
    kind: str
    overwrite: bool
    cleared: bool
    total: int
    begun_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ImportRow:
    import_id: int
    line: int
    key: str | None
    host: str
    said: dict[str, str]
    due: datetime | None
    tries: int
    why: str | None
