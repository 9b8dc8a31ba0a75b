"""Of what this server consists, for its moderators: languages, programs, servers, and the space that all of it takes.

What is counted is what was posted in a period, of ours, of another server, with a hashtag.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Select, Text, bindparam, func, select, text

from social.moderation.figures import AFTER, FIRST, HOST, TAG, TAGGED, period
from store.tables import accounts, apps, follows, media, post_tags, posts, users
from store.tables.base import Id

MOST: Final = 100
_HOST = bindparam("subject", type_=Text)
_written = (posts.c.id >= FIRST, posts.c.id < AFTER, posts.c.boost_of_id.is_(None))
# From each of our people by the index to his posts: those of other servers are many more.
_ours = users.join(posts, posts.c.author_id == users.c.account_id)
_theirs = accounts.join(posts, posts.c.author_id == accounts.c.id)
_tagged = TAGGED.where(post_tags.c.post_id >= FIRST, post_tags.c.post_id < AFTER)


@dataclass(frozen=True, slots=True)
class _Kind:
    shares: Select[Any]
    about: str = ""


def _ranked(key: Any, rows: Select[Any]) -> Select[Any]:
    """(what, how many), the most first."""
    return (
        rows.with_only_columns(key, func.count())
        .group_by(key)
        .order_by(func.count().desc(), key)
        .limit(bindparam("most", type_=Id))
    )


_KINDS: Final = {
    "languages": _Kind(_ranked(posts.c.language, select(posts.c.id).select_from(_ours).where(*_written))),
    "sources": _Kind(
        _ranked(
            apps.c.name,
            select(posts.c.id).select_from(_ours.outerjoin(apps, apps.c.id == posts.c.app_id)).where(*_written),
        )
    ),
    "servers": _Kind(
        _ranked(accounts.c.host, select(posts.c.id).select_from(_theirs).where(*_written, accounts.c.host.is_not(None)))
    ),
    "tag_servers": _Kind(_ranked(accounts.c.host, _tagged), TAG),
    "tag_languages": _Kind(_ranked(posts.c.language, _tagged), TAG),
    "instance_accounts": _Kind(
        _ranked(
            accounts.c.username,
            select(accounts.c.id)
            .select_from(accounts.join(follows, follows.c.target_id == accounts.c.id))
            .where(accounts.c.host == _HOST, follows.c.accepted),
        ),
        HOST,
    ),
    "instance_languages": _Kind(
        _ranked(posts.c.language, select(posts.c.id).select_from(_theirs).where(*_written, accounts.c.host == _HOST)),
        HOST,
    ),
}
KEYS: Final = tuple(_KINDS)

_SIZES: Final = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
    "postgresql": text("SELECT pg_database_size(current_database())"),
}
_VERSIONS: Final = {"sqlite": text("SELECT sqlite_version()"), "postgresql": text("SHOW server_version")}
_FILES = select(func.coalesce(func.sum(media.c.bytes), 0)).where(media.c.account_id.is_not(None))


@dataclass(frozen=True, slots=True)
class Database:
    """engine: sqlite or postgresql.  bytes: of all of it; files: bytes of the files of our people, which it names."""

    engine: str
    version: str
    bytes: int
    files: int


def about(key: str) -> str:
    """What it is told of: HOST, TAG, or empty for the whole server."""
    return _KINDS[key].about


def shares(tx: Connection, key: str, first: date, last: date, most: int, subject: str = "") -> Mapping[str | None, int]:
    """key: one of KEYS.  subject: the host, or the name of the hashtag.

    None among the names: no language is known, no program, or this server.
    """
    asked = {**period(first, last), "most": max(1, min(most, MOST)), "subject": subject}
    return {row[0]: row[1] for row in tx.execute(_KINDS[key].shares, asked)}


def database(tx: Connection) -> Database:
    engine = tx.dialect.name
    version = str(tx.scalar(_VERSIONS[engine])).partition(" ")[0]
    return Database(engine, version, int(tx.scalar(_SIZES[engine]) or 0), int(tx.scalar(_FILES) or 0))
