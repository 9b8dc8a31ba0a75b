"""Looks at everything every ten seconds, remembers it, and tells people when they should know.

    look → samples.db → rules (ops/alerts.py) → drafts of incidents, status page (ops/status.py) → errands

In the supervisor it is a thread; so it is where web and worker are one process.  Nothing here waits for anybody
outside: those are told by a child (ops/watch/errands.py), which has half a minute.
"""

import json
import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ops import alerts, incidents, state, status
from ops.change import progress
from ops.watch import asking, looks
from ops.watch.probes import Probes
from ops.watch.samples import COARSE, FINE, Samples

log = logging.getLogger(__name__)

EVERY: Final = float(FINE)  # seconds
NUMBERS_EVERY: Final = 30.0  # seconds between looks at /metrics, which asks the database
RECORDS_EVERY: Final = 20.0  # … at what others wrote down, and with the eyes of the doctor
CERTIFICATE_EVERY: Final = 3600.0
MAIL_EVERY: Final = 600.0  # seconds between two tries to sign in to the mail server
MAIL_AGAIN: Final = 30.0  # … and before a failure is believed
PING_EVERY: Final = 60.0
WINDOW: Final = 600.0  # seconds in which restarts and refused signatures are counted
ERROR_WINDOW: Final = 120.0
FEW: Final = 10  # answers with 5xx that are no trend
USUAL: Final = 20.0  # refused signatures in WINDOW that are no jump
ERRAND: Final = 30.0  # seconds that a child has
TRIES: Final = 20
SILENCE: Final = 15 * 60.0  # a gap of the samples longer than this is a time when nobody looked


@dataclass(frozen=True, slots=True)
class Watched:
    """What the monitor must know of the settings."""

    bind: str
    data_dir: Path
    database: Path | None  # the file of an embedded one
    title: str
    domain: str
    base_url: str
    ca_file: str = ""
    webhook: str = ""
    ntfy: str = ""
    email: Mapping[str, Any] | None = None  # url, sender, to, domain
    deadman: str = ""
    smtp: str = ""  # the server of members' mail; empty: nobody gets any
    status_dir: Path | None = None
    every: float = EVERY  # seconds between two looks
    serves: bool = True  # are there web processes here?
    media_every: float = 20.0  # seconds between two files that are written to try it
    by_itself: looks.Every = looks.NEVER  # backups, drills, checks of the data

    @property
    def pace(self) -> float:
        """Whoever looks more often waits less before it is told."""
        return self.every / EVERY

    @property
    def receivers(self) -> dict[str, Any]:
        found = {"webhook": self.webhook, "ntfy": self.ntfy, "email": self.email}
        return {name: where for name, where in found.items() if where}


@dataclass(slots=True)
class Process:
    """One that works for us."""

    name: str
    pid: int | None
    restarts: int


@dataclass(slots=True)
class _Errand:
    process: subprocess.Popen[bytes]
    kind: str
    end: float
    message: dict[str, Any] = field(default_factory=dict)


