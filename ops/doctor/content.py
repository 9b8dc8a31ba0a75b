"""What is in the database: are the tables as the code expects them, can the keys be used, do the queues move?"""

import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from sqlalchemy import Connection, create_engine, func, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

import migrations
from federation.errors import Malformed
from federation.webpush import VapidKey
from ops import identity, parts
from ops.change import half
from ops.doctor import embedded
from ops.doctor.case import Case, age, one
from ops.doctor.words import ill, well
from ops.findings import Finding, first_line
from outbox import queue
from social import fulltext, push
from store.tables import INSTANCE_ACTOR_ID, account_keys, jobs, metadata

T = TypeVar("T")
Unit = Callable[[Connection, Case], Iterator[Finding]]

LAGS: Final = 5_000  # posts that are not in the index of words
LATE: Final = 15 * 60.0  # seconds that a delivery waits before somebody should look
_SECONDS: Final = 0.5  # for the keys of people
_OURS = select(account_keys).where(account_keys.c.private.is_not(None)).order_by(account_keys.c.account_id)
_JOBS = select(func.count(), func.min(jobs.c.due))


def drift(tx: Connection, _: Case) -> Iterator[Finding]:
    """Columns by name: types differ between the engines and their versions."""
    wanted, there = identity.parts(), parts_of(tx)
    yield from parts.judged(wanted, there)
    columns = {part for part in there if "." in part and part.partition(".")[0] in metadata.tables}
    if unknown := sorted(columns.difference(wanted)):
        names = ", ".join(unknown[:6]) + (" …" if len(unknown) > 6 else "")
        yield ill("schema.drift", "error", ", ".join(unknown), number=len(unknown), names=names)
    else:
        yield well("schema.drift", f"{len(metadata.tables)} tables")


def parts_of(tx: Connection) -> set[str]:
    """As ops/parts.py has them."""
    queries = parts.SQLITE if tx.dialect.name == "sqlite" else [parts.POSTGRESQL]
    return {name for query in queries for (name,) in tx.exec_driver_sql(query)}


def missing_indexes(tx: Connection) -> list[str]:
    """Of tables that are there, in the words of ops/parts.py."""
    there = parts_of(tx)
    plain = {str(index.name): table.name for table in metadata.tables.values() for index in table.indexes}
    of_tables = {**plain, **{part: rule[0] for part, rule in identity.unique().items()}}
    return sorted(part for part, table in of_tables.items() if table in there and part not in there)


def keys(tx: Connection, _: Case) -> Iterator[Finding]:
    end, number = time.monotonic() + _SECONDS, 0
    bad: list[str] = []
    servers: list[str] = []
    for row in tx.execute(_OURS):
        if row.account_id != INSTANCE_ACTOR_ID and time.monotonic() > end:
            break
        number += 1
        if trouble := trouble_of(row.private, row.public):
            (servers if row.account_id == INSTANCE_ACTOR_ID else bad).append(f"{row.id}: {trouble}")
    if servers or not number:
        yield ill("keys.server", "error" if servers else "notice", "; ".join(servers) or "there are none yet")
    else:
        yield well("keys.server", "they are readable")
    if bad:
        yield ill("keys.people", "error", "; ".join(bad[:5]), number=len(bad), names=", ".join(bad[:3]))
    else:
        yield well("keys.people", f"{number} keys were tried")


def trouble_of(private: str, public: str) -> str:
    """Why a key cannot be used; empty when it can.  Only PEM is compared."""
    try:
        loaded = load_pem_private_key(private.encode(), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError) as error:
        return f"the private key cannot be read ({str(error).splitlines()[0][:60]})"
    pem = loaded.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    if public.startswith("-----") and "".join(pem.split()) != "".join(public.split()):
        return "the public key is not that of the private one"
    return ""


