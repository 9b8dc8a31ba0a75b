"""Hashtags as moderators see them: which may trend, be found and be used, and of which nobody said anything yet.

They are all that public posts have, and those that were judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, Connection, Text, and_, bindparam, delete, exists, or_, select, update

from social import tags, trends, verdicts
from social.errors import Invalid, NotFound
from social.moderation import audit
from social.moderation.sanctions import Staff
from social.pages import Page
from social.paging import Paged
from social.tags import TagView
from social.text import normalise_tag
from social.verdicts import LISTED, OF_TAGS, TREND, USED
from store.tables import audit as audit_log
from store.tables import featured_tags, followed_tags, hashtags, post_tags, posts, trend_verdicts
from store.tables.base import Id

AT_ONCE: Final = 1_000  # hashtags that are looked at in one read
SPELLING: Final = "spelling of hashtag"
FLAGS: Final = {"trendable": TREND, "listable": LISTED, "usable": USED}

# Of one hashtag after the other, as they are read: for a mere EXISTS PostgreSQL looks at all posts before the first.
_IS_THERE = (
    select(post_tags.c.post_id)
    .join(posts, posts.c.id == post_tags.c.post_id)
    .where(post_tags.c.name == hashtags.c.name, posts.c.visibility == "public")
    .limit(1)
    .correlate(hashtags)
    .scalar_subquery()
    .is_not(None)
)
_IS_JUDGED = exists().where(trend_verdicts.c.kind.in_(OF_TAGS), trend_verdicts.c.subject == hashtags.c.name)
_PAGE = Paged(select(hashtags.c.number, hashtags.c.name).where(or_(_IS_THERE, _IS_JUDGED)), hashtags.c.number)
_NAME = select(hashtags.c.name).where(hashtags.c.number == bindparam("wanted", type_=Id)).limit(1)
_SHOW = update(hashtags).where(hashtags.c.name == bindparam("which", type_=Text)).values(shown=bindparam("written"))

_UNUSED = and_(
    ~exists().where(post_tags.c.name == hashtags.c.name),
    ~exists().where(followed_tags.c.name == hashtags.c.name),
    hashtags.c.name.not_in(select(featured_tags.c.name)),
    ~_IS_JUDGED,
    hashtags.c.name.not_in(select(audit_log.c.subject).where(audit_log.c.kind == SPELLING)),
)
_NEXT = (
    select(hashtags.c.name, _UNUSED.label("unused"))
    .where(hashtags.c.name > bindparam("after", type_=Text))
    .order_by(hashtags.c.name)
    .limit(AT_ONCE)
)
_NAMES: BindParameter[list[str]] = bindparam("names", expanding=True)
_FORGET = delete(hashtags).where(hashtags.c.name.in_(_NAMES), _UNUSED)


@dataclass(frozen=True, slots=True)
class Judged:
    """`trendable` None: as the settings have it."""

    view: TagView
    trendable: bool | None
    listable: bool
    usable: bool
    requires_review: bool


def look(tx: Connection, names: Sequence[str], now: datetime) -> list[Judged]:
    said = verdicts.said(tx, OF_TAGS, names)
    return [
        Judged(
            view,
            said.get((TREND, view.name)),
            said.get((LISTED, view.name), True),
            said.get((USED, view.name), True),
            not any((kind, view.name) in said for kind in OF_TAGS),
        )
        for view in tags.look(tx, names, None, now)
    ]


def trending(tx: Connection, limit: int, offset: int, now: datetime) -> list[Judged]:
    """All that trend, those included that are not shown."""
    return look(tx, trends.trending_names(tx)[offset : offset + limit], now)


def page(tx: Connection, part: Page, now: datetime) -> list[Judged]:
    """Of all there are, the highest number first."""
    return look(tx, [row.name for row in _PAGE.rows(tx, part)], now)


def name_of(tx: Connection, number: int) -> str:
    """Raises: NotFound."""
    found: str | None = tx.scalar(_NAME, {"wanted": number})
    if found is None:
        raise NotFound("Record not found")
    return found


def is_there(tx: Connection, number: int) -> bool:
    return tx.scalar(_NAME, {"wanted": number}) is not None


def change(
    tx: Connection, by: Staff, name: str, wanted: Mapping[str, bool], shown: str | None, now: datetime
) -> Judged:
    """wanted: of FLAGS those that are to be so; the others stay.  Whoever asks made sure that there is such a one.

    shown: how it is to be written, the same but for capitals and accents; None: as before.  Raises: Invalid.
    """
    if shown is not None:
        if normalise_tag(shown) != name:
            raise Invalid("Validation failed: Display name is another spelling of the same hashtag")
        tx.execute(_SHOW, {"which": name, "written": shown})
        audit.note(tx, by.account, "change", SPELLING, name, now)
    for flag, allowed in wanted.items():
        verdicts.judge(tx, FLAGS[flag], name, allowed, by.account.id, now)
        audit.note(tx, by.account, "approve" if allowed else "reject", f"{flag} hashtag", name, now)
    return look(tx, [name], now)[0]


def unused(tx: Connection, after: str) -> tuple[list[str], str | None]:
    """Of those behind the name `after` the ones that nobody uses or spoke of, and behind which to go on; None: at the
    end.
    """
    rows = tx.execute(_NEXT, {"after": after}).all()
    return [row.name for row in rows if row.unused], rows[-1].name if len(rows) == AT_ONCE else None


def forget(tx: Connection, names: Sequence[str]) -> None:
    """Those of them that still nobody uses.  One that is used just now has its row again with the next post."""
    tx.execute(_FORGET, {"names": list(names)})
