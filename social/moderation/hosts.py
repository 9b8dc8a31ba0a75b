"""Limits on whole servers.

Levels: `block` (nothing is stored, shown, fetched, answered or sent), `limit` (kept off the public feeds, follows need
consent) and `allow` (an exception below a blocked domain, and the list of the mode `allowlist`).  A policy holds
for the host and everything below it; the nearest one counts.  `noop` is no limit by itself: like the others it may say
that nothing is shown of their files, and that their reports are not read.

A blocked server's accounts are suspended with the policy's own moment: so every query that hides the suspended hides
them, and lifting the block brings back these and no others.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import idna
from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, func, literal, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation import hosts
from federation.reading.values import clean
from social import severed
from social.errors import Invalid
from social.paging import parted
from social.severed import Lost
from store.prepared import Prepared, padded
from store.rows import many
from store.tables import HostPolicy, accounts, deliveries, follows, host_policies, media, posts, users
from store.tables.base import Instant

BLOCK: Final = "block"
LIMIT: Final = "limit"
ALLOW: Final = "allow"
NOOP: Final = "noop"
LEVELS: Final = (BLOCK, LIMIT, ALLOW, NOOP)
SEVERITIES: Final = {BLOCK: "suspend", LIMIT: "silence", NOOP: "noop"}  # as Mastodon calls them
COMMENT_LIMIT: Final = 2_000
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?")

_ALL = select(host_policies).order_by(host_policies.c.host)
_AMONG = Prepared(select(host_policies).where(host_policies.c.host.in_(bindparam("names", expanding=True))))
_INSERT = insert(host_policies)
_SET = _INSERT.on_conflict_do_update(
    index_elements=["host"],
    set_={name: _INSERT.excluded[name] for name in HostPolicy.__slots__ if name != "host"},
)
_UNSET = delete(host_policies).where(host_policies.c.host == bindparam("name"))
_KNOWN = select(accounts.c.host).where(accounts.c.host.is_not(None)).distinct()

_HOSTS: BindParameter[list[str]] = bindparam("hosts", expanding=True)
_AT = bindparam("at", type_=Instant)
_THERE = select(accounts.c.id).where(accounts.c.host.in_(_HOSTS))
_LIFT = update(accounts).where(accounts.c.host.in_(_HOSTS), accounts.c.suspended_at == _AT).values(suspended_at=None)
_HIDE = update(accounts).where(accounts.c.host.in_(_HOSTS), accounts.c.suspended_at.is_(None)).values(suspended_at=_AT)
_NOBODY_FOLLOWS = update(accounts).where(accounts.c.host.in_(_HOSTS)).values(followers_count=0, following_count=0)
_LOSE_FOLLOWERS = (
    update(accounts)
    .where(
        accounts.c.host.is_(None),
        accounts.c.id.in_(select(follows.c.target_id).where(follows.c.follower_id.in_(_THERE))),
    )
    .values(
        followers_count=accounts.c.followers_count
        - select(func.count())
        .where(
            follows.c.target_id == accounts.c.id, follows.c.accepted, follows.c.follower_id.in_(_THERE.correlate(None))
        )
        .correlate(accounts)
        .scalar_subquery()
    )
)
_LOSE_FOLLOWED = (
    update(accounts)
    .where(
        accounts.c.host.is_(None),
        accounts.c.id.in_(select(follows.c.follower_id).where(follows.c.target_id.in_(_THERE))),
    )
    .values(
        following_count=accounts.c.following_count
        - select(func.count())
        .where(
            follows.c.follower_id == accounts.c.id, follows.c.accepted, follows.c.target_id.in_(_THERE.correlate(None))
        )
        .correlate(accounts)
        .scalar_subquery()
    )
)
_END_FOLLOWS = delete(follows).where(or_(follows.c.follower_id.in_(_THERE), follows.c.target_id.in_(_THERE)))
_remote = accounts.alias("remote")
_LOST = (  # (of ours, how many follow him from there, how many he follows there), by host
    select(follows.c.target_id.label("whose"), _remote.c.host, func.count().label("followers"), literal(0))
    .join(_remote, _remote.c.id == follows.c.follower_id)
    .join(users, users.c.account_id == follows.c.target_id)
    .where(_remote.c.host.in_(_HOSTS), follows.c.accepted)
    .group_by(follows.c.target_id, _remote.c.host)
    .union_all(
        select(follows.c.follower_id, _remote.c.host, literal(0), func.count())
        .join(_remote, _remote.c.id == follows.c.target_id)
        .join(users, users.c.account_id == follows.c.follower_id)
        .where(_remote.c.host.in_(_HOSTS), follows.c.accepted)
        .group_by(follows.c.follower_id, _remote.c.host)
    )
)
_DROP_MAIL = delete(deliveries).where(deliveries.c.host.in_(_HOSTS))
_LIMITED = update(accounts).where(accounts.c.host.in_(_HOSTS)).values(host_limited=bindparam("is_limited"))
_UNLIST = update(posts).where(posts.c.listed, posts.c.author_id.in_(_THERE)).values(listed=False)
_HAS_FILES = or_(posts.c.emojis.is_not(None), exists().where(media.c.post_id == posts.c.id))
_WITHOUT_FILES = (
    update(posts).where(posts.c.author_id.in_(_THERE), _HAS_FILES).values(emojis=null(), version=posts.c.version + 1)
)
_DROP_FILES = delete(media).where(media.c.post_id.in_(select(posts.c.id).where(posts.c.author_id.in_(_THERE))))
_FACELESS = update(accounts).where(accounts.c.host.in_(_HOSTS)).values(avatar_url=None, header_url=None, emojis=[])


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    host: str
    level: str
    comment: str = ""
    private_comment: str = ""
    reject_media: bool = False
    reject_reports: bool = False
    obfuscate: bool = False

    @classmethod
    def of(cls, policy: HostPolicy) -> "PolicyDraft":
        """What is there already, to be changed."""
        return cls(**{name: getattr(policy, name) for name in cls.__slots__})


def clean_host(text: str) -> str:
    """A host name, `host[:port]`, in lower case and punycode; `*.` in front is understood.  Raises: Invalid.

    >>> clean_host(" *.Bücher.test ")
    'xn--bcher-kva.test'
    """
    name = text.strip().lower().removeprefix("*.").rstrip(".")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except (idna.IDNAError, UnicodeError) as error:
            raise Invalid(f"{text[:80]!r} is no host name") from error
    if len(name) > 260 or not _HOST.fullmatch(name):
        raise Invalid(f"{text[:80]!r} is no host name")
    return name


def set_policy(tx: Connection, host: str, level: str, comment: str, now: datetime) -> HostPolicy:
    """As `set_draft`, with nothing but that."""
    return set_draft(tx, PolicyDraft(host, level, comment), now)


def set_draft(tx: Connection, draft: PolicyDraft, now: datetime) -> HostPolicy:
    """From now on that holds for its host and what is below it.  Raises: Invalid."""
    set_policies(tx, [draft], now)
    name = clean_host(draft.host)
    return next(policy for policy in policies(tx) if policy.host == name)


def set_policies(tx: Connection, drafts: Iterable[PolicyDraft], now: datetime) -> int:
    """Sets many at once; returns how many changed.  Raises: Invalid, and then sets none.

    A block ends the follows between us and them, in both directions, and drops what waits for them.  It is not
    told to them: nothing is.
    """
    before = {policy.host: policy for policy in policies(tx)}
    after, changed = dict(before), 0
    for draft in drafts:
        if draft.level not in LEVELS:
            raise Invalid(f"A level is one of {', '.join(LEVELS)}")
        name, old = clean_host(draft.host), after.get(clean_host(draft.host))
        # A block that stays keeps its moment, which its accounts carry.
        since = old.created_at if old and old.level == draft.level else now
        after[name] = HostPolicy(
            name,
            draft.level,
            clean(draft.comment, COMMENT_LIMIT).strip(),
            since,
            clean(draft.private_comment, COMMENT_LIMIT).strip(),
            draft.reject_media,
            draft.reject_reports,
            draft.obfuscate,
        )
        changed += old != after[name]
    rows = [asdict(policy) for host, policy in after.items() if before.get(host) != policy]
    if rows:
        tx.execute(_SET, rows)
        _apply(tx, before, after)
    return changed


def unset_policy(tx: Connection, host: str) -> bool:
    """Lifts what holds for exactly that host.  Follows that a block ended do not come back.  False: there was none."""
    name = clean_host(host)
    before = {policy.host: policy for policy in policies(tx)}
    if not tx.execute(_UNSET, {"name": name}).rowcount:
        return False
    _apply(tx, before, {host: policy for host, policy in before.items() if host != name})
    return True


def policies(tx: Connection) -> list[HostPolicy]:
    """All, by name."""
    return many(tx, _ALL, HostPolicy)


def known_hosts(tx: Connection) -> list[str]:
    """The servers of which we know somebody."""
    return list(tx.scalars(_KNOWN))


def holding(tx: Connection, names: Collection[str]) -> dict[str, HostPolicy]:
    """What holds for each of the hosts `names`; nothing of those without one."""
    found: dict[str, HostPolicy] = {}
    for part in parted(list({above for name in names for above in hosts.upwards(name)})):
        found.update((policy.host, policy) for policy in many(tx, _AMONG, HostPolicy, names=padded(part)))
    return {name: policy for name in names if (policy := hosts.nearest(found, name))}


def levels(tx: Connection, names: Collection[str]) -> dict[str, str]:
    return {name: policy.level for name, policy in holding(tx, names).items()}


def without_files(tx: Connection, names: Collection[str]) -> frozenset[str]:
    """Those of the hosts `names` of whose files nothing is kept or shown."""
    return frozenset(name for name, policy in holding(tx, names).items() if policy.reject_media)


def _apply(tx: Connection, before: Mapping[str, HostPolicy], after: Mapping[str, HostPolicy]) -> None:
    """What changes for the hosts that we know."""
    known = known_hosts(tx)
    _apply_blocks(tx, known, before, after)
    for some in parted(_new(known, before, after, _limits)):
        tx.execute(_LIMITED, {"hosts": some, "is_limited": True})
        tx.execute(_UNLIST, {"hosts": some})
    for some in parted(_new(known, after, before, _limits)):
        tx.execute(_LIMITED, {"hosts": some, "is_limited": False})
    for some in parted(_new(known, before, after, lambda policy: policy.reject_media)):
        for statement in (_WITHOUT_FILES, _DROP_FILES, _FACELESS):
            tx.execute(statement, {"hosts": some})


def _limits(policy: HostPolicy) -> bool:
    return policy.level == LIMIT


def _apply_blocks(
    tx: Connection, known: Sequence[str], before: Mapping[str, HostPolicy], after: Mapping[str, HostPolicy]
) -> None:
    lifted: dict[datetime, list[str]] = defaultdict(list)
    blocked: dict[datetime, list[str]] = defaultdict(list)
    for host in known:
        old, new = hosts.nearest(before, host), hosts.nearest(after, host)
        held = old.created_at if old and old.level == BLOCK else None
        holds = new.created_at if new and new.level == BLOCK else None
        if held is not None and held != holds:
            lifted[held].append(host)
        if holds is not None and held != holds:
            blocked[holds].append(host)
    for moment, names in lifted.items():
        for some in parted(names):
            tx.execute(_LIFT, {"hosts": some, "at": moment})
    for moment, names in blocked.items():
        for some in parted(names):
            _tell(tx, some, after, moment)
            _cut(tx, some, moment)


def _new(
    known: Sequence[str],
    before: Mapping[str, HostPolicy],
    after: Mapping[str, HostPolicy],
    said: Callable[[HostPolicy], bool],
) -> list[str]:
    """Of which hosts that is said now, and was not before."""
    was, is_ = (
        {host for host in known if (policy := hosts.nearest(policies, host)) and said(policy)}
        for policies in (before, after)
    )
    return sorted(is_ - was)


def _tell(tx: Connection, names: Sequence[str], after: Mapping[str, HostPolicy], moment: datetime) -> None:
    """Those of ours who lose follows by it, policy by policy."""
    lost: dict[str, dict[int, Lost]] = defaultdict(dict)
    for whose, host, followers, following in tx.execute(_LOST, {"hosts": names}):
        policy = hosts.nearest(after, host)
        if policy is not None:
            sum_ = lost[policy.host].get(whose, Lost())
            lost[policy.host][whose] = Lost(sum_.followers + followers, sum_.following + following)
    for name in sorted(lost):
        severed.record(tx, severed.DOMAIN, name, lost[name], moment)


def _cut(tx: Connection, names: Sequence[str], moment: datetime) -> None:
    tx.execute(_HIDE, {"hosts": names, "at": moment})
    for statement in (_LOSE_FOLLOWERS, _LOSE_FOLLOWED, _NOBODY_FOLLOWS, _END_FOLLOWS, _DROP_MAIL):
        tx.execute(statement, {"hosts": names})
