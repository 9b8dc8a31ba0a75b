"""Hashtags as moderators see them: which may trend, be found and be used, and of which nobody said anything yet.

They are all that public posts have, and those that were judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Text, bindparam, exists, or_, select, update

from social import tags, trends, verdicts
from social.errors import Invalid, NotFound
from social.moderation import audit
from social.moderation.sanctions import Staff
from social.pages import Page
from social.paging import Paged
from social.tags import TagView
from social.text import normalise_tag
from social.verdicts import LISTED, OF_TAGS, TREND, USED
from store.tables import hashtags, post_tags, posts, trend_verdicts
from store.tables.base import Id

FLAGS: Final = {"trendable": TREND, "listable": LISTED, "usable": USED}

_IS_THERE = exists().where(
    post_tags.c.name == hashtags.c.name, posts.c.id == post_tags.c.post_id, posts.c.visibility == "public"
)
_IS_JUDGED = exists().where(trend_verdicts.c.kind.in_(OF_TAGS), trend_verdicts.c.subject == hashtags.c.name)
_PAGE = Paged(select(hashtags.c.number, hashtags.c.name).where(or_(_IS_THERE, _IS_JUDGED)), hashtags.c.number)
_NAME = select(hashtags.c.name).where(hashtags.c.number == bindparam("wanted", type_=Id)).limit(1)
_SHOW = update(hashtags).where(hashtags.c.name == bindparam("which", type_=Text)).values(shown=bindparam("written"))


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
        audit.note(tx, by.account, "change", "spelling of hashtag", name, now)
    for flag, allowed in wanted.items():
        verdicts.judge(tx, FLAGS[flag], name, allowed, by.account.id, now)
        audit.note(tx, by.account, "approve" if allowed else "reject", f"{flag} hashtag", name, now)
    return look(tx, [name], now)[0]
