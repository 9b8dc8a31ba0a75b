"""PostgreSQL, asked by its driver: is it there, is it the right one, is it set up as the server needs it?"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from ops import belonging, parts
from ops.doctor.case import Case, broken
from ops.doctor.embedded import identity
from ops.doctor.words import ill, well
from ops.findings import Finding, first_line

if TYPE_CHECKING:
    import asyncpg

OLDEST: Final = 13
EACH: Final = 14  # connections of a process at most: store/postgresql.py, one to hear of others, ops/machines.py
SPARE: Final = 5  # for commands, backups, people
SHORT: Final = 5_000  # milliseconds; below that, a timeout ends honest work
TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = ANY(current_schemas(false))"
INVALID: Final = (
    "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::text::regnamespace"
)
_OFF: Final = (
    "SELECT 'triggers of ' || c.relname, format('ALTER TABLE %I ENABLE TRIGGER ALL;', c.relname)"
    " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE t.tgenabled = 'D' AND c.relnamespace = current_schema()::text::regnamespace"
    " UNION SELECT k.conname::text, format('ALTER TABLE %I VALIDATE CONSTRAINT %I;', c.relname, k.conname)"
    " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
    " WHERE NOT k.convalidated AND c.relnamespace = current_schema()::text::regnamespace ORDER BY 1"
)
_COLLATION: Final = (
    "SELECT datcollversion, pg_database_collation_actual_version(oid)"
    " FROM pg_database WHERE datname = current_database()"
)
_RIGHTS: Final = (
    "SELECT c.relname, array_remove(ARRAY["
    " CASE WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'SELECT' END,"
    " CASE WHEN NOT has_table_privilege(c.oid, 'INSERT') THEN 'INSERT' END,"
    " CASE WHEN NOT has_table_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,"
    " CASE WHEN NOT has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END], NULL) AS lacks"
    " FROM pg_class c WHERE c.relkind IN ('r', 'p')"
    " AND c.relnamespace = current_schema()::text::regnamespace ORDER BY 1"
)
_FREE: Final = (
    "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,"
    " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    " AND (datname IS DISTINCT FROM current_database() OR usename IS DISTINCT FROM current_user)) AS others,"
    " (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS of_role,"
    " (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS of_database"
)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection"]:
    import asyncpg  # noqa: PLC0415  an extra

    connection = await asyncpg.connect(url, timeout=5, command_timeout=10)
    try:
        await connection.execute("SET statement_timeout = 0")  # one that ends all others would end the finding of it
        yield connection
    finally:
        await connection.close(timeout=2)


async def look(case: Case) -> list[Finding]:
    """Nothing, where the database is embedded."""
    if case.settings.sqlite_file is not None:
        return []
    try:
        import asyncpg  # noqa: PLC0415  an extra
    except ImportError as error:
        return [ill("postgresql.answers", "error", f"{error}: pip install 'connectme[postgres]'")]
    trouble = (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
    found: list[Finding] = []
    try:
        async with connected(case.settings.database_url) as connection:
            found.append(well("postgresql.answers", connection.get_settings().server_version))
            for check in CHECKS:
                try:
                    found += [finding async for finding in check(case, connection)]
                except trouble as error:
                    found.append(broken(check, error))
    except trouble as error:
        full = isinstance(error, asyncpg.TooManyConnectionsError)
        found.append(ill("postgresql.full" if full else "postgresql.answers", "error", first_line(error)))
    return found


async def whose(case: Case, connection: Any) -> AsyncIterator[Finding]:
    tables = {row[0] for row in await connection.fetch(TABLES)}
    readable = tables & {row[0] for row in await connection.fetch(_RIGHTS) if "SELECT" not in row[1]}
    found = await connection.fetchval(belonging.VERSION) if belonging.VERSION_TABLE in readable else None
    facts = dict(await connection.fetch(belonging.FACTS)) if "fact" in readable else {}
    public = [row[0] for row in await connection.fetch(belonging.KEYS)] if "account_key" in readable else []
    if tables and not readable:
        return  # `rights` says so
    place = f"database {await connection.fetchval('SELECT current_database()')}"
    there = {row[0] for row in await connection.fetch(parts.POSTGRESQL)}
    for finding in identity(case, belonging.of_tables(place, tables, found, facts, public, there)):
        yield finding


async def made(_: Case, connection: Any) -> AsyncIterator[Finding]:
    """How the server and the database were made."""
    version = connection.get_server_version()
    if version.major < OLDEST:
        yield ill("postgresql.version", "warning", str(version.major), found=version.major, least=OLDEST)
    else:
        yield well("postgresql.version", str(version.major))
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        yield ill("postgresql.encoding", "error", f"server_encoding: {encoding}", found=encoding)
    else:
        yield well("postgresql.encoding", encoding)
    if version.major >= 15:
        then, now = await connection.fetchrow(_COLLATION)
        if then is not None and then != now:
            database = await connection.fetchval("SELECT current_database()")
            evidence = f"made with {then}, the library has {now}"
            yield ill("postgresql.collation", "error", evidence, then=then, now=now, database=database)
        else:
            yield well("postgresql.collation", str(now or "C"))


async def settings(_: Case, connection: Any) -> AsyncIterator[Finding]:
    rows = dict(await connection.fetch("SELECT name, reset_val FROM pg_settings"))  # of every other connection
    who = await connection.fetchrow("SELECT current_database() AS database, current_user AS role")
    places = dict(who)
    recovery = await connection.fetchval("SELECT pg_is_in_recovery()")
    only = rows["default_transaction_read_only"] == "on"
    if recovery or only:
        why = "it is in recovery" if recovery else "default_transaction_read_only is on"
        yield ill("postgresql.writable", "error", why, why=why, **places)
    else:
        yield well("postgresql.writable", "a primary")
    isolation = rows["default_transaction_isolation"]
    if isolation != "read committed":
        yield ill("postgresql.isolation", "warning", isolation, found=isolation, **places)
    else:
        yield well("postgresql.isolation", isolation)
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    short = [f"{name} is {rows[name]} ms" for name in names if 0 < int(rows[name]) < SHORT]
    if short:
        yield ill("postgresql.timeouts", "warning", ", ".join(short), names=", ".join(short), **places)
    else:
        yield well("postgresql.timeouts", "none is shorter than 5 s")
    loose = [f"{name} is off" for name in ("fsync", "full_page_writes", "synchronous_commit") if rows[name] == "off"]
    if loose:
        yield ill("postgresql.durable", "warning", ", ".join(loose), names=", ".join(loose))
    else:
        yield well("postgresql.durable", "fsync, full_page_writes, synchronous_commit")


async def connections(case: Case, connection: Any) -> AsyncIterator[Finding]:
    row = await connection.fetchrow(_FREE)
    needed = (case.settings.web_processes + case.settings.worker_processes) * EACH + SPARE
    limits = [row["most"], *(limit for limit in (row["of_role"], row["of_database"]) if limit >= 0)]
    free = min(limits[0] - row["others"], *limits[1:]) if limits[1:] else limits[0] - row["others"]
    evidence = f"max_connections leaves {row['most']}, others use {row['others']}, limits of role and database: "
    evidence += f"{row['of_role']}, {row['of_database']} (-1: none)"
    if free < needed:
        places = {"needed": needed, "free": max(free, 0), "most": min(limits), "each": EACH}
        yield ill("postgresql.connections", "error", evidence, advised=needed + row["others"] + 10, **places)
    else:
        yield well("postgresql.connections", evidence)


async def valid(_: Case, connection: Any) -> AsyncIterator[Finding]:
    invalid = [row[0] for row in await connection.fetch(INVALID)]
    if invalid:
        names = ", ".join(invalid)
        yield ill("postgresql.indexes", "error", names, number=len(invalid), names=names)
    else:
        yield well("postgresql.indexes", "all of them")
    rows = await connection.fetch(_OFF)
    off, commands = [row[0] for row in rows], " ".join(dict.fromkeys(row[1] for row in rows))
    role = await connection.fetchval("SHOW session_replication_role")
    if role != "origin":
        off.insert(0, f"session_replication_role is {role}")
    if off:
        database = await connection.fetchval("SELECT current_database()")
        names = ", ".join(off)
        places = {"number": len(off), "names": names, "commands": commands or "SHOW session_replication_role"}
        yield ill("postgresql.constraints", "error", names, database=database, **places)
    else:
        yield well("postgresql.constraints", "all of them")


async def rights(_: Case, connection: Any) -> AsyncIterator[Finding]:
    lacks = [f"{right} on {name}" for name, rights in await connection.fetch(_RIGHTS) for right in rights]
    if not await connection.fetchval("SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        lacks.append("CREATE on the schema (migrations need it)")
    who = dict(await connection.fetchrow("SELECT current_database() AS database, current_user AS role"))
    if lacks:
        names = ", ".join(lacks[:6]) + (f" and {len(lacks) - 6} more" if len(lacks) > 6 else "")
        yield ill("postgresql.rights", "error", names, names=names, **who)
    else:
        yield well("postgresql.rights", f"role {who['role']}")


CHECKS: Final[tuple[Callable[[Case, Any], AsyncIterator[Finding]], ...]] = (
    whose,
    made,
    settings,
    connections,
    valid,
    rights,
)
