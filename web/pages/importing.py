"""/settings/import: tables that somebody brings along from another server, as Mastodon writes them.

A file is looked at, then he is told what will happen, and says yes; a worker does it (connectme/importing.py).
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import imports
from social.errors import Invalid, Refusal
from social.imports import COLUMNS, KINDS, Progress
from social.imports.reading import Line, guarded
from store.tables import Import, ImportRow
from web.keys import DATABASE, ORIGIN
from web.pages import addresses, entry, frame
from web.pages.exporting import csv_file

routes = web.RouteTableDef()

LARGEST: Final = 8 << 20  # bytes: twenty thousand rows of 400
SHOWN: Final = 50  # rows that failed
WORDS: Final = {
    "follows": "Whom I follow",
    "mutes": "Whom I mute",
    "blocks": "Whom I block",
    "domain_blocks": "Servers of which I want nothing",
    "bookmarks": "Bookmarks",
    "lists": "Lists, and who is in them",
}
_HERE: Final = "/settings/import"


@routes.get(_HERE)
async def importing(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    return await _form(request, signed.account.id)


@routes.post(_HERE)
async def upload(request: web.Request) -> web.Response:
    async with frame.posted_files(request, {"file": LARGEST}) as (signed, form):
        kind, overwrite = form.params.text("kind"), form.params.text("mode") == "overwrite"
        try:
            if kind not in KINDS:
                raise Invalid("Please choose which table that is")
            if "file" not in form.files:
                raise Invalid("Please choose a file")
            origin = request.app[ORIGIN]
            lines = await entry.in_pool(request, _read, form.files["file"], kind, origin, signed.account.handle)
            await _keep(request, signed.account.id, kind, lines, overwrite=overwrite)
        except Refusal as refusal:
            return await _form(request, signed.account.id, kind, overwrite=overwrite, refusal=refusal)
    return addresses.see_other(f"{_HERE}/{kind}")


@routes.get(_HERE + "/{kind}")
async def one(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    return await _show(request, signed.account.id)


@routes.get(_HERE + "/{kind}/failed.csv")
async def failed(request: web.Request) -> web.Response:
    """What failed, and why: mended, it can be brought again."""
    signed, kind = await frame.member(request), request.match_info["kind"]
    it = await request.app[DATABASE].read(imports.get, signed.account.id, kind)
    rows = await request.app[DATABASE].read(imports.failures, it)
    table = [[*(guarded(row.said.get(name, "")) for name in COLUMNS[kind]), row.why or ""] for row in rows]
    return csv_file(f"{kind}-failed", [*COLUMNS[kind], "Why"], table)


@routes.post(_HERE + "/{kind}/{what:begin|stop|forget}")
async def act(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    kind, what = request.match_info["kind"], request.match_info["what"]
    try:
        await request.app[DATABASE].write(_act, what, signed.account.id, kind, datetime.now(UTC))
    except Invalid as refusal:
        return await _show(request, signed.account.id, says=str(refusal), status=frame.status_of(refusal))
    return addresses.see_other(_HERE if what == "forget" else f"{_HERE}/{kind}")


def _act(tx: Connection, what: str, account_id: int, kind: str, now: datetime) -> None:
    if what == "begin":
        imports.begin(tx, account_id, kind, now)
    elif what == "stop":
        imports.stop(tx, account_id, kind, now)
    else:
        imports.forget(tx, account_id, kind)


def _read(file: Path, kind: str, origin: Origin, own: str) -> list[Line]:
    return imports.read(file.read_bytes(), kind, origin, own)


async def _keep(request: web.Request, account_id: int, kind: str, lines: list[Line], *, overwrite: bool) -> None:
    """In short transactions, for it may be much.  Raises: Invalid."""
    db, now = request.app[DATABASE], datetime.now(UTC)
    it = await db.write(imports.prepare, account_id, kind, overwrite=overwrite)
    for start in range(0, len(lines), imports.AT_ONCE):
        await db.write(imports.add, it, lines[start : start + imports.AT_ONCE], now)
    await db.write(imports.complete, it, len(lines))


async def _form(
    request: web.Request, account_id: int, kind: str = "", *, overwrite: bool = False, refusal: Refusal | None = None
) -> web.Response:
    found = await request.app[DATABASE].read(_all, account_id, datetime.now(UTC))
    says, status = (str(refusal), frame.status_of(refusal)) if refusal else ("", 200)
    return frame.show(
        request, "settings_import.html", status=status, says=says, found=found, kinds=WORDS, chosen=kind,
        overwrite=overwrite,
    )  # fmt: skip


async def _show(request: web.Request, account_id: int, *, says: str = "", status: int = 200) -> web.Response:
    kind = request.match_info["kind"]
    it, stands, rows = await request.app[DATABASE].read(_one, account_id, kind, datetime.now(UTC))
    return frame.show(
        request, "settings_import_one.html", status=status, says=says, it=it, stands=stands, failed=rows,
        words=WORDS[kind], columns=COLUMNS[kind],
    )  # fmt: skip


def _all(tx: Connection, account_id: int, now: datetime) -> list[tuple[Import, Progress]]:
    return [(it, imports.progress(tx, it, now)) for it in imports.of_account(tx, account_id)]


def _one(tx: Connection, account_id: int, kind: str, now: datetime) -> tuple[Import, Progress, list[ImportRow]]:
    it = imports.get(tx, account_id, kind)
    return it, imports.progress(tx, it, now), imports.failures(tx, it, SHOWN)
