"""How a process writes its log: lines of text for people, or JSON for collectors, on standard error.

A line tells when, how grave, which process, who says it, what, and the id of the request it belongs to.  Secrets
among the settings, bearer tokens and passwords in addresses are masked.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from store.answering import REQUEST

if TYPE_CHECKING:
    from connectme.settings import Settings

TEXT = "%(at)s %(levelname)-7s %(unit)s %(name)s: %(message)s%(belongs)s"
JSON = "%(at)s %(levelname)s %(unit)s %(name)s %(message)s %(request)s"
MASKED = re.compile(
    r"""(?P<before>Bearer\s+|\b(?:password|access_token|client_secret)\b\\?"?\s*[=:]\s*\\?"?)[^\s"'\\&,@]+"""
    r"""|(?P<address>://[^/\s:@]*:)[^\s/@]+(?=@)""",
    re.IGNORECASE,
)
CHATTERS = (
    "aiosqlite",
    "alembic",
    "asyncio",
)  # tell each step at `debug` and `info`; heard from `warning` on


# What others say is quoted in messages (addresses, reasons): with a line end in it, it would write lines of its own.
CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029) if chr(code) != "\t"}


class OneLine(logging.Formatter):
    """A message is one line; only a trace is more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        record.message = record.message.translate(CONTROLS)
        return super().formatMessage(record)


class Place(logging.Filter):
    """Adds to each record what the formats need beside the standard."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def filter(self, record: logging.LogRecord) -> bool:
        moment = datetime.fromtimestamp(record.created, UTC)
        record.at = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record.unit = self.unit
        request = record.request = REQUEST.get()
        record.belongs = f" [{request}]" if request else ""
        return True


class Masking(logging.Formatter):
    """Another formatter, without the secrets."""

    def __init__(self, inner: logging.Formatter, secrets: list[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = [secret for secret in secrets if len(secret) > 3]

    def format(self, record: logging.LogRecord) -> str:
        line = self._inner.format(record)
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return MASKED.sub(r"\g<before>\g<address>…", line)


def set_up(settings: "Settings", unit: str, *, least: str = "", stream: TextIO | None = None) -> None:
    """Sends all loggers of this process to `stream` (standard error), in the form the settings ask for.

    unit:  which process this is: "supervisor", "web 0", "worker 1", "command".
    least: the level, where it is not that of the settings.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Place(unit))
    handler.setFormatter(Masking(_formatter(settings.log_format), settings.secrets()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel((least or settings.log_level).upper())
    for name in CHATTERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


def _formatter(form: str) -> logging.Formatter:
    if form == "text":
        return OneLine(TEXT)
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415  not for those who read text

    return JsonFormatter(JSON, json_ensure_ascii=False, rename_fields={"levelname": "level", "name": "logger"})
