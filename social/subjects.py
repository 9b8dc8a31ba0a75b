"""What notifications are about beside accounts and posts: reports, warnings, follows that ended, collections."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Select, bindparam, select

from social.collections import views as collected
from social.collections.views import CollectionView
from social.paging import padded, parted
from store.rows import many
from store.tables import (
    Account,
    Notification,
    Report,
    Severance,
    Warned,
    accounts,
    collections,
    posts,
    reports,
    severances,
    warnings,
)
from store.tables.base import Id

KINDS: Final = (
    "admin.report",
    "moderation_warning",
    "severed_relationships",
    "added_to_collection",
    "collection_update",
)

_IDS = bindparam("ids", expanding=True, type_=Id)
_REPORTS: Select[Any] = (
    select(reports, accounts).join(accounts, accounts.c.id == reports.c.target_id).where(reports.c.id.in_(_IDS))
)
_WIDTH = len(reports.c)
_POST_IDS: Select[Any] = select(posts.c.uri, posts.c.id).where(posts.c.uri.in_(bindparam("uris", expanding=True)))
_COLLECTION_IDS: Select[Any] = select(collections.c.uri, collections.c.id).where(
    collections.c.uri.in_(bindparam("uris", expanding=True))
)
_WARNINGS = select(warnings).where(warnings.c.id.in_(_IDS))
_SEVERANCES = select(severances).where(severances.c.id.in_(_IDS))


@dataclass(frozen=True, slots=True)
class ReportView:
    report: Report
    target: Account
    post_ids: tuple[int, ...]
    collection_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WarningView:
    """What a moderator said.  post_ids: of the report that it answers."""

    warned: Warned
    post_ids: tuple[int, ...]


Subject: TypeAlias = ReportView | WarningView | Severance | CollectionView


def load(tx: Connection, some: Iterable[Notification]) -> dict[int, Subject]:
    """By the ids of the notifications, all of one person; nothing for those whose subject is gone."""
    about = [it for it in some if it.kind in KINDS and it.subject_id is not None]
    if not about:
        return {}
    wanted = {kind: [it.subject_id or 0 for it in about if it.kind == kind] for kind in KINDS}
    warned = _by_id(tx, _WARNINGS, Warned, wanted["moderation_warning"])
    answered = [it.report_id for it in warned.values() if it.report_id is not None]
    reported = _reports(tx, [*wanted["admin.report"], *answered])
    of_collections = [*wanted["added_to_collection"], *wanted["collection_update"]]
    shown = collected.some(tx, of_collections, about[0].account_id)
    found: dict[str, dict[int, Any]] = {
        "added_to_collection": shown,
        "collection_update": shown,
        "admin.report": reported,
        "moderation_warning": {
            it.id: WarningView(it, reported[it.report_id].post_ids if it.report_id in reported else ())
            for it in warned.values()
        },
        "severed_relationships": _by_id(tx, _SEVERANCES, Severance, wanted["severed_relationships"]),
    }
    return {it.id: found[it.kind][it.subject_id] for it in about if it.subject_id in found[it.kind]}


def _by_id(tx: Connection, query: Select[Any], kind: type[Any], ids: Sequence[int]) -> dict[int, Any]:
    return {it.id: it for it in many(tx, query, kind, ids=padded(list(ids)))} if ids else {}


def _reports(tx: Connection, ids: Sequence[int]) -> dict[int, ReportView]:
    if not ids:
        return {}
    rows = tx.execute(_REPORTS, {"ids": padded(list(ids))}).all()
    found = [(Report(*row[:_WIDTH]), Account(*row[_WIDTH:])) for row in rows]
    known: dict[str, int] = {}
    for uris in parted(list({uri for report, _ in found for uri in report.post_uris})):
        known.update({row[0]: row[1] for row in tx.execute(_POST_IDS, {"uris": uris})})
    shown: dict[str, int] = {}
    for uris in parted(list({uri for report, _ in found for uri in report.collection_uris})):
        shown.update({row[0]: row[1] for row in tx.execute(_COLLECTION_IDS, {"uris": uris})})
    return {
        report.id: ReportView(report, target, _there(known, report.post_uris), _there(shown, report.collection_uris))
        for report, target in found
    }


def _there(known: Mapping[str, int], uris: Sequence[str]) -> tuple[int, ...]:
    return tuple(known[uri] for uri in uris if uri in known)
