"""What is sent of an error: where it happened, never with what."""

import logging
import sys
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ops.reporting import AGAIN, Reporter, event_of

SECRET = "what nobody else may read"


class Kept:
    """A client that keeps what it should send."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def capture_event(self, event: Any) -> None:
        self.events.append(event)


def record(message: str = "%s failed", *, of: str = "web.errors", line: int = 7, **more: Any) -> logging.LogRecord:
    return logging.LogRecord(of, logging.ERROR, "errors.py", line, message, (SECRET,), more.get("exc_info"))


def failed(says: str) -> Any:
    """The error in which another ended, with both of their variables."""
    private = {"text": says}
    try:
        try:
            private[says]
        except KeyError as error:
            raise ExceptionGroup(says, [ValueError(says), OSError(2, says)]) from error
    except ExceptionGroup:
        return sys.exc_info()


@given(st.text(min_size=12))
def test_nothing_that_an_error_says_is_sent(says: str) -> None:
    says = f"<{says}>"
    sent = orjson.dumps(event_of(record(exc_info=failed(says)), "web")).decode()
    assert SECRET not in sent
    assert orjson.dumps(says).decode().strip('"') not in sent
    assert "ExceptionGroup" in sent
    assert '"function":"failed"' in sent


def test_the_words_of_libraries_are_not_sent() -> None:
    event = event_of(record(f"Task was destroyed: {SECRET}", of="asyncio"), "worker")
    assert event["logentry"] == {"message": "an error of asyncio"}


def test_a_place_is_told_of_once_a_minute_and_two_places_are_two() -> None:
    kept = Kept()
    reporter = Reporter(kept, "web")  # type: ignore[arg-type]
    first, again, other, later = record(), record(), record(line=8), record()
    again.created, other.created, later.created = (first.created + seconds for seconds in (1, 1, AGAIN))
    for one in (first, again, other, later):
        reporter.handle(one)
    assert len(kept.events) == 3


def test_what_fails_while_it_is_told_is_not_told() -> None:
    kept = Kept()
    Reporter(kept, "web").handle(record(of="sentry_sdk.errors"))  # type: ignore[arg-type]
    assert kept.events == []


def test_what_cannot_be_told_does_not_break_who_tells_it(caplog) -> None:
    Reporter(None, "web").handle(record())  # type: ignore[arg-type]
    assert "an error could not be told of: AttributeError" in caplog.text
