"""Finding people and hashtags that are known here by a part of their name.  Words of posts: social/fulltext.py."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)

from social import verdicts
from social.verdicts import LISTED
from social.words import words
from store.rows import many
from store.tables import INSTANCE_ACTOR_ID, Account, account_words, accounts, follows, post_tags, posts
from store.tables.base import Id

STEPS: Final = 300  # hashtags that are looked at
LOOK: Final = 500  # words that begin as asked, of whose people the most followed are found
MOST_TERMS: Final = 4

_LAST = "\U0010ffff"
_READER = bindparam("reader", type_=Id)
_IN_HANDLES = frozenset("@._-")
_FOLLOWED = exists().where(follows.c.target_id == accounts.c.id, follows.c.follower_id == _READER, follows.c.accepted)
_THEY: Final = (
    accounts.c.suspended_at.is_(None),
    accounts.c.deleted_at.is_(None),
    accounts.c.id != INSTANCE_ACTOR_ID,
)


def _begins(words: Any, number: int) -> ColumnElement[bool]:
    """Does the word begin as the term of that number?"""
    return and_(words.c.word >= bindparam(f"from{number}"), words.c.word < bindparam(f"to{number}"))


def _has(account_id: ColumnElement[int], number: int) -> ColumnElement[bool]:
    words = account_words.alias()
    return exists().where(words.c.account_id == account_id, _begins(words, number))


def _people(terms: int, look: int = LOOK) -> tuple[Select[Any], Select[Any]]:
    """All, and those whom the reader follows, that have words which begin as each of so many terms do."""
    known = (
        select(account_words.c.account_id.label("id"))
        .where(_begins(account_words, 0), *(_has(account_words.c.account_id, number) for number in range(1, terms)))
        .limit(look)
    )
    followed = select(follows.c.target_id.label("id")).where(
        follows.c.follower_id == _READER,
        follows.c.accepted,
        *(_has(follows.c.target_id, number) for number in range(terms)),
    )
    both = union(select(known.subquery()), followed).subquery()
    heard = or_(accounts.c.silenced_at.is_(None), accounts.c.id == _READER, _FOLLOWED)
    return _best(select(accounts).where(accounts.c.id.in_(select(both.c.id)), *_THEY, heard)), _best(
        select(accounts).where(accounts.c.id.in_(followed), *_THEY)
    )


def _best(found: Select[Any]) -> Select[Any]:
    return (
        found.order_by(_FOLLOWED.desc(), accounts.c.followers_count.desc(), accounts.c.id)
        .limit(bindparam("most"))
        .offset(bindparam("skip"))
    )


_PEOPLE = [_people(terms) for terms in range(1, MOST_TERMS + 1)]


def _names() -> Select[Any]:
    """The names from `start` on, each found by one step in the index from that before, however often it is used.

    And whether there is a public post with it: those that only closed posts have stay unknown.
    """
    first = select(
        select(func.min(post_tags.c.name))
        .where(post_tags.c.name >= bindparam("start", type_=Text))
        .scalar_subquery()
        .label("name"),
        literal(1, Integer).label("step"),
    ).cte("names", recursive=True)
    after = select(func.min(post_tags.c.name)).where(post_tags.c.name > first.c.name).correlate(first)
    further = select(after.scalar_subquery(), first.c.step + 1).where(
        first.c.name.is_not(None), first.c.step < bindparam("steps", type_=Integer)
    )
    names = first.union_all(further)
    openly = exists().where(
        post_tags.c.name == names.c.name, posts.c.id == post_tags.c.post_id, posts.c.visibility == "public"
    )
    return select(names.c.name, openly).where(names.c.name.is_not(None)).order_by(names.c.step)


_NAMES = _names()


def hashtags(tx: Connection, start: str, most: int, skip: int = 0) -> list[str]:
    """Those that begin so, in the order of the database, which begins with `start` itself.

    start: normalised (social.text.normalise_tag).
    """
    steps = min(4 * (most + skip), STEPS)  # some are closed, or begin otherwise
    rows = tx.execute(_NAMES, {"start": start, "steps": steps})
    found = [name for name, openly in rows if openly and name.startswith(start)]
    hidden = verdicts.refused(tx, LISTED, found)
    return [name for name in found if name not in hidden][skip : skip + most]


def people(
    tx: Connection, typed: str, most: int, skip: int = 0, *, reader_id: int | None = None, following: bool = False
) -> list[Account]:
    """Those in whose name or handle something begins with each of the words; first whom the reader follows, then the
    most followed, of some hundreds when there are more.

    following: only those whom the reader follows.  Whoever is silenced is found by those who follow him.
    """
    terms = _terms(typed)
    if not terms:
        return []
    values: dict[str, Any] = {"most": most, "skip": skip, "reader": reader_id}
    for number, term in enumerate(terms):
        values |= {f"from{number}": term, f"to{number}": term + _LAST}
    return many(tx, _PEOPLE[len(terms) - 1][following], Account, **values)


def _terms(typed: str) -> list[str]:
    """The longest first: it is the one that is looked up.

    >>> _terms("@Bob@far.te Müller")
    ['bob@far.te', 'muller']
    """
    found: list[str] = []
    for piece in typed.split():
        handle = piece.lower().removeprefix("@")
        found += [handle] if _IN_HANDLES & set(handle) else words(handle)
    return sorted(dict.fromkeys(filter(None, found)), key=len, reverse=True)[:MOST_TERMS]
