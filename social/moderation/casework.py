"""Reports as moderators work on them: whose they are, what they are about, and that they are dealt with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from social import views
from social.errors import Invalid, NotFound
from social.moderation import audit, people
from social.moderation.people import PersonView
from social.moderation.reports import CATEGORIES, rules_named
from social.moderation.sanctions import Staff
from social.pages import Page
from social.paging import Paged, padded, parted
from social.views import PostView
from store.rows import many, one
from store.tables import Report, Rule, posts, reports, rules
from store.tables.base import Id

_REPORT = bindparam("report", type_=Id)
_FIND = select(reports).where(reports.c.id == _REPORT)
_BY_IDS = select(reports).where(reports.c.id.in_(bindparam("ids", expanding=True, type_=Id)))
_THIS = update(reports).where(reports.c.id == _REPORT)
_POSTS: Select[Any] = select(posts.c.uri, posts.c.id).where(posts.c.uri.in_(bindparam("uris", expanding=True)))
_RULES = select(rules)


@dataclass(frozen=True, slots=True)
class CaseView:
    """A report with all that it speaks of.  posts: those that are still here, whoever may see them."""

    report: Report
    reporter: PersonView
    target: PersonView
    assigned: PersonView | None
    resolved_by: PersonView | None
    posts: tuple[PostView, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """resolved: those that are dealt with, instead of those that are not; None: all."""

    resolved: bool | None = False
    reporter_id: int | None = None
    target_id: int | None = None


def listed(tx: Connection, asked: Filter, page: Page) -> list[CaseView]:
    """The newest first; a fixed number of queries."""
    closed = reports.c.resolved_at.is_not(None)
    query: Select[Any] = select(reports.c.id)
    if asked.resolved is not None:
        query = query.where(closed if asked.resolved else ~closed)
    if asked.reporter_id is not None:
        query = query.where(reports.c.reporter_id == asked.reporter_id)
    if asked.target_id is not None:
        query = query.where(reports.c.target_id == asked.target_id)
    ids = [row[0] for row in Paged(query, reports.c.id).rows(tx, page)]
    if not ids:
        return []
    found = {it.id: it for it in many(tx, _BY_IDS, Report, ids=padded(ids))}
    return _load(tx, [found[number] for number in ids])


def by_id(tx: Connection, report_id: int) -> CaseView:
    """Raises: NotFound."""
    return _load(tx, [_find(tx, report_id)])[0]


def change(
    tx: Connection, by: Staff, report_id: int, category: str | None, rule_ids: Sequence[str] | None, now: datetime
) -> None:
    """What it is about; None: as it is.  Raises: Invalid, NotFound."""
    it = _find(tx, report_id)
    if category is not None and category not in CATEGORIES:
        raise Invalid(f"category is one of {', '.join(CATEGORIES)}")
    wanted = it.rule_ids if rule_ids is None else rules_named(tx, rule_ids)
    chosen = category or it.category
    _set(tx, it, category=chosen, rule_ids=wanted if chosen == "violation" else [])
    audit.note(tx, by.account, "update", "report", str(it.id), now)


def assign(tx: Connection, by: Staff, report_id: int, now: datetime) -> None:
    """Raises: NotFound."""
    _set(tx, _find(tx, report_id), assigned_id=by.account.id)
    audit.note(tx, by.account, "assign", "report", str(report_id), now)


def unassign(tx: Connection, by: Staff, report_id: int, now: datetime) -> None:
    """Raises: NotFound."""
    _set(tx, _find(tx, report_id), assigned_id=None)
    audit.note(tx, by.account, "unassign", "report", str(report_id), now)


def resolve(tx: Connection, by: Staff, report_id: int, now: datetime) -> None:
    """Raises: NotFound."""
    it = _find(tx, report_id)
    if it.resolved_at is None:
        _set(tx, it, resolved_at=now, resolved_by_id=by.account.id)
        audit.note(tx, by.account, "resolve", "report", str(report_id), now)


def reopen(tx: Connection, by: Staff, report_id: int, now: datetime) -> None:
    """Raises: NotFound."""
    _set(tx, _find(tx, report_id), resolved_at=None, resolved_by_id=None)
    audit.note(tx, by.account, "reopen", "report", str(report_id), now)


def _set(tx: Connection, it: Report, **values: Any) -> None:
    tx.execute(_THIS.values(**values), {"report": it.id})


def _find(tx: Connection, report_id: int) -> Report:
    if found := one(tx, _FIND, Report, report=report_id):
        return found
    raise NotFound("Record not found")


def _load(tx: Connection, some: Sequence[Report]) -> list[CaseView]:
    known = {view.account.id: view for view in people.several(tx, list({n for it in some for n in _people(it)}))}
    numbers = _numbers(tx, list({uri for it in some for uri in it.post_uris}))
    shown = views.alike(tx, list(numbers.values()))
    texts = {str(rule.id): rule for rule in many(tx, _RULES, Rule)} if any(it.rule_ids for it in some) else {}
    return [
        CaseView(
            it,
            known[it.reporter_id],
            known[it.target_id],
            known.get(it.assigned_id or 0),
            known.get(it.resolved_by_id or 0),
            tuple(shown[numbers[uri]] for uri in it.post_uris if numbers.get(uri) in shown),
            tuple(texts[number] for number in it.rule_ids if number in texts),
        )
        for it in some
        if it.reporter_id in known and it.target_id in known
    ]


def _people(it: Report) -> list[int]:
    return [n for n in (it.reporter_id, it.target_id, it.assigned_id, it.resolved_by_id) if n is not None]


def _numbers(tx: Connection, uris: Sequence[str]) -> dict[str, int]:
    return {row[0]: row[1] for part in parted(uris) for row in tx.execute(_POSTS, {"uris": part})} if uris else {}
