"""Lists: some of those whom one follows, apart from the others; and the feed of each, written when a post arrives."""

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, ForeignKey, ForeignKeyConstraint, Index, Table, Text

from store.tables.base import Id, id_column, metadata

lists = Table(
    "list",
    metadata,
    id_column(),
    Column("account_id", Id, ForeignKey("user.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("replies_policy", Text, nullable=False),  # followed, list, none
    Column("exclusive", Boolean, nullable=False),  # its members do not come into the home feed
)


@dataclass(frozen=True, slots=True)
class AccountList:
    """A row of `list`, which Python has as a name already."""

    id: int
    account_id: int
    title: str
    replies_policy: str
    exclusive: bool


list_members = Table(
    "list_member",
    metadata,
    Column("list_id", Id, ForeignKey("list.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("follower_id", Id),  # the list's owner, who follows the member; None: he is the member himself
    Column("id", Id, nullable=False),  # by which pages of members are cut
    # Who is no longer followed is in no list.
    ForeignKeyConstraint(
        ["account_id", "follower_id"],
        ["follow.target_id", "follow.follower_id"],
        name="fk_list_member_follow",
        ondelete="CASCADE",
    ),
    Index("ix_list_member_account_id", "account_id", "follower_id"),
    sqlite_with_rowid=False,
)

list_entries = Table(
    "list_entry",
    metadata,
    Column("list_id", Id, ForeignKey("list.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    # No foreign key, as in home_entry.
    Column("post_id", Id, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
