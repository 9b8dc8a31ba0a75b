"""Lists of limited servers in the form that Mastodon exports and the well-known lists are published in.  Pure.

    #domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
    far.test,suspend,FALSE,FALSE,spam,FALSE

A plain list of names, one a line, is understood, too: all are to be blocked.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from social.errors import Invalid
from social.moderation.hosts import ALLOW, BLOCK, LIMIT, SEVERITIES, PolicyDraft, clean_host
from store.tables import HostPolicy

LARGEST: Final = 5_000_000  # characters
HEAD: Final = ("#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate")
_SEVERITIES: Final = {**SEVERITIES, ALLOW: "allow"}
_LEVELS: Final = {**{severity: level for level, severity in _SEVERITIES.items()},
                  "block": BLOCK, "limit": LIMIT, "": BLOCK}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """`skipped`: why lines were left out, for people to read: `line 3: …`."""

    drafts: tuple[PolicyDraft, ...]
    skipped: tuple[str, ...]


def parse_csv(text: str) -> Parsed:
    """Reads a list; a line that cannot be used costs that line.  Raises: Invalid, when it is no such list."""
    if len(text) > LARGEST:
        raise Invalid("That list is too long")
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff").replace("\0", ""))))
    except csv.Error as error:
        raise Invalid("That is no list in CSV") from error
    columns = _head(rows[0]) if rows else {}
    drafts: dict[str, PolicyDraft] = {}
    skipped: list[str] = []
    for number, row in enumerate(rows[1:] if columns else rows, 2 if columns else 1):
        if not row or not row[0].strip() or (row[0].startswith("#") and not columns):
            continue
        try:
            draft = _draft(row, columns)
        except Invalid as error:
            skipped.append(f"line {number}: {error}")
        else:
            drafts[draft.host] = draft
    return Parsed(tuple(drafts.values()), tuple(skipped))


def format_csv(policies: Iterable[HostPolicy]) -> str:
    """As Mastodon exports it; `allow` is our own word."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for policy in policies:
        media, reports, obfuscate = (
            str(flag).upper() for flag in (policy.reject_media, policy.reject_reports, policy.obfuscate)
        )
        comment = _plain(policy.comment)
        writer.writerow([policy.host, _SEVERITIES[policy.level], media, reports, comment, obfuscate])
    return out.getvalue()


def _head(row: list[str]) -> dict[str, int]:
    """Where each column is; {}: the first row is no head."""
    names = [name.strip().lower().removeprefix("#") for name in row]
    return {name: place for place, name in enumerate(names)} if "domain" in names else {}


def _draft(row: list[str], columns: dict[str, int]) -> PolicyDraft:
    """Raises: Invalid."""

    def cell(name: str) -> str:
        place = columns.get(name, -1)
        return row[place].strip() if 0 <= place < len(row) else ""

    name = cell("domain") if columns else row[0].strip()
    if "*" in name.removeprefix("*."):
        raise Invalid(f"{name[:80]!r} is made unreadable")
    severity = cell("severity").lower()
    if severity not in _LEVELS:
        raise Invalid(f"no such severity: {severity[:40]!r}")
    media, reports, obfuscate = (
        cell(flag).lower() in ("true", "t", "1") for flag in ("reject_media", "reject_reports", "obfuscate")
    )
    return PolicyDraft(
        clean_host(name),
        _LEVELS[severity],
        cell("public_comment"),
        reject_media=media,
        reject_reports=reports,
        obfuscate=obfuscate,
    )


def _plain(comment: str) -> str:
    """Nothing that a spreadsheet would calculate."""
    return f"'{comment}" if comment[:1] in ("=", "+", "-", "@") else comment
