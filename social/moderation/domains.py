"""Limits on other servers, as moderators set them through programs: those of hosts.py, by number, and written down."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from social import numbers
from social.errors import Invalid
from social.moderation import audit, hosts, reach
from social.moderation.hosts import ALLOW, BLOCK, SEVERITIES, PolicyDraft
from social.moderation.reach import Reach
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
    if _named(tx, draft.host) is not None:
        raise Invalid("Validation failed: there is a limit on that domain already")
    return put(tx, by, ours, draft, now)


def put(tx: Connection, by: Staff, ours: Collection[str], draft: PolicyDraft, now: datetime) -> HostPolicy:
    """As `add`, or in the place of what there is.  Raises: Invalid."""
    if hosts.clean_host(draft.host) in ours:
        raise Invalid("That is this server")
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


def look(tx: Connection, host: str) -> tuple[str, HostPolicy | None, Reach]:
    """Its name as it should be, what is said of exactly that, and whom it concerns.  Raises: Invalid."""
    name = hosts.clean_host(host)
    return name, _named(tx, name), reach.of(tx, [PolicyDraft(name, BLOCK)])[name]


def _named(tx: Connection, host: str) -> HostPolicy | None:
    name = hosts.clean_host(host)
    return next((one for one in hosts.policies(tx) if one.host == name), None)


def _some(tx: Connection, levels: Collection[str]) -> dict[str, HostPolicy]:
    return {one.host: one for one in hosts.policies(tx) if one.level in levels}
