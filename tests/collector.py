"""Whoever is told what a server does: an OpenTelemetry collector and a Sentry, on this machine, as witnesses."""

import json
import zlib
from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """spans, metrics (names), events: what was told; raw: all that came, headers and unpacked bodies."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.metrics: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self.resources: list[dict[str, str]] = []
        self.heads: list[Mapping[str, str]] = []
        self.raw: list[bytes] = []
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/traces", self._traces)
        app.router.add_post("/v1/metrics", self._metrics)
        app.router.add_post("/api/1/envelope/", self._envelope)
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    @property
    def settings(self) -> dict[str, str]:
        """With which a server tells it."""
        return {
            "OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTLP_HEADERS": "authorization=Bearer%20for-the-collector",
            "SENTRY_DSN": f"http://publickey@127.0.0.1:{self.port}/1",
        }

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    async def _traces(self, request: web.Request) -> web.Response:
        for told in ExportTraceServiceRequest.FromString(await self._body(request)).resource_spans:
            self.resources.append({one.key: one.value.string_value for one in told.resource.attributes})
            self.spans += [span for scope in told.scope_spans for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    async def _metrics(self, request: web.Request) -> web.Response:
        for told in ExportMetricsServiceRequest.FromString(await self._body(request)).resource_metrics:
            self.metrics |= {metric.name for scope in told.scope_metrics for metric in scope.metrics}
        return web.Response(content_type="application/x-protobuf")

    async def _envelope(self, request: web.Request) -> web.Response:
        _, *items = (await self._body(request)).split(b"\n")
        for head, body in zip(items[::2], items[1::2], strict=False):
            if json.loads(head)["type"] == "event":
                self.events.append(json.loads(body))
        return web.json_response({"id": "0"})

    async def _body(self, request: web.Request) -> bytes:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = zlib.decompress(body, 31)
        self.heads.append(request.headers)
        self.raw += [str(dict(request.headers)).encode(), body]
        return body


def attributes(span: Span) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
