"""Every table, one file per subject, each beside the dataclass of its rows.

Tables are plural (`posts`), rows are singular (`Post`).  `metadata` is what alembic compares.
"""

from store.tables.access import App, Session, Token, User, apps, idempotency, sessions, tokens, users
from store.tables.accounts import (
    INSTANCE_ACTOR_ID,
    Account,
    AccountKey,
    account_keys,
    accounts,
    blank_account,
)
from store.tables.base import metadata
from store.tables.cards import Card, cards
from store.tables.conversations import Conversation, conversations
from store.tables.deliveries import Host, activities, deliveries, hosts
from store.tables.follows import Block, Follow, blocks, follows
from store.tables.jobs import Job, facts, jobs
from store.tables.marks import bookmarks, thread_mutes
from store.tables.messages import CachedKey, Spooled, cached_keys, counts, handled, spool_metadata, spooled
from store.tables.moderation import HostPolicy, Report, host_policies, reports
from store.tables.posts import (
    Edit,
    Media,
    Poll,
    Post,
    blank_media,
    blank_post,
    edits,
    media,
    mentions,
    pins,
    poll_votes,
    polls,
    post_tags,
    posts,
    tombstones,
)
from store.tables.reactions import Like, Reaction, likes, reactions
from store.tables.scheduled import ScheduledPost, scheduled_posts
from store.tables.timelines import Notification, home_entries, notifications

ROWS = {
    Account: accounts,
    AccountKey: account_keys,
    App: apps,
    Block: blocks,
    CachedKey: cached_keys,
    Card: cards,
    Conversation: conversations,
    Edit: edits,
    Follow: follows,
    Host: hosts,
    HostPolicy: host_policies,
    Job: jobs,
    Like: likes,
    Media: media,
    Notification: notifications,
    Poll: polls,
    Post: posts,
    Reaction: reactions,
    Report: reports,
    ScheduledPost: scheduled_posts,
    Session: sessions,
    Spooled: spooled,
    Token: tokens,
    User: users,
}

__all__ = [
    "INSTANCE_ACTOR_ID",
    "ROWS",
    "Account",
    "AccountKey",
    "App",
    "Block",
    "CachedKey",
    "Card",
    "Conversation",
    "Edit",
    "Follow",
    "Host",
    "HostPolicy",
    "Job",
    "Like",
    "Media",
    "Notification",
    "Poll",
    "Post",
    "Reaction",
    "Report",
    "ScheduledPost",
    "Session",
    "Spooled",
    "Token",
    "User",
    "account_keys",
    "accounts",
    "activities",
    "apps",
    "blank_account",
    "blank_media",
    "blank_post",
    "blocks",
    "bookmarks",
    "cached_keys",
    "cards",
    "conversations",
    "counts",
    "deliveries",
    "edits",
    "facts",
    "follows",
    "handled",
    "home_entries",
    "host_policies",
    "hosts",
    "idempotency",
    "jobs",
    "likes",
    "media",
    "mentions",
    "metadata",
    "notifications",
    "pins",
    "poll_votes",
    "polls",
    "post_tags",
    "posts",
    "reactions",
    "reports",
    "scheduled_posts",
    "sessions",
    "spool_metadata",
    "spooled",
    "thread_mutes",
    "tokens",
    "tombstones",
    "users",
]
