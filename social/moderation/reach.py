"""Whom a limit on a server concerns, so that it can be said before it is made."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, func, select

from federation.hosts import nearest
from social.moderation import hosts
from social.moderation.hosts import PolicyDraft, clean_host
from social.paging import parted
from store.tables import accounts, follows, users

_HOSTS: BindParameter[list[str]] = bindparam("hosts", expanding=True)
_ACCOUNTS = (
    select(accounts.c.host, func.count())
    .where(accounts.c.host.in_(_HOSTS), accounts.c.deleted_at.is_(None))
    .group_by(accounts.c.host)
)


def _follows(there: ColumnElement[int], here: ColumnElement[int]) -> Select[tuple[str | None, int]]:
    return (
        select(accounts.c.host, func.count())
        .join(follows, there == accounts.c.id)
        .join(users, users.c.account_id == here)
        .where(accounts.c.host.in_(_HOSTS), follows.c.accepted)
        .group_by(accounts.c.host)
    )


_FOLLOWERS = _follows(follows.c.follower_id, follows.c.target_id)
_FOLLOWED = _follows(follows.c.target_id, follows.c.follower_id)
_QUERIES: Final = (_ACCOUNTS, _FOLLOWERS, _FOLLOWED)


@dataclass(frozen=True, slots=True)
class Reach:
    """servers: those known for which the name stands, itself and what is below.  followers: follows of ours by people
    there; following: by ours of people there."""

    servers: tuple[str, ...] = ()
    accounts: int = 0
    followers: int = 0
    following: int = 0

    @property
    def follows(self) -> int:
        return self.followers + self.following


def of(tx: Connection, drafts: Iterable[PolicyDraft]) -> dict[str, Reach]:
    """By the name of each draft, as if all were set; of a server below one of the names the nearest counts.

    Four queries, as long as that are not many servers.  Raises: Invalid.
    """
    names = [clean_host(draft.host) for draft in drafts]
    policies = {policy.host: policy.host for policy in hosts.policies(tx)} | {name: name for name in names}
    below, wanted = defaultdict[str, list[str]](list), set(names)
    for host in sorted(hosts.known_hosts(tx)):
        name = nearest(policies, host)
        if name is not None and name in wanted:
            below[name].append(host)
    counted = _counted(tx, [host for servers in below.values() for host in servers])
    return {name: _summed(below[name], counted) for name in names}


def _counted(tx: Connection, servers: Sequence[str]) -> dict[str, list[int]]:
    """Accounts, followers, followed, of each."""
    found = {host: [0] * len(_QUERIES) for host in servers}
    for some in parted(servers):
        for place, query in enumerate(_QUERIES):
            for host, number in tx.execute(query, {"hosts": some}):
                found[host][place] = number
    return found


def _summed(servers: Sequence[str], counted: Mapping[str, Sequence[int]]) -> Reach:
    people, followers, following = (sum(counted[host][place] for host in servers) for place in range(len(_QUERIES)))
    return Reach(tuple(servers), people, followers, following)
