"""What is kept weighs no more than it may, and the newest is there."""

from hypothesis import given
from hypothesis import strategies as st

from store.kept import Kept

MOST = 20
PUTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, MOST)))


@given(PUTS)
def test_the_weight_has_a_bound_and_the_newest_stays(puts):
    kept: Kept[int, int] = Kept(MOST)
    for number, (key, weight) in enumerate(puts):
        kept.put(key, number, weight)
        assert kept.get(key) == number
        there = {one: kept.get(one) for one in range(10)}
        assert sum(puts[at][1] for at in there.values() if at is not None) <= MOST
        assert len(kept) == sum(at is not None for at in there.values())


def test_when_it_is_full_the_older_half_goes():
    kept: Kept[int, str] = Kept(4)
    for number in range(5):
        kept.put(number, "there")
    assert [number for number in range(5) if kept.get(number)] == [2, 3, 4]


def test_what_is_put_anew_is_new_and_weighs_once():
    kept: Kept[int, str] = Kept(4)
    for number in (0, 1, 2, 3, 0, 0, 4):
        kept.put(number, "there")
    assert [number for number in range(5) if kept.get(number)] == [0, 3, 4]


def test_one_that_is_too_heavy_is_kept_until_the_next():
    kept: Kept[str, int] = Kept(4)
    kept.put("small", 1)
    kept.put("heavy", 2, 99)
    assert (kept.get("small"), kept.get("heavy")) == (None, 2)
    kept.put("small", 3)
    assert (kept.get("small"), kept.get("heavy")) == (3, None)
