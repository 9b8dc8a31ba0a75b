"""Finding people who are known here by a part of their name.  Words in posts come with the full-text search."""

from sqlalchemy import Connection, bindparam, or_, select

from store.rows import many
from store.tables import INSTANCE_ACTOR_ID, Account, accounts

_ESCAPE = "\\"
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
    )
    .order_by(accounts.c.followers_count.desc(), accounts.c.id)
    .limit(bindparam("most"))
    .offset(bindparam("skip"))
)


def people(tx: Connection, words: str, most: int, skip: int = 0) -> list[Account]:
    """Those whose handle begins with `words`, or whose name has them in it; the most followed first."""
    asked = words.strip().removeprefix("@")
    if not asked:
        return []
    for character in (_ESCAPE, "%", "_"):
        asked = asked.replace(character, _ESCAPE + character)
    return many(tx, _PEOPLE, Account, start=f"{asked.lower()}%", within=f"%{asked}%", most=most, skip=skip)
