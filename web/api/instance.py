"""Instance: https://docs.joinmastodon.org/methods/instance/"""

from aiohttp import web

from social import instance
from social.posts.drafts import LONGEST
from web.api.answers import answer
from web.api.entities.instance import instance_v1, instance_v2
from web.keys import CONFIG, DATABASE, ORIGIN

routes = web.RouteTableDef()


@routes.get("/api/v1/instance")
async def get_v1(request: web.Request) -> web.Response:
    db = request.app[DATABASE]
    usage, hosts = await db.read(instance.usage), await db.read(instance.hosts_count)
    return answer(instance_v1(request.app[ORIGIN], request.app[CONFIG], usage, hosts, LONGEST))


@routes.get("/api/v2/instance")
async def get_v2(request: web.Request) -> web.Response:
    usage = await request.app[DATABASE].read(instance.usage)
    return answer(instance_v2(request.app[ORIGIN], request.app[CONFIG], usage, LONGEST))


@routes.get("/api/v1/instance/peers")
async def peers(request: web.Request) -> web.Response:
    return answer(await request.app[DATABASE].read(instance.hosts))
