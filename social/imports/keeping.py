"""What of an import is still to be done.  One of each kind and person: a new file takes the place of the old one.

A row that was done is removed in the transaction that does it.  Where a server does not answer, all rows that need it
wait, longer each time; after TRIES in a row they fail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from social import accounts
from social.errors import Invalid, NotFound
from social.imports.reading import KINDS, Line
from store import jobs
from store.ids import first_id, new_id
from store.rows import many, one
from store.tables import Import, ImportRow, import_rows, imports
from store.tables.base import Id, Instant

JOB: Final = "import"
AT_ONCE: Final = 500  # rows that are stored in one transaction
HOSTS: Final = 8  # that are asked at the same time
AHEAD: Final = 200  # rows among which such hosts are looked for
FIRST: Final = timedelta(minutes=5)  # until a silent server is asked again; then four times as long each time
TRIES: Final = 5
ASKED: Final = timedelta(hours=1)  # for him to say yes
KEPT: Final = timedelta(days=7)  # what failed can be looked at

_OF, _IMPORT, _NOW = bindparam("of", type_=Id), bindparam("import", type_=Id), bindparam("now", type_=Instant)
_ONE = select(imports).where(imports.c.id == _IMPORT)
_ALL = select(imports).where(imports.c.account_id == _OF, imports.c.total > 0).order_by(imports.c.id.desc())
_THIS = select(imports).where(imports.c.account_id == _OF, imports.c.kind == bindparam("named"))
_FORGET = delete(imports).where(imports.c.id == _IMPORT)
_COMPLETE = update(imports).where(imports.c.id == _IMPORT).values(total=bindparam("rows"))
_BEGIN = update(imports).where(imports.c.id == _IMPORT, imports.c.begun_at.is_(None)).values(begun_at=_NOW)
_END = update(imports).where(imports.c.id == _IMPORT, imports.c.ended_at.is_(None)).values(ended_at=_NOW)
_IN_IT = import_rows.c.import_id == _IMPORT
_WAITING = and_(_IN_IT, import_rows.c.due.is_not(None))
_COUNTS = select(
    func.count(),
    func.count(import_rows.c.due),
    func.count().filter(import_rows.c.due > _NOW),
    func.min(import_rows.c.due),
).where(_IN_IT)
_DUE = select(import_rows).where(_IN_IT, import_rows.c.due <= _NOW).order_by(import_rows.c.due, import_rows.c.line)
_FAILED = select(import_rows).where(_IN_IT, import_rows.c.due.is_(None)).order_by(import_rows.c.line)
_ROW = and_(_WAITING, import_rows.c.line == bindparam("number"))
_AT_HOST = and_(_WAITING, import_rows.c.host == bindparam("server"))
_FAIL = update(import_rows).values(due=None, why=bindparam("says"))
_WAIT = update(import_rows).values(due=bindparam("again"), tries=bindparam("tried"))
_ANSWERED = update(import_rows).where(_AT_HOST).values(tries=0)
_TAKE = delete(import_rows).where(_ROW)
_LEFT = select(imports.c.id, imports.c.account_id).where(imports.c.begun_at.is_not(None), imports.c.ended_at.is_(None))
_OLD = delete(imports).where(
    or_(
        and_(imports.c.begun_at.is_(None), imports.c.id < bindparam("asked", type_=Id)),
        imports.c.ended_at < bindparam("before", type_=Instant),
    )
)


@dataclass(frozen=True, slots=True)
class Progress:
    """later: how many of the waiting ones wait for a server that did not answer, until `due` at the earliest."""

    done: int
    failed: int
    waiting: int
    later: int
    due: datetime | None


def prepare(tx: Connection, account_id: int, kind: str, *, overwrite: bool) -> Import:
    """The beginning; rows are added, then it is complete, then he is asked.  Raises: Invalid."""
    if kind not in KINDS:
        raise Invalid("Please choose which table that is")
    accounts.hold(tx, account_id)
    old = find(tx, account_id, kind)
    if old is not None:
        if old.begun_at and not old.ended_at:
            raise Invalid("One of these is being read. Please wait for its end, or stop it")
        tx.execute(_FORGET, {"import": old.id})
    made = Import(new_id(), account_id, kind, overwrite, not overwrite, 0, None, None)
    tx.execute(insert(imports), {name: getattr(made, name) for name in Import.__slots__})
    return made


def add(tx: Connection, it: Import, lines: Sequence[Line], now: datetime) -> None:
    """Raises: Invalid, when he brought another file meanwhile."""
    accounts.hold(tx, it.account_id)
    if one(tx, _ONE, Import, **{"import": it.id}) is None:
        raise Invalid("You brought another file meanwhile, which took the place of this one")
    rows: list[dict[str, Any]] = [
        {
            "import_id": it.id,
            "line": line.number,
            "key": line.key,
            "host": line.host,
            "said": line.said,
            "due": None if line.key is None else now,
            "tries": 0,
            "why": line.why,
        }
        for line in lines
    ]
    tx.execute(insert(import_rows), rows)


def complete(tx: Connection, it: Import, total: int) -> None:
    tx.execute(_COMPLETE, {"import": it.id, "rows": total})


def find(tx: Connection, account_id: int, kind: str) -> Import | None:
    return one(tx, _THIS, Import, of=account_id, named=kind)


def get(tx: Connection, account_id: int, kind: str) -> Import:
    """Raises: NotFound."""
    found = find(tx, account_id, kind)
    if found is None or not found.total:
        raise NotFound("There is no such import")
    return found


def of_account(tx: Connection, account_id: int) -> list[Import]:
    return many(tx, _ALL, Import, of=account_id)


def progress(tx: Connection, it: Import, now: datetime) -> Progress:
    rows, waiting, later, due = tx.execute(_COUNTS, {"import": it.id, "now": now}).one()
    return Progress(it.total - rows, rows - waiting, waiting, later, due)


def failures(tx: Connection, it: Import, most: int | None = None) -> list[ImportRow]:
    """In the order of the file."""
    return many(tx, _FAILED.limit(most), ImportRow, **{"import": it.id})


def begin(tx: Connection, account_id: int, kind: str, now: datetime) -> None:
    """He said yes.  A second time changes nothing.  Raises: NotFound."""
    it = get(tx, account_id, kind)
    if tx.execute(_BEGIN, {"import": it.id, "now": now}).rowcount:
        _ask(tx, it.id, now)


def stop(tx: Connection, account_id: int, kind: str, now: datetime) -> None:
    """What is not done yet stays undone, and can be had as what failed.  Raises: NotFound."""
    it = get(tx, account_id, kind)
    if it.begun_at is not None and tx.execute(_END, {"import": it.id, "now": now}).rowcount:
        tx.execute(_FAIL.where(_WAITING), {"import": it.id, "says": "It was stopped before"})


def forget(tx: Connection, account_id: int, kind: str) -> None:
    """One that did not begin, or that ended.  Raises: NotFound, Invalid."""
    it = get(tx, account_id, kind)
    if it.begun_at and not it.ended_at:
        raise Invalid("Please stop it first")
    tx.execute(_FORGET, {"import": it.id})


def due_rows(tx: Connection, import_id: int, now: datetime) -> tuple[Import, list[ImportRow]] | None:
    """What can be done now, of each host one.  None: it is no more, or has ended."""
    it = one(tx, _ONE, Import, **{"import": import_id})
    if it is None or it.begun_at is None or it.ended_at is not None:
        return None
    first: dict[str, ImportRow] = {}
    for row in many(tx, _DUE.limit(AHEAD), ImportRow, now=now, **{"import": import_id}):
        first.setdefault(row.host, row)
    return it, list(first.values())[:HOSTS]


def rest(tx: Connection, import_id: int, now: datetime) -> datetime | None:
    """When it goes on; None: it does not, and has ended."""
    due: datetime | None = tx.execute(_COUNTS, {"import": import_id, "now": now}).one()[3]
    if due is None:
        tx.execute(_END, {"import": import_id, "now": now})
    return due


def take(tx: Connection, row: ImportRow) -> bool:
    """It is done in this transaction; its server answers.  False: it needs not be any more."""
    asked = {"import": row.import_id, "number": row.line}
    if not tx.execute(_TAKE, asked).rowcount:
        return False
    if row.tries:
        tx.execute(_ANSWERED, {**asked, "server": row.host})
    return True


def fail(tx: Connection, row: ImportRow, why: str) -> None:
    tx.execute(_FAIL.where(_ROW), {"import": row.import_id, "number": row.line, "says": why[:500]})


def put_off(tx: Connection, row: ImportRow, now: datetime) -> None:
    """Its server does not answer: all rows that need it wait, and this one comes last among them."""
    asked = {"import": row.import_id, "server": row.host}
    if row.tries + 1 >= TRIES:
        tx.execute(_FAIL.where(_AT_HOST), {**asked, "says": "That server does not answer"})
        return
    again = now + FIRST * 4**row.tries
    waits = {"again": again, "tried": row.tries + 1}
    tx.execute(_WAIT.where(_AT_HOST), {**asked, **waits})
    tx.execute(_WAIT.where(_ROW), {"import": row.import_id, "number": row.line, **waits, "again": again + FIRST / 10})


def tend(tx: Connection, now: datetime) -> None:
    """Forgets what nobody needs, and asks again for what a worker gave up."""
    tx.execute(_OLD, {"asked": first_id(now - ASKED), "before": now - KEPT})
    for import_id, _ in tx.execute(_LEFT).all():
        _ask(tx, import_id, now)


def _ask(tx: Connection, import_id: int, now: datetime) -> None:
    jobs.ask(tx, JOB, str(import_id), {"import_id": import_id}, now)
