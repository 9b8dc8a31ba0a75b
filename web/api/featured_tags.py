"""Featured tags: https://docs.joinmastodon.org/methods/featured_tags/"""

from datetime import UTC, datetime

from aiohttp import web

from social import featured
from store.tables import Account
from web import auth, params
from web.api import shapes
from web.api.answers import answer, path_id
from web.api.entities.account import featured_tag
from web.api.people import account_of
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN

routes = web.RouteTableDef()


@routes.get("/api/v1/accounts/{id}/featured_tags")
@spec(answers=list[shapes.FeaturedTag])
@auth.anybody("read:accounts")
async def of_account(request: web.Request, _: Account | None) -> web.Response:
    """Of people of ours: other servers' are not looked up."""
    it = await account_of(request)
    found = [] if it.is_gone else await request.app[DATABASE].read(featured.featured, it.id)
    return answer([featured_tag(view, request.app[ORIGIN]) for view in found])


@routes.get("/api/v1/featured_tags")
@spec(answers=list[shapes.FeaturedTag])
@auth.person("read:accounts")
async def get_featured(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(featured.featured, caller.account.id)
    return answer([featured_tag(view, request.app[ORIGIN]) for view in found])


@routes.post("/api/v1/featured_tags")
@spec(answers=shapes.FeaturedTag, body={"name": str})
@auth.person("write:accounts")
async def feature(request: web.Request, caller: Caller) -> web.Response:
    name = (await params.read(request)).text("name")
    view = await request.app[DATABASE].write(featured.feature, caller.account.id, name, datetime.now(UTC))
    return answer(featured_tag(view, request.app[ORIGIN]))


@routes.delete("/api/v1/featured_tags/{id}")
@spec()
@auth.person("write:accounts")
async def unfeature(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(featured.unfeature, caller.account.id, path_id(request))
    return answer({})
