"""All checks that need no network, in about a second.  Each stands alone: a database that is away costs its own."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ops.doctor import content, embedded, often, postgresql
from ops.doctor.case import Case, Settings, broken, run
from ops.doctor.words import ill, well
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


# Setting → how the value begins for which it needs a package that is an extra, that package, and the extra.
_EXTRAS: Final = {
    "media_store": ("s3://", "obstore", "s3"),
    "backup_store": ("s3://", "obstore", "s3"),
    "otlp_endpoint": ("http", "opentelemetry", "otel"),
    "sentry_dsn": ("http", "sentry_sdk", "sentry"),
}


async def look(settings: Settings, newest: str, now: datetime | None = None, home: Path | None = None) -> list[Finding]:
    """home: see Case."""
    case = Case(settings, newest, now or datetime.now(UTC), home)
    found = run((*often.CHECKS, *embedded.THOROUGH, extras), case)
    found += await postgresql.look(case)
    first = {one.id for one in found if one.severity != "ok" and one.id.startswith(_FIRST)}
    if first <= {"schema.version"}:
        ask = content.behind if first else content.look
        try:
            found += await ask(case)
        except Exception as error:  # noqa: BLE001  a check that breaks is a finding
            found.append(broken(ask, error))
    if any(
        one.id == "postgresql.timeouts" and one.severity != "ok" for one in found
    ):  # that first: it ends checks, too
        found = [one for one in found if one.id != "check.broken"]
    return arranged(found)


def extras(case: Case) -> Iterator[Finding]:
    for name, (start, package, extra) in _EXTRAS.items():
        if str(getattr(case.settings, name)).startswith(start):
            if find_spec(package) is None:
                yield ill("settings.extras", "error", package, name=name.upper(), extra=extra)
            else:
                yield well("settings.extras", package)


def arranged(found: list[Finding]) -> list[Finding]:
    """The worst first; what two checks say alike is said once."""
    unlike = {(one.id, one.says, one.severity): one for one in reversed(found)}
    ill = {one.id for one in found if one.severity != "ok"}
    kept = [one for one in unlike.values() if one.severity != "ok" or one.id not in ill]
    return sorted(kept, key=lambda one: (-ORDER.index(one.severity), one.id))


def facts(found: list[Finding]) -> list[dict[str, object]]:
    return [asdict(one) for one in found]
