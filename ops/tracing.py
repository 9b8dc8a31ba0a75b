"""Tells an OpenTelemetry collector what this process does.  An extra: imported only where OTLP_ENDPOINT is set.

    request (route, status) ─┬─ unit of the database      job (kind) ─┬─ unit …
                             └─ exchange with a server                └─ exchange …

Names that are in the code (routes, units, kinds of jobs), hosts, statuses and durations are told; never the address of
a page, an argument, a header, or what an error says: posts, people and tokens are in those.  Other servers are told
nothing of it, and a trace that somebody else claims to have begun is not gone on with.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Concatenate, Final, ParamSpec, TypeAlias, TypeVar
from uuid import uuid4

from aiohttp import hdrs, web
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.re import parse_env_headers
from sqlalchemy import Connection
from yarl import URL

from federation import answers
from federation.client import Client
from federation.peers import Peer
from federation.transport import Reply, Transport
from store.database import Database
from store.tables import Job

P = ParamSpec("P")
T = TypeVar("T")
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Errand: TypeAlias = Callable[[Job], Awaitable[None]]

PATIENCE: Final = 5.0  # seconds for one export
FAREWELL: Final = 2.0  # seconds for what is not told yet, when the process ends
_STREAMS: Final = "/api/v1/streaming"  # last for hours
_NOTHING: Final = Context()  # what begins a trace of its own
_METHOD, _STATUS, _ERROR = "http.request.method", "http.response.status_code", "error.type"

_tracer = trace.get_tracer("connectme")
_meter = metrics.get_meter("connectme")
_answered = _meter.create_histogram("http.server.request.duration", "s", "requests that were answered")
_asked = _meter.create_histogram("http.client.request.duration", "s", "requests to other servers")


@contextmanager
def telling(endpoint: str, headers: str, percent: int, server: str, version: str) -> Iterator[None]:
    """While it lasts, the collector at `endpoint` is told.

    headers: for the collector, `name=value, name=value`; percent: of the traces, the others are not recorded.
    """
    names = {"service.name": "connectme", "service.namespace": server, "service.version": version}
    resource = Resource.create({**names, "service.instance.id": uuid4().hex})
    base, more = endpoint.rstrip("/"), parse_env_headers(headers, liberal=True) or None
    spans = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(percent / 100)))
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", headers=more, timeout=PATIENCE)))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics", headers=more, timeout=PATIENCE))
    numbers = MeterProvider([reader], resource)
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # of each try it tells at `warning`
    trace.set_tracer_provider(spans)
    metrics.set_meter_provider(numbers)
    try:
        yield
    finally:
        ending = [threading.Thread(target=one.shutdown, daemon=True) for one in (spans, numbers)]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join(FAREWELL)


@web.middleware
async def requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Each request begins a trace, named by its route."""
    resource = request.match_info.route.resource
    route = resource.canonical.removesuffix("{slash}").rstrip("/") or "/" if resource else ""
    if route.startswith(_STREAMS):
        return await handler(request)
    about = {_METHOD: request.method if request.method in hdrs.METH_ALL else "_OTHER", "http.route": route}
    begun, status = time.perf_counter(), 500
    with _span(f"{about[_METHOD]} {route}".strip(), SpanKind.SERVER, about, _NOTHING) as span:
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as answer:
            status = answer.status
            raise
        finally:
            span.set_attribute(_STATUS, status)
            if status >= 500:
                span.set_status(StatusCode.ERROR)
            _answered.record(time.perf_counter() - begun, {**about, _STATUS: status})
    return response


class TracedDatabase(Database):
    """Reads are told as parts of something, writes also alone: a process that waits for work reads again and again."""

    async def read(self, f: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> T:
        if not trace.get_current_span().get_span_context().is_valid:
            return await super().read(f, *args, **more)
        with _span(f"read {_name(f)}", SpanKind.INTERNAL):
            return await super().read(f, *args, **more)

    def write(self, f: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> asyncio.Future[T]:
        span = _tracer.start_span(f"write {_name(f)}")
        answer = super().write(f, *args, **more)
        answer.add_done_callback(lambda _: span.end())  # whether it failed is for whoever waits to say
        return answer


class TracedTransport(Transport):
    async def get(self, url: URL, host: str, peer: Peer, headers: Mapping[str, str], *, whole: bool = True) -> Reply:
        with _exchange("fetch", "GET", host) as heard:
            return heard(await super().get(url, host, peer, headers, whole=whole))

    async def save(
        self, url: URL, host: str, peer: Peer, headers: Mapping[str, str], sink: answers.Sink, most: int
    ) -> Reply:
        with _exchange("download", "GET", host) as heard:
            return heard(await super().save(url, host, peer, headers, sink, most))

    async def post(self, url: URL, host: str, peer: Peer, headers: Mapping[str, str], body: bytes) -> Reply:
        with _exchange("deliver", "POST", host) as heard:
            return heard(await super().post(url, host, peer, headers, body))


class TracedClient(Client):
    transport = TracedTransport


def jobs(errands: Mapping[str, Errand]) -> dict[str, Errand]:
    """The same, each of which begins a trace."""
    return {kind: _traced(kind, errand) for kind, errand in errands.items()}


def _traced(kind: str, errand: Errand) -> Errand:
    async def traced(job: Job) -> None:
        with _span(f"job {kind}", SpanKind.INTERNAL, {"connectme.attempts": job.attempts}, _NOTHING):
            await errand(job)

    return traced


@contextmanager
def _exchange(name: str, method: str, host: str) -> Iterator[Callable[[Reply], Reply]]:
    about, begun = {_METHOD: method}, time.perf_counter()
    outcome: dict[str, str | int] = {}
    with _span(name, SpanKind.CLIENT, {**about, "server.address": host}) as span:

        def heard(reply: Reply) -> Reply:
            outcome[_STATUS] = reply.status
            span.set_attribute(_STATUS, reply.status)
            return reply

        try:
            yield heard
        except BaseException as error:
            outcome[_ERROR] = type(error).__name__
            raise
        finally:
            _asked.record(time.perf_counter() - begun, {**about, "connectme.exchange": name, **outcome})


@contextmanager
def _span(
    name: str, kind: SpanKind, about: Mapping[str, str | int] | None = None, context: Context | None = None
) -> Iterator[Span]:
    """Of an error, its class alone: what it says may quote anything."""
    with _tracer.start_as_current_span(
        name, context, kind, about, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except web.HTTPException:
            raise  # an answer
        except Exception as error:
            span.set_attribute(_ERROR, type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def _name(f: Callable[..., object]) -> str:
    return f"{getattr(f, '__module__', '')}.{getattr(f, '__qualname__', type(f).__name__)}"
