"""The same as tests/ops/test_salvage.py of damage in any place, many more times."""

import pytest
from hypothesis import given, settings

from tests.ops.test_salvage import (
    BITS,
    PAGES,
    is_as_it_should_be,
    is_sound,
    taken,
    with_damaged_pages,
    with_flipped_bits,
    world,  # noqa: F401  a fixture
)

pytestmark = pytest.mark.slow


@settings(max_examples=40)
@given(**PAGES)
def test_whatever_pages_are_damaged_only_rows_that_were_there_are_taken(world, tmp_path_factory, places, cut):  # noqa: F811
    patient = with_damaged_pages(world, tmp_path_factory.mktemp("damaged") / "data", places, cut)
    taken(patient)
    is_as_it_should_be(world, patient)


@settings(max_examples=40)
@given(**BITS)
def test_whatever_bits_are_flipped_the_result_is_sound(world, tmp_path_factory, seed, number):  # noqa: F811
    patient = with_flipped_bits(world, tmp_path_factory.mktemp("flipped") / "data", seed, number)
    taken(patient)
    is_sound(patient)
