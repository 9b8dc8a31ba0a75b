"""What links lead to: a preview for each address, however many posts have it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, Table, Text

from store.tables.base import Id, Instant, id_column, metadata

cards = Table(
    "preview_card",
    metadata,
    id_column(),
    Column("url", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # link, photo, video; none: nothing to show, or not looked at yet
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("language", Text),
    Column("author_name", Text, nullable=False),
    Column("author_url", Text, nullable=False),
    Column("provider_name", Text, nullable=False),
    Column("provider_url", Text, nullable=False),
    Column("image_url", Text),
    Column("image_description", Text, nullable=False),
    Column("embed_url", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("published_at", Instant),
    Column("fetched_at", Instant),  # None: not yet
    Column("creator", Text, nullable=False, server_default=""),  # name@domain, of its author, as the page says
    Column("host", Text, nullable=False, server_default=""),  # of the page that says so
    Column("creator_id", Id),  # that account, once it is known; whether it agrees is its own to say
)


@dataclass(frozen=True, slots=True)
class Card:
    id: int
    url: str
    kind: str
    title: str
    description: str
    language: str | None
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    image_url: str | None
    image_description: str
    embed_url: str
    width: int
    height: int
    published_at: datetime | None
    fetched_at: datetime | None
    creator: str
    host: str
    creator_id: int | None
