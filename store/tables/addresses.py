"""From where people come, for some weeks; and places whose people do not come in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from store.tables.base import Id, Instant, id_column, metadata

addresses = Table(
    "address",
    metadata,
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("ip", LargeBinary, primary_key=True),  # 16 bytes, so that a network is a range: see social/addresses.py
    Column("used_at", Instant, nullable=False, index=True),  # lately
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Address:
    account_id: int
    ip: bytes
    used_at: datetime


ip_blocks = Table(
    "ip_block",
    metadata,
    id_column(),
    Column("network", Text, nullable=False, unique=True),  # CIDR
    Column("severity", Text, nullable=False),  # sign_up_requires_approval, sign_up_block, no_access
    Column("comment", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
)


@dataclass(frozen=True, slots=True)
class IpBlock:
    id: int
    network: str
    severity: str
    comment: str
    created_at: datetime
    expires_at: datetime | None
