"""Who else is told what this process does, and what breaks in it: OpenTelemetry and Sentry, both extras.

Not even imported where they are not asked for, nor in what must not talk with anybody (OUTGOING = false).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import ModuleType

from connectme import __version__
from connectme.errors import Failure
from connectme.settings import Settings


@contextmanager
def observed(settings: Settings, process: str) -> Iterator[None]:
    """Raises: Failure, where one is asked for that is not installed."""
    with ExitStack() as stack:
        if settings.sentry_dsn and settings.outgoing:
            report = _extra("ops.reporting", "sentry_dsn", "sentry_sdk", "sentry")
            stack.enter_context(report.reporting(settings.sentry_dsn, settings.host, __version__, process))
        if is_traced(settings):
            trace = _extra("ops.tracing", "otlp_endpoint", "opentelemetry", "otel")
            where = settings.otlp_endpoint, settings.otlp_headers, settings.traces_percent
            stack.enter_context(trace.telling(*where, settings.host, __version__))
        yield


def is_traced(settings: Settings) -> bool:
    """May ops/tracing.py be imported?"""
    return bool(settings.otlp_endpoint) and settings.outgoing


def _extra(module: str, setting: str, package: str, extra: str) -> ModuleType:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise Failure(
            f"{setting} is set, and what that needs is not installed: pip install 'connectme[{extra}]'"
        ) from error
