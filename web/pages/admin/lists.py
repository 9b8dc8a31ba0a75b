"""/admin/servers/import and /admin/servers/list.csv: lists of limits as tables, as Mastodon writes and reads them."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web

from social.errors import Invalid
from social.moderation import hosts, importing, lists
from social.moderation.lists import Parsed
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.admin.common import do, looks, ours, staff
from web.pages.admin.servers import HERE, SHORT

routes = web.RouteTableDef()

LIMIT: Final = 240 * 1024  # bytes; it comes back as a field of the form that follows


@routes.get(HERE + "/list.csv")
async def export(request: web.Request) -> web.Response:
    await looks(request, "admin")
    found = await request.app[DATABASE].read(hosts.policies)
    headers = {
        "Content-Disposition": 'attachment; filename="domain_blocks.csv"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=lists.format_csv(found), content_type="text/csv", charset="utf-8", headers=headers)


@routes.get(HERE + "/import")
async def choose(request: web.Request) -> web.Response:
    await looks(request, "admin")
    return _form(request)


def _form(request: web.Request, says: str = "") -> web.Response:
    return frame.show(request, "admin_import.html", status=422 if says else 200, says=says, plan=None, most=LIMIT)


@routes.post(HERE + "/import")
async def look(request: web.Request) -> web.Response:
    """What the list would change; nothing is changed yet."""
    async with frame.posted_files(request, {"list": LIMIT}) as (signed, form):
        staff(signed, "admin")
        try:
            text = await asyncio.to_thread(_text, form.files.get("list"))
            parsed = _parsed(text)
        except Invalid as refusal:
            return _form(request, str(refusal))
    plan = await request.app[DATABASE].read(importing.plan, ours(request), parsed.drafts)
    return frame.show(request, "admin_import.html", says="", plan=plan, skipped=parsed.skipped, text=text, short=SHORT)


@routes.post(HERE + "/import/set")
async def carry_out(request: web.Request) -> web.Response:
    async with frame.posted_files(request, {}) as (signed, form):
        by = staff(signed, "admin")
        try:
            parsed = _parsed(form.params.text("text"))
        except Invalid as refusal:
            return _form(request, str(refusal))
        every = form.params.flag("all")
    count = await do(request, by, partial(importing.carry_out, all_=every), ours(request), parsed.drafts)
    return addresses.see_other(addresses.with_query(HERE, set=f"{count} servers"))


def _text(file: Path | None) -> str:
    """Raises: Invalid."""
    if file is None:
        raise Invalid("Please choose a file")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("That is no text in UTF-8") from error


def _parsed(text: str) -> Parsed:
    """Raises: Invalid, also when there is nothing in it."""
    found = lists.parse_csv(text)
    if not found.drafts:
        raise Invalid("There is no server in that list" + (f": {found.skipped[0]}" if found.skipped else ""))
    return found
