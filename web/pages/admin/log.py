"""/admin/log: what staff did, to whom and when."""

from aiohttp import web

from social.moderation import audit
from web.keys import DATABASE
from web.pages import frame
from web.pages.admin.common import looks
from web.paging import page_of

routes = web.RouteTableDef()


@routes.get("/admin/log")
async def log(request: web.Request) -> web.Response:
    await looks(request, "admin")
    page = page_of(request, 40)
    found = await request.app[DATABASE].read(audit.page, page)
    return frame.show(request, "admin_log.html", found=found, older=frame.older(request, [it.id for it in found], page))
