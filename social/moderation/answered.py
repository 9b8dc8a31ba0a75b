"""What became of the reports that one of ours made: whether a moderator looked, and whether anything was done."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, exists, or_, select

from social.pages import Page
from social.paging import Paged
from store.tables import Account, Report, accounts, reports, warnings
from store.tables.base import Id

_ACTED: Final = exists().where(
    warnings.c.target_id == reports.c.target_id,
    or_(
        warnings.c.report_id == reports.c.id,
        # What is more than a warning closes all reports of somebody at that moment (sanctions.py).
        (warnings.c.created_at == reports.c.resolved_at) & (warnings.c.action != "none"),
    ),
)
_MINE = Paged(
    select(*reports.c, _ACTED.label("acted"), *accounts.c)
    .join(accounts, accounts.c.id == reports.c.target_id)
    .where(reports.c.reporter_id == bindparam("me", type_=Id)),
    reports.c.id,
)
_WIDTH: Final = len(reports.c)


@dataclass(frozen=True, slots=True)
class Answered:
    """acted: the moderators did something about `target`; nothing is said of what."""

    report: Report
    target: Account
    acted: bool


def mine(tx: Connection, account_id: int, page: Page) -> list[Answered]:
    """The newest first."""
    return [
        Answered(Report(*row[:_WIDTH]), Account(*row[_WIDTH + 1 :]), bool(row[_WIDTH]))
        for row in _MINE.rows(tx, page, me=account_id)
    ]
