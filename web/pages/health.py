"""/admin/health, for owner and admins: what is wrong, how it has been, backups and their proofs, incidents, queues."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from outbox import queue
from outbox.queue import HostQueue, Totals
from social.errors import Invalid
from web.keys import DATABASE, KEEPER
from web.pages import addresses, charts, frame, later
from web.pages.admin.common import staff
from web.pages.charts import Line, Subject
from web.params import Params
from web.told import Keeper, Sample

routes = web.RouteTableDef()

_FIELDS: Final = ("title", "says", "impact", "begins", "ends")
_SPANS: Final = {"day": 86_400, "week": 7 * 86_400}
_HOSTS: Final = 50
_SOON: Final = 7 * 24.0  # hours until the disk is full that are worth a line
_SUBJECTS: Final = (
    Subject("Queues", (Line("to others", "deliveries_waiting"), Line("from others", "spool_waiting")), charts.letters),
    Subject("Oldest in the queues",
            (Line("to others who answer", "delivery_oldest"), Line("from others", "spool_oldest")), charts.span),
    Subject("Inbox", (Line("accepted", "inbox_accepted_rate"), Line("refused", "inbox_refused_rate")), charts.rate),
    Subject("Deliveries", (Line("arrived", "delivered_rate"), Line("failed", "delivery_failed_rate")), charts.rate),
    Subject("Requests", (Line("all", "http_rate"), Line("errors of ours", "http_errors_rate")), charts.rate),
    Subject("Time to answer", (Line("a request", "http_latency"), Line("a read in the database", "database_seconds")),
            charts.span),
    Subject("Free on the disk", (Line("bytes", "disk_free"),), charts.size),
    Subject("Memory", (Line("all processes", "memory"),), charts.size),
)  # fmt: skip


@routes.get("/admin/health")
async def health(request: web.Request) -> web.Response:
    staff(await frame.member(request), "admin")
    return await _page(request)


async def _page(request: web.Request, says: str = "", kept: Params | None = None, form: str = "") -> web.Response:
    """says: what was wrong with the form `form`, in which stood what is `kept`."""
    keeper, now = _keeper(request), datetime.now(UTC)
    chosen = request.query.get("span", "day")
    begin = now.timestamp() - _SPANS.get(chosen, _SPANS["day"])
    samples = keeper.samples(begin)
    totals, hosts = await request.app[DATABASE].read(_queues)
    return frame.show(
        request,
        "health.html",
        status=422 if says else 200,
        says=says,
        typed=lambda which: _typed(kept if which == form else None),
        span=chosen if chosen in _SPANS else "day",
        charts=[charts.draw(subject, samples, begin, now.timestamp()) for subject in _SUBJECTS],
        notes=keeper.notes(),
        full=_full(samples, now.timestamp()),
        incidents=[one for one in keeper.incidents() if one.is_open][:20],
        components=keeper.components(),
        totals=totals,
        hosts=hosts[:_HOSTS],
        more=max(len(hosts) - _HOSTS, 0),
        size=charts.size,
        length=charts.span,
    )


def _typed(kept: Params | None) -> dict[str, Any]:
    given = kept or Params({})
    return {**{name: given.text(name) for name in _FIELDS}, "components": given.many("components")}


def _full(samples: Sequence[Sample], now: float) -> float | None:
    """Hours until the disk is full, by the estimate of the alert disk-filling; None: not soon, or nobody looked."""
    hours = next((seen["disk_hours"] for at, seen in reversed(samples) if "disk_hours" in seen and now - at < 900), 1e9)
    return hours if hours < _SOON else None


def _queues(tx: Connection) -> tuple[Totals, list[HostQueue]]:
    return queue.totals(tx), queue.queue_stats(tx)


@routes.post("/admin/health/incidents")
async def announce(request: web.Request) -> web.Response:
    given = await _given(request)

    def act(keeper: Keeper, now: datetime) -> None:
        keeper.open(given.text("title"), given.text("says"), given.text("impact"), given.many("components"), now)

    return await _said(request, act, given, "open")


@routes.post("/admin/health/windows")
async def plan(request: web.Request) -> web.Response:
    """Work that is told ahead; without an end it takes an hour."""
    given = await _given(request)

    def act(keeper: Keeper, now: datetime) -> None:
        begins = later.moment(given.text("begins"))
        ends = later.moment(given.text("ends")) if given.text("ends").strip() else begins + timedelta(hours=1)
        keeper.plan(given.text("title"), given.text("says"), begins, ends, given.many("components"), now)

    return await _said(request, act, given, "plan")


@routes.post("/admin/health/incidents/{id:[0-9a-f]+}")
async def go_on(request: web.Request) -> web.Response:
    """One form, several buttons: say more, end it, throw a draft away."""
    given, which = await _given(request), request.match_info["id"]
    act, words = given.text("act"), given.text("says")
    if act == "resolve":
        return await _said(request, lambda keeper, now: keeper.resolve(which, words, now), given, which)
    if act == "forget":
        return await _said(request, lambda keeper, now: keeper.forget(which, now), given, which)
    return await _said(
        request, lambda keeper, now: keeper.update(which, words, given.text("status"), now), given, which
    )


@routes.post("/admin/health/hosts/{host}/{act:retry|drop}")
async def act_on_host(request: web.Request) -> web.Response:
    await _given(request)
    host, db = request.match_info["host"].replace("\0", ""), request.app[DATABASE]
    if request.match_info["act"] == "retry":
        await db.write(queue.retry, host, datetime.now(UTC))
    else:
        await db.write(queue.drop, host)
    return addresses.see_other("/admin/health#queues")


async def _given(request: web.Request) -> Params:
    signed, given = await frame.posted(request)
    staff(signed, "admin")
    return given


async def _said(
    request: web.Request, act: Callable[[Keeper, datetime], None], given: Params, form: str
) -> web.Response:
    try:
        act(_keeper(request), datetime.now(UTC))
    except Invalid as refusal:
        return await _page(request, str(refusal), given, form)
    return addresses.see_other("/admin/health#incidents")


def _keeper(request: web.Request) -> Keeper:
    return request.app[KEEPER]
