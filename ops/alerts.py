"""When is somebody told?  Rules over what the supervisor sees, and what became of each.

    pending ── for as long as the rule says ──► open ── well again for a while ──► closed, and said so
                                                │  said again every REPEAT
    A limit to open and another to close: what swings around one of them is told once.

All of it is a function of (rules, state, values, time).  What opens in one look is told in one message.  Planned
windows and maintenance are quiet: what is still open when they end is told then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from ops import state

FILE: Final = "alerts.json"
REPEAT: Final = timedelta(hours=4)
HOUR: Final = 3600.0
Event = Literal["opened", "still open", "resolved"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Opens when the value is beyond `limit` for `lasts` seconds, closes when it is not beyond `clear` for as long.

    below: beyond means less, else more.
    under: another rule; while that one is open, this one says nothing new.
    loud:  it is told also while maintenance is on.
    parts: components of the status page, and what they then are.
    """

    id: str
    value: str
    limit: float
    says: str  # {} stands for the value
    remedy: str
    clear: float | None = None
    below: bool = False
    lasts: float = 20.0
    scale: float = 1.0  # the value is shown divided by it
    impact: str = "none"  # of the incident that is drafted: none, minor, major, critical
    parts: Mapping[str, str] | None = None
    under: str = ""
    loud: bool = False

    def is_beyond(self, value: float, *, opened: bool) -> bool:
        limit = self.clear if opened and self.clear is not None else self.limit
        return value < limit if self.below else value > limit

    def line(self, value: float) -> str:
        return self.says.format(f"{value / self.scale:.3g}")


_PARTS: Final = ("web", "api", "streaming", "federation-in", "federation-out", "media", "search")
_ALL: Final = dict.fromkeys(_PARTS, "major_outage")
READING: Final = {**_ALL, "federation-in": "degraded_performance"}  # the spool goes on
WRITING: Final = {"api": "partial_outage", "federation-out": "partial_outage", "federation-in": "degraded_performance"}

