"""Other servers, and how busy this one is: https://docs.joinmastodon.org/methods/instance/#peers

With FEDERATION_MODE=allowlist they are for people of ours alone.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from aiohttp import web

from social import activity, instance, moderation
from social.errors import NotFound, Unauthorised
from social.moderation.hosts import SEVERITIES
from web import auth
from web.api import shapes
from web.api.answers import answer
from web.api.spec import spec
from web.keys import CONFIG, DATABASE
from web.params import of_query

routes = web.RouteTableDef()

_USUAL: Final = 10  # hosts that are found
_MOST: Final = 20
_LONGEST: Final = 260  # characters of a host


@routes.get("/api/v1/instance/peers")
@spec(answers=list[str])
@auth.public
async def peers(request: web.Request) -> web.Response:
    if request.app[CONFIG].limited_federation:
        await _ours(request)
    return answer(await request.app[DATABASE].read(instance.hosts))


@routes.get("/api/v1/peers/search")
@spec(answers=list[str], query={"q": str, "limit": int})
@auth.public
async def search(request: web.Request) -> web.Response:
    """Those whose names begin so, while somebody types."""
    if request.app[CONFIG].limited_federation:
        await _ours(request)
    asked = of_query(request)
    start, limit = asked.text("q").strip().lower(), asked.number("limit")
    if not start or len(start) > _LONGEST:
        return answer([])
    most = max(1, min(_USUAL if limit is None else limit, _MOST))
    return answer(await request.app[DATABASE].read(instance.find_hosts, start, most))


@routes.get("/api/v1/instance/activity")
@spec(answers=list[shapes.InstanceActivity])
@auth.public
async def get_activity(request: web.Request) -> web.Response:
    if request.app[CONFIG].limited_federation:
        await _ours(request)
    found = await request.app[DATABASE].read(activity.weeks, datetime.now(UTC))
    return answer(
        [
            {
                "week": str(week.start),
                "statuses": str(week.posts),
                "logins": str(week.logins),
                "registrations": str(week.registrations),
            }
            for week in found
        ]
    )


@routes.get("/api/v1/instance/domain_blocks")
@spec(answers=list[shapes.DomainBlock])
@auth.public
async def domain_blocks(request: web.Request) -> web.Response:
    """For whom SHOW_DOMAIN_BLOCKS says."""
    shown = request.app[CONFIG].show_domain_blocks
    if shown == "nobody":
        raise NotFound("Record not found")
    if shown == "members":
        await _ours(request)
    found = await request.app[DATABASE].read(moderation.policies)
    return answer(
        [
            {
                "domain": policy.shown,
                "digest": sha256(policy.host.encode()).hexdigest(),
                "severity": SEVERITIES[policy.level],
                "comment": policy.comment,
            }
            for policy in found
            if policy.level in (moderation.BLOCK, moderation.LIMIT)
        ]
    )


async def _ours(request: web.Request) -> None:
    """Raises: Unauthorised, for whoever is none of our people."""
    found = await auth.bearer(request)
    if found is None or found.account is None:
        raise Unauthorised("This API requires an authenticated user")
