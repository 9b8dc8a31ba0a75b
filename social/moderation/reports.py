"""What was reported: by our people, and by other servers (Flag)."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading import same_origin
from federation.reading.values import clean
from outbox import documents, enqueue
from social import accounts, notifications
from social.errors import Invalid, NotFound
from social.paging import padded
from store.ids import new_id
from store.rows import many, one
from store.tables import INSTANCE_ACTOR_ID, Account, Report, posts, reports
from store.tables import accounts as accounts_table
from store.tables.base import Id, Instant

COMMENT_LIMIT: Final = 5_000
POSTS_LIMIT: Final = 256

_ADD = insert(reports).on_conflict_do_nothing(index_elements=["uri"])
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
_OURS = select(accounts_table).where(accounts_table.c.uri.in_(_URIS), accounts_table.c.host.is_(None))
_POSTS = select(posts.c.uri, posts.c.author_id).where(posts.c.uri.in_(_URIS), posts.c.local).order_by(posts.c.id)
_BY_IDS = select(posts.c.uri).where(
    posts.c.id.in_(bindparam("ids", expanding=True, type_=Id)), posts.c.author_id == bindparam("target", type_=Id)
)
_OPEN = select(reports).where(reports.c.resolved_at.is_(None)).order_by(reports.c.id)
_BY_ID = select(reports).where(reports.c.id == bindparam("report", type_=Id))
_RESOLVE = (
    update(reports)
    .where(reports.c.id == bindparam("report", type_=Id), reports.c.resolved_at.is_(None))
    .values(resolved_at=bindparam("at", type_=Instant))
)


def receive_flag(
    tx: Connection, reporter: Account, uris: Sequence[str], comment: str, uri: str, now: datetime
) -> Report | None:
    """`reporter`, who signed it, complains of one of ours: of an account, of posts, or of both, in any order.

    None: it concerns nobody here, or came before.
    """
    asked = {"uris": padded(list(uris[:POSTS_LIMIT]))}
    if not uris or not same_origin(uri, reporter.uri):
        return None
    people = many(tx, _OURS, Account, **asked)
    written = tx.execute(_POSTS, asked).all()
    target_id = people[0].id if people else written[0].author_id if written else None
    if target_id is None or target_id == INSTANCE_ACTOR_ID:
        return None
    concerned = [row.uri for row in written if row.author_id == target_id]
    return _store(tx, uri, reporter.id, target_id, concerned, comment, now)


def report(
    tx: Connection,
    reporter_id: int,
    target_id: int,
    post_ids: Collection[int],
    comment: str,
    now: datetime,
    *,
    forward: bool = False,
) -> Report:
    """One of ours complains.

    forward: tell the server of the reported account, too, in the name of our server and not of the person.
    Raises: Invalid, NotFound.
    """
    reporter, target = accounts.by_id(tx, reporter_id), accounts.by_id(tx, target_id)
    if target.id in (reporter.id, INSTANCE_ACTOR_ID):
        raise Invalid("That cannot be reported")
    if len(post_ids) > POSTS_LIMIT:
        raise Invalid(f"A report names at most {POSTS_LIMIT} posts")
    asked = {"ids": padded(list(post_ids)) or [0], "target": target.id}
    concerned = list(tx.scalars(_BY_IDS, asked))
    number = new_id()
    made = _store(tx, f"{reporter.uri}#reports/{number}", reporter.id, target.id, concerned, comment, now)
    if made is None:
        raise Invalid("That was reported already")
    if forward and not target.is_local:
        instance = accounts.by_id(tx, INSTANCE_ACTOR_ID)
        flag = documents.flag(instance, f"{instance.uri}#flags/{number}", target.uri, concerned, made.comment)
        enqueue.to_accounts(tx, instance, flag, [target.id], now=now)
    return made


def open_reports(tx: Connection) -> list[Report]:
    """Those that nobody has dealt with, the oldest first."""
    return many(tx, _OPEN, Report)


def resolve(tx: Connection, report_id: int, now: datetime) -> Report:
    """It is dealt with.  Raises: NotFound."""
    tx.execute(_RESOLVE, {"report": report_id, "at": now})
    if found := one(tx, _BY_ID, Report, report=report_id):
        return found
    raise NotFound("No such report")


def _store(
    tx: Connection, uri: str, reporter_id: int, target_id: int, post_uris: list[str], comment: str, now: datetime
) -> Report | None:
    made = Report(
        new_id(), uri, reporter_id, target_id, post_uris, clean(comment, COMMENT_LIMIT).strip(), now, resolved_at=None
    )
    if not tx.execute(_ADD, asdict(made)).rowcount:
        return None
    notifications.notify_staff(tx, "admin.report", reporter_id, now, subject_id=made.id)
    return made
