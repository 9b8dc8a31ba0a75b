"""A list of limits that somebody else keeps: what it would change here, said first, and then done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from social.moderation import audit, hosts, reach
from social.moderation.hosts import BLOCK, PolicyDraft
from social.moderation.reach import Reach
from social.moderation.sanctions import Staff
from store.tables import HostPolicy


@dataclass(frozen=True, slots=True)
class Plan:
    """changed: what is there now, and what the list says.  same: how many are as it says already.  reach: of what would
    be blocked and is not."""

    new: tuple[PolicyDraft, ...]
    changed: tuple[tuple[HostPolicy, PolicyDraft], ...]
    same: int
    reach: Mapping[str, Reach]


def plan(tx: Connection, ours: Collection[str], drafts: Sequence[PolicyDraft]) -> Plan:
    """drafts: as social.moderation.lists reads them; ours: left out."""
    there = {policy.host: policy for policy in hosts.policies(tx)}
    wanted = [_kept(draft, there) for draft in drafts if draft.host not in ours]
    new = tuple(draft for draft in wanted if draft.host not in there)
    changed = tuple(
        (there[draft.host], draft)
        for draft in wanted
        if draft.host in there and PolicyDraft.of(there[draft.host]) != draft
    )
    blocked = [draft for draft in new if draft.level == BLOCK]
    blocked += [draft for old, draft in changed if draft.level == BLOCK != old.level]
    return Plan(new, changed, len(wanted) - len(new) - len(changed), reach.of(tx, blocked))


def carry_out(
    tx: Connection, by: Staff, ours: Collection[str], drafts: Sequence[PolicyDraft], now: datetime, *, all_: bool
) -> int:
    """all_: what there is already is changed, too.  Returns how many were set."""
    found = plan(tx, ours, drafts)
    wanted = [*found.new, *(draft for _, draft in found.changed if all_)]
    hosts.set_policies(tx, wanted, now)
    for draft in wanted:
        audit.note(tx, by.account, draft.level, "host", draft.host, now)
    return len(wanted)


def take(tx: Connection, drafts: Sequence[PolicyDraft], now: datetime) -> int:
    """All of it, also in the place of what there is; returns how many changed.  Raises: Invalid."""
    there = {policy.host: policy for policy in hosts.policies(tx)}
    return hosts.set_policies(tx, [_kept(draft, there) for draft in drafts], now)


def _kept(draft: PolicyDraft, there: Mapping[str, HostPolicy]) -> PolicyDraft:
    """Such a list says nothing of what moderators alone read: that stays."""
    old = there.get(draft.host)
    return draft if old is None else replace(draft, private_comment=old.private_comment)
