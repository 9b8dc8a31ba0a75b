"""What the doctor is given, and how a check is run: one that breaks is a finding itself, never a trace.  Light."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Protocol, TypeAlias

from ops import belonging
from ops.belonging import Identity, Ours
from ops.doctor.words import ill
from ops.findings import Finding

log = logging.getLogger(__name__)


class Settings(Protocol):
    """What the doctor needs of connectme.settings.Settings, which it may not import."""

    @property
    def domain(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def data_dir(self) -> Path: ...
    @property
    def database_url(self) -> str: ...
    @property
    def sqlite_file(self) -> Path | None: ...
    @property
    def web_processes(self) -> int: ...
    @property
    def worker_processes(self) -> int: ...
    @property
    def backup_every_hours(self) -> int: ...
    @property
    def drill_every_days(self) -> int: ...
    @property
    def check_every_days(self) -> int: ...
    @property
    def smtp_url(self) -> str: ...
    @property
    def ca_file(self) -> Path | None: ...
    @property
    def bind(self) -> str: ...
    @property
    def outgoing(self) -> bool: ...
    @property
    def media_store(self) -> str: ...
    @property
    def backup_store(self) -> str: ...
    @property
    def otlp_endpoint(self) -> str: ...
    @property
    def sentry_dsn(self) -> str: ...
    @property
    def allow_http_federation(self) -> bool: ...
    @property
    def allowed_private_networks(self) -> tuple[IPv4Network | IPv6Network, ...]: ...


@dataclass(frozen=True, slots=True)
class Case:
    settings: Settings
    newest: str  # migration that this code knows
    now: datetime
    home: Path | None = None  # the data folder that remembers its database; None: that of the settings

    @property
    def known(self) -> Identity | None:
        return belonging.recall(self.home or self.settings.data_dir)

    @property
    def ours(self) -> Ours:
        return Ours(self.settings.domain, self.settings.base_url, self.newest)


Check: TypeAlias = Callable[[Case], Iterable[Finding]]


def run(checks: Iterable[Check], case: Case) -> list[Finding]:
    return [finding for check in checks for finding in one(check, case)]


def one(check: Check, case: Case) -> list[Finding]:
    try:
        return list(check(case))
    except Exception as error:  # noqa: BLE001  whatever it is, the others go on
        return [broken(check, error)]


def broken(check: Callable[..., object], error: BaseException) -> Finding:
    log.debug("the check %s broke", check, exc_info=error)
    what = f"{check.__module__.rpartition('.')[2]}, {check.__name__.strip('_').replace('_', ' ')}"
    evidence = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    return ill("check.broken", "warning", evidence, what=what)


def size(number: float) -> str:
    """
    >>> size(512), size(3 << 20), size(5 << 30)
    ('0.0 MB', '3.0 MB', '5.0 GB')
    """
    return f"{number / (1 << 30):.1f} GB" if number >= 1 << 30 else f"{number / (1 << 20):.1f} MB"


def age(seconds: float) -> str:
    """
    >>> age(90), age(7200), age(200000)
    ('1 min', '2 h', '2 days')
    """
    if seconds < 7200:
        return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{int(seconds // 60)} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{int(seconds // 86_400)} days"
