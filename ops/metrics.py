"""The numbers of this server, as Prometheus reads them.

They are looked up when asked for: queues in the database, counts of the inbox in the spool's file, so that any process
can answer for all.
"""

import os
import resource
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from ops import state
from ops.backup import records
from ops.watch import looks
from outbox import deliver
from social import fulltext
from store.tables import counts, hosts, jobs, media, posts, spooled

_COUNTS = select(counts.c.name, counts.c.value)
# Those with negative ids rest: they failed too often (inbox/spool.py).
_SPOOLED = select(func.count(), func.min(spooled.c.received)).where(spooled.c.id > 0)
_RESTING = select(func.count()).select_from(spooled).where(spooled.c.id < 0)
_SCHEMES = select(hosts.c.scheme, func.count()).where(hosts.c.scheme.is_not(None)).group_by(hosts.c.scheme)
_COMMENTS = select(func.count()).where(posts.c.reply_to_id.is_not(None))
_ORPHANS = select(func.count()).where(posts.c.reply_to_id.is_(None), posts.c.reply_to_uri.is_not(None))
_OURS = select(func.coalesce(func.sum(media.c.bytes), 0)).where(media.c.account_id.is_not(None))
_DELIVERY, _HTTP, _LATENCY, _LATENCY_SUM = "delivery", "http", "latency", "latency_us"
_LAST_BUCKET = "+Inf"
_JOBS = select(jobs.c.kind, func.count()).group_by(jobs.c.kind)
_KIB = 1024
_MEMORY = Path("/proc/self/statm")


def of_database(tx: Connection, now: datetime) -> list[Metric]:
    """The queues that lie in the main database."""
    mail = deliver.totals(tx)
    age = (now - mail.oldest).total_seconds() if mail.oldest else 0.0
    waiting = GaugeMetricFamily("connectme_deliveries_waiting", "Deliveries that are not done", value=mail.waiting)
    oldest = GaugeMetricFamily("connectme_delivery_oldest_seconds", "Age of the oldest of them", value=age)
    silent = GaugeMetricFamily(
        "connectme_hosts_silent", "Hosts that did not answer the last time", value=mail.failing_hosts
    )
    asked = GaugeMetricFamily("connectme_jobs_waiting", "Fetches and the like that are not done", labels=["kind"])
    for kind, number in tx.execute(_JOBS):
        asked.add_metric([kind], number)
    able = deliver.oldest_able(tx)
    healthy = GaugeMetricFamily(
        "connectme_delivery_oldest_able_seconds",
        "Age of the oldest delivery for a server that answers",
        value=max((now - able).total_seconds(), 0.0) if able else 0.0,
    )
    unfound, _ = fulltext.waiting(tx)
    words = GaugeMetricFamily(
        "connectme_search_waiting",
        f"Posts that are not in the index of words yet, up to {fulltext.MANY}",
        value=unfound,
    )
    return [waiting, oldest, healthy, silent, asked, words, *_content(tx)]


def _content(tx: Connection) -> list[Metric]:
    """How whole conversations are, what files take, how we sign."""
    posts_found = GaugeMetricFamily(
        "connectme_comments", "Comments by whether we have what they answer", labels=["parent"]
    )
    posts_found.add_metric(["here"], tx.scalar(_COMMENTS) or 0)
    posts_found.add_metric(["missing"], tx.scalar(_ORPHANS) or 0)
    signed = GaugeMetricFamily("connectme_hosts_signed_for", "Hosts by how they want it signed", labels=["scheme"])
    for scheme, number in tx.execute(_SCHEMES):
        signed.add_metric([scheme], number)
    files = GaugeMetricFamily("connectme_media_bytes", "Files of people of this server", value=tx.scalar(_OURS) or 0)
    return [posts_found, signed, files]


