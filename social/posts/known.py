"""What is known here about a batch of arriving posts: looked up for all of them at once."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, Select, bindparam, or_, select

from federation.reading import PUBLIC, Note
from social import moderation
from social.paging import padded, parted
from social.posts import groups
from store.tables import Account, accounts, follows, posts, tombstones, users
from store.tables.base import Id

# As ours are, and those of Mastodon.
_PAGE = re.compile(r"(https?://[^/?#]+)/@([A-Za-z0-9_.-]+)")

AUDIENCE: Final = 64  # addressees of one post that are looked at

_IDS = bindparam("ids", expanding=True, type_=Id)
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
_POSTS: Select[Any] = select(
    posts.c.id, posts.c.uri, posts.c.author_id, posts.c.thread_id, posts.c.local, posts.c.boost_of_id
).where(or_(posts.c.uri.in_(_URIS), posts.c.id.in_(_IDS)))
_BURIED = select(tombstones.c.uri, tombstones.c.owner).where(tombstones.c.uri.in_(_URIS))
_PEOPLE: Select[Any] = select(accounts.c.uri, accounts.c.id, accounts.c.host, accounts.c.kind).where(
    accounts.c.uri.in_(_URIS), accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None)
)
_FOLLOWED = (
    select(follows.c.target_id)
    .join(users, users.c.account_id == follows.c.follower_id)
    .where(follows.c.target_id.in_(_IDS), follows.c.accepted)
    .distinct()
)


class Found(NamedTuple):
    """A post that is here, or comes with the same batch."""

    id: int
    author_id: int
    thread_id: int
    local: bool


class Person(NamedTuple):
    id: int
    local: bool
    group: bool


@dataclass(frozen=True, slots=True)
class Known:
    """`buried`: uri → its owner, of what was deleted.  `limited`: their hosts, where kept off the public
    feeds; `bare`: those of whose files nothing is kept."""

    posts: dict[str, Found]
    ids: frozenset[int]
    buried: dict[str, str]
    people: dict[str, Person]
    limited: frozenset[str]
    bare: frozenset[str]


def look_up(tx: Connection, notes: Sequence[tuple[Account, Note]], ids: Collection[int] = ()) -> Known:
    """All that is known about `notes`, in four queries.  `ids`: numbers wanted for them; `ids` of it are taken."""
    uris = {note.id for _, note in notes}
    uris.update(note.in_reply_to for _, note in notes if note.in_reply_to)
    asked = padded(list(uris))
    rows = tx.execute(_POSTS, {"uris": asked, "ids": padded(list(ids)) or [0]}).all()
    people: dict[str, Person] = {}
    for part in parted(list({uri for author, note in notes for uri in addressed(author, note)})):
        found = tx.execute(_PEOPLE, {"uris": part})
        people.update((row[0], Person(row[1], row[2] is None, row[3] == groups.KIND)) for row in found)
    held = moderation.holding(tx, {author.host for author, _ in notes if author.host})
    return Known(
        posts={row.uri: Found(row.id, row.author_id, row.thread_id, row.local)
               for row in rows if row.boost_of_id is None},
        ids=frozenset(row.id for row in rows),
        buried={row[0]: row[1] for row in tx.execute(_BURIED, {"uris": asked})},
        people=people,
        limited=frozenset(host for host, policy in held.items() if policy.level == moderation.LIMIT),
        bare=frozenset(host for host, policy in held.items() if policy.reject_media),
    )  # fmt: skip


def addressed(author: Account, note: Note) -> Iterable[str]:
    """The uris of everybody whom the note names or addresses; each once, the named first."""
    audience = (uri for part in (note.to, note.cc, (note.audience,)) for uri in part if uri)
    others = (uri for uri in audience if uri not in (PUBLIC, author.followers_uri, author.uri))
    return dict.fromkeys([*(uri for uri in named(note) if uri != author.uri), *islice(others, AUDIENCE)])


def named(note: Note) -> Iterable[str]:
    """The uris of whom the text names.  Some name the page instead, which elsewhere is the id itself (Hollo)."""
    for mention in note.mentions:
        yield mention.href
        if page := _PAGE.fullmatch(mention.href):
            yield f"{page[1]}/users/{page[2]}"


def followed(tx: Connection, author_ids: Sequence[int]) -> set[int]:
    """Those of `author_ids` whom somebody here follows."""
    return set(tx.scalars(_FOLLOWED, {"ids": padded(author_ids)})) if author_ids else set()
