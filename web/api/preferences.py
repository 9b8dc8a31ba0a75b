"""Preferences: https://docs.joinmastodon.org/methods/preferences/"""

from aiohttp import web

from social import users
from web import auth
from web.api import shapes
from web.api.answers import answer
from web.api.entities.account import preferences
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE

routes = web.RouteTableDef()


@routes.get("/api/v1/preferences")
@spec(answers=shapes.Preferences)
@auth.person("read:accounts")
async def get_preferences(request: web.Request, caller: Caller) -> web.Response:
    return answer(preferences(await request.app[DATABASE].read(users.by_account, caller.account.id)))