class Monitor:
    """`tick(now)` is one look, `now` in seconds since 1970; `run(stop)` does it until it is told to end."""

    def __init__(
        self,
        watched: Watched,
        processes: Callable[[], Sequence[Process]],
        *,
        command: Sequence[str] | None = None,
        examine: Callable[[datetime], object] | None = None,
    ) -> None:
        """examine: writes state/findings.json, every RECORDS_EVERY."""
        self._watched = watched
        self._processes = processes
        self._examine = examine
        self._command = command or (sys.executable, "-P", "-m", "ops.watch.errands")
        self._folder = state.folder(watched.data_dir)
        self._samples: Samples | None = None
        self._alerts = alerts.load(self._folder)
        self._unsent = alerts.unsent(self._folder)
        self._errands: list[_Errand] = []
        self._due: dict[str, float] = {}
        self._kept: dict[str, float] = {}  # what is not looked at each time
        self._past: deque[tuple[float, dict[str, float]]] = deque(maxlen=400)  # counters of /metrics
        self._restarts: deque[tuple[float, int]] = deque(maxlen=64)
        self._undrafted: set[str] = set()  # alerts: another one covers them, or the disk has no room
        self._is_saved = True  # what is known of alerts
        self._doubtful = False  # the last try of the mail server failed
        self._probes = Probes(watched.bind, watched.media_every, watched.pace)
        self._instance: str | None = None
        self._since: datetime | None = None
        self._shown: object = None

    def run(self, stop: threading.Event) -> None:
        self._show(time.time())
        while not stop.wait(self._watched.every):
            try:
                self.tick(time.time())
            except Exception:
                log.exception("the monitor stumbled; it looks again in %s s", self._watched.every)
        self.close()

    def close(self) -> None:
        for errand in self._errands:
            errand.process.kill()
            errand.process.wait()
            _said(errand.process)
        self._errands.clear()
        if self._samples is not None:
            self._samples.close()
            self._samples = None

    def tick(self, now: float) -> dict[str, float]:
        """One look; what was seen, for tests."""
        values = self.look(now)
        self._reap(now)
        moment = datetime.fromtimestamp(now, UTC)
        with suppress(OSError):
            for turned in incidents.turn(self._folder, moment):
                log.info("planned work: %s is %s", turned.title, turned.status)
        planned = incidents.all_of(self._folder)
        quiet = incidents.is_quiet(planned, moment) or self._mode() == "maintenance"
        before = self._alerts
        self._alerts, notices = alerts.judge(before, values, now, quiet=quiet, pace=self._watched.pace)
        self._draft(before, moment)
        self._remember(now, values, quiet=quiet)
        if notices:
            self._tell(notices, now)
        self._is_saved &= not notices and alerts.is_open(before) == alerts.is_open(self._alerts)
        if not self._is_saved or set(before) != set(self._alerts):
            self._save()
        self._show(now)
        self._go(now)
        return values

    def look(self, now: float) -> dict[str, float]:
        values = {**self._asked(now), **self._outside(now)}
        moment = datetime.fromtimestamp(now, UTC)
        if self._is_due("records", now, RECORDS_EVERY * self._watched.pace):
            if self._examine is not None:
                with suppress(OSError):  # a disk that is full is seen below
                    self._examine(moment)
            self._kept |= looks.records(self._folder, moment, self._begun(moment), self._watched.by_itself)
            self._kept |= self._trend(now)
        return {**self._kept, **values}

    def _asked(self, now: float) -> dict[str, float]:
        """What the web process says of itself."""
        if not self._watched.serves:
            return {}
        alive = asking.ask(self._watched.bind, "/livez", timeout=5)
        values = {"web": float(alive.status == 200)}
        if not values["web"]:
            self._kept.pop("errors_share", None)
            self._probes.forget()
            return values
        fit = asking.ask(self._watched.bind, "/readyz", timeout=8)
        parts = looks.ready(fit.body)
        values |= {"ready_seconds": round(fit.seconds, 4), **parts, **self._probes.look(now)}
        if self._is_due("numbers", now, NUMBERS_EVERY * self._watched.pace):
            heard = asking.ask(self._watched.bind, "/metrics", timeout=8)
            if heard.status == 200:
                self._kept |= self._counted(now, looks.metrics(heard.body))
        return values

    def _counted(self, now: float, numbers: Mapping[str, float]) -> dict[str, float]:
        """Counters become what happened since the look before, and in windows."""
        of = looks.total
        counters = {
            "http": of(numbers, "connectme_http_requests_total"),
            "http_errors": of(numbers, "connectme_http_requests_total", 'class="5xx"'),
            "http_seconds": of(numbers, "connectme_http_seconds_sum"),
            "inbox_accepted": of(numbers, "connectme_inbox_total", 'outcome="accepted"'),
            "inbox_refused": of(numbers, "connectme_inbox_total", 'outcome="refused"'),
            "signatures": of(numbers, "connectme_inbox_total", 'outcome="refused"', 'detail="signature"'),
            "delivered": of(numbers, "connectme_deliveries_total", 'outcome="delivered"'),
            "delivery_failed": of(numbers, "connectme_deliveries_total", 'outcome="failed"')
            + of(numbers, "connectme_deliveries_total", 'outcome="refused"'),
        }
        self._past.append((now, counters))
        found = {f"{name}_rate": rate for name, rate in self._rates(now, 2 * NUMBERS_EVERY).items()}
        found["errors_share"] = self._errors(now)
        found["signature_jump"] = self._jump(now)
        if found.get("http_rate"):
            found["http_latency"] = round(found["http_seconds_rate"] / found["http_rate"], 5)
        for name, metric in (
            ("deliveries_waiting", "connectme_deliveries_waiting"),
            ("delivery_oldest", "connectme_delivery_oldest_able_seconds"),
            ("database_seconds", "connectme_database_read_seconds"),
        ):
            if metric in numbers:
                found[name] = numbers[metric]
        return found

    def _rates(self, now: float, window: float) -> dict[str, float]:
        """Of each counter, per second; one that was set back begins anew."""
        begin = next(((at, old) for at, old in self._past if now - at <= window), None)
        if begin is None or begin[0] >= now:
            return {}
        new = self._past[-1][1]
        return {name: round(max(new[name] - begin[1][name], 0.0) / (now - begin[0]), 4) for name in new}

    def _errors(self, now: float) -> float:
        rates = self._rates(now, ERROR_WINDOW)
        if rates.get("http_errors", 0.0) * ERROR_WINDOW < FEW:
            return 0.0
        return round(rates["http_errors"] / rates["http"], 4)

    def _jump(self, now: float) -> float:
        """Signatures refused lately, against those before: more than 1 is far more than usual."""
        seen = [(at, counters["signatures"]) for at, counters in self._past if now - at <= 6 * WINDOW]
        at, before = next((at, number) for at, number in seen if now - at <= WINDOW)
        lately = max(seen[-1][1] - before, 0.0)
        usual = max(before - seen[0][1], 0.0) / (at - seen[0][0]) * WINDOW if at > seen[0][0] else 0.0
        return round(lately / max(USUAL, 3 * usual), 3)

    def _outside(self, now: float) -> dict[str, float]:
        """What can be seen without asking anybody."""
        values: dict[str, float] = {}
        with suppress(OSError):
            values |= looks.disk(self._watched.data_dir)
            values["change_stopped"] = float(progress.is_stopped(self._watched.data_dir))
        with suppress(sqlite3.Error):
            values |= looks.spool(self._watched.data_dir / "spool.db", now)
        if self._watched.database is not None and not self._is_right(self._watched.database):
            values["database"] = 0.0
        processes = self._processes()
        self._restarts.append((now, sum(one.restarts for one in processes)))
        lately = [number for at, number in self._restarts if now - at <= WINDOW]
        values["restarts"] = float(lately[-1] - lately[0])
        used = looks.memory(one.pid for one in processes if one.pid is not None)
        if used is not None:
            values["memory"] = used
        return values

    def _is_right(self, file: Path) -> bool:
        """Can it be read, and is it the same server's as at our first look?"""
        try:
            found = looks.database(file)
        except (OSError, sqlite3.Error) as error:
            log.warning("the database %s: %s", file.name, error)
            return "locked" in str(error)
        self._instance = self._instance or found
        return found == self._instance

    def _trend(self, now: float) -> dict[str, float]:
        past = self._samples.since(COARSE, now - looks.TREND) if self._samples else []
        hours = looks.hours_until_full(looks.free_bytes(past))
        return {} if hours is None else {"disk_hours": hours}

    def _begun(self, now: datetime) -> datetime:
        """Since when this server is watched: before that, nothing can be late."""
        if self._since is None:
            file = self._folder / "watch.json"
            found = state.read_json(file)
            try:
                self._since = datetime.fromisoformat(found["since"])
            except (KeyError, TypeError, ValueError):
                self._since = now
                with suppress(OSError):
                    state.write_json(file, {"since": now})
        return self._since

    def _mode(self) -> str:
        found = state.read_json(self._folder / "mode.json")
        return str(found.get("name", "normal")) if isinstance(found, dict) else "normal"

    def _remember(self, now: float, values: Mapping[str, float], *, quiet: bool) -> None:
        try:
            if self._samples is None:
                self._samples = Samples(self._folder / "samples.db")
                self._count_gap(self._samples, now)
            self._samples.add(now, values)
            if not quiet:  # planned work is no outage
                wrong = alerts.components(self._alerts)
                down = {name for name, how in wrong.items() if how in ("major_outage", "partial_outage")}
                self._samples.count(now, {name: name not in down for name in incidents.COMPONENTS})
        except (sqlite3.Error, OSError) as error:
            log.warning("what was seen cannot be written down: %s", error)

    def _count_gap(self, samples: Samples, now: float) -> None:
        """While nobody looked, nobody was served: a machine that was off is an outage like any other."""
        last = samples.last()
        if last is not None and self._watched.every * 3 < now - last < 30 * 86_400:
            day = 86_400
            at = float(last)
            while at < now:
                end = min(now, at - at % day + day)
                samples.count(at, dict.fromkeys(incidents.COMPONENTS, False), round((end - at) / self._watched.every))
                at = end

    def _draft(self, before: alerts.State, now: datetime) -> None:
        """A draft for each alert that opened and that members would feel; one that closes leaves it to the person."""
        opened = set(alerts.is_open(self._alerts))
        new = opened - set(alerts.is_open(before)) | opened & self._undrafted
        felt = [rule for rule in alerts.RULES if rule.id in new and rule.impact != "none"]
        self._undrafted = {rule.id for rule in felt if rule.under in opened}  # unless it outlasts that one
        rules = [rule for rule in felt if rule.under not in opened]
        drafted = {one.alert for one in incidents.all_of(self._folder) if one.is_open and one.draft} if rules else set()
        for rule in rules:
            if rule.id in drafted:
                continue
            try:
                incidents.open_(
                    self._folder, f"Trouble: {rule.line(self._alerts[rule.id].value)}",
                    "We are looking into it.", now, impact=rule.impact, components=tuple(rule.parts or ()),
                    draft=True, alert=rule.id,
                )  # fmt: skip
            except (OSError, incidents.Wrong) as error:
                log.warning("no incident was drafted: %s", error)
                self._undrafted.add(rule.id)

    def _tell(self, notices: Sequence[alerts.Notice], now: float) -> None:
        for one in notices:
            level = logging.INFO if one.event == "resolved" else logging.ERROR
            log.log(level, "alert %s %s: %s", one.event, one.rule, one.says)
        subject, body = alerts.text(notices, self._watched.domain)
        facts = {
            "server": self._watched.base_url,
            "open": alerts.is_open(self._alerts),
            "alerts": [
                {
                    "rule": one.rule, "event": one.event, "says": one.says, "remedy": one.remedy,
                    "since": datetime.fromtimestamp(one.since, UTC).isoformat(timespec="seconds"),
                }
                for one in notices
            ],
        }  # fmt: skip
        if to := sorted(self._watched.receivers):
            self._unsent.append({"to": to, "subject": subject, "body": body, "facts": facts, "tries": 0, "due": now})
            del self._unsent[:-100]

    def _save(self) -> None:
        try:
            alerts.save(self._folder, self._alerts, self._unsent)
            self._is_saved = True
        except OSError as error:
            log.warning("alerts cannot be written down: %s", error)
            self._is_saved = False

    def _show(self, now: float) -> None:
        """Renders the status page when something on it changed, and now and then."""
        wrong = alerts.components(self._alerts)
        facts = status.seen(self._folder, wrong)
        if facts == self._shown and not self._is_due("render", now, status.EVERY):
            return
        try:
            status.render(self._watched.data_dir, self.site, datetime.fromtimestamp(now, UTC), wrong)
        except OSError as error:
            log.warning("the status page cannot be written: %s", error)
            facts = None
        self._shown, self._due["render"] = facts, now + status.EVERY

    @property
    def site(self) -> status.Site:
        watched = self._watched
        return status.Site(watched.title, watched.domain, watched.base_url, watched.status_dir)

    def _go(self, now: float) -> None:
        """Sends children out with what is due."""
        busy = {errand.kind for errand in self._errands}
        message = next((one for one in self._unsent if one["due"] <= now), None)
        if message and "message" not in busy:
            where = self._watched.receivers
            to = {kind: where[kind] for kind in message["to"] if kind in where}
            what = {name: message[name] for name in ("subject", "body", "facts")}
            self._start("message", {"to": to, **what}, now, message)
        if self._watched.deadman and "ping" not in busy and self._is_due("ping", now, PING_EVERY):
            self._start("ping", {"ping": self._watched.deadman}, now)
        if self._watched.smtp and "smtp" not in busy and self._is_due("smtp", now, MAIL_EVERY):
            self._start("smtp", {"smtp": self._watched.smtp}, now)
        url = urlsplit(self._watched.base_url)
        public = url.scheme == "https" and "certificate" not in busy
        if public and self._is_due("certificate", now, CERTIFICATE_EVERY):
            self._start("certificate", {"certificate": f"{url.hostname}:{url.port or 443}"}, now)

    def _start(self, kind: str, errand: dict[str, Any], now: float, message: dict[str, Any] | None = None) -> None:
        process = subprocess.Popen(  # noqa: S603  our own command
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0,
            env={"PYTHONPATH": os.pathsep.join(sys.path), **os.environ},
        )  # fmt: skip
        with suppress(OSError):
            if process.stdin:
                process.stdin.write(json.dumps({**errand, "ca_file": self._watched.ca_file}).encode())
                process.stdin.close()
        self._errands.append(_Errand(process, kind, now + ERRAND, message or {}))

    def _reap(self, now: float) -> None:
        for errand in list(self._errands):
            if errand.process.poll() is None:
                if now < errand.end:
                    continue
                errand.process.kill()
                errand.process.wait()
            self._errands.remove(errand)
            self._came_back(errand, _said(errand.process), now)

    def _came_back(self, errand: _Errand, said: dict[str, Any], now: float) -> None:
        failed = said.get("failed")
        if not isinstance(failed, dict):  # it was killed, or broke
            failed = dict.fromkeys(errand.message.get("to", [errand.kind]), "no answer in time")
        for kind, why in failed.items():
            log.warning("%s was not reached: %s", kind, why)
        for name, value in (
            ("certificate_days", "days"),
            ("certificate", "believed"),
            ("clock_skew", "skew"),
        ):
            if isinstance(said.get(value), int | float):
                self._kept[name] = abs(said[value]) if name == "clock_skew" else said[value]
        if isinstance(said.get("mail"), int | float):
            self._mail(said["mail"], now)
        if message := errand.message:
            message["to"], message["tries"] = [kind for kind in message["to"] if kind in failed], message["tries"] + 1
            message["due"] = now + min(30.0 * 2 ** message["tries"], 3600.0)
            if not message["to"] or message["tries"] >= TRIES:
                self._unsent.remove(message)
            self._save()

    def _mail(self, well: float, now: float) -> None:
        """A mail server that did not answer is tried once more before it is said to be away."""
        if well or self._doubtful:
            self._kept["mail"] = well
        else:
            self._due["smtp"] = now + MAIL_AGAIN
        self._doubtful = not well

    def _is_due(self, what: str, now: float, every: float) -> bool:
        due = self._due.get(what, 0.0)
        if now < due <= now + every:  # a clock that was set back makes nothing wait for long
            return False
        self._due[what] = now + every
        return True


def _said(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    if process.stdout is None:
        return {}
    with process.stdout as stream:
        try:
            found = json.loads(stream.read(65536))
        except (OSError, ValueError):
            return {}
    return found if isinstance(found, dict) else {}
