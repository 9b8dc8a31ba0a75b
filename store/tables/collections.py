"""Collections of accounts that somebody shows to others (FEP-7aa9), and who agreed to be in them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from store.tables.base import Id, Instant, id_column, metadata

collections = Table(
    "collection",
    metadata,
    id_column(),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),  # whose it is
    Column("local", Boolean, nullable=False),
    Column("uri", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),  # safe HTML
    Column("source", Text, nullable=False),  # ours: as typed
    Column("language", Text),
    Column("tag", Text),  # without #, as its owner writes it
    Column("sensitive", Boolean, nullable=False),
    Column("discoverable", Boolean, nullable=False),  # shown on the profile; otherwise for who has its address
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_collection_account_id", "account_id", "id"),
    Index("ix_collection_url", "url"),
)


@dataclass(frozen=True, slots=True)
class Collection:
    id: int
    account_id: int
    local: bool
    uri: str
    url: str
    name: str
    description: str
    source: str
    language: str | None
    tag: str | None
    sensitive: bool
    discoverable: bool
    created_at: datetime
    updated_at: datetime


collection_items = Table(
    "collection_item",
    metadata,
    id_column(),
    Column("collection_id", Id, ForeignKey("collection.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), index=True),  # None: not known here yet
    Column("account_uri", Text, nullable=False),
    Column("uri", Text, unique=True),  # None: of another server's collection that did not name it yet
    Column("state", Text, nullable=False),  # pending, accepted, rejected, revoked
    Column("approval", Text, unique=True),  # uri of the FeatureAuthorization
    Column("request", Text, unique=True),  # uri of the FeatureRequest
    Column("position", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("uq_collection_item_account_uri", "collection_id", "account_uri", unique=True),
)


@dataclass(frozen=True, slots=True)
class CollectionItem:
    id: int
    collection_id: int
    account_id: int | None
    account_uri: str
    uri: str | None
    state: str
    approval: str | None
    request: str | None
    position: int
    created_at: datetime


# To which posts link.
tagged_collections = Table(
    "tagged_collection",
    metadata,
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("collection_id", Id, ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Index("ix_tagged_collection_collection_id", "collection_id"),
    sqlite_with_rowid=False,
)
