"""People, groups and bots, ours and remote, in one table; and the keys that speak for them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, false, literal_column, true

from store.tables.base import Id, Instant, Json, id_column, metadata

INSTANCE_ACTOR_ID = 1  # the server's own Application actor: signs fetches, speaks for nobody

accounts = Table(
    "account",
    metadata,
    id_column(),
    Column("uri", Text, nullable=False, unique=True),
    Column("handle", Text, nullable=False, unique=True),  # lower case: alice, or bob@far.test
    Column("username", Text, nullable=False),  # as its owner writes it
    Column("domain", Text),  # what the handle ends in; None: ours
    Column("host", Text),  # where it lives, host[:port] of its uri; None: ours
    Column("kind", Text, nullable=False),  # Person, Group, Service, Application, Organization
    Column("display_name", Text, nullable=False),
    Column("note", Text, nullable=False),  # safe HTML
    Column("note_source", Text, nullable=False),  # ours: as typed
    Column("url", Text, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("shared_inbox", Text),
    Column("outbox", Text),
    Column("followers_uri", Text),
    Column("following_uri", Text),
    Column("featured_uri", Text),
    Column("locked", Boolean, nullable=False),
    Column("discoverable", Boolean, nullable=False),
    Column("indexable", Boolean, nullable=False),
    Column("avatar_url", Text),
    Column("avatar_alt", Text, nullable=False),
    Column("header_url", Text),
    Column("header_alt", Text, nullable=False),
    Column("fields", Json, nullable=False),  # [{"name", "value" (safe HTML), "verified_at" (ISO, where it is)}]
    Column("emojis", Json, nullable=False),  # [{"shortcode", "url"}]
    Column("also_known_as", Json, nullable=False),  # [uri]
    Column("moved_to", Text),  # uri
    Column("moved_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("fetched_at", Instant),  # remote: when its document was last read
    Column("suspended_at", Instant),
    Column("deleted_at", Instant),  # a tombstone: keeps the uri and the handle from being used again
    Column("followers_count", Integer, nullable=False),
    Column("following_count", Integer, nullable=False),
    Column("posts_count", Integer, nullable=False),
    Column("last_post_at", Instant),
    Column("hide_collections", Boolean, nullable=False, server_default=false()),  # who follows, and is followed
    Column("attribution_domains", Json, nullable=False, server_default="[]"),  # [domain] whose pages may name it
    Column("silenced_at", Instant),  # social/moderation/sanctions.py
    Column("sensitized_at", Instant),
    Column("memorial", Boolean, nullable=False, server_default=false()),  # its owner has died
    Column("role", Text, nullable=False, server_default=""),  # what user.role says, for all to see; a member has none
    Column("show_media", Boolean, nullable=False, server_default=true()),  # parts of the profile that programs show
    Column("show_media_replies", Boolean, nullable=False, server_default=true()),
    Column("show_featured", Boolean, nullable=False, server_default=true()),
    Column("host_limited", Boolean, nullable=False, server_default=false()),  # social/moderation/hosts.py
    Column("collections_uri", Text),  # remote: where its collections are (FEP-7aa9)
    Column("feature_policy", Json),  # remote: {"automatic", "manual"}, who may show it; None: it does not say
    # Grows with every change of the row.  An upsert has to say it itself (social/accounts/remember.py).
    Column("version", Integer, nullable=False, server_default="1", onupdate=literal_column("account.version + 1")),
    Index("ix_account_host", "host"),
    Index("ix_account_shared_inbox", "shared_inbox"),
)


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    uri: str
    handle: str
    username: str
    domain: str | None
    host: str | None
    kind: str
    display_name: str
    note: str
    note_source: str
    url: str
    inbox: str
    shared_inbox: str | None
    outbox: str | None
    followers_uri: str | None
    following_uri: str | None
    featured_uri: str | None
    locked: bool
    discoverable: bool
    indexable: bool
    avatar_url: str | None
    avatar_alt: str
    header_url: str | None
    header_alt: str
    fields: list[dict[str, str]]
    emojis: list[dict[str, str]]
    also_known_as: list[str]
    moved_to: str | None
    moved_at: datetime | None
    created_at: datetime
    fetched_at: datetime | None
    suspended_at: datetime | None
    deleted_at: datetime | None
    followers_count: int
    following_count: int
    posts_count: int
    last_post_at: datetime | None
    hide_collections: bool
    attribution_domains: list[str]
    silenced_at: datetime | None
    sensitized_at: datetime | None
    memorial: bool
    role: str
    show_media: bool
    show_media_replies: bool
    show_featured: bool
    host_limited: bool
    collections_uri: str | None
    feature_policy: dict[str, list[str]] | None
    version: int = field(compare=False)

    @property
    def is_local(self) -> bool:
        return self.host is None

    @property
    def is_gone(self) -> bool:
        return self.suspended_at is not None or self.deleted_at is not None

    @property
    def is_limited(self) -> bool:
        """Himself, or with all of his server."""
        return self.host_limited or self.silenced_at is not None

    @property
    def acct(self) -> str:
        """As the Mastodon API writes it: `alice`, or `Bob@far.test`."""
        return self.username if self.domain is None else f"{self.username}@{self.domain}"

    @property
    def name(self) -> str:
        return self.display_name or self.username


def blank_account(**values: Any) -> dict[str, Any]:
    """The columns of an account, with the usual value where `values` has none; id, uri, handle … are needed."""
    return {**_BLANK, **values}


_BLANK: dict[str, Any] = {
    "domain": None,
    "host": None,
    "kind": "Person",
    "display_name": "",
    "note": "",
    "note_source": "",
    "shared_inbox": None,
    "outbox": None,
    "followers_uri": None,
    "following_uri": None,
    "featured_uri": None,
    "locked": False,
    "discoverable": False,
    "indexable": False,
    "avatar_url": None,
    "avatar_alt": "",
    "header_url": None,
    "header_alt": "",
    "fields": [],
    "emojis": [],
    "also_known_as": [],
    "moved_to": None,
    "moved_at": None,
    "fetched_at": None,
    "suspended_at": None,
    "deleted_at": None,
    "followers_count": 0,
    "following_count": 0,
    "posts_count": 0,
    "last_post_at": None,
    "hide_collections": False,
    "attribution_domains": [],
    "silenced_at": None,
    "sensitized_at": None,
    "memorial": False,
    "role": "",
    "show_media": True,
    "show_media_replies": True,
    "show_featured": True,
    "host_limited": False,
    "collections_uri": None,
    "feature_policy": None,
    "version": 1,
}

account_keys = Table(
    "account_key",
    metadata,
    Column("id", Text, primary_key=True),  # keyId
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # rsa, ed25519, ecdsa-p256
    Column("public", Text, nullable=False),  # PEM, or a Multikey
    Column("private", Text),  # ours: PEM
    Column("created_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class AccountKey:
    id: str
    account_id: int
    kind: str
    public: str
    private: str | None
    created_at: datetime
