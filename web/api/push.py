"""Web Push: https://docs.joinmastodon.org/methods/push/"""

from datetime import UTC, datetime

from aiohttp import web

from federation import webpush
from federation.errors import Malformed, Refused
from social import push
from social.errors import Invalid
from social.notifications import KINDS
from social.push import Address, Wish
from web import auth, params
from web.api import shapes
from web.api.answers import answer
from web.api.entities.notification import subscription
from web.api.spec import spec
from web.auth import Caller
from web.keys import CONFIG, DATABASE, GUARD
from web.params import Params

routes = web.RouteTableDef()

HERE = "/api/v1/push/subscription"


@routes.post(HERE)
@spec(answers=shapes.WebPushSubscription, body={"subscription": shapes.PushAddress, "data": shapes.PushWish})
@auth.person("push")
async def subscribe(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    address, wish, now = _address(request, given), _wish(given), datetime.now(UTC)
    made = await request.app[DATABASE].write(push.subscribe, caller.token.id, caller.account.id, address, wish, now)
    return answer(subscription(made, request.app[CONFIG].vapid_key))


@routes.get(HERE)
@spec(answers=shapes.WebPushSubscription)
@auth.person("push")
async def get_subscription(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(push.find, caller.token.id)
    return answer(subscription(found, request.app[CONFIG].vapid_key))


@routes.put(HERE)
@spec(answers=shapes.WebPushSubscription, body={"data": shapes.PushWish, "policy": str})
@auth.person("push")
async def change(request: web.Request, caller: Caller) -> web.Response:
    wish = _wish(await params.read(request))
    made = await request.app[DATABASE].write(push.change, caller.token.id, wish)
    return answer(subscription(made, request.app[CONFIG].vapid_key))


@routes.delete(HERE)
@spec()
@auth.person("push")
async def unsubscribe(request: web.Request, caller: Caller) -> web.Response:
    await request.app[DATABASE].write(push.unsubscribe, caller.token.id)
    return answer({})


def _address(request: web.Request, given: Params) -> Address:
    """Raises: Invalid."""
    asked = given.inner("subscription")
    keys = asked.inner("keys") if asked else None
    if asked is None or keys is None:
        raise Invalid("Validation failed: subscription needs an endpoint and keys")
    try:
        endpoint = str(request.app[GUARD].check_url(asked.text("endpoint")))
        p256dh, secret = webpush.read_keys(keys.text("p256dh"), keys.text("auth"))
    except (Malformed, Refused) as error:
        raise Invalid(f"Validation failed: subscription: {error}") from error
    return Address(endpoint, p256dh, secret, asked.flag("standard"))


def _wish(given: Params) -> Wish:
    """Raises: Invalid."""
    data = given.inner("data") or Params({})
    alerts = data.inner("alerts") or Params({})
    policy = data.text("policy") or given.text("policy") or "all"
    return Wish([kind for kind in KINDS if alerts.flag(kind)], policy)
