"""/admin/trends: which posts and links may be shown among the trends."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import trends
from social.moderation import trending
from social.moderation.sanctions import Staff
from web.keys import CONFIG, DATABASE
from web.pages import addresses, frame
from web.pages.admin.common import acts, do, looks
from web.params import of_query

routes = web.RouteTableDef()

HERE: Final = "/admin/trends"
_TABS: Final = {"": "Posts", "links": "Links"}
_MOST: Final = 40
_JUDGED: Final = {"posts": trending.judge_post, "links": trending.judge_link}


@routes.get(HERE)
async def trend(request: web.Request) -> web.Response:
    by, tab = await looks(request), of_query(request).text("show")
    found = await request.app[DATABASE].read(_found, by, tab, datetime.now(UTC))
    return frame.show(
        request, "admin_trends.html", found=found, tab=tab if tab in _TABS else "", tabs=_TABS,
        usual=not request.app[CONFIG].trends_review,
    )  # fmt: skip


def _found(tx: Connection, by: Staff, tab: str, now: datetime) -> Sequence[tuple[Any, bool | None]]:
    return trends.judged_links(tx, _MOST, 0, now) if tab == "links" else trending.posts(tx, by, _MOST, 0)


@routes.post(HERE + "/{which:posts|links}/{id:[0-9]+}/{verdict:approve|reject}")
async def judge(request: web.Request) -> web.Response:
    by, given = await acts(request)
    asked = request.match_info
    await do(
        request,
        by,
        _JUDGED[asked["which"]],
        frame.number(request, "It no longer trends"),
        asked["verdict"] == "approve",
    )
    return addresses.see_other(given.text("back"), HERE)
