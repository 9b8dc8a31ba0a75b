"""Lists of posts: the first page, home, public, local, hashtags; and notifications."""

from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import follows, grouping, instance, notification_requests, notifications, tagged, tags, timelines
from social.errors import NotFound
from social.grouping import Group
from social.notification_requests import RequestView
from social.pages import Page
from social.tagged import Asked
from social.text import normalise_tag
from social.views import PostView
from web.keys import DATABASE
from web.pages import addresses, frame, writing
from web.pages.frame import cursors, older, viewer_id
from web.paging import page_of

routes = web.RouteTableDef()

REQUESTS: Final = 5  # people whose news are kept back, on the page of news

_FEW = Page(limit=8)


@routes.get("/")
async def start(request: web.Request) -> web.Response:
    """What this server is; for who is signed in, what his people write."""
    if await frame.look(request) is not None:
        return await _home(request)
    usage, known, found = await request.app[DATABASE].read(_about)
    if not usage.users and not await request.app[DATABASE].read(instance.has_people):
        raise web.HTTPSeeOther("/setup")
    return frame.show(request, "start.html", usage=usage, known=known, found=found)


def _about(tx: Connection) -> tuple[instance.Usage, int, list[PostView]]:
    return instance.usage(tx), instance.hosts_count(tx), timelines.public_page(tx, None, _FEW, local_only=True)


@routes.get("/home")
async def home(request: web.Request) -> web.Response:
    return await _home(request)


async def _home(request: web.Request) -> web.Response:
    signed, page = await frame.member(request), page_of(request)
    found = await request.app[DATABASE].read(timelines.home_page, signed.account.id, page)
    return frame.show(
        request,
        "home.html",
        place="home",
        found=found,
        older=older(request, cursors(found), page),
        newest=page.max_id is None,
        typed=writing.blank(signed.user),
        **writing.choices(),
    )


@routes.get("/public")
async def public(request: web.Request) -> web.Response:
    return await _feed(request, "Everywhere", "What people write publicly, here and on other servers.", local=False)


@routes.get("/local")
async def local(request: web.Request) -> web.Response:
    return await _feed(request, "This server", "What people of this server write publicly.", local=True)


async def _feed(request: web.Request, title: str, says: str, *, local: bool) -> web.Response:
    signed, page = await frame.look(request), page_of(request)
    found = await request.app[DATABASE].read(timelines.public_page, viewer_id(signed), page, local_only=local)
    return _list(request, title, says, found, page)


@routes.get("/tags/{name}")
async def tag(request: web.Request) -> web.Response:
    signed, page, name = await frame.look(request), page_of(request), request.match_info["name"].replace("\0", "")[:100]
    found, followed = await request.app[DATABASE].read(_tagged, viewer_id(signed), normalise_tag(name), page)
    title = f"#{spelt(found, normalise_tag(name), name).removeprefix('#')}"
    says = "Public posts with this hashtag."
    return _list(request, title, says, found, page, tag=normalise_tag(name), follows=followed)


def spelt(found: list[PostView], name: str, otherwise: str = "") -> str:
    """The hashtag as the newest author writes it."""
    return next((t.shown for v in found for t in v.parts.tags if t.name == name), otherwise or name)


def _tagged(tx: Connection, reader_id: int | None, name: str, page: Page) -> tuple[list[PostView], bool | None]:
    """The posts, and whether he follows the hashtag; None for what cannot be followed, and for strangers."""
    found = tagged.page(tx, reader_id, Asked(name), page)
    try:
        (it,) = tags.look(tx, [tags.named(name)], reader_id, datetime.now(UTC))
    except NotFound:
        return found, None
    return found, it.following


@routes.post("/tags/{name}/{action:follow|unfollow}")
async def follow_tag(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    name = tags.named(request.match_info["name"])
    unit = tags.follow if request.match_info["action"] == "follow" else tags.unfollow
    await request.app[DATABASE].write(unit, signed.account.id, name)
    return addresses.see_other(given.text("back"), addresses.of_tag(name))


def _list(
    request: web.Request, title: str, says: str, found: list[PostView], page: Page, **values: Any
) -> web.Response:
    more = older(request, cursors(found), page)
    shown: dict[str, Any] = {
        "title": title,
        "says": says,
        "found": found,
        "older": more,
        "place": "public",
        "tag": "",
        "follows": None,
    }
    return frame.show(request, "feed.html", noindex=True, **{**shown, **values})


@routes.get("/notifications")
async def notified(request: web.Request) -> web.Response:
    """To open the page is to have seen what is on it."""
    signed, page = await frame.member(request), page_of(request)
    found, asking, waiting = await request.app[DATABASE].read(_news, signed.account.id, page)
    seen_before = signed.user.notifications_read
    newest = max((group.newest for group in found), default=0)
    if newest > seen_before:
        await request.app[DATABASE].write(notifications.read, signed.account.id, newest)
        request[frame.UNREAD] = 0
    return frame.show(
        request,
        "notifications.html",
        place="notifications",
        found=found,
        asking=asking,
        waiting=waiting,
        shown_requests=REQUESTS,
        seen_before=seen_before,
        older=older(request, [group.oldest or group.newest for group in found], page),
    )


def _news(tx: Connection, account_id: int, page: Page) -> tuple[list[Group], list[follows.Listed], list[RequestView]]:
    """On the first page also who waits for an answer, and what is kept back."""
    found = grouping.page(tx, account_id, page)
    if page.max_id is not None:
        return found, [], []
    asking = follows.requests_page(tx, account_id, Page(limit=40))
    return found, asking, notification_requests.page(tx, account_id, Page(limit=REQUESTS + 1))
