"""Featured tags: https://docs.joinmastodon.org/methods/featured_tags/"""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from social import featured, tags
from social.tags import TagView
from store.tables import Account
from web import auth, params
from web.api import shapes
from web.api.answers import answer, path_id
from web.api.entities.account import featured_tag
from web.api.entities.list import tag
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


@routes.get("/api/v1/featured_tags/suggestions")
@spec(answers=list[shapes.Tag])
@auth.person("read:accounts")
async def suggestions(request: web.Request, caller: Caller) -> web.Response:
    """What he uses most."""
    found = await request.app[DATABASE].read(_suggested, caller.account.id, datetime.now(UTC))
    return answer([tag(view, request.app[ORIGIN]) for view in found])


def _suggested(tx: Connection, account_id: int, now: datetime) -> list[TagView]:
    return tags.look(tx, featured.used(tx, account_id), account_id, now)


@routes.post("/api/v1/tags/{name}/feature")
@spec(answers=shapes.Tag)
@auth.person("write:accounts")
async def feature_tag(request: web.Request, caller: Caller) -> web.Response:
    name, now = tags.named(request.match_info["name"]), datetime.now(UTC)
    return answer(tag(await request.app[DATABASE].write(_feature, caller.account.id, name, now), request.app[ORIGIN]))


def _feature(tx: Connection, account_id: int, name: str, now: datetime) -> TagView:
    featured.feature(tx, account_id, name, now)
    return tags.look(tx, [name], account_id, now)[0]


@routes.post("/api/v1/tags/{name}/unfeature")
@spec(answers=shapes.Tag)
@auth.person("write:accounts")
async def unfeature_tag(request: web.Request, caller: Caller) -> web.Response:
    name, now = tags.named(request.match_info["name"]), datetime.now(UTC)
    return answer(tag(await request.app[DATABASE].write(_unfeature, caller.account.id, name, now), request.app[ORIGIN]))


def _unfeature(tx: Connection, account_id: int, name: str, now: datetime) -> TagView:
    featured.unfeature_named(tx, account_id, name)
    return tags.look(tx, [name], account_id, now)[0]


@routes.delete("/api/v1/featured_tags/{id}")
@spec()
@auth.person("write:accounts")
async def unfeature(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(featured.unfeature, caller.account.id, path_id(request))
    return answer({})
