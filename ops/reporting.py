"""Tells a Sentry of what breaks in this process.  An extra: imported only where SENTRY_DSN is set.

What is written into the log as an error is sent with the place in the code where it happened: classes of errors,
functions, lines of source.  Never what an error says, values of variables, arguments of the message, or anything of
a request: posts, addresses and tokens are in those.  An event is put together here from what may be sent, rather than
scrubbed of what may not.  The same place is told of once a minute.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any, Final

from sentry_sdk import Client
from sentry_sdk.types import Event
from sentry_sdk.utils import exceptions_from_error_tuple

log = logging.getLogger(__name__)

AGAIN: Final = 60.0  # seconds until the same place is told of once more
PLACES: Final = 1000
FAREWELL: Final = 2.0  # seconds for what is not sent yet, when the process ends
OURS: Final = ("connectme", "federation", "inbox", "migrations", "ops", "outbox", "social", "store", "web")
_OWN: Final = ("opentelemetry", "sentry_sdk", "urllib3")  # what fails while it is told is not told
_OPTIONS: Final = {"include_local_variables": False, "include_source_context": True, "max_value_length": None}
_FRAME: Final = ("filename", "module", "function", "lineno", "pre_context", "context_line", "post_context")


@contextmanager
def reporting(dsn: str, server: str, version: str, process: str) -> Iterator[None]:
    """While it lasts, errors are sent to the project that `dsn` names."""
    client = Client(
        dsn=dsn,
        release=f"connectme@{version}",
        server_name=server,
        default_integrations=False,  # they look at requests, at variables, and send trace headers to other servers
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        send_client_reports=False,
        send_default_pii=False,
    )
    reporter, root = Reporter(client, process), logging.getLogger()
    root.addHandler(reporter)
    try:
        yield
    finally:
        root.removeHandler(reporter)
        client.close(timeout=FAREWELL)


class Reporter(logging.Handler):
    def __init__(self, client: Client, process: str) -> None:
        super().__init__(logging.ERROR)
        self._client = client
        self._process = process
        self._told: dict[tuple[object, ...], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if record.name.partition(".")[0] not in _OWN and self._is_news(record):
                self._client.capture_event(event_of(record, self._process))
        except Exception as error:  # noqa: BLE001  what cannot be told must not break who tells it
            log.warning("an error could not be told of: %s", type(error).__name__)

    def _is_news(self, record: logging.LogRecord) -> bool:
        place = _place(record)
        if record.created - self._told.get(place, 0.0) < AGAIN:
            return False
        if len(self._told) >= PLACES:
            self._told.clear()
        self._told[place] = record.created
        return True


def _place(record: logging.LogRecord) -> tuple[object, ...]:
    kind, _, trace = record.exc_info or (None, None, None)
    if trace is None:
        return record.pathname, record.lineno
    *_, (frame, line) = walk_tb(trace)
    return frame.f_code.co_filename, line, kind


def event_of(record: logging.LogRecord, process: str) -> Event:
    """All that is sent of a line."""
    event: Event = {
        "level": "fatal" if record.levelno >= logging.CRITICAL else "error",
        "logger": record.name,
        "logentry": {"message": _message(record)},
        "tags": {"process": process},
    }
    if record.exc_info and record.exc_info[0]:
        found = exceptions_from_error_tuple(record.exc_info, _OPTIONS)
        event["exception"] = {"values": [_told(one) for one in found]}
    return event


def _message(record: logging.LogRecord) -> str:
    """As it stands in the code, with %s in place of each argument; libraries may have put theirs in already."""
    ours = record.name.partition(".")[0] in OURS and isinstance(record.msg, str)
    return record.msg if ours else f"an error of {record.name}"


def _told(found: dict[str, Any]) -> dict[str, Any]:
    frames = (found.get("stacktrace") or {}).get("frames") or []
    kept = [{name: frame[name] for name in _FRAME if name in frame} for frame in frames]
    return {"type": found.get("type"), "module": found.get("module"), "stacktrace": {"frames": kept}}
