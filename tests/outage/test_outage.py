"""Each fault, replayed on real servers that look every second: told, mended as the doctor says, nothing lost."""

import asyncio

import pytest

from tests.outage.faults import FAULTS
from tests.outage.replaying import replay_all

pytestmark = pytest.mark.slow
LANES = 2


@pytest.fixture(scope="module")
def results(request, tmp_path_factory):
    """Of those that are asked for: many at once, for most of the time is spent waiting."""
    wanted = {item.callspec.params["fault"].id for item in request.session.items if "results" in item.fixturenames}
    faults = [fault for fault in FAULTS if fault.id in wanted]
    found = asyncio.run(replay_all(faults, tmp_path_factory.mktemp("outage"), every=1, lanes=LANES))
    return {fault.id: result for fault, result in zip(faults, found, strict=True)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_is_told_and_mended_and_nothing_is_lost(results, fault):
    result = results[fault.id]
    if isinstance(result, BaseException):
        raise result
    if result.skipped:
        pytest.skip(result.skipped)
    assert result.count.doubled == []
    assert result.count.undelivered == []
    assert fault.loses or result.count.lost == []
