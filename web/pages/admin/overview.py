"""/admin: what there is to look after, with a line of each."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy import Connection

from outbox import queue
from outbox.queue import Totals
from social import instance
from social.instance import Usage
from social.moderation import overview
from social.moderation.overview import Overview
from web.keys import DATABASE, KEEPER
from web.pages import frame
from web.pages.admin.common import looks
from web.told import Note, Notes

routes = web.RouteTableDef()


@routes.get("/admin")
async def look(request: web.Request) -> web.Response:
    by = await looks(request)
    counts, usage, totals = await request.app[DATABASE].read(_counted)
    keeper = request.app.get(KEEPER) if by.role in frame.RUNS else None
    notes = keeper.notes() if keeper else None
    return frame.show(
        request, "admin.html", it=counts, usage=usage, totals=totals, notes=notes,
        backup=_newest(notes), proved=_newest(notes, ("E2", "E3", "E4")),
    )  # fmt: skip


def _counted(tx: Connection) -> tuple[Overview, Usage, Totals]:
    return overview.look(tx), instance.usage(tx), queue.totals(tx)


def _newest(notes: Notes | None, levels: Sequence[str] = ()) -> Note | None:
    """The newest backup, or the newest of those that were proved so far."""
    found = notes.backups if notes else ()
    return next((one for one in found if not levels or (one.get("evidence") or one.get("level")) in levels), None)
