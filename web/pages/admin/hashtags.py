"""/admin/hashtags: which hashtags may trend, be found and be used, and how each is written."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social.errors import Invalid
from social.moderation import hashtags
from social.moderation.hashtags import FLAGS, Judged
from social.moderation.sanctions import Staff
from social.pages import Page
from social.text import normalise_tag
from web.keys import CONFIG, DATABASE
from web.pages import addresses, frame
from web.pages.admin.common import acts, do, looks
from web.paging import page_of
from web.params import of_query

routes = web.RouteTableDef()

HERE: Final = "/admin/hashtags"
_TABS: Final = {"": "Trending", "all": "All"}
_MOST: Final = 40
WORDS: Final = {"trendable": "May trend", "listable": "Is found by searching", "usable": "Links, here"}


@routes.get(HERE)
async def tags(request: web.Request) -> web.Response:
    await looks(request)
    asked, page = of_query(request), page_of(request, _MOST)
    tab, typed = asked.text("show"), asked.text("q").strip()
    found = await request.app[DATABASE].read(_found, "all" if typed else tab, typed, page, datetime.now(UTC))
    more = frame.older(request, [it.view.id for it in found], page) if tab == "all" and not typed else None
    return frame.show(
        request, "admin_hashtags.html", found=found, tab=tab, tabs=_TABS, q=typed, flags=WORDS, older=more,
        usual=not request.app[CONFIG].trends_review,
    )  # fmt: skip


def _found(tx: Connection, tab: str, typed: str, page: Page, now: datetime) -> list[Judged]:
    if typed:
        name = normalise_tag(typed.removeprefix("#"))
        return [it for it in hashtags.look(tx, [name], now) if hashtags.is_there(tx, it.view.id)] if name else []
    return hashtags.page(tx, page, now) if tab == "all" else hashtags.trending(tx, _MOST, 0, now)


@routes.post(HERE + "/{id:[0-9]+}")
async def judge(request: web.Request) -> web.Response:
    by, given = await acts(request)
    wanted, shown = {flag: given.flag(flag) for flag in FLAGS}, given.text("shown").strip().removeprefix("#")
    await do(request, by, _judge, frame.number(request, "There is no such hashtag"), wanted, shown)
    return addresses.see_other(given.text("back"), HERE)


def _judge(tx: Connection, by: Staff, number: int, wanted: dict[str, bool], shown: str, now: datetime) -> None:
    """What stays as it is needs no word, but for the trends: whoever looked at it has said so.

    Raises: NotFound; Invalid, when `shown` is another hashtag.
    """
    name = hashtags.name_of(tx, number)
    if shown and normalise_tag(shown) != name:
        raise Invalid(f"#{shown} is another hashtag: only capitals and accents may differ")
    (it,) = hashtags.look(tx, [name], now)
    new = {flag: allowed for flag, allowed in wanted.items() if flag == "trendable" or getattr(it, flag) != allowed}
    hashtags.change(tx, by, name, new, shown if shown not in ("", it.view.shown) else None, now)
