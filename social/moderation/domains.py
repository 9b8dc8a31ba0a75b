"""Limits on other servers, as moderators set them through programs: those of hosts.py, by number, and written down."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from social import numbers
from social.errors import Invalid
from social.moderation import audit, hosts
from social.moderation.hosts import ALLOW, SEVERITIES, PolicyDraft
from social.moderation.sanctions import Staff
from social.pages import Page
from store.tables import HostPolicy

LIMITS: Final = tuple(SEVERITIES)
EXCEPTIONS: Final = (ALLOW,)


def page(tx: Connection, levels: Collection[str], part: Page) -> list[HostPolicy]:
    """The highest number first."""
    found = _some(tx, levels)
    return [found[host] for host in numbers.page(found, part)]


def by_number(tx: Connection, levels: Collection[str], number: int) -> HostPolicy:
    """Raises: NotFound."""
    found = _some(tx, levels)
    return found[numbers.named(found, number)]


def add(tx: Connection, by: Staff, ours: Collection[str], draft: PolicyDraft, now: datetime) -> HostPolicy:
    """ours: what cannot be limited.  Raises: Invalid, also when there is one already."""
    name = hosts.clean_host(draft.host)
    if name in ours:
        raise Invalid("That is this server")
    if any(one.host == name for one in hosts.policies(tx)):
        raise Invalid("Validation failed: there is a limit on that domain already")
    return change(tx, by, draft, now)


def allow(tx: Connection, by: Staff, ours: Collection[str], host: str, now: datetime) -> HostPolicy:
    """One that is allowed already stays so.  Raises: Invalid."""
    there = _some(tx, EXCEPTIONS).get(hosts.clean_host(host))
    return there or add(tx, by, ours, PolicyDraft(host, ALLOW), now)


def change(tx: Connection, by: Staff, draft: PolicyDraft, now: datetime) -> HostPolicy:
    """Raises: Invalid."""
    made = hosts.set_draft(tx, draft, now)
    audit.note(tx, by.account, made.level, "host", made.host, now)
    return made


def remove(tx: Connection, by: Staff, host: str, now: datetime) -> None:
    hosts.unset_policy(tx, host)
    audit.note(tx, by.account, "unset", "host", host, now)


def _some(tx: Connection, levels: Collection[str]) -> dict[str, HostPolicy]:
    return {one.host: one for one in hosts.policies(tx) if one.level in levels}
