"""Addresses with which nobody may sign up."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, Text

from store.tables.base import Instant, id_column, metadata

email_domain_blocks = Table(
    "email_domain_block",
    metadata,
    id_column(),
    Column("domain", Text, nullable=False, unique=True),  # what the address ends in, and all below it
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class EmailDomainBlock:
    id: int
    domain: str
    created_at: datetime


email_blocks = Table(
    "email_block",
    metadata,
    id_column(),
    Column("hash", Text, nullable=False, unique=True),  # SHA-256, as hex, of the address without its decoration
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class EmailBlock:
    id: int
    hash: str
    created_at: datetime
