"""How this server does: https://docs.joinmastodon.org/methods/admin/measures/ and /retention/"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social.errors import Invalid
from social.moderation import figures
from social.moderation.figures import Cohort, Measure
from social.moderation.hosts import clean_host
from web import auth, params
from web.api import shapes
from web.api.answers import answer
from web.api.entities.account import moment
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE
from web.params import Params

routes = web.RouteTableDef()

READ: Final = "admin:read"
USUAL: Final = timedelta(days=29)  # before the last day
EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2200, 1, 1)


@routes.post("/api/v1/admin/measures")
@spec(
    answers=list[shapes.AdminMeasure],
    body={"keys": list[str], "start_at": str, "end_at": str},
    partial=f"of the keys there are {', '.join(f'`{key}`' for key in figures.KEYS)}",
)
@auth.staff(READ)
async def measures(request: web.Request, _: Caller) -> web.Response:
    """Keys that are none of ours are left out."""
    given = await params.read(request)
    first, last = _period(given)
    asked = [key for key in dict.fromkeys(given.many("keys")) if key in figures.KEYS]
    wanted = [(key, _host(given, key) if figures.needs_host(key) else "") for key in asked]
    found = await request.app[DATABASE].read(_measured, wanted, first, last)
    return answer([_measure(one) for one in found])


@routes.post("/api/v1/admin/retention")
@spec(answers=list[shapes.AdminCohort], body={"start_at": str, "end_at": str, "frequency": str})
@auth.staff(READ)
async def retention(request: web.Request, _: Caller) -> web.Response:
    given = await params.read(request)
    frequency = given.text("frequency", "day")
    found = await request.app[DATABASE].read(figures.retention, *_period(given), frequency)
    return answer([_cohort(one, frequency) for one in found])


def _measured(tx: Connection, wanted: list[tuple[str, str]], first: date, last: date) -> list[Measure]:
    return [figures.measure(tx, key, first, last, host) for key, host in wanted]


def _host(given: Params, key: str) -> str:
    """Raises: Invalid."""
    inner = given.inner(key)
    return clean_host(inner.text("domain") if inner else "")


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


def _measure(it: Measure) -> shapes.AdminMeasure:
    entity: shapes.AdminMeasure = {
        "key": it.key,
        "unit": None,
        "total": str(it.total),
        "data": [{"date": _shown(day), "value": str(value)} for day, value in it.days],
    }
    if it.before is not None:
        entity["previous_total"] = str(it.before)
    return entity


def _cohort(it: Cohort, frequency: str) -> shapes.AdminCohort:
    return {
        "period": _shown(it.start),
        "frequency": frequency,
        "data": [{"date": _shown(day), "rate": rate, "value": str(value)} for day, value, rate in it.stayed],
    }


def _shown(day: date) -> str | None:
    return moment(datetime.combine(day, time(), UTC))
