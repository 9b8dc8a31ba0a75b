"""What was reported: by our people, and by other servers (Flag)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading import same_origin
from federation.reading.values import clean
from outbox import documents, enqueue
from social import accounts, notifications, site
from social.collections import views as collected
from social.errors import Invalid, NotFound
from social.moderation import hosts
from social.paging import padded
from social.visibility import visible
from store.ids import new_id
from store.rows import many, one
from store.tables import INSTANCE_ACTOR_ID, Account, Report, collections, posts, reports
from store.tables import accounts as accounts_table
from store.tables.base import Id, Instant

COMMENT_LIMIT: Final = 5_000
POSTS_LIMIT: Final = 256
COLLECTIONS_LIMIT: Final = 50
OTHER: Final = "other"
CATEGORIES: Final = ("spam", "legal", "violation", OTHER)

_ADD = insert(reports).on_conflict_do_nothing(index_elements=["uri"])
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
_OURS = select(accounts_table).where(accounts_table.c.uri.in_(_URIS), accounts_table.c.host.is_(None))
_POSTS = select(posts.c.uri, posts.c.author_id).where(posts.c.uri.in_(_URIS), posts.c.local).order_by(posts.c.id)
_COLLECTIONS = (
    select(collections.c.uri, collections.c.account_id)
    .where(collections.c.uri.in_(_URIS), collections.c.local)
    .order_by(collections.c.id)
)
_POST_IDS = bindparam("ids", expanding=True, type_=Id)
_BY_IDS = select(posts.c.uri).where(
    posts.c.id.in_(_POST_IDS), posts.c.author_id == bindparam("target", type_=Id), visible()
)
_IDS = select(posts.c.id).where(posts.c.uri.in_(_URIS)).order_by(posts.c.id)
_parent = posts.alias("parent")
_ANSWERED = select(accounts_table).where(
    accounts_table.c.id.in_(
        select(_parent.c.author_id).join(posts, posts.c.reply_to_id == _parent.c.id).where(posts.c.id.in_(_POST_IDS))
    ),
    accounts_table.c.host.is_not(None),
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
    """`reporter`, who signed it, complains of one of ours: of an account, posts or collections, in any order.

    None: it concerns nobody here, came before, or comes from where nobody wants to hear of it.
    """
    asked = {"uris": padded(list(uris[:POSTS_LIMIT]))}
    if not uris or not same_origin(uri, reporter.uri):
        return None
    if any(policy.reject_reports for policy in hosts.holding(tx, [reporter.host or ""]).values()):
        return None
    people = many(tx, _OURS, Account, **asked)
    written = tx.execute(_POSTS, asked).all()
    shown = tx.execute(_COLLECTIONS, asked).all()
    owners = [*(one.id for one in people), *(row.author_id for row in written), *(row.account_id for row in shown)]
    target_id = owners[0] if owners else None
    if target_id is None or target_id == INSTANCE_ACTOR_ID:
        return None
    concerned = [row.uri for row in written if row.author_id == target_id]
    theirs = [row.uri for row in shown if row.account_id == target_id]
    return _store(tx, uri, reporter.id, target_id, concerned, theirs, comment, now)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What one of ours says of `target_id`.

    rule_ids:   the rules that were broken: then it is a violation.
    forward:    tell the server of the reported account, too, in the name of our server and not of the person.
    forward_to: domains that are told, of the reported account and of those whom the posts answer; empty: the first.
    """

    target_id: int
    post_ids: Sequence[int] = ()
    comment: str = ""
    category: str = OTHER
    rule_ids: Sequence[str] = ()
    forward: bool = False
    forward_to: Sequence[str] = ()
    collection_ids: Sequence[int] = ()


