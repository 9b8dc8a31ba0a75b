"""/settings/export: whom somebody follows, mutes, blocks, his lists and bookmarks, as tables that Mastodon reads.

Nothing in them can do harm as a formula: what others chose are handles, domains and addresses, of which none has a
bracket, a quote or a bar where it begins with a sign; titles of lists are his own, and must be read as they are.
"""

import csv
from collections.abc import Callable, Iterable
from io import StringIO
from typing import Final, TypeAlias

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import blocks, domains, follows, lists, marks, mutes
from social.errors import NotFound
from social.pages import Page
from social.paging import MOST
from store.database import Database
from store.tables import Account
from web.keys import DATABASE, ORIGIN
from web.pages import frame

routes = web.RouteTableDef()

Row: TypeAlias = tuple[int, list[str]]  # what the next part is asked for by; what is written
Part: TypeAlias = Callable[[Connection, Origin, int, Page], list[Row]]

_HERE: Final = "/settings/export"


def _full(account: Account, origin: Origin) -> str:
    return f"{account.username}@{account.domain or origin.domain}"


def _said(flag: bool) -> str:
    return "true" if flag else "false"


def _following(tx: Connection, origin: Origin, owner_id: int, page: Page) -> list[Row]:
    found = follows.following_page(tx, owner_id, page)
    stands = follows.relationship(tx, owner_id, [one.account.id for one in found])
    rows = []
    for one in found:
        his = stands[one.account.id]
        more = [_said(his.show_boosts), _said(his.notify), ", ".join(his.languages or ())]
        rows.append((one.id, [_full(one.account, origin), *more]))
    return rows


def _muted(tx: Connection, origin: Origin, owner_id: int, page: Page) -> list[Row]:
    """Those that end are left out: where they are read, they would not end."""
    found = mutes.page(tx, owner_id, page)
    stands = follows.relationship(tx, owner_id, [one.account.id for one in found])
    return [
        (
            one.id,
            [] if one.expires_at else [_full(one.account, origin), _said(stands[one.account.id].muting_notifications)],
        )
        for one in found
    ]


def _blocked(tx: Connection, origin: Origin, owner_id: int, page: Page) -> list[Row]:
    return [(number, [_full(account, origin)]) for number, account in blocks.page(tx, owner_id, page)]


def _servers(tx: Connection, _: Origin, owner_id: int, page: Page) -> list[Row]:
    return [(number, [name]) for number, name in domains.page(tx, owner_id, page)]


def _bookmarks(tx: Connection, _: Origin, owner_id: int, page: Page) -> list[Row]:
    numbers, found = marks.bookmarks_page(tx, owner_id, page)
    uris = [[view.parts.post.uri] for view in found]
    return list(zip(numbers, uris + [[]] * (len(numbers) - len(uris)), strict=True))  # some may be gone


FILES: Final[dict[str, tuple[str, list[str], Part]]] = {
    "follows": ("Whom I follow", ["Account address", "Show boosts", "Notify on new posts", "Languages"], _following),
    "mutes": ("Whom I mute for good", ["Account address", "Hide notifications"], _muted),
    "blocks": ("Whom I block", [], _blocked),
    "domain_blocks": ("Servers of which I want nothing", [], _servers),
    "bookmarks": ("Bookmarks", [], _bookmarks),
}


@routes.get(_HERE)
async def exporting(request: web.Request) -> web.Response:
    await frame.member(request)
    files = {name: words for name, (words, _, _) in FILES.items()} | {"lists": "Lists, and who is in them"}
    return frame.show(request, "settings_export.html", files=files)


@routes.get(_HERE + "/{name}.csv")
async def file(request: web.Request) -> web.Response:
    signed, name = await frame.member(request), request.match_info["name"]
    head, rows = await table(request.app[DATABASE], request.app[ORIGIN], signed.account.id, name)
    return csv_file(name, head, rows)


async def table(db: Database, origin: Origin, owner_id: int, name: str) -> tuple[list[str], list[list[str]]]:
    """Its head, which may be empty, and its rows.  Raises: NotFound."""
    if name == "lists":
        return [], await _members(db, origin, owner_id)
    if name not in FILES:
        raise NotFound("There is no such file")
    _, head, part = FILES[name]
    return head, await _all(db, origin, part, owner_id)


async def _all(db: Database, origin: Origin, part: Part, owner_id: int) -> list[list[str]]:
    """In short reads, for it may be much."""
    found: list[list[str]] = []
    page = Page(limit=MOST)
    while True:
        rows = await db.read(part, origin, owner_id, page)
        found += [columns for _, columns in rows if columns]
        if len(rows) < MOST:
            return found
        page = Page(limit=MOST, max_id=rows[-1][0])


async def _members(db: Database, origin: Origin, owner_id: int) -> list[list[str]]:
    found = []
    for it in await db.read(lists.all_of, owner_id):

        def part(tx: Connection, origin: Origin, owner_id: int, page: Page, number: int = it.id) -> list[Row]:
            members = lists.members_page(tx, owner_id, number, page)
            return [(one.id, [_full(one.account, origin)]) for one in members]

        found += [[it.title, *columns] for columns in await _all(db, origin, part, owner_id)]
    return found


def csv_text(head: list[str], rows: Iterable[list[str]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([head, *rows] if head else rows)
    return text.getvalue()


def csv_file(name: str, head: list[str], rows: Iterable[list[str]]) -> web.Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=csv_text(head, rows), content_type="text/csv", charset="utf-8", headers=headers)
