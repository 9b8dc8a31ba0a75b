"""Sites as moderators see them: may links to them be shown among the trends?  Known are those to which links lead that
trend, and those that were judged.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from social import numbers, trends, verdicts
from social.moderation import audit
from social.moderation.sanctions import Staff
from social.pages import Page
from social.verdicts import PUBLISHER


@dataclass(frozen=True, slots=True)
class Publisher:
    """`allowed` None: nobody said so far."""

    site: str
    allowed: bool | None
    decided_at: datetime | None


def page(tx: Connection, part: Page) -> list[Publisher]:
    """The highest number first."""
    known = _known(tx)
    return [known[site] for site in numbers.page(known, part)]


def judge(tx: Connection, by: Staff, number: int, allowed: bool, now: datetime) -> Publisher:
    """Raises: NotFound."""
    site = numbers.named(_known(tx), number)
    verdicts.judge(tx, PUBLISHER, site, allowed, by.account.id, now)
    audit.note(tx, by.account, "approve" if allowed else "reject", "publisher", site, now)
    return Publisher(site, allowed, now)


def _known(tx: Connection) -> dict[str, Publisher]:
    found = {site: Publisher(site, None, None) for site in trends.sites(tx)}
    judged = verdicts.of_kinds(tx, (PUBLISHER,))
    return found | {one.subject: Publisher(one.subject, one.allowed, one.decided_at) for one in judged}
