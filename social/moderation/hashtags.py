"""Hashtags as moderators see them: which may trend, be found and be used, and of which nobody said anything yet.

By a number (social/numbers.py) one is looked for among those that trend, those that were judged, then all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from sqlalchemy import Connection

from social import numbers, search, tags, trends, verdicts
from social.moderation import audit
from social.moderation.sanctions import Staff
from social.pages import Page
from social.tags import TagView
from social.verdicts import LISTED, OF_TAGS, TREND, USED

FLAGS: Final = {"trendable": TREND, "listable": LISTED, "usable": USED}


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
    return look(tx, numbers.page(_all(tx), part), now)


def name_of(tx: Connection, number: int) -> str:
    """Raises: NotFound."""
    return numbers.named(chain(trends.trending_names(tx), _all(tx)), number)


def change(tx: Connection, by: Staff, name: str, wanted: Mapping[str, bool], now: datetime) -> Judged:
    """wanted: of FLAGS those that are to be so; the others stay.  Whoever asks made sure that there is such a one."""
    for flag, allowed in wanted.items():
        verdicts.judge(tx, FLAGS[flag], name, allowed, by.account.id, now)
        audit.note(tx, by.account, "approve" if allowed else "reject", f"{flag} hashtag", name, now)
    return look(tx, [name], now)[0]


def _all(tx: Connection) -> Iterator[str]:
    judged = {one.subject for one in verdicts.of_kinds(tx, OF_TAGS)}
    yield from judged
    yield from (name for name in search.all_hashtags(tx) if name not in judged)
