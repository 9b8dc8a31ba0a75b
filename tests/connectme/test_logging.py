import io
import json
import logging

import pytest

from connectme import logging as ours
from connectme.settings import Settings


@pytest.fixture
def log():
    """A function that sets up the log and returns what it writes to; afterwards all is as before."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def set_up(**environ):
        written = io.StringIO()
        variables = {f"CONNECTME_{name.upper()}": value for name, value in environ.items()}
        ours.set_up(Settings.load("/dev/null", environ=variables), "web 0", stream=written)
        return written

    yield set_up
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_writes_lines_of_his_own(log, form):
    written = log(log_format=form)
    logging.getLogger("x").warning("%s: not found", "/api/\n2026-01-01 ERROR web 0 x: forged\r\x1b[2J\u2028\x85")
    assert written.getvalue().count("\n") == 1
    assert "\x1b" not in written.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_written(log, form):
    written = log(log_format=form, metrics_token="t0ken-of-metrics", database_url="postgresql://me:hidden1@db/x")
    say = logging.getLogger("x").error
    say("t0ken-of-metrics and hidden1")
    say("Authorization: Bearer abc.def-123")
    say("cannot reach postgresql://other:hidden2@db/x")
    say("listens on http://localhost:8000/x")
    say('{"password": "hidden3", "access_token":"hidden4"} password=hidden5')
    say("it broke", exc_info=ValueError("Bearer hidden6"))
    text = written.getvalue()
    assert [word for word in ("t0ken", "hidden", "abc.def") if word in text] == []
    assert text.count("…") >= 8
    assert "http://localhost:8000/x" in text


def test_a_line_tells_the_process_and_the_request(log):
    written = log()
    token = ours.REQUEST.set("req 7f3a")
    logging.getLogger("outbox.deliver").warning("%s is silent", "far.test")
    ours.REQUEST.reset(token)
    logging.getLogger("x").debug("not worth a line")
    assert written.getvalue().endswith("WARNING web 0 outbox.deliver: far.test is silent [req 7f3a]\n")
    assert written.getvalue().count("\n") == 1


def test_a_line_of_json_has_the_same_parts(log):
    written = log(log_format="json")
    logging.getLogger("x").info("two\nlines")
    line = json.loads(written.getvalue())
    assert (line["level"], line["unit"], line["logger"], line["message"]) == ("INFO", "web 0", "x", "two\nlines")
    assert line["at"].endswith("Z")
