"""How often one may ask: API calls per person and per place, sign-ins per account and per place.

Counted in fixed windows, which begin with the first call, in the memory of this process; several web processes each
count their own share.
Source of the numbers: https://docs.joinmastodon.org/api/rate-limits/
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from math import ceil
from time import time
from typing import Final, NamedTuple

from aiohttp import web

from social.secrets import sha256
from web import auth, client_address
from web.errors import Handler, as_json
from web.keys import CONFIG

MOST: Final = 100_000  # windows of one limit: some 30 MB


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


@dataclass(slots=True)
class _Window:
    end: float  # Unix seconds
    used: int = 0


class Limits:
    """What was counted.  The windows of one limit last equally long: those that end first are the first of its dict."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._windows: dict[Limit, dict[str, _Window]] = {}

    def hit(self, limit: Limit, who: str) -> Left:
        """Counts one.  Raises: TooMany."""
        now, windows = self._clock(), self._windows.setdefault(limit, {})
        window = windows.get(who)
        if window is None or window.end <= now:
            windows.pop(who, None)
            _forget(windows, now)
            window = windows[who] = _Window(now + limit.minutes * 60)
        window.used += 1
        left = Left(limit.amount, limit.amount - window.used, window.end)
        if window.used > limit.amount:
            raise TooMany(left)
        return left


def _forget(windows: dict[str, _Window], now: float) -> None:
    """Those that have ended, and the oldest where there are too many."""
    while windows:
        first = next(iter(windows))
        if windows[first].end > now and len(windows) < MOST:
            break
        del windows[first]


LIMITS = web.AppKey("LIMITS", Limits)


def limited(handler: Handler) -> Handler:
    """An API route that counts its calls, and says in headers what is left."""

    @wraps(handler)
    async def limited_handler(request: web.Request) -> web.StreamResponse:
        if not request.app[CONFIG].rate_limits:
            return await handler(request)
        try:
            left = _count(request)
        except TooMany as refused:
            return too_many(request, refused)
        response = await handler(request)
        response.headers.update(left.headers)
        return response

    return limited_handler


def _count(request: web.Request) -> Left:
    limits, place = request.app[LIMITS], client_address.network(request)
    token = auth.sent(request)
    path = request.path.rstrip("/")
    if request.method == "DELETE" or path.endswith("/unreblog"):
        limits.hit(DELETES, sha256(token).hex() if token else place)
    if request.method == "POST" and path in ("/api/v1/media", "/api/v2/media"):
        limits.hit(UPLOADS, sha256(token).hex() if token else place)
    if path == "/api/v1/apps":
        limits.hit(APPS, place)
    if not token:
        return limits.hit(API, place)
    limits.hit(API_PLACE, place)
    return limits.hit(API, sha256(token).hex())


def too_many(request: web.Request, refused: TooMany) -> web.Response:
    response = as_json(request, 429, str(refused))
    response.headers.update(refused.left.headers)
    response.headers["Retry-After"] = str(max(1, ceil(refused.left.reset - time())))
    return response
