"""Which database this DATA_DIR belongs to: state/identity.json remembers it.  Light: the supervisor imports it.

A database carries who it is: the domain and address it was made for, a random id of the instance, the server's keys.
The data folder remembers that from the first start on; so a wrong, an empty or somebody else's database is noticed
before a byte of it is written.  A copy of the same database in another place is the same one: moving and restoring
need no word, but another database does (`connectme db adopt`).
"""

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from ops import parts, state
from ops.doctor.words import ill
from ops.findings import Finding

FILE: Final = "identity.json"
VERSION_TABLE: Final = "alembic_version"
VERSION: Final = "SELECT version_num FROM alembic_version"
FACTS: Final = "SELECT name, value FROM fact WHERE name IN ('domain', 'base_url', 'instance', 'change')"
KEYS: Final = "SELECT public FROM account_key WHERE account_id = 1 AND private IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Identity:
    """What is remembered."""

    instance: str
    domain: str
    base_url: str
    keys: tuple[str, ...]  # fingerprints of the server's own
    schema: str  # the migration it was at
    parts: tuple[str, ...]  # what belongs to that migration: see ops/parts.py


@dataclass(frozen=True, slots=True)
class Seen:
    """What a database says of itself."""

    place: str  # for people
    version: str | None  # the migration; None: no table says one
    empty: bool  # there is no table of anybody's
    facts: Mapping[str, str]
    keys: tuple[str, ...]
    parts: Collection[str] | None = None  # see ops/parts.py; None: not known

    @property
    def instance(self) -> str | None:
        return self.facts.get("instance")

    @property
    def change(self) -> str | None:
        """One that has not ended: ops/change/mark.py."""
        return self.facts.get("change")


@dataclass(frozen=True, slots=True)
class Ours:
    """What the settings and this code say."""

    domain: str
    base_url: str
    newest: str  # migration


def fingerprints(public: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(hashlib.sha256(key.strip().encode()).hexdigest()[:32] for key in public))


def recall(data_dir: Path) -> Identity | None:
    value = state.read_json(data_dir / state.FOLDER / FILE)
    try:
        return Identity(**{**value, "keys": tuple(value["keys"]), "parts": tuple(value["parts"])})
    except (KeyError, TypeError):
        return None


def remember(data_dir: Path, identity: Identity) -> None:
    """Writes nothing when it is remembered already.  Keys that were known stay: see `adopt`.  Raises: OSError."""
    before = recall(data_dir)
    if before is not None and before.instance == identity.instance and before.keys:
        identity = replace(identity, keys=before.keys)
    if before != identity:
        state.write_json(state.folder(data_dir) / FILE, asdict(identity))


def forget(data_dir: Path) -> Identity | None:
    """What was remembered; from now on the next database is taken as it is."""
    before = recall(data_dir)
    (data_dir / state.FOLDER / FILE).unlink(missing_ok=True)
    return before


def read_sqlite(connection: sqlite3.Connection, place: str) -> Seen:
    """Raises: sqlite3.Error."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    row = connection.execute(VERSION).fetchone() if VERSION_TABLE in tables else None
    facts = dict(connection.execute(FACTS)) if "fact" in tables else {}
    public = [key for (key,) in connection.execute(KEYS)] if "account_key" in tables else []
    found = {name for query in parts.SQLITE for (name,) in connection.execute(query)}
    return of_tables(place, tables, row[0] if row else None, facts, public, found)


def of_tables(
    place: str, tables: set[str], version: str | None, facts: dict[str, str], public: list[str],
    found: Collection[str] | None = None,
) -> Seen:  # fmt: skip
    return Seen(place, version, not tables - {VERSION_TABLE}, facts, fingerprints(public), found)


def judge(known: Identity | None, seen: Seen, ours: Ours) -> Finding | None:
    """What is wrong with the database; None when it is ours, or new."""
    if seen.version is None and not seen.empty:
        return ill("identity.foreign", "error", seen.place)
    if seen.version is not None and seen.version > ours.newest:
        return ill("identity.newer", "error", seen.place, theirs=seen.version, ours=ours.newest)
    if known is not None and (wrong := _unlike(known, seen)):
        return wrong
    for name, mine, setting in (("domain", ours.domain, "DOMAIN"), ("base_url", ours.base_url, "BASE_URL")):
        found = seen.facts.get(name)
        if found is not None and found != mine:
            return ill("identity.domain", "error", seen.place, theirs=found, ours=mine, setting=setting)
    return None


def _unlike(known: Identity, seen: Seen) -> Finding | None:
    expected = f"{known.domain} (instance {known.instance[:8]}, migration {known.schema})"
    if seen.instance is None:
        return ill("identity.lost", "error", f"found none, expected {expected}", found=seen.place, expected=expected)
    if seen.instance != known.instance:
        theirs = f"{seen.facts.get('domain', '?')} (instance {seen.instance[:8]})"
        evidence = f"found {theirs}, expected {expected}"
        return ill("identity.other", "error", evidence, found=seen.place, theirs=theirs, expected=expected)
    if known.keys and seen.keys != known.keys:
        evidence = f"found {_short(seen.keys)}, expected {_short(known.keys)}"
        return ill("identity.keys", "error", evidence, found=seen.place)
    return None


def refusal(finding: Finding) -> str:
    """One line: what was found, what was expected, what to do."""
    return f"{finding.says}; {finding.remedy[:1].lower()}{finding.remedy[1:].rstrip('.')}"


def _short(keys: tuple[str, ...]) -> str:
    return ", ".join(key[:8] for key in keys) or "none"
