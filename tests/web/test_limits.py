"""What a limit counts, and forgets."""

from contextlib import suppress

import pytest

from web import limits
from web.limits import Limit, Limits, TooMany

TWO = Limit(2, 5, "two")


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def test_a_window_begins_with_the_first_call_and_ends_for_good_after_its_time():
    clock = Clock()
    counted = Limits(clock)
    first = counted.hit(TWO, "alice")
    clock.now += 299
    assert (first.remaining, first.reset) == (1, 1_300.0)
    assert counted.hit(TWO, "alice").headers == {
        "X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1970-01-01T00:21:40.000000Z",
    }  # fmt: skip
    for _ in range(3):
        with pytest.raises(TooMany) as refused:
            counted.hit(TWO, "alice")
        assert refused.value.left.headers == {
            "X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1970-01-01T00:21:40.000000Z",
        }  # fmt: skip
    clock.now += 1
    assert (counted.hit(TWO, "alice").remaining, counted.hit(TWO, "bob").remaining) == (1, 1)


def test_each_limit_counts_for_itself():
    counted = Limits(Clock())
    other = Limit(2, 5, "other")
    assert [counted.hit(limit, "alice").remaining for limit in (TWO, other, TWO, other)] == [1, 1, 0, 0]


def test_what_has_ended_is_forgotten_and_of_too_many_the_oldest(monkeypatch):
    clock = Clock()
    counted = Limits(clock)
    for number in range(1_000):
        clock.now += 1
        counted.hit(TWO, str(number))
        with suppress(TooMany):
            counted.hit(TWO, "again and again")
    assert len(counted._windows[TWO]) == 301
    monkeypatch.setattr(limits, "MOST", 10)
    counted.hit(TWO, "one more")
    assert len(counted._windows[TWO]) == 10
    assert list(counted._windows[TWO])[-1] == "one more"
