"""Requests are counted by class and time, and come out of /metrics."""

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from inbox import spool
from ops import metrics
from tests.web.site import Site
from web.tally import Tally


def tallied():
    tally = Tally()
    for status, seconds in ((200, 0.001), (201, 0.005), (404, 0.2), (503, 20.0), (101, 3600.0)):
        tally.add(status, seconds)
    return tally


def test_each_request_is_in_one_class_and_one_bucket():
    tally = tallied()
    assert tally.take() == {
        "http/1xx": 1, "http/2xx": 2, "http/4xx": 1, "http/5xx": 1, "latency/0.002": 1, "latency/0.005": 1,
        "latency/0.25": 1, "latency/+Inf": 1, "latency_us": 20_206_000,
    }  # fmt: skip
    assert tally.take() == {}


async def test_they_come_out_as_a_counter_and_a_histogram(site: Site):
    await site.house.spool.write(spool.count, tallied().take())
    text = metrics.render(await site.house.spool.read(metrics.of_spool, datetime.now(UTC))).decode()
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["connectme_http_requests_total", "2xx"] == 2
    assert found["connectme_http_seconds_bucket", "0.005"] == 2
    assert found["connectme_http_seconds_bucket", "+Inf"] == 4
    assert found[("connectme_http_seconds_sum",)] == 20.206
    assert not any("latency" in name for name, *_ in found)
