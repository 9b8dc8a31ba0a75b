"""Finding people and hashtags that are known here by a part of their name.  Words of posts: social/fulltext.py."""

from typing import Any, Final

from sqlalchemy import Boolean, Connection, Integer, Select, Text, bindparam, exists, func, literal, or_, select

from social import verdicts
from social.verdicts import LISTED
from store.rows import many
from store.tables import INSTANCE_ACTOR_ID, Account, accounts, follows, post_tags, posts
from store.tables.base import Id

STEPS: Final = 300  # hashtags that are looked at

_ESCAPE = "\\"
_FOLLOWED = exists().where(
    follows.c.target_id == accounts.c.id,
    follows.c.follower_id == bindparam("reader", type_=Id),
    follows.c.accepted,
)
_PEOPLE = (
    select(accounts)
    .where(
        or_(
            accounts.c.handle.like(bindparam("start"), escape=_ESCAPE),
            accounts.c.display_name.ilike(bindparam("within"), escape=_ESCAPE),
        ),
        accounts.c.suspended_at.is_(None),
        accounts.c.deleted_at.is_(None),
        accounts.c.id != INSTANCE_ACTOR_ID,
        or_(
            accounts.c.silenced_at.is_(None),
            accounts.c.id == bindparam("reader", type_=Id),
            _FOLLOWED,
        ),
        or_(
            ~bindparam("only_followed", type_=Boolean()),
            _FOLLOWED,
        ),
    )
    .order_by(accounts.c.followers_count.desc(), accounts.c.id)
    .limit(bindparam("most"))
    .offset(bindparam("skip"))
)


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
    tx: Connection, words: str, most: int, skip: int = 0, *, reader_id: int | None = None, following: bool = False
) -> list[Account]:
    """Those whose handle begins with `words`, or whose name has them in it; the most followed first.

    following: only those whom the reader follows.  Whoever is silenced is found by those who follow him.
    """
    asked = words.strip().removeprefix("@")
    if not asked:
        return []
    for character in (_ESCAPE, "%", "_"):
        asked = asked.replace(character, _ESCAPE + character)
    values = {"start": f"{asked.lower()}%", "within": f"%{asked}%", "most": most, "skip": skip}
    return many(tx, _PEOPLE, Account, **values, only_followed=following, reader=reader_id)
