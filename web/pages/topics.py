"""/hashtags: those that somebody follows, and those that his profile shows."""

from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import featured, tags
from social.errors import Refusal
from social.featured import FeaturedView
from social.pages import Page
from social.tags import TagView
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.frame import older
from web.paging import page_of
from web.params import as_id

routes = web.RouteTableDef()

_HERE: Final = "/hashtags"
_OFFERED: Final = 10


@routes.get(_HERE)
async def topics(request: web.Request) -> web.Response:
    return await _show(request)


async def _show(request: web.Request, says: str = "", **typed: str) -> web.Response:
    signed, page = await frame.member(request), page_of(request, 40)
    found, shown, offered = await request.app[DATABASE].read(_load, signed.account.id, page, datetime.now(UTC))
    more = older(request, [number for number, _ in found], page)
    kept: dict[str, Any] = {"follow": "", "feature": "", **typed}
    return frame.show(
        request, "hashtags.html", status=422 if says else 200, found=[it for _, it in found], shown=shown,
        offered=offered, older=more, says=says, typed=kept,
    )  # fmt: skip


def _load(
    tx: Connection, account_id: int, page: Page, now: datetime
) -> tuple[list[tuple[int, TagView]], list[FeaturedView], list[str]]:
    """Followed, shown, and some that he could show."""
    shown = featured.featured(tx, account_id)
    names = {it.tag.name for it in shown}
    offered = [name for name in featured.used(tx, account_id, _OFFERED) if name not in names]
    return tags.followed_page(tx, account_id, page, now), shown, offered


@routes.post(_HERE + "/{action:follow|feature}")
async def add(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    action, name = request.match_info["action"], given.text("name").strip()
    db, who = request.app[DATABASE], signed.account.id
    try:
        known = tags.named(name)
        if action == "follow":
            await db.write(tags.follow, who, known)
        else:
            await db.write(featured.feature, who, name, datetime.now(UTC))
    except Refusal:
        return await _show(request, f"“{name}” is no hashtag that can be kept here", **{action: name})
    return addresses.see_other(_HERE)


@routes.post(_HERE + "/unfeature")
async def unfeature(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    await request.app[DATABASE].write(featured.unfeature, signed.account.id, as_id(given.text("tag")) or 0)
    return addresses.see_other(_HERE)
