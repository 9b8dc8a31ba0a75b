"""Looking back upon an outage: whose outboxes are read, how far that is, and which conversations are refreshed then.

    begin → a job for each host where somebody lives whom we follow → when none is left: conversations → finished

Units; connectme/repair.py does the jobs.  A repair goes on where it was after a crash: each job remembers how far it
came, together with what it found.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, exists, func, insert, select, update

from outbox import documents, enqueue
from social import accounts as people
from social.errors import Invalid
from social.posts import refreshing
from social.visibility import OPEN
from store import jobs
from store.ids import first_id, new_id
from store.rows import many, one
from store.tables import (
    INSTANCE_ACTOR_ID,
    Account,
    AccountKey,
    Repair,
    account_keys,
    accounts,
    follows,
    posts,
    repairs,
    users,
)
from store.tables import jobs as job_table
from store.tables.base import Id, Instant

HOST: Final = "repair_host"
THREADS: Final = "repair_threads"
SPREAD: Final = timedelta(milliseconds=200)  # between two hosts that are asked first
HOT: Final = 100  # conversations
LATELY: Final = timedelta(days=1)  # before the outage: who talked then talked on
OLDEST: Final = timedelta(days=14)  # nobody reads on that far
LISTED: Final = 200  # posts of one person that are compared with his outbox
EACH: Final = timedelta(seconds=1)  # between two that are asked for
TROUBLES: Final = 20  # hosts that are named

_WANTED = and_(
    accounts.c.host.is_not(None),
    accounts.c.deleted_at.is_(None),
    accounts.c.suspended_at.is_(None),
    exists()
    .where(follows.c.target_id == accounts.c.id, follows.c.accepted)
    .where(users.c.account_id == follows.c.follower_id),
)
_HOSTS = select(accounts.c.host, func.count()).where(_WANTED).group_by(accounts.c.host).order_by(accounts.c.host)
_PEOPLE = (
    select(accounts)
    .where(_WANTED, accounts.c.host == bindparam("at"), accounts.c.id > bindparam("after", type_=Id))
    .order_by(accounts.c.id)
    .limit(bindparam("most"))
)
_READER = (
    select(account_keys)
    .join(follows, follows.c.follower_id == account_keys.c.account_id)
    .join(users, users.c.account_id == follows.c.follower_id)
    .join(accounts, accounts.c.id == follows.c.follower_id)
    .where(
        follows.c.target_id == bindparam("person", type_=Id),
        follows.c.accepted,
        account_keys.c.kind == "rsa",
        account_keys.c.private.is_not(None),
        accounts.c.deleted_at.is_(None),
        accounts.c.suspended_at.is_(None),
    )
    .order_by(follows.c.follower_id)
    .limit(1)
)
_HELD_OF = (
    select(posts.c.uri)
    .where(
        posts.c.author_id == bindparam("person", type_=Id),
        posts.c.id >= bindparam("first", type_=Id),
        posts.c.boost_of_id.is_(None),
        posts.c.visibility.in_(OPEN),
        posts.c.published.between(bindparam("since", type_=Instant), bindparam("until", type_=Instant)),
    )
    .order_by(posts.c.id.desc())
    .limit(LISTED)
)
_ADD = insert(repairs)
_NEWEST = select(repairs).order_by(repairs.c.id.desc()).limit(bindparam("most"))
_BY_ID = select(repairs).where(repairs.c.id == bindparam("number", type_=Id))
_HELD = _BY_ID.with_for_update()
_NOTE = (
    update(repairs)
    .where(repairs.c.id == bindparam("number", type_=Id))
    .values(
        asked=repairs.c.asked + bindparam("more"),
        found=repairs.c.found + bindparam("new"),
        failed=repairs.c.failed + bindparam("bad"),
        threads=repairs.c.threads + bindparam("talks"),
        troubles=bindparam("why", type_=repairs.c.troubles.type),
    )
)
_STAGE = (
    update(repairs)
    .where(repairs.c.id == bindparam("number", type_=Id))
    .values(stage=bindparam("now"), finished_at=bindparam("at", type_=Instant))
)
_LEFT = select(func.count()).where(job_table.c.kind.in_([HOST, THREADS]))
_HOT = (
    select(func.max(posts.c.id))
    .where(
        posts.c.id >= bindparam("first", type_=Id),
        posts.c.reply_to_uri.is_not(None),
        posts.c.boost_of_id.is_(None),
        posts.c.visibility.in_(OPEN),
    )
    .group_by(posts.c.thread_id)
    .order_by(func.count().desc())
    .limit(HOT)
)
_PENDING = (
    select(follows.c.follower_id, follows.c.target_id, follows.c.uri)
    .join(users, users.c.account_id == follows.c.follower_id)
    .join(accounts, accounts.c.id == follows.c.target_id)
    .where(
        ~follows.c.accepted,
        follows.c.created_at.between(bindparam("since", type_=Instant), bindparam("until", type_=Instant)),
        accounts.c.host.is_not(None),
        accounts.c.deleted_at.is_(None),
        accounts.c.suspended_at.is_(None),
    )
)


def begin(tx: Connection, begins: datetime, ends: datetime, reason: str, now: datetime) -> Repair:
    """Asks for what others said from `begins` to `ends`.  Raises: Invalid, while another repair goes on."""
    people.hold(tx, INSTANCE_ACTOR_ID)  # one at a time
    if (last := newest(tx)) and last.finished_at is None:
        raise Invalid("A repair is under way; see `connectme repair`")
    hosts = tx.execute(_HOSTS).all()
    number = sum(count for _, count in hosts)
    made = Repair(new_id(), begins, ends, reason, now, "accounts", None, number, 0, 0, 0, 0, {})
    tx.execute(_ADD, asdict(made))
    for place, (host, _) in enumerate(hosts):
        payload = {"repair": made.id, "host": host, "after": 0}
        jobs.ask(tx, HOST, host, payload, now, now + SPREAD * place)
    _ask_again(tx, made, now)
    return made


def newest(tx: Connection) -> Repair | None:
    return next(iter(last(tx, 1)), None)


def last(tx: Connection, number: int) -> list[Repair]:
    """The newest first."""
    return many(tx, _NEWEST, Repair, most=number)


def find(tx: Connection, repair_id: int) -> Repair | None:
    """None: it is over, or an older database was restored meanwhile."""
    found = one(tx, _BY_ID, Repair, number=repair_id)
    return None if found is None or found.finished_at is not None else found


def followed(tx: Connection, host: str, after: int, number: int) -> list[Account]:
    """Those who live there and are followed by ours, by id."""
    return many(tx, _PEOPLE, Account, at=host, after=after, most=number)


def reader(tx: Connection, account_id: int) -> AccountKey | None:
    """The key of one of ours who follows him: in whose name his outbox shows what he wrote for followers."""
    return one(tx, _READER, AccountKey, person=account_id)


def doubt(
    tx: Connection, account_id: int, since: datetime, until: datetime, listed: Collection[str], most: int, now: datetime
) -> int:
    """Has asked for those of his open posts of that time that his outbox does not list: they may be deleted, or be of
    a kind that it leaves out; what is at their own address decides.  How many."""
    values = {"person": account_id, "first": first_id(since), "since": since, "until": until}
    missing = [address for address in tx.scalars(_HELD_OF, values) if address not in listed][:most]
    for place, address in enumerate(missing):
        jobs.ask(tx, "check_deleted", address, {"uri": address}, now, now + EACH * place)
    return len(missing)


def note(
    tx: Connection,
    job_id: int,
    payload: Mapping[str, Any],
    *,
    asked: int = 0,
    found: int = 0,
    failed: int = 0,
    threads: int = 0,
    trouble: str = "",
) -> None:
    """What a job did, and how far it is now: both or neither."""
    jobs.progress(tx, job_id, dict(payload))
    repair = one(tx, _HELD, Repair, number=payload["repair"])
    if repair is None:
        return
    why = dict(repair.troubles)
    if trouble and len(why) < TROUBLES:
        why.setdefault(str(payload["host"]), trouble[:200])
    counts = {"more": asked, "new": found, "bad": failed, "talks": threads}
    tx.execute(_NOTE, {"number": repair.id, **counts, "why": why})


def go_on(tx: Connection, now: datetime) -> Repair | None:
    """The next step of the repair that is under way, when the jobs of this one are done.  The newest repair."""
    repair = newest(tx)
    if repair is None or repair.finished_at is not None or tx.scalar(_LEFT):
        return repair
    talks = hot(tx, max(repair.begins, now - OLDEST)) if repair.stage == "accounts" else []
    values = {"number": repair.id, "now": "threads", "at": None if talks else now}
    tx.execute(_STAGE, values)
    if talks:
        jobs.ask(tx, THREADS, str(repair.id), {"repair": repair.id, "posts": talks}, now)
    return newest(tx)


def hot(tx: Connection, begins: datetime) -> list[int]:
    """Of each conversation in which most was said since shortly before `begins`, a post."""
    return list(tx.scalars(_HOT, {"first": first_id(begins - LATELY)}))


def refresh(tx: Connection, post_ids: Sequence[int], now: datetime) -> int:
    """Asks for what is missing in these conversations; in how many somebody is there to be asked."""
    return sum(refreshing.ask(tx, None, post_id, now, wished=True) for post_id in post_ids)


def summary(found: Repair) -> str:
    """In words, for people who run the server."""
    return (
        f"{found.asked} of {found.accounts} outboxes read, {found.failed} could not be;"
        f" {found.found} posts and boosts found, {found.threads} conversations asked for"
    )


def _ask_again(tx: Connection, repair: Repair, now: datetime) -> None:
    """Of the requests to follow that nobody answered some were answered to nobody."""
    since = repair.begins - LATELY
    for follower_id, target_id, uri in tx.execute(_PENDING, {"since": since, "until": repair.ends}).all():
        follower, target = people.by_id(tx, follower_id), people.by_id(tx, target_id)
        enqueue.to_accounts(tx, follower, documents.follow(follower, target, uri), [target.id], now=now)
