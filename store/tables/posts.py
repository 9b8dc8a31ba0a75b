"""Posts (a comment is a post with a parent, a boost is a post without words) and what belongs to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, false, text

from store.tables.base import Id, Instant, Json, id_column, metadata

posts = Table(
    "post",
    metadata,
    id_column(),
    Column("uri", Text, nullable=False, unique=True),
    Column("url", Text),  # the page for people; None: the uri
    Column("author_id", Id, ForeignKey("account.id"), nullable=False),
    Column("local", Boolean, nullable=False),
    Column("kind", Text, nullable=False),  # Note, Question, Article, Page, …, or Announce
    Column("visibility", Text, nullable=False),  # public, unlisted, private, direct
    Column("listed", Boolean, nullable=False),  # belongs on the public feeds
    Column("title", Text, nullable=False),  # what long posts are called
    Column("summary", Text, nullable=False),  # the content warning
    Column("html", Text, nullable=False),  # safe HTML
    Column("source", Text),  # ours: as typed
    Column("sensitive", Boolean, nullable=False),
    Column("language", Text),
    Column("published", Instant, nullable=False),
    Column("edited_at", Instant),
    Column("reply_to_id", Id, ForeignKey("post.id", ondelete="SET NULL")),  # None while it is missing
    Column("reply_to_uri", Text),  # kept for ever
    Column("thread_id", Id, nullable=False),  # the id of the oldest known post of the conversation
    Column("context", Text),  # FEP-7888, as its origin says it
    Column("boost_of_id", Id, ForeignKey("post.id", ondelete="CASCADE")),
    Column("emojis", Json),  # [{"shortcode", "url"}]; None: no emoji
    Column("likes_count", Integer, nullable=False),
    Column("boosts_count", Integer, nullable=False),
    Column("replies_count", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # grows with every change that a reader could see
    # Without foreign keys: SQLite could only add them by copying the table.  Readers join.
    Column("app_id", Id),  # ours: the program that it was written with
    Column("local_only", Boolean, nullable=False, server_default=false()),  # never leaves this server
    Column("card_id", Id),  # what its first link leads to
    Column("quote_policy", Json),  # as social/quoting.py says; None: not told
    Column("quotes_count", Integer, nullable=False, server_default="0"),  # those that were accepted
    Index("ix_post_author_id", "author_id", "id"),
    Index("ix_post_thread_id", "thread_id"),
)

# Without the NULLs: SQLite's planner would look there for those whose parent is missing.
Index(
    "ix_post_reply_to_id",
    posts.c.reply_to_id,
    sqlite_where=posts.c.reply_to_id.is_not(None),
    postgresql_where=posts.c.reply_to_id.is_not(None),
)
Index(
    "ix_post_missing_parent",
    posts.c.reply_to_uri,
    sqlite_where=posts.c.reply_to_id.is_(None) & posts.c.reply_to_uri.is_not(None),
    postgresql_where=posts.c.reply_to_id.is_(None) & posts.c.reply_to_uri.is_not(None),
)
Index(
    "uq_post_boost",
    posts.c.boost_of_id,
    posts.c.author_id,
    unique=True,
    sqlite_where=posts.c.boost_of_id.is_not(None),
    postgresql_where=posts.c.boost_of_id.is_not(None),
)
Index("ix_post_public", posts.c.id, sqlite_where=text("listed = 1"), postgresql_where=text("listed"))
# After ix_post_public, by name and so in migrations: of two indexes that fit, SQLite takes the newer.
Index(
    "ix_post_public_local",
    posts.c.id,
    sqlite_where=text("listed = 1 AND local = 1"),
    postgresql_where=text("listed AND local"),
)
Index(
    "ix_post_card_id",
    posts.c.card_id,
    posts.c.id,
    sqlite_where=posts.c.card_id.is_not(None),
    postgresql_where=posts.c.card_id.is_not(None),
)


@dataclass(frozen=True, slots=True)
class Post:
    id: int
    uri: str
    url: str | None
    author_id: int
    local: bool
    kind: str
    visibility: str
    listed: bool
    title: str
    summary: str
    html: str
    source: str | None
    sensitive: bool
    language: str | None
    published: datetime
    edited_at: datetime | None
    reply_to_id: int | None
    reply_to_uri: str | None
    thread_id: int
    context: str | None
    boost_of_id: int | None
    emojis: list[dict[str, str]] | None
    likes_count: int
    boosts_count: int
    replies_count: int
    version: int
    app_id: int | None
    local_only: bool
    card_id: int | None
    quote_policy: dict[str, list[str]] | None
    quotes_count: int


def blank_post(**values: Any) -> dict[str, Any]:
    """The columns of a post, with the usual value where `values` has none; id, uri, author_id … are needed."""
    return {**_BLANK, **values}


_BLANK: dict[str, Any] = {
    "url": None,
    "kind": "Note",
    "listed": False,
    "title": "",
    "summary": "",
    "html": "",
    "source": None,
    "sensitive": False,
    "language": None,
    "edited_at": None,
    "reply_to_id": None,
    "reply_to_uri": None,
    "context": None,
    "boost_of_id": None,
    "emojis": None,
    "likes_count": 0,
    "boosts_count": 0,
    "replies_count": 0,
    "version": 1,
    "app_id": None,
    "local_only": False,
    "quote_policy": None,
    "quotes_count": 0,
    "card_id": None,
}


def _of_post(**more: Any) -> Column[int]:
    return Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), nullable=False, **more)


mentions = Table(
    "mention",
    metadata,
    _of_post(primary_key=True, autoincrement=False),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("silent", Boolean, nullable=False),  # addressed, but not named in the text
    Index("ix_mention_account_id", "account_id", "post_id"),
    sqlite_with_rowid=False,
)

post_tags = Table(
    "post_tag",
    metadata,
    Column("name", Text, primary_key=True),  # as social.text.normalise_tag makes it
    _of_post(primary_key=True, autoincrement=False),
    Column("shown", Text, nullable=False),  # as its author writes it
    Index("ix_post_tag_post_id", "post_id"),
    sqlite_with_rowid=False,
)

# Files of posts: those of others are known by their address, ours are in the store (store/blobs.py).
media = Table(
    "media",
    metadata,
    id_column(),
    Column("post_id", Id, ForeignKey("post.id", ondelete="CASCADE"), index=True),  # None: no post has it (yet)
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # image, gifv, video, audio, unknown
    Column("url", Text, nullable=False),  # empty while it is not done
    Column("preview_url", Text),
    Column("media_type", Text),
    Column("description", Text, nullable=False),
    Column("blurhash", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("focus_x", Float),  # -1.0 … 1.0
    Column("focus_y", Float),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE")),  # who uploaded it; None: not ours
    Column("state", Text, nullable=False, server_default="done"),  # processing, done, failed
    Column("error", Text),  # why it failed, for its owner
    Column("file", Text),  # its name in the store; while it is processed, that of what was uploaded
    Column("preview_file", Text),
    Column("bytes", Integer),
    Column("preview_width", Integer),
    Column("preview_height", Integer),
    Column("duration", Float),  # seconds
    Column("frame_rate", Float),  # per second
    Column("bitrate", Integer),  # bits per second
    Column("keep_until", Instant),  # ours, while no post has it: then it is removed
)
Index(
    "ix_media_account_id",
    media.c.account_id,
    sqlite_where=media.c.account_id.is_not(None),
    postgresql_where=media.c.account_id.is_not(None),
)
Index(
    "ix_media_keep_until",
    media.c.keep_until,
    sqlite_where=media.c.keep_until.is_not(None),
    postgresql_where=media.c.keep_until.is_not(None),
)


@dataclass(frozen=True, slots=True)
class Media:
    id: int
    post_id: int | None
    position: int
    kind: str
    url: str
    preview_url: str | None
    media_type: str | None
    description: str
    blurhash: str | None
    width: int | None
    height: int | None
    focus_x: float | None
    focus_y: float | None
    account_id: int | None
    state: str
    error: str | None
    file: str | None
    preview_file: str | None
    bytes: int | None
    preview_width: int | None
    preview_height: int | None
    duration: float | None
    frame_rate: float | None
    bitrate: int | None
    keep_until: datetime | None


def blank_media(**values: Any) -> dict[str, Any]:
    """The columns of a file, with the usual value where `values` has none; id, kind and url are needed."""
    return {**_BLANK_MEDIA, **values}


_BLANK_MEDIA: dict[str, Any] = {
    "post_id": None,
    "position": 0,
    "preview_url": None,
    "media_type": None,
    "description": "",
    "blurhash": None,
    "width": None,
    "height": None,
    "focus_x": None,
    "focus_y": None,
    "account_id": None,
    "state": "done",
    "error": None,
    "file": None,
    "preview_file": None,
    "bytes": None,
    "preview_width": None,
    "preview_height": None,
    "duration": None,
    "frame_rate": None,
    "bitrate": None,
    "keep_until": None,
}

polls = Table(
    "poll",
    metadata,
    _of_post(primary_key=True, autoincrement=False),
    Column("multiple", Boolean, nullable=False),
    Column("options", Json, nullable=False),  # [{"title", "votes"}]
    Column("voters_count", Integer, nullable=False),
    Column("expires_at", Instant),
    Column("closed_at", Instant),
    Column("hide_totals", Boolean, nullable=False, server_default=false()),  # until it is over
)
Index(
    "ix_poll_expires_at",
    polls.c.expires_at,
    sqlite_where=polls.c.closed_at.is_(None),
    postgresql_where=polls.c.closed_at.is_(None),
)


@dataclass(frozen=True, slots=True)
class Poll:
    post_id: int
    multiple: bool
    options: list[dict[str, Any]]
    voters_count: int
    expires_at: datetime | None
    closed_at: datetime | None
    hide_totals: bool = False

    def is_over(self, now: datetime) -> bool:
        return self.closed_at is not None or (self.expires_at is not None and self.expires_at <= now)


poll_votes = Table(
    "poll_vote",
    metadata,
    _of_post(primary_key=True, autoincrement=False),
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("option", Integer, primary_key=True, autoincrement=False),
    Column("uri", Text),
    sqlite_with_rowid=False,
)

edits = Table(
    "post_edit",
    metadata,
    id_column(),
    _of_post(index=True),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("sensitive", Boolean, nullable=False),
    Column("media", Json, nullable=False),
    Column("poll", Json),
    Column("at", Instant, nullable=False),  # when this text was written
    Column("emojis", Json),
)


@dataclass(frozen=True, slots=True)
class Edit:
    id: int
    post_id: int
    title: str
    summary: str
    html: str
    sensitive: bool
    media: list[dict[str, Any]]
    poll: dict[str, Any] | None
    at: datetime
    emojis: list[dict[str, str]] | None = None


pins = Table(
    "pin",
    metadata,
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    _of_post(primary_key=True, autoincrement=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_pin_post_id", "post_id"),
    sqlite_with_rowid=False,
)

tombstones = Table(
    "tombstone",
    metadata,
    Column("uri", Text, primary_key=True),  # of a post, or of an activity that was undone
    Column("owner", Text, nullable=False),  # the uri of the actor who said so: only his things are kept out
    Column("at", Instant, nullable=False, index=True),
    sqlite_with_rowid=False,
)