RULES: Final = (
    Rule("web-down", "web", 1, "no web process answers",
         "Look at the log. `connectme doctor` says what keeps it from starting.",
         below=True, impact="critical", parts=_ALL),
    Rule("database-down", "database", 1, "the database cannot be read",
         "Run `connectme doctor`: is it the right file or server, is it running, are the rights as they were?",
         below=True, impact="major", parts=READING),
    Rule("database-read-only", "database_writes", 1, "the database takes no writes",
         "Look for a full disk, a file of another owner, a PostgreSQL in recovery; `connectme doctor` names it.",
         below=True, impact="major", parts=WRITING, under="database-down"),
    Rule("spool-down", "spool", 1, "what arrives cannot be kept in the spool",
         "Look at DATA_DIR/spool.db: a full disk, wrong rights?  Other servers try again for days.",
         below=True, impact="major", parts={"federation-in": "major_outage"}),
    Rule("disk-low", "disk_share", 0.10, "less than a tenth of the disk is free",
         "Make room: `connectme media prune --cache`, old backups and logs; or give it a larger disk.",
         clear=0.12, below=True),
    Rule("disk-filling", "disk_hours", 24, "the disk is full in {} hours if it goes on like this",
         "Find what grows: `du -xh --max-depth=2 DATA_DIR`; make room or give it a larger disk.",
         clear=36, below=True, lasts=300),
    Rule("deliveries-old", "delivery_oldest", 900, "mail for servers that answer waits since {} minutes",
         "Is a worker running?  `connectme delivery stats`; `connectme delivery list` shows for whom.",
         clear=600, lasts=30, scale=60, impact="minor", parts={"federation-out": "degraded_performance"},
         under="database-down"),
    Rule("spool-stuck", "spool_oldest", 300, "what arrived waits in the spool since {} minutes",
         "Is a worker running, does the database take writes?  Nothing is lost while it waits.",
         clear=120, lasts=20, scale=60, impact="minor", parts={"federation-in": "degraded_performance"},
         under="database-down"),
    Rule("errors", "errors_share", 0.05, "{} % of answers are errors of ours",
         "Look in the log for the lines at level ERROR.", clear=0.02, lasts=30, scale=0.01, impact="minor",
         parts={"web": "degraded_performance", "api": "degraded_performance"}, under="database-down"),
    Rule("signatures", "signature_jump", 1, "far more signatures are refused than usual ({} times the limit)",
         "Is the clock right?  Does the proxy pass the Host header on?  Otherwise somebody tries forged ones.",
         clear=0.5, lasts=30),
    Rule("backup-old", "backup_late", 2 * HOUR, "the next backup is {} hours late",
         "Run `connectme backup create`, and look why the timer did not.", scale=HOUR),
    Rule("drill-failed", "drill_ok", 1, "the last drill failed: the backup could not be proved",
         "`connectme drill list` says at which step; make a new backup and run `connectme drill run`.", below=True),
    Rule("drill-old", "drill_late", 24 * HOUR, "the next drill is {} days late",
         "Run `connectme drill run`, and look in the log of the worker why it did not.", scale=24 * HOUR),
    Rule("integrity", "integrity", 0, "`connectme db check` found {} errors",
         "Run `connectme db check`; `--repair --dry-run` shows what could be mended."),
    Rule("check-old", "check_late", 24 * HOUR, "the check of the data is {} days late",
         "Run `connectme db check`, and look in the log of the worker why it did not.", scale=24 * HOUR),
    Rule("doctor", "findings", 0, "`connectme doctor` found {} errors", "Run `connectme doctor`; it says what to do."),
    Rule("change-stopped", "change_stopped", 0, "a change of the database was interrupted, and nobody goes on with it",
         "`connectme db upgrade` goes on where it stopped; until then the server is shut and messages are kept.",
         loud=True),
    Rule("certificate", "certificate_days", 14, "the certificate ends in {} days",
         "Renew it, and look why the proxy did not by itself.", clear=15, below=True),
    Rule("certificate-wrong", "certificate", 1, "the certificate is not believed by others",
         "Has it ended, is it for another name?  `connectme doctor` says which, and how to renew it.",
         below=True, impact="major", parts=dict.fromkeys(("web", "api", "streaming", "federation-in"), "major_outage")),
    Rule("streaming-down", "streaming", 1, "live updates do not reach people",
         "Look in the log of `web` for `streamed`; `systemctl restart connectme`.  Feeds are complete all the same.",
         below=True, impact="minor", parts={"streaming": "major_outage"}, under="database-down"),
    Rule("media-down", "media", 0.5, "pictures and films cannot be read from where they are kept",
         "`connectme doctor` says why: MEDIA_STORE, its disk or bucket, rights.  Nothing that is there is lost.",
         below=True, impact="major", parts={"media": "major_outage"}, under="database-down"),
    Rule("media-read-only", "media", 1, "no pictures and films can be added",
         "`connectme doctor` says why: a full disk, rights, a bucket that may not be written.",
         below=True, impact="minor", parts={"media": "partial_outage"}, under="media-down"),
    Rule("search-down", "search", 1, "the index of words does not answer",
         "`connectme doctor` names what is wrong with it (search.index); posts are not lost.",
         below=True, impact="minor", parts={"search": "major_outage"}, under="database-down"),
    Rule("search-stuck", "search_oldest", 300, "posts wait since {} minutes to be found by their words",
         "Is a worker running?  Look in its log for `index of words`.", clear=60, scale=60, impact="minor",
         parts={"search": "degraded_performance"}, under="database-down"),
    Rule("search-behind", "search_waiting", 5000, "{} posts or more cannot be found by their words yet",
         "After `connectme search reindex` that is so for a while; else look whether the worker runs.", clear=500,
         lasts=30, impact="minor", parts={"search": "degraded_performance"}, under="database-down"),
    Rule("email-down", "mail", 1, "the mail server does not take our name and password",
         "`connectme doctor` says what it answers.  Mails wait and are tried again.",
         below=True, impact="minor", parts={"email": "major_outage"}),
    Rule("clock", "clock_skew", 30, "the clock is {} seconds off",
         "Start the time service (systemd-timesyncd, chrony): signatures of other servers depend on it.", clear=10),
    Rule("restarts", "restarts", 2, "a process ended and was started again, {} times in ten minutes",
         "Look in the log for why it ends.", clear=0, lasts=0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alert:
    """What is known of one rule.  Times are seconds since 1970; None: not yet."""

    since: float  # the value is beyond the limit since then
    value: float
    opened: float | None = None
    told: float | None = None
    well_since: float | None = None  # it is not any more


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of a message."""

    rule: str
    event: Event
    says: str
    remedy: str
    since: float
    impact: str


State = Mapping[str, Alert]


def judge(
    before: State,
    values: Mapping[str, float],
    now: float,
    *,
    quiet: bool = False,
    rules: Sequence[Rule] = RULES,
    pace: float = 1.0,
) -> tuple[dict[str, Alert], list[Notice]]:
    """The state after a look, and what is to be told.  A value that is missing changes nothing.

    pace: what `lasts` of the rules is multiplied by.
    """
    after: dict[str, Alert] = {}
    notices: list[Notice] = []
    for rule in rules:
        lasts = rule.lasts * pace
        alert, event = _one(rule, before.get(rule.id), values.get(rule.value), now, lasts)
        if alert is not None and alert.opened is not None and not event and _is_due(alert, now):
            event = "still open" if alert.told else "opened"
        hush = quiet and not rule.loud
        if event == "resolved" and hush:  # whoever heard that it was open shall hear that it is not
            alert, event = replace(before[rule.id], well_since=now - lasts), None
        covered = rule.under in after and after[rule.under].opened is not None
        if event and not hush and not (covered and event != "resolved"):
            seen = alert or before[rule.id]
            notices.append(Notice(rule.id, event, rule.line(seen.value), rule.remedy, seen.since, rule.impact))
            alert = replace(alert, told=now) if alert else None
        if alert is not None:
            after[rule.id] = alert
    return after, notices


def _one(
    rule: Rule, alert: Alert | None, value: float | None, now: float, lasts: float
) -> tuple[Alert | None, Event | None]:
    if value is None:
        return alert, None
    opened = alert is not None and alert.opened is not None
    if rule.is_beyond(value, opened=opened):
        alert = Alert(now, value) if alert is None else replace(alert, value=value, well_since=None)
        if alert.opened is None and now - alert.since >= lasts:
            return replace(alert, opened=now), "opened"
        return alert, None
    if alert is None or not opened:
        return None, None
    well = alert.well_since if alert.well_since is not None else now
    if now - well >= lasts:
        return None, "resolved" if alert.told else None
    return replace(alert, well_since=well), None


def _is_due(alert: Alert, now: float) -> bool:
    return alert.told is None or now - alert.told >= REPEAT.total_seconds()


def is_open(found: State) -> list[str]:
    return [name for name, alert in found.items() if alert.opened is not None]


def components(found: State, rules: Sequence[Rule] = RULES) -> dict[str, str]:
    """What is not well, by component; the worst that any open alert says."""
    worst: dict[str, str] = {}
    for rule in rules:
        if rule.id in found and found[rule.id].opened is not None:
            for part, status in (rule.parts or {}).items():
                worst[part] = max(worst.get(part, ""), status, key=_WORSE.index)
    return worst


_WORSE: Final = ["", "operational", "degraded_performance", "partial_outage", "major_outage"]


def text(notices: Sequence[Notice], where: str) -> tuple[str, str]:
    """Subject and body of the message that says all of them."""
    first = notices[0]
    word = {"opened": "", "still open": "still: ", "resolved": "well again: "}[first.event]
    more = f" (and {len(notices) - 1} more)" if len(notices) > 1 else ""
    blocks = []
    for one in notices:
        since = datetime.fromtimestamp(one.since).astimezone().isoformat(timespec="seconds")
        remedy = "" if one.event == "resolved" else f"\n  {one.remedy}"
        blocks.append(f"{one.event.upper()} {one.rule}: {one.says}\n  since {since}{remedy}")
    return f"[{where}] {word}{first.says}{more}", "\n\n".join(blocks) + "\n"


def load(folder: Path) -> dict[str, Alert]:
    """As it was when the supervisor ended; what cannot be read begins anew."""
    found = state.read_json(folder / FILE)
    alerts = found.get("alerts") if isinstance(found, dict) else None
    if not isinstance(alerts, dict):
        return {}
    known = {rule.id for rule in RULES}
    return {name: alert for name, raw in alerts.items() if name in known and (alert := _read(raw))}


def save(folder: Path, found: State, unsent: Sequence[Mapping[str, Any]] = ()) -> None:
    alerts = {
        name: {field: getattr(alert, field) for field in Alert.__dataclass_fields__} for name, alert in found.items()
    }
    state.write_json(folder / FILE, {"alerts": alerts, "unsent": list(unsent)})


def unsent(folder: Path) -> list[dict[str, Any]]:
    """Messages that did not reach everybody."""
    found = state.read_json(folder / FILE)
    waiting = found.get("unsent") if isinstance(found, dict) else None
    return [one for one in waiting if isinstance(one, dict)] if isinstance(waiting, list) else []


def _read(raw: Any) -> Alert | None:
    try:
        alert = Alert(**raw)
        numbers = (alert.since, alert.value, alert.opened, alert.told, alert.well_since)
    except TypeError:
        return None
    return alert if all(number is None or isinstance(number, int | float) for number in numbers) else None