def of_spool(tx: Connection, now: datetime) -> list[Metric]:
    """What lies in the spool, and the counts that are kept beside it, of all processes since the server was made.

    connectme_inbox_total{outcome="refused",detail="signature"}, connectme_deliveries_total{outcome="delivered"}
    """
    depth, oldest = tx.execute(_SPOOLED).one()
    age = (now - oldest).total_seconds() if oldest else 0.0
    inbox = CounterMetricFamily("connectme_inbox", "Messages by what became of them", labels=["outcome", "detail"])
    sent = CounterMetricFamily("connectme_deliveries", "Deliveries by what became of them", labels=["outcome"])
    answered = CounterMetricFamily("connectme_http_requests", "Requests by the class of their answer", labels=["class"])
    latency: dict[str, int] = {}
    microseconds = 0
    for name, value in tx.execute(_COUNTS):
        outcome, _, detail = name.partition("/")
        if outcome == _DELIVERY:
            sent.add_metric([detail], value)
        elif outcome == _HTTP:
            answered.add_metric([detail], value)
        elif outcome == _LATENCY:
            latency[detail] = value
        elif outcome == _LATENCY_SUM:
            microseconds = value
        else:
            inbox.add_metric([outcome, detail], value)
    return [
        GaugeMetricFamily("connectme_spool_waiting", "Messages that are kept and not handled", value=depth),
        GaugeMetricFamily("connectme_spool_oldest_seconds", "Age of the oldest of them", value=age),
        GaugeMetricFamily("connectme_spool_resting", "Messages that failed too often", value=tx.scalar(_RESTING) or 0),
        inbox,
        sent,
        answered,
        _histogram(latency, microseconds),
    ]


def _histogram(latency: Mapping[str, int], microseconds: int) -> Metric:
    """Buckets as Prometheus has them: each with all below it."""
    buckets, total = [], 0
    for limit in sorted({*latency, _LAST_BUCKET}, key=float):
        total += latency.get(limit, 0)
        buckets.append((limit, total))
    return HistogramMetricFamily(
        "connectme_http_seconds", "Time to answer a request, streams left out", buckets, microseconds / 1_000_000
    )


def of_reading(seconds: float, *, up: bool) -> list[Metric]:
    """Of the questions of `of_database`, which are always the same; up: were they answered?"""
    found: list[Metric] = [GaugeMetricFamily("connectme_database_up", "Does the main database answer?", value=int(up))]
    if up:
        says = "Time of the reads for these numbers"
        found.append(GaugeMetricFamily("connectme_database_read_seconds", says, value=seconds))
    return found


def of_backups(data_dir: Path, now: datetime) -> list[Metric]:
    """Ages of the newest backup and of the newest drill that worked, and how long it took to serve.  -1: none."""
    made = [facts["created"] for facts in records.backups(data_dir).values() if facts.get("created")]
    drills = [drill for drill in records.drills(data_dir) if drill["ok"]]

    def age(moment: str | None) -> float:
        return -1.0 if moment is None else (now - datetime.fromisoformat(moment)).total_seconds()

    last: dict[str, Any] = drills[-1] if drills else {"at": None, "rto_seconds": -1.0}
    return [
        GaugeMetricFamily(
            "connectme_backup_age_seconds", "Age of the newest backup", value=age(max(made, default=None))
        ),
        GaugeMetricFamily("connectme_drill_age_seconds", "Age of the newest drill that worked", value=age(last["at"])),
        GaugeMetricFamily("connectme_rto_seconds", "From backup to service, in that drill", value=last["rto_seconds"]),
    ]


def of_checks(data_dir: Path, now: datetime) -> list[Metric]:
    """Of the last check of the data (`connectme db check`): its age, what it found, how long it took.  -1: none."""
    last = looks.last_check(data_dir / state.FOLDER)
    age, faults = ((now - last.at).total_seconds(), float(len(last.faults))) if last else (-1.0, -1.0)
    took = last.seconds if last and last.seconds is not None else -1.0
    return [
        GaugeMetricFamily("connectme_integrity_age_seconds", "Age of the last check of the data", value=age),
        GaugeMetricFamily("connectme_integrity_faults", "Faults that the last check of the data found", value=faults),
        GaugeMetricFamily("connectme_integrity_seconds", "Time that it took", value=took),
    ]


def of_process(more: Mapping[str, float] | None = None) -> list[Metric]:
    """What this process knows of itself; `more`: counters by name."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found: list[Metric] = [
        CounterMetricFamily(
            "connectme_process_cpu_seconds", "CPU time of the process", value=usage.ru_utime + usage.ru_stime
        ),
        GaugeMetricFamily("connectme_process_peak_bytes", "Largest resident memory", value=usage.ru_maxrss * _KIB),
    ]
    if _MEMORY.exists():
        pages = int(_MEMORY.read_text(encoding="ascii").split()[1])
        now = pages * os.sysconf("SC_PAGE_SIZE")
        found.append(GaugeMetricFamily("connectme_process_resident_bytes", "Resident memory now", value=now))
    for name, value in (more or {}).items():
        found.append(CounterMetricFamily(f"connectme_{name}", name.replace("_", " "), value=value))
    return found


def render(metrics: list[Metric]) -> bytes:
    """Prometheus text, version 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Found(metrics))
    return generate_latest(registry)


class _Found(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)
