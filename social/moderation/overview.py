"""How much there is of what staff looks after, counted."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from social.moderation import hosts
from store.tables import (
    accounts,
    announcements,
    custom_emojis,
    email_domain_blocks,
    ip_blocks,
    reports,
    rules,
    users,
)

_PENDING = (
    select(func.count())
    .select_from(users)
    .join(accounts, accounts.c.id == users.c.account_id)
    .where(users.c.approved_at.is_(None), accounts.c.deleted_at.is_(None))
)
_COUNTED = {
    "reports": select(func.count()).select_from(reports).where(reports.c.resolved_at.is_(None)),
    "pending": _PENDING,
    "email_domains": select(func.count()).select_from(email_domain_blocks),
    "networks": select(func.count()).select_from(ip_blocks),
    "rules": select(func.count()).select_from(rules),
    "announcements": select(func.count()).select_from(announcements),
    "emojis": select(func.count()).select_from(custom_emojis),
}
_COUNTS = select(*(query.scalar_subquery().label(name) for name, query in _COUNTED.items()))


@dataclass(frozen=True, slots=True)
class Overview:
    """reports: that are open.  levels: how many servers have which."""

    reports: int
    pending: int
    email_domains: int
    networks: int
    rules: int
    announcements: int
    emojis: int
    levels: dict[str, int]


def look(tx: Connection) -> Overview:
    """Two queries."""
    counts = tx.execute(_COUNTS).mappings().one()
    return Overview(**counts, levels=dict(Counter(policy.level for policy in hosts.policies(tx))))