def report(tx: Connection, reporter_id: int, said: Complaint, now: datetime) -> Report:
    """One of ours complains.  Raises: Invalid, NotFound."""
    reporter, target = accounts.by_id(tx, reporter_id), accounts.by_id(tx, said.target_id)
    if target.id in (reporter.id, INSTANCE_ACTOR_ID):
        raise Invalid("That cannot be reported")
    _check(said)
    broken = rules_named(tx, said.rule_ids)
    concerned = _posts_of(tx, target, said.post_ids, reporter_id)
    shown = _collections_of(tx, target, said.collection_ids, reporter_id)
    told = _told(tx, target, said) if said.forward else []
    made = Report(
        id=new_id(),
        uri=f"{reporter.uri}#reports/{new_id()}",
        reporter_id=reporter.id,
        target_id=target.id,
        post_uris=concerned,
        comment=clean(said.comment, COMMENT_LIMIT).strip(),
        created_at=now,
        resolved_at=None,
        category="violation" if broken else said.category,
        rule_ids=broken,
        forwarded=bool(told),
        collection_uris=shown,
    )
    tx.execute(_ADD, asdict(made))
    notifications.notify_staff(tx, "admin.report", reporter_id, now, subject_id=made.id)
    if told:
        instance = accounts.by_id(tx, INSTANCE_ACTOR_ID)
        flag = documents.flag(
            instance, f"{instance.uri}#flags/{made.id}", target.uri, [*concerned, *shown], made.comment
        )
        enqueue.to_accounts(tx, instance, flag, told, now=now)
    return made


def _check(said: Complaint) -> None:
    """Raises: Invalid."""
    if said.category not in CATEGORIES:
        raise Invalid(f"category is one of {', '.join(CATEGORIES)}")
    if len(said.comment) > COMMENT_LIMIT:
        raise Invalid(f"comment has at most {COMMENT_LIMIT} characters")
    if len(said.collection_ids) > COLLECTIONS_LIMIT:
        raise Invalid(f"A report names at most {COLLECTIONS_LIMIT} collections")
    if len(said.post_ids) > POSTS_LIMIT:
        raise Invalid(f"A report names at most {POSTS_LIMIT} posts")


def rules_named(tx: Connection, ids: Sequence[str]) -> list[str]:
    """Each once.  Raises: Invalid, unless they are rules of this server."""
    named = list(dict.fromkeys(ids))
    if named and not {str(one.id) for one in site.all_rules(tx)}.issuperset(named):
        raise Invalid("There are no such rules")
    return named


def _posts_of(tx: Connection, target: Account, post_ids: Sequence[int], reporter_id: int) -> list[str]:
    """Their uris.  Raises: NotFound, unless all are the target's and the reporter may see them: the other server would
    learn of them."""
    if not post_ids:
        return []
    asked = {"ids": padded(list(dict.fromkeys(post_ids))), "target": target.id, "viewer": reporter_id}
    found = list(tx.scalars(_BY_IDS, asked))
    if len(found) < len(set(post_ids)):
        raise NotFound("Record not found")
    return found


def _collections_of(tx: Connection, target: Account, ids: Sequence[int], reporter_id: int) -> list[str]:
    """Their uris.  Raises: NotFound, as for posts."""
    found = collected.some(tx, list(dict.fromkeys(ids)), reporter_id)
    if any(number not in found or found[number].collection.account_id != target.id for number in ids):
        raise NotFound("Record not found")
    return [found[number].collection.uri for number in dict.fromkeys(ids)]


def _told(tx: Connection, target: Account, said: Complaint) -> list[int]:
    """The accounts of other servers whose servers are told."""
    domains = {domain.lower() for domain in said.forward_to}
    people = [target]
    if domains and said.post_ids:
        people += many(tx, _ANSWERED, Account, ids=padded(list(said.post_ids)))
    return [one.id for one in people if one.domain and (one.domain.lower() in domains if domains else one is target)]


def status_ids(tx: Connection, made: Report) -> list[int]:
    """The posts of a report that are still here."""
    return list(tx.scalars(_IDS, {"uris": padded(made.post_uris)})) if made.post_uris else []


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
    tx: Connection,
    uri: str,
    reporter_id: int,
    target_id: int,
    post_uris: list[str],
    collection_uris: list[str],
    comment: str,
    now: datetime,
) -> Report | None:
    words = clean(comment, COMMENT_LIMIT).strip()
    made = Report(
        id=new_id(),
        uri=uri,
        reporter_id=reporter_id,
        target_id=target_id,
        post_uris=post_uris,
        comment=words,
        created_at=now,
        resolved_at=None,
        category=OTHER,
        rule_ids=[],
        forwarded=False,
        collection_uris=collection_uris,
    )
    if not tx.execute(_ADD, asdict(made)).rowcount:
        return None
    notifications.notify_staff(tx, "admin.report", reporter_id, now, subject_id=made.id)
    return made