def push_key(tx: Connection, _: Case) -> Iterator[Finding]:
    kept = push.key(tx)
    if kept is None:
        return  # the first start makes it
    try:
        VapidKey.load(kept)
    except (ValueError, TypeError, Malformed) as error:
        yield ill("keys.push", "error", str(error).splitlines()[0][:80])
    else:
        yield well("keys.push", "it is readable")


def queues(tx: Connection, case: Case) -> Iterator[Finding]:
    mail = queue.totals(tx)
    waits = (case.now - mail.oldest).total_seconds() if mail.oldest else 0.0
    evidence = f"{mail.waiting} deliveries for {mail.hosts} servers, {mail.failing_hosts} of them silent"
    if waits > LATE and mail.failing_hosts < mail.hosts:
        yield ill("queue.deliveries", "warning", evidence, number=mail.waiting, age=age(waits))
    else:
        yield well("queue.deliveries", evidence)
    number, oldest = tx.execute(_JOBS).one()
    late = (case.now - oldest).total_seconds() if oldest else 0.0
    if late > LATE:
        yield ill("queue.jobs", "warning", f"{number} jobs", number=number, age=age(late))
    else:
        yield well("queue.jobs", f"{number} jobs")


def search(tx: Connection, _: Case) -> Iterator[Finding]:
    try:
        with tx.begin_nested():
            fulltext.answers(tx)
    except SQLAlchemyError as error:
        yield ill("search.index", "error", first_line(error))
        return
    yield well("search.index", "a word was looked up")
    number, _first = fulltext.waiting(tx)
    if number > LAGS:
        yield ill("search.waits", "warning", f"{number} posts", number=number)
    else:
        yield well("search.waits", f"{number} posts")


UNITS: Final[tuple[Unit, ...]] = (drift, keys, push_key, queues, search)


async def look(case: Case) -> list[Finding]:
    """Raises what the database says when it cannot be read."""
    return await within(case, _all)


async def behind(case: Case) -> list[Finding]:
    """Of a database that is to be upgraded: was that begun by hand?  The rest is asked of it afterwards."""
    return await within(case, _behind)


def _behind(tx: Connection, case: Case) -> list[Finding]:
    found = migrations.current(tx)
    if found not in migrations.files() or found >= case.newest:
        return []
    seen = half.look(tx, found)
    wrong = [*(f"{name} is there already" for name in seen.early), *(f"{name} is missing" for name in seen.missing)]
    if not wrong:
        return [well("schema.half", f"all is as migration {found} left it")]
    commands = "".join(f"{command}; " for command in seen.commands).strip()
    names = ", ".join(wrong[:6]) + (" …" if len(wrong) > 6 else "")
    return [ill("schema.half", "error", ", ".join(wrong), found=found, names=names, commands=commands or "SELECT 1")]


async def within(case: Case, unit: Callable[[Connection, Case], T]) -> T:
    """In a reading transaction, that makes nothing: not even the files that SQLite puts beside its own."""
    file = case.settings.sqlite_file
    if file is None:
        from store import postgresql  # noqa: PLC0415  see store/database.py

        server = postgresql.open_engine(make_url(case.settings.database_url))
        try:
            return await server.read(lambda tx: unit(tx, case))
        finally:
            await server.close()
    with embedded.opened(file) as raw:
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, hide_parameters=True)
        with engine.connect() as tx:
            return unit(tx, case)


def _all(tx: Connection, case: Case) -> list[Finding]:
    """Each by itself: a table that is missing costs the checks that read it."""
    return [finding for unit in UNITS for finding in one(_check(tx, unit), case)]


def _check(tx: Connection, unit: Unit) -> Callable[[Case], Iterator[Finding]]:
    def check(case: Case) -> Iterator[Finding]:
        if tx.dialect.name == "sqlite":
            yield from unit(tx, case)
            return
        with tx.begin_nested():  # a statement that failed would spoil those after it
            yield from unit(tx, case)

    check.__module__, check.__name__ = unit.__module__, unit.__name__
    return check
