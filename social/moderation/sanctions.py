"""What moderators do to accounts: limits short of suspension, suspension, and how all of it ends.

silence    off the public feeds, trends and search; whoever does not follow gets no notifications at once
sensitive  all its media are marked
disable    one of ours can neither sign in nor use programs, and nothing else changes
suspend    see social/accounts/leave.py

Nobody acts on himself, nor on one whose role is as mighty as his own.  Each action is a warning, which is kept, and
told by mail; it closes the reports that it answers.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from federation.reading.values import clean
from social import accounts, letters, notifications, sessions, users
from social.errors import Invalid, NotAllowed, NotFound
from social.moderation import audit
from social.users import ROLES
from store.ids import new_id
from store.rows import many, one
from store.tables import INSTANCE_ACTOR_ID, Account, Report, User, Warned, posts, reports, warnings
from store.tables import accounts as accounts_table
from store.tables import users as users_table
from store.tables.base import Id, Instant

ACTIONS: Final = ("none", "sensitive", "disable", "silence", "suspend")
TEXT_LIMIT: Final = 5_000

_ACCOUNT, _AT = bindparam("account", type_=Id), bindparam("at", type_=Instant)
_THIS = update(accounts_table).where(accounts_table.c.id == _ACCOUNT)
_SILENCE = _THIS.where(accounts_table.c.silenced_at.is_(None)).values(silenced_at=_AT)
_UNSILENCE = _THIS.values(silenced_at=None)
_UNLIST = update(posts).where(posts.c.author_id == _ACCOUNT, posts.c.listed).values(listed=False)
_MARK = _THIS.where(accounts_table.c.sensitized_at.is_(None)).values(sensitized_at=_AT)
_UNMARK = _THIS.values(sensitized_at=None)
_LOGIN = update(users_table).where(users_table.c.account_id == _ACCOUNT)
_DISABLE = _LOGIN.where(users_table.c.disabled_at.is_(None)).values(disabled_at=_AT)
_ENABLE = _LOGIN.values(disabled_at=None)
_USER = select(users_table).where(users_table.c.account_id == _ACCOUNT)
_WARN = insert(warnings)
_WARNINGS = select(warnings).where(warnings.c.target_id == _ACCOUNT).order_by(warnings.c.id)
_REPORT = select(reports).where(reports.c.id == bindparam("report", type_=Id))
_RESOLVE = (
    update(reports)
    .where(reports.c.resolved_at.is_(None))
    .values(resolved_at=_AT, resolved_by_id=bindparam("by", type_=Id))
)
_RESOLVE_ONE = _RESOLVE.where(reports.c.id == bindparam("report", type_=Id))
_RESOLVE_ALL = _RESOLVE.where(reports.c.target_id == _ACCOUNT)


@dataclass(frozen=True, slots=True)
class Staff:
    """A moderator, or who is mightier."""

    account: Account
    role: str


@dataclass(frozen=True, slots=True)
class Action:
    """kind: of ACTIONS.  report_id: the report that it answers.  tells: does he whom it concerns hear of it here,
    mails: by mail, too?"""

    kind: str
    text: str = ""
    report_id: int | None = None
    mails: bool = False
    tells: bool = True


def act(tx: Connection, by: Staff, account_id: int, action: Action, now: datetime) -> Warned:
    """Raises: Invalid, NotFound, NotAllowed."""
    target, user = _target(tx, by, account_id)
    if action.kind not in ACTIONS:
        raise Invalid(f"type is one of {', '.join(ACTIONS)}")
    if len(action.text) > TEXT_LIMIT:
        raise Invalid(f"text has at most {TEXT_LIMIT} characters")
    if action.kind == "disable" and user is None:
        raise Invalid("Only accounts of this server can be disabled")
    if action.report_id is not None:
        answered = one(tx, _REPORT, Report, report=action.report_id)
        if answered is None or answered.target_id != target.id:
            raise NotFound("Record not found")
    _do(tx, target, action.kind, now)
    text = clean(action.text, TEXT_LIMIT).strip()
    made = Warned(new_id(), by.account.id, target.id, action.kind, text, action.report_id, now)
    tx.execute(_WARN, asdict(made))
    audit.note(tx, by.account, "warn" if action.kind == "none" else action.kind, "account", target.handle, now)
    _close_reports(tx, by, target, action, now)
    if user is not None and action.tells:
        notifications.notify_of(tx, "moderation_warning", [(target.id, made.id)], now)
    if user is not None and action.mails:
        letters.tell(tx, made.id, target.id, now)
    return made


def _do(tx: Connection, target: Account, kind: str, now: datetime) -> None:
    asked = {"account": target.id, "at": now}
    if kind == "silence" and tx.execute(_SILENCE, asked).rowcount:
        tx.execute(_UNLIST, {"account": target.id})
    elif kind == "sensitive":
        tx.execute(_MARK, asked)
    elif kind == "disable" and tx.execute(_DISABLE, asked).rowcount:
        sessions.revoke_all(tx, target.id, now)
    elif kind == "suspend":
        accounts.suspend(tx, target.id, now)


def _close_reports(tx: Connection, by: Staff, target: Account, action: Action, now: datetime) -> None:
    """A mere warning answers its own report; what is more, all that there are."""
    asked = {"at": now, "by": by.account.id}
    if action.kind != "none":
        tx.execute(_RESOLVE_ALL, {**asked, "account": target.id})
    elif action.report_id is not None:
        tx.execute(_RESOLVE_ONE, {**asked, "report": action.report_id})


def unsilence(tx: Connection, by: Staff, account_id: int, now: datetime) -> None:
    """What it writes from now on is on the public feeds again."""
    target, _ = _target(tx, by, account_id)
    tx.execute(_UNSILENCE, {"account": target.id})
    audit.note(tx, by.account, "unsilence", "account", target.handle, now)


def unsensitive(tx: Connection, by: Staff, account_id: int, now: datetime) -> None:
    target, _ = _target(tx, by, account_id)
    tx.execute(_UNMARK, {"account": target.id})
    audit.note(tx, by.account, "unsensitive", "account", target.handle, now)


def enable(tx: Connection, by: Staff, account_id: int, now: datetime) -> None:
    target, user = _target(tx, by, account_id)
    if user is None:
        raise NotAllowed("This action is not allowed", why="no account of ours")
    tx.execute(_ENABLE, {"account": target.id})
    audit.note(tx, by.account, "enable", "account", target.handle, now)


def unsuspend(tx: Connection, by: Staff, account_id: int, now: datetime) -> None:
    target, _ = _target(tx, by, account_id)
    accounts.unsuspend(tx, target.id)
    audit.note(tx, by.account, "unsuspend", "account", target.handle, now)


def approve(tx: Connection, by: Staff, account_id: int, mails: bool, now: datetime) -> None:
    """mails: is it told by mail?  Raises: NotFound, NotAllowed, also when nobody waits."""
    target = _pending(tx, by, account_id)
    users.approve(tx, target.id, now)
    if mails:
        letters.ask(tx, letters.APPROVED, target.id, now)
    audit.note(tx, by.account, "approve", "account", target.handle, now)


def reject(tx: Connection, by: Staff, account_id: int, mails: bool, now: datetime) -> None:
    """Whoever waited is deleted; mails: and told by mail.  Raises: NotFound, NotAllowed, also when nobody waits."""
    target = _pending(tx, by, account_id)
    if mails:
        letters.refuse(tx, target, now)
    accounts.delete_local(tx, target.id, now)
    audit.note(tx, by.account, "reject", "account", target.handle, now)


def remove(tx: Connection, by: Staff, account_id: int, now: datetime) -> None:
    """Deletes, for good, one that is suspended.  Raises: NotFound, NotAllowed."""
    target, _ = _target(tx, by, account_id)
    if target.suspended_at is None:
        raise NotAllowed("This action is not allowed", why="not suspended")
    if target.is_local:
        accounts.delete_local(tx, target.id, now)
    else:
        accounts.forget(tx, target, now)
    audit.note(tx, by.account, "delete", "account", target.handle, now)


def grants(role: str, his: str) -> tuple[str, ...]:
    """Which roles somebody with `role` may give to who has `his`: to the less mighty, less than his own.

    Those who run the server may.

    >>> grants("admin", "member"), grants("admin", "owner"), grants("moderator", "member")
    (('moderator', 'member'), (), ())
    """
    if role not in ROLES[:2] or ROLES.index(his) <= ROLES.index(role):
        return ()
    return ROLES[ROLES.index(role) + 1 :]


def give_role(tx: Connection, by: Staff, account_id: int, role: str, now: datetime) -> None:
    """His sessions and tokens end.  Raises: NotFound, NotAllowed."""
    target, user = _target(tx, by, account_id)
    if user is None or role not in grants(by.role, user.role):
        raise NotAllowed("This action is not allowed", why="such a role is not to be given")
    if role != user.role:
        users.set_role(tx, target.id, role, now)
        audit.note(tx, by.account, "role", role, target.handle, now)


def warnings_of(tx: Connection, account_id: int) -> list[Warned]:
    return many(tx, _WARNINGS, Warned, account=account_id)


def _pending(tx: Connection, by: Staff, account_id: int) -> Account:
    target, user = _target(tx, by, account_id)
    if user is None or user.approved_at is not None:
        raise NotAllowed("This action is not allowed", why="nobody who waits")
    return target


def _target(tx: Connection, by: Staff, account_id: int) -> tuple[Account, User | None]:
    """Raises: NotFound; NotAllowed, for himself and for those who are as mighty."""
    target = accounts.by_id(tx, account_id)
    if target.deleted_at is not None or target.id == INSTANCE_ACTOR_ID:
        raise NotFound("Record not found")
    user = one(tx, _USER, User, account=target.id)
    if target.id == by.account.id or (user is not None and ROLES.index(user.role) <= ROLES.index(by.role)):
        raise NotAllowed("This action is not allowed", why="his role is as mighty")
    return target, user
