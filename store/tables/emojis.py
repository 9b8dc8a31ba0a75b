"""Emoji of this server."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, Text

from store.tables.base import Instant, id_column, metadata

custom_emojis = Table(
    "custom_emoji",
    metadata,
    id_column(),
    Column("shortcode", Text, nullable=False, unique=True),  # without colons
    Column("file", Text, nullable=False),  # see store/blobs.py
    Column("still_file", Text),  # the first picture of one that moves
    Column("category", Text),
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CustomEmoji:
    id: int
    shortcode: str
    file: str
    still_file: str | None
    category: str | None
    created_at: datetime
