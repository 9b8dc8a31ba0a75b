"""With what people reacted to a post, and who did."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select

from social.posts import find
from social.reactions import DISLIKE
from social.ties import apart
from store.tables import Account, Reaction, accounts, reactions
from store.tables.base import Id

MOST: Final = 400  # reactions that are looked at

_ALL = (
    select(reactions, accounts)
    .join(accounts, accounts.c.id == reactions.c.account_id)
    .where(
        reactions.c.post_id == bindparam("post", type_=Id),
        reactions.c.name != DISLIKE,
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        ~apart(reactions.c.account_id, bindparam("viewer", type_=Id)),
    )
    .order_by(reactions.c.created_at, reactions.c.account_id)
    .limit(MOST)
)
_WIDTH: Final = len(reactions.c)


@dataclass(frozen=True, slots=True)
class Reacted:
    """`name`: an emoji, or `:shortcode:` with its picture at `url`; `mine`: the viewer is among `people`."""

    name: str
    url: str | None
    mine: bool
    people: tuple[Account, ...]


def reacted(tx: Connection, post_id: int, viewer_id: int | None) -> list[Reacted]:
    """The most used first, in two queries.  Raises: NotFound."""
    post = find.original(tx, post_id, viewer_id)
    people: dict[str, list[Account]] = {}
    urls: dict[str, str | None] = {}
    for row in tx.execute(_ALL, {"post": post.id, "viewer": viewer_id}):
        one = Reaction(*row[:_WIDTH])
        people.setdefault(one.name, []).append(Account(*row[_WIDTH:]))
        urls.setdefault(one.name, one.url)
    found = [
        Reacted(name, urls[name], any(it.id == viewer_id for it in some), tuple(some)) for name, some in people.items()
    ]
    return sorted(found, key=lambda it: -len(it.people))
