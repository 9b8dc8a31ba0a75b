"""/posts/ID/quoting: who may quote a post of one's own from now on, and who does."""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from social import quotes, views
from social.errors import NotFound
from social.pages import Page
from social.views import PostView
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.frame import older
from web.pages.reading import QUOTES
from web.paging import page_of

routes = web.RouteTableDef()

_MISSING = "There is no such post, or it is not yours"


@routes.get("/posts/{id:[0-9]+}/quoting")
async def quoting(request: web.Request) -> web.Response:
    signed, page = await frame.member(request), page_of(request)
    view, found = await request.app[DATABASE].read(_load, frame.number(request, _MISSING), signed.account.id, page)
    automatic = (view.parts.post.quote_policy or {}).get("automatic", [])
    return frame.show(
        request,
        "quoting.html",
        view=view,
        found=found,
        choices=QUOTES,
        chosen=automatic[0] if automatic else "nobody",
        older=older(request, frame.cursors(found), page),
    )


@routes.post("/posts/{id:[0-9]+}/quoting")
async def choose(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    post_id, now = frame.number(request, _MISSING), datetime.now(UTC)
    await request.app[DATABASE].write(quotes.set_policy, signed.account.id, post_id, given.text("quotes"), now)
    return addresses.see_other(f"/posts/{post_id}/quoting")


@routes.post("/posts/{id:[0-9]+}/quoting/{quote:[0-9]+}/revoke")
async def revoke(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    post_id, quoting_id = frame.number(request, _MISSING), frame.number(request, _MISSING, "quote")
    await request.app[DATABASE].write(quotes.revoke, signed.account.id, post_id, quoting_id, datetime.now(UTC))
    return addresses.see_other(f"/posts/{post_id}/quoting")


def _load(tx: Connection, post_id: int, author_id: int, page: Page) -> tuple[PostView, list[PostView]]:
    """Raises: NotFound."""
    found = views.posts(tx, quotes.page(tx, author_id, post_id, page), author_id)
    view = views.post(tx, post_id, author_id)
    if view is None:
        raise NotFound(_MISSING)
    return view, found
