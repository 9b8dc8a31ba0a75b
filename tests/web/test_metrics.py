"""The numbers for Prometheus: all that the documents name are there, and the examples name none that is not."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from connectme.app import _metrics
from inbox import spool
from store import jobs
from store.tables import hosts
from tests.web.site import Site

ADMIN = Path(__file__).parent.parent.parent / "docs" / "admin"
NAME = re.compile(r"\bconnectme_[a-z_]+")
HTTP = {"http/2xx": 1, "latency/0.005": 1, "latency_us": 4_000}
COUNTED = {"accepted": 2, "signed/cavage": 2, "refused/signature": 1, "delivery/delivered": 3, **HTTP}


async def numbers(site: Site) -> dict[tuple[str, ...], float]:
    text = (await _metrics(site.house)).decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
async def found(site: Site) -> dict[tuple[str, ...], float]:
    def some(tx):
        tx.execute(insert(hosts), {"name": "far.test", "failures": 0, "scheme": "rfc9421"})
        jobs.ask(tx, "fetch", "https://far.test/1", {}, datetime.now(UTC))

    await site.house.spool.write(spool.count, COUNTED)
    await site.house.db.write(some)
    return await numbers(site)


def test_each_number_that_is_documented_is_there_and_each_that_is_there_is_documented(found):
    section = (ADMIN / "monitoring.md").read_text(encoding="utf-8").partition("## Prometheus")[2]
    documented = {name for name in NAME.findall(section) if not name.endswith("_")}
    there = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name, *_ in found}
    assert documented == {name for name in there if name.startswith("connectme_")}


def test_they_say_what_is(found):
    assert found["connectme_inbox_total", "cavage", "signed"] == 2
    assert found["connectme_hosts_signed_for", "rfc9421"] == 1
    assert found["connectme_database_up",] == 1
    assert found["connectme_process_resident_bytes",] > 1 << 20
    assert {"here", "missing"} == {labels[0] for name, *labels in found if name == "connectme_comments"}


async def test_a_server_without_its_database_has_numbers_all_the_same(site: Site):
    site.house.db.shut = "away"
    found = await numbers(site)
    assert found["connectme_database_up",] == 0
    assert ("connectme_spool_waiting",) in found
    assert not any(name == "connectme_deliveries_waiting" for name, *_ in found)


def test_the_examples_can_be_read_and_name_numbers_that_there_are(found):
    scrape = yaml.safe_load((ADMIN / "examples" / "prometheus.yml").read_text(encoding="utf-8"))
    assert scrape["scrape_configs"][0]["job_name"] == "connectme"
    [group] = yaml.safe_load((ADMIN / "examples" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    there = {name for name, *_ in found}
    for rule in group["rules"]:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert set(NAME.findall(rule["expr"])) <= there, rule
        assert rule["expr"].count("(") == rule["expr"].count(")")
