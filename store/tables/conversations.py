"""Direct posts as their readers know them: one conversation for each reader and thread."""

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table

from store.tables.base import Id, Json, id_column, metadata

conversations = Table(
    "conversation",
    metadata,
    id_column(),
    Column("owner_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False),
    Column("thread_id", Id, nullable=False),
    Column("last_post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("unread", Boolean, nullable=False),
    Column("participants", Json, nullable=False),  # [id of an account], without the owner
    Index("ix_conversation_owner_id", "owner_id", "last_post_id"),
    Index("uq_conversation_thread", "thread_id", "owner_id", unique=True),
)


@dataclass(frozen=True, slots=True)
class Conversation:
    id: int
    owner_id: int
    thread_id: int
    last_post_id: int
    unread: bool
    participants: list[int]
