"""How often one may ask: API calls per person and per place, sign-ins per account and per place.

Counted in the memory of this process; several web processes each count their own share.
Source of the numbers: https://docs.joinmastodon.org/api/rate-limits/
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property, wraps
from math import ceil
from time import time
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

from social.secrets import sha256
from web import client_address
from web.errors import Handler, as_json
from web.keys import CONFIG

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.aio.strategies import FixedWindowRateLimiter


class Limit(NamedTuple):
    amount: int
    minutes: int
    name: str


API = Limit(300, 5, "api")
API_PLACE = Limit(1500, 5, "api-place")  # many people share an address
DELETES = Limit(30, 30, "deletes")
UPLOADS = Limit(30, 30, "uploads")
SIGN_IN_ACCOUNT = Limit(10, 10, "sign-in-account")
SIGN_IN_PLACE = Limit(30, 10, "sign-in-place")
APPS = Limit(30, 10, "apps")


@dataclass(frozen=True, slots=True)
class Left:
    """What a limit still allows."""

    limit: int
    remaining: int
    reset: float  # Unix seconds

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.remaining, 0)),
            "X-RateLimit-Reset": datetime.fromtimestamp(self.reset, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        }


class TooMany(Exception):
    """429.  `left` says when to come back."""

    def __init__(self, left: Left) -> None:
        super().__init__("Too many requests")
        self.left = left


class Limits:
    """On the library `limits`, which is loaded when first something is counted: with all its kinds of stores it takes
    30 ms, which the first answer after a start does not have to wait for."""

    async def hit(self, limit: Limit, *who: str) -> Left:
        """Counts one.  Raises: TooMany."""
        item = _item(limit)
        allowed = await self._limiter.hit(item, *who)
        stats = await self._limiter.get_window_stats(item, *who)
        left = Left(limit.amount, stats.remaining, stats.reset_time)
        if not allowed:
            raise TooMany(left)
        return left

    @cached_property
    def _limiter(self) -> "FixedWindowRateLimiter":
        from limits.aio.storage import MemoryStorage  # noqa: PLC0415  see above
        from limits.aio.strategies import FixedWindowRateLimiter  # noqa: PLC0415

        return FixedWindowRateLimiter(MemoryStorage())


@cache
def _item(limit: Limit) -> "RateLimitItem":
    from limits import RateLimitItemPerMinute  # noqa: PLC0415

    return RateLimitItemPerMinute(*limit)


LIMITS = web.AppKey("LIMITS", Limits)


def limited(handler: Handler) -> Handler:
    """An API route that counts its calls, and says in headers what is left."""

    @wraps(handler)
    async def limited_handler(request: web.Request) -> web.StreamResponse:
        if not request.app[CONFIG].rate_limits:
            return await handler(request)
        try:
            left = await _count(request)
        except TooMany as refused:
            return too_many(request, refused)
        response = await handler(request)
        response.headers.update(left.headers)
        return response

    return limited_handler


async def _count(request: web.Request) -> Left:
    limits, place = request.app[LIMITS], client_address.network(request)
    token = request.headers.get("Authorization", "")
    path = request.path.rstrip("/")
    if request.method == "DELETE" or path.endswith("/unreblog"):
        await limits.hit(DELETES, sha256(token).hex() if token else place)
    if request.method == "POST" and path in ("/api/v1/media", "/api/v2/media"):
        await limits.hit(UPLOADS, sha256(token).hex() if token else place)
    if path == "/api/v1/apps":
        await limits.hit(APPS, place)
    if not token:
        return await limits.hit(API, place)
    await limits.hit(API_PLACE, place)
    return await limits.hit(API, sha256(token).hex())


def too_many(request: web.Request, refused: TooMany) -> web.Response:
    response = as_json(request, 429, str(refused))
    response.headers.update(refused.left.headers)
    response.headers["Retry-After"] = str(max(1, ceil(refused.left.reset - time())))
    return response
