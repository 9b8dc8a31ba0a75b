"""Ids sort by time, and are never made twice."""

import itertools
import threading

from hypothesis import given
from hypothesis import strategies as st

from store import ids
from store.ids import LARGEST, Maker, moment_ms, new_id


def test_two_processes_never_make_the_same_id():
    one, other = Maker(1), Maker(2)
    made = [make() for _ in range(5_000) for make in (one, other)]
    assert len(set(made)) == len(made)


def test_threads_never_make_the_same_id():
    make, made = Maker(1), []

    def work():
        made.extend([make() for _ in range(3_000)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 12_000


def test_ids_grow_even_when_the_clock_goes_back(monkeypatch):
    make = Maker(3)
    before = [make() for _ in range(5_000)]
    monkeypatch.setattr(ids.time, "time_ns", lambda: 0)
    after = [make() for _ in range(5_000)]
    assert before + after == sorted(before + after)


@given(st.integers(0, 1_700_000_000_000), st.integers(0, 1_700_000_000_000))
def test_what_happened_earlier_sorts_by_its_moment(one, other):
    first, second = new_id(one), new_id(other)
    assert moment_ms(first) == one
    assert one == other or (first < second) == (one < other)


def test_those_of_one_moment_sort_in_the_order_of_calls():
    made = [new_id(1_600_000_000_000) for _ in range(100)]
    assert len(set(made)) == 100
    assert sum(a > b for a, b in itertools.pairwise(made)) <= 1  # the low bits begin again at most once


@given(st.integers(-(10**15), 10**15))
def test_every_id_fits_63_bits_and_is_never_in_the_future(at_ms):
    made = new_id(at_ms)
    assert 0 <= made <= LARGEST
    assert made <= new_id() or at_ms < 0
