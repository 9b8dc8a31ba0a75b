"""What moderators said of hashtags, links and sites, and of posts that trend: may they?"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, Connection, Text, bindparam, false, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.paging import padded
from store.prepared import Prepared
from store.rows import many
from store.tables import TrendVerdict, trend_verdicts

TREND: Final = "tag"  # may that hashtag be shown among the trends?
LISTED: Final = "listable"  # may it be found by searching?
USED: Final = "usable"  # may our people use it?
OF_TAGS: Final = (TREND, LISTED, USED)
PUBLISHER: Final = "publisher"  # may links to that site be shown among the trends?

_INSERT = insert(trend_verdicts)
_JUDGE = _INSERT.on_conflict_do_update(
    index_elements=["kind", "subject"],
    set_={name: _INSERT.excluded[name] for name in ("allowed", "account_id", "decided_at")},
)
_KIND = bindparam("kind", type_=Text)
_SUBJECTS: BindParameter[list[str]] = bindparam("subjects", expanding=True)
_REFUSED = Prepared(
    select(trend_verdicts.c.subject).where(
        trend_verdicts.c.kind == _KIND, trend_verdicts.c.subject.in_(_SUBJECTS), trend_verdicts.c.allowed == false()
    )
)
_OF_KINDS = select(trend_verdicts).where(trend_verdicts.c.kind.in_(bindparam("kinds", expanding=True)))
_SAID = _OF_KINDS.where(trend_verdicts.c.subject.in_(_SUBJECTS))


def judge(tx: Connection, kind: str, subject: str, allowed: bool, account_id: int, now: datetime) -> None:
    """Whoever asks made sure that `account_id` may say so."""
    values = {"kind": kind, "subject": subject, "allowed": allowed, "account_id": account_id, "decided_at": now}
    tx.execute(_JUDGE, values)


def refused(tx: Connection, kind: str, subjects: Collection[str]) -> set[str]:
    """Those of `subjects` that may not."""
    if not subjects:
        return set()
    return {row[0] for row in _REFUSED.rows(tx, kind=kind, subjects=padded(list(subjects)))}


def said(tx: Connection, kinds: Sequence[str], subjects: Collection[str]) -> dict[tuple[str, str], bool]:
    """What was said, by kind and subject."""
    if not subjects:
        return {}
    rows = many(tx, _SAID, TrendVerdict, kinds=list(kinds), subjects=padded(list(subjects)))
    return {(row.kind, row.subject): row.allowed for row in rows}


def of_kinds(tx: Connection, kinds: Sequence[str]) -> list[TrendVerdict]:
    return many(tx, _OF_KINDS, TrendVerdict, kinds=list(kinds))
