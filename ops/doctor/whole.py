"""All checks that need no network, in about a second.  Each stands alone: a database that is away costs its own."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ops.doctor import content, embedded, often, postgresql
from ops.doctor.case import Case, Settings, broken, run
from ops.findings import ORDER, Finding

# With one of these errors what is in the database was not asked: its answers would only repeat it.
_FIRST: Final = (
    "identity.",
    "database.reads",
    "database.there",
    "postgresql.answers",
    "postgresql.full",
    "schema.version",
)


async def look(settings: Settings, newest: str, now: datetime | None = None, home: Path | None = None) -> list[Finding]:
    """home: see Case."""
    case = Case(settings, newest, now or datetime.now(UTC), home)
    found = run((*often.CHECKS, *embedded.THOROUGH), case)
    found += await postgresql.look(case)
    if not any(one.id.startswith(_FIRST) for one in found if one.severity != "ok"):
        try:
            found += await content.look(case)
        except Exception as error:  # noqa: BLE001  a check that breaks is a finding
            found.append(broken(content.look, error))
    return arranged(found)


def arranged(found: list[Finding]) -> list[Finding]:
    """The worst first; what two checks say alike is said once."""
    unlike = {(one.id, one.says, one.severity): one for one in reversed(found)}
    ill = {one.id for one in found if one.severity != "ok"}
    kept = [one for one in unlike.values() if one.severity != "ok" or one.id not in ill]
    return sorted(kept, key=lambda one: (-ORDER.index(one.severity), one.id))


def facts(found: list[Finding]) -> list[dict[str, object]]:
    return [asdict(one) for one in found]
