from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from outbox.backoff import GIVE_UP, LEAST, LONGEST, given_up, next_attempt
from tests.conftest import NOW


@given(st.integers(1, 10**6), st.floats(0, 1), st.none() | st.floats(0, 7 * 86400))
def test_the_wait_is_bounded_and_never_shorter_than_asked_for(failures, jitter, retry_after):
    wait = next_attempt(failures, NOW, retry_after, jitter) - NOW
    assert LEAST <= wait <= max(LONGEST, timedelta(seconds=retry_after or 0))
    assert wait >= timedelta(seconds=retry_after or 0)


def test_the_wait_grows_with_the_failures():
    waits = [next_attempt(n, NOW, jitter=1) for n in range(1, 13)]
    assert waits == sorted(waits)
    assert waits[-1] - NOW == LONGEST


def test_hosts_that_failed_together_come_back_apart():
    assert len({next_attempt(10, NOW) for _ in range(10)}) > 5


def test_a_month_of_silence_is_the_end():
    assert not given_up(NOW, NOW + GIVE_UP - timedelta(seconds=1))
    assert given_up(NOW, NOW + GIVE_UP)
