"""How this server does, and of what it consists.

https://docs.joinmastodon.org/methods/admin/measures/, /dimensions/ and /retention/
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeAlias

from aiohttp import web
from sqlalchemy import Connection

from social.errors import Invalid
from social.moderation import cohorts, dimensions, figures, hashtags
from social.moderation.figures import HOST, TAG, Measure
from social.moderation.hosts import clean_host
from web import auth, params
from web.api import shapes
from web.api.answers import answer
from web.api.entities.figures import SPACE, VERSIONS, cohort, dimension, measure, space, versions
from web.api.spec import spec
from web.auth import Caller
from web.keys import CONFIG, DATABASE, ORIGIN
from web.params import Params

Subject: TypeAlias = str | int

routes = web.RouteTableDef()

READ: Final = "admin:read"
USUAL: Final = timedelta(days=29)  # before the last day
EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2100, 1, 1)
_OWN: Final = (SPACE, VERSIONS)  # of the server itself, at any time
_PERIOD: Final = {"keys": list[str], "start_at": str, "end_at": str}


def _told_of(keys: Iterable[str], about: Callable[[str], str]) -> dict[str, Any]:
    """Of which server, or which hashtag: `instance_reports[domain]`, `tag_uses[id]`."""
    return {key: dict[str, str] for key in keys if about(key)}


@routes.post("/api/v1/admin/measures")
@spec(
    answers=list[shapes.AdminMeasure],
    body={**_PERIOD, **_told_of(figures.KEYS, figures.about)},
    partial="no `instance_media_attachments`: files of other servers are kept for a while, but not by server",
)
@auth.staff(READ)
async def measures(request: web.Request, _: Caller) -> web.Response:
    given = await params.read(request)
    wanted = _subjects(given, _asked(given, figures.KEYS), figures.about)
    found = await request.app[DATABASE].read(_measured, wanted, *_period(given))
    return answer([measure(one) for one in found])


@routes.post("/api/v1/admin/dimensions")
@spec(
    answers=list[shapes.AdminDimension],
    body={**_PERIOD, **_told_of(dimensions.KEYS, dimensions.about), "limit": int},
)
@auth.staff(READ)
async def parts(request: web.Request, _: Caller) -> web.Response:
    given = await params.read(request)
    asked, limit = _asked(given, (*dimensions.KEYS, *_OWN)), given.number("limit")
    wanted = _subjects(given, [key for key in asked if key not in _OWN], dimensions.about)
    most = dimensions.MOST if limit is None else limit
    shares = await request.app[DATABASE].read(_divided, wanted, *_period(given), most)
    own = await request.app[DATABASE].read(dimensions.database) if set(asked) & {*_OWN} else None
    found = []
    for key in asked:
        if key in shares:
            found.append(dimension(key, shares[key], request.app[ORIGIN]))
        elif own is not None:
            found.append(space(own) if key == SPACE else versions(own, request.app[CONFIG].version))
    return answer(found)


@routes.post("/api/v1/admin/retention")
@spec(answers=list[shapes.AdminCohort], body={"start_at": str, "end_at": str, "frequency": str})
@auth.staff(READ)
async def retention(request: web.Request, _: Caller) -> web.Response:
    given = await params.read(request)
    frequency = given.text("frequency", "day")
    found = await request.app[DATABASE].read(cohorts.retention, *_period(given), frequency)
    return answer([cohort(one, frequency) for one in found])


def _measured(tx: Connection, wanted: Mapping[str, Subject], first: date, last: date) -> list[Measure]:
    return [figures.measure(tx, key, first, last, _named(tx, of)) for key, of in wanted.items()]


def _divided(
    tx: Connection, wanted: Mapping[str, Subject], first: date, last: date, most: int
) -> dict[str, Mapping[str | None, int]]:
    return {key: dimensions.shares(tx, key, first, last, most, _named(tx, of)) for key, of in wanted.items()}


def _subjects(given: Params, keys: Iterable[str], about: Callable[[str], str]) -> dict[str, Subject]:
    """Of what each is told: a host, the number of a hashtag, or everything.  Raises: Invalid."""
    found: dict[str, Subject] = {}
    for key in keys:
        inner = given.inner(key) or Params({})
        found[key] = ""
        if about(key) == HOST:
            found[key] = clean_host(inner.text("domain"))
        elif about(key) == TAG:
            found[key] = inner.id("id") or 0
    return found


def _named(tx: Connection, of: Subject) -> str:
    """Raises: NotFound."""
    return hashtags.name_of(tx, of) if isinstance(of, int) else of


def _asked(given: Params, keys: Collection[str]) -> list[str]:
    """Those that are none of ours are left out."""
    return [key for key in dict.fromkeys(given.many("keys")) if key in keys]


def _period(given: Params) -> tuple[date, date]:
    """Raises: Invalid."""
    last = _date(given, "end_at", datetime.now(UTC).date())
    return _date(given, "start_at", last - USUAL), last


def _date(given: Params, name: str, default: date) -> date:
    """Raises: Invalid."""
    said = given.text(name)
    try:
        found = datetime.fromisoformat(said).date() if said else default
    except ValueError:
        raise Invalid(f"{name} should be a date") from None
    if not EARLIEST <= found <= LATEST:
        raise Invalid(f"{name} is out of range")
    return found
