"""Every setting, its default and what it means.  Read once, when a process starts.

    settings = Settings.load()

A TOML file (`connectme.toml`, or the one that CONNECTME_CONFIG names) is overridden by environment
variables CONNECTME_<NAME>, and those by flags.  What cannot be used is refused, all of it at once:

    SettingsError
    └── problems: Problem(where, name, says)      one line each: place, name, what is wrong, remedy

docs/admin/settings.md has a section for each setting; tests/connectme/test_settings.py compares.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal
from urllib.parse import unquote, urlsplit

from connectme import values
from connectme.errors import Failure
from connectme.values import LOOPBACK, Network, Reader

PREFIX = "CONNECTME_"
FILE = "connectme.toml"
DEFAULT = "default"
# Also read from the file that CONNECTME_<NAME>_FILE names:
SECRETS = {
    "alert_ntfy_url",
    "alert_webhook_url",
    "backup_passphrase",
    "database_url",
    "deadman_url",
    "metrics_token",
    "otlp_headers",
    "s3_secret_access_key",
    "sentry_dsn",
    "smtp_url",
}
# Not ours, although they begin as ours do: what names the file, what the test-suite uses, and what
# Kubernetes and old Docker links add by themselves for a service that is called "connectme".
FOREIGN = re.compile(r"CONNECTME_(CONFIG=.*|(TEST|SERVICE|ENV|PORT_\d+)_\w+=.*|PORT=tcp:.*|NAME=/.*)", re.DOTALL)
HINTS = {
    "database": "database_url",
    "host": "domain",
    "listen": "bind",
    "name": "title",
    "port": "bind",
    "url": "base_url",
}


@dataclass(frozen=True, slots=True)
class Problem:
    where: str  # "connectme.toml", "environment", "flag", or "" when it is about several
    name: str
    says: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.name, self.says) if part)


class SettingsError(Failure):
    """The server cannot start with these settings.  `str` is prose for the terminal."""

    def __init__(self, problems: list[Problem]) -> None:
        head = "this setting cannot be used" if len(problems) == 1 else "these settings cannot be used"
        super().__init__("\n  ".join([f"{head}:", *map(str, problems)]))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    #: What handles end in: `@name@DOMAIN`.  It can never change once other servers know it.
    domain: str = "localhost:8000"
    #: Where the server is reached.  By default `https://DOMAIN`, and `http://` on this machine itself.
    base_url: str = ""
    #: Where to listen: `address:port`, or `unix:/path`.
    bind: str = "127.0.0.1:8000"
    #: The folder with database, spool and media.  One running server has it for itself.
    data_dir: Path = Path("data")
    #: `sqlite:///file` or `postgresql://user:password@host/name`.  By default connectme.db in DATA_DIR.
    database_url: str = ""
    #: Where the files of our people are: a bucket, `s3://name/prefix`.  By default the folder media in DATA_DIR.
    media_store: str = ""
    #: The address of the S3-compatible store, where it is not Amazon's.
    s3_endpoint: str = ""
    #: The region of the bucket.
    s3_region: str = ""
    #: The key with which the bucket is read and written.
    s3_access_key_id: str = ""
    #: The secret of that key.
    s3_secret_access_key: str = ""
    #: How many megabytes of files of other servers are kept, so that they are fetched once.
    media_cache_mb: int = 1024
    #: How many days such a file is kept that nobody looks at.
    media_cache_days: int = 7
    #: With fewer megabytes free on the disk of DATA_DIR the server takes nothing new but messages of other servers.
    disk_reserve_mb: int = 64
    #: Where backups are: a folder, or a bucket, `s3://name/prefix`.  By default the folder backups in DATA_DIR.
    backup_store: str = ""
    #: With what backups are encrypted.  Without one they are as readable as the database itself.
    backup_passphrase: str = ""
    #: Hours between two backups that the server makes by itself; 0: none.
    backup_every_hours: int = 24
    #: Of how many days the last backup is kept.
    backup_keep_daily: int = 7
    #: Of how many weeks the last backup is kept.
    backup_keep_weekly: int = 4
    #: Of how many months the last backup is kept.
    backup_keep_monthly: int = 6
    #: Days between two drills, in which the newest backup is started and tried; 0: none.
    drill_every_days: int = 7
    #: Days between two checks of all that is in the database, which the worker makes by itself; 0: none.
    check_every_days: int = 7
    #: How many processes answer requests.  SQLite takes one; PostgreSQL about one per core.
    web_processes: int = 1
    #: How many processes read the inbox and deliver.  SQLite takes one; PostgreSQL about one per core.
    worker_processes: int = 1
    #: Whose `X-Forwarded-*` headers are believed: networks of the proxies in front.
    trusted_proxies: tuple[Network, ...] = LOOPBACK
    #: Who may make an account: anybody, who is approved, or nobody.
    registrations: Literal["open", "approval", "closed"] = "closed"
    #: Are public documents, too, only for servers that sign their request?
    authorized_fetch: bool = False
    #: Does the list of hosts say whom not to talk with, or with whom alone?
    federation_mode: Literal["blocklist", "allowlist"] = "blocklist"
    #: Private networks that requests of other servers' documents may reach nevertheless.  For labs.
    allowed_private_networks: tuple[Network, ...] = ()
    #: Also talk with servers on plain `http://`?  For labs.
    allow_http_federation: bool = False
    #: A further certificate authority to believe in outgoing requests: a PEM file.
    ca_file: Path | None = None
    #: Does this server send anything to others?  `false`: no request leaves it, no mail; for drills and copies.
    outgoing: bool = True
    #: Are people and servers that ask too often slowed down?  `false` is for measuring.
    rate_limits: bool = True
    #: The server that sends our mails: `smtp://user:password@host:587` or `smtps://…`.  Without one nobody gets any.
    smtp_url: str = ""
    #: Whom our mails are from: `Name <address>`.  By default the title, and no-reply at DOMAIN.
    smtp_from: str = ""
    #: The bearer token with which /metrics may be read from elsewhere.  Without one: from loopback only.
    metrics_token: str = ""
    #: Who gets a mail when something is wrong with the server: addresses.
    alert_email: tuple[str, ...] = ()
    #: What is told as JSON when something is wrong.
    alert_webhook_url: str = ""
    #: A topic of ntfy that is told: `https://ntfy.sh/name`.
    alert_ntfy_url: str = ""
    #: What is asked every minute while the server is watched; who misses that raises the alarm from outside.
    deadman_url: str = ""
    #: Seconds between two looks of the supervisor at the server; what is wrong for two looks is told.
    watch_every: int = 10
    #: Where the status page is written, for a web server to serve.  By default state/status in DATA_DIR.
    status_dir: Path | None = None
    #: An OpenTelemetry collector that is told what this server does, over HTTP: `http://127.0.0.1:4318`.
    otlp_endpoint: str = ""
    #: Headers for the collector: `name=value, name=value`.
    otlp_headers: str = ""
    #: Of how many requests and jobs in a hundred the collector is told.
    traces_percent: int = 100
    #: The project of a Sentry that is told of errors: `https://key@sentry.example.org/1`.
    sentry_dsn: str = ""
    #: `text` for people, `json` for collectors.
    log_format: Literal["text", "json"] = "text"
    #: The least that is worth a line: `debug`, `info`, `warning` or `error`.
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: What this server calls itself.
    title: str = "ConnectMe"
    #: One paragraph about this server.
    description: str = "A place to talk, connected with all others."
    #: Where people and other administrators can write to.
    contact_email: str = ""
    #: The languages of this server and its staff, by their codes.
    languages: tuple[str, ...] = ("en",)
    #: Who may read the list of servers that are limited or blocked here: `nobody`, `members` or `everybody`.
    show_domain_blocks: Literal["nobody", "members", "everybody"] = "nobody"
    #: Where the source of this server can be had.  Whoever changes it has to say so (AGPL).
    source_url: str = ""
    #: Are there lists of what many people use, share and like at the moment?
    trends: bool = True
    #: Must a moderator allow what is in them?
    trends_review: bool = False
    #: How many days moderators can see from which addresses an account was used.  0: none are kept.
    address_days: int = 60

    #: Where each value came from: "default", a file, "environment" or "flag".
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False, repr=False)

    READERS: ClassVar[Mapping[str, Reader]] = {
        "domain": values.domain,
        "base_url": values.base_url,
        "bind": values.bind,
        "data_dir": values.path,
        "database_url": values.database_url,
        "media_store": values.media_store,
        "s3_endpoint": values.endpoint,
        "s3_region": values.text,
        "s3_access_key_id": values.text,
        "s3_secret_access_key": values.text,
        "media_cache_mb": values.number(16, 10_000_000),
        "media_cache_days": values.number(1, 3650),
        "disk_reserve_mb": values.number(0, 10_000_000),
        "backup_store": values.backup_store,
        "backup_passphrase": values.text,
        "backup_every_hours": values.number(0, 24 * 31),
        "backup_keep_daily": values.number(0, 1000),
        "backup_keep_weekly": values.number(0, 1000),
        "backup_keep_monthly": values.number(0, 1000),
        "drill_every_days": values.number(0, 365),
        "check_every_days": values.number(0, 365),
        "web_processes": values.number(0, values.MOST_PROCESSES),
        "worker_processes": values.number(0, values.MOST_PROCESSES),
        "trusted_proxies": values.networks,
        "registrations": values.choice("open", "approval", "closed"),
        "authorized_fetch": values.switch,
        "federation_mode": values.choice("blocklist", "allowlist"),
        "allowed_private_networks": values.networks,
        "allow_http_federation": values.switch,
        "ca_file": values.file,
        "outgoing": values.switch,
        "rate_limits": values.switch,
        "smtp_url": values.smtp_url,
        "smtp_from": values.sender,
        "metrics_token": values.text,
        "alert_email": values.addresses,
        "alert_webhook_url": values.receiver,
        "alert_ntfy_url": values.receiver,
        "deadman_url": values.receiver,
        "watch_every": values.number(1, 60),
        "status_dir": values.folder,
        "otlp_endpoint": values.receiver,
        "otlp_headers": values.text,
        "traces_percent": values.number(0, 100),
        "sentry_dsn": values.sentry_dsn,
        "log_format": values.choice("text", "json"),
        "log_level": values.choice("debug", "info", "warning", "error"),
        "title": values.text,
        "description": values.text,
        "contact_email": values.text,
        "languages": values.languages,
        "show_domain_blocks": values.choice("nobody", "members", "everybody"),
        "source_url": values.text,
        "trends": values.switch,
        "trends_review": values.switch,
        "address_days": values.number(0, 365),
    }

    @classmethod
    def load(
        cls,
        config_path: Path | str | None = None,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
    ) -> "Settings":
        """The settings of this process.

        config_path: the file; by default what CONNECTME_CONFIG names, else connectme.toml if it is there.
        environ:     by default os.environ.
        flags:       by name in lower case; None means "not given".
        Raises:      SettingsError, with everything that is wrong.
        """
        environ = os.environ if environ is None else environ
        problems: list[Problem] = []
        found: dict[str, Any] = {}
        sources = dict.fromkeys(cls.READERS, DEFAULT)
        layers = (_file(config_path, environ, problems), _environment(environ, problems), _flags(flags or {}, problems))
        for where, name, raw in (entry for layer in layers for entry in layer):
            try:
                found[name], sources[name] = cls.READERS[name](raw), where
            except ValueError as error:
                problems.append(Problem(where, _shown(name, where), str(error)))
        if not problems:
            _complete(found)
            settings = cls(**found, sources=MappingProxyType(sources))
            problems = [Problem("", "", says) for says in _contradictions(settings)]
        if problems:
            raise SettingsError(problems)
        return settings

    @property
    def host(self) -> str:
        """The authority part of BASE_URL: `example.org`, `localhost:8000`."""
        return self.base_url.partition("://")[2]

    @property
    def spool_url(self) -> str:
        """What arrived and is not handled yet: always SQLite, on a disk of this machine."""
        return f"sqlite:///{self.data_dir / 'spool.db'}"

    @property
    def sqlite_file(self) -> Path | None:
        """The file of the main database; None with PostgreSQL."""
        if not self.database_url.startswith("sqlite:///"):
            return None
        return Path(self.database_url.removeprefix("sqlite:///").partition("?")[0])

    @property
    def bucket(self) -> tuple[str, str] | None:
        """Name and prefix of the one with our files; None when they are in DATA_DIR."""
        found = values.BUCKET.fullmatch(self.media_store)
        return (found[1], found[2] or "") if found else None

    @property
    def backup_folder(self) -> Path:
        """Where backups are put together, and by default kept."""
        kept_here = self.backup_store and not values.BUCKET.fullmatch(self.backup_store)
        return Path(self.backup_store) if kept_here else self.data_dir / "backups"

    @property
    def backup_bucket(self) -> tuple[str, str] | None:
        """Name and prefix of the bucket with backups; None when they are in a folder."""
        found = values.BUCKET.fullmatch(self.backup_store)
        return (found[1], found[2] or "") if found else None

    @property
    def socket_path(self) -> Path | None:
        """The Unix socket to listen on; None when it is address and port."""
        return Path(self.bind.removeprefix("unix:")) if self.bind.startswith("unix:") else None

    @property
    def address(self) -> tuple[str, int]:
        """Address and port to listen on, when `socket_path` is None."""
        host, _, port = self.bind.rpartition(":")
        return host.strip("[]"), int(port)

    def shown(self, name: str) -> object:
        """The value as people may see it: secrets are masked.  A text, a number, a switch or a list."""
        value = getattr(self, name)
        if name in ("database_url", "smtp_url"):
            return mask_password(value)
        if name in SECRETS and value:
            return "…"
        if isinstance(value, tuple):
            return [str(part) for part in value]
        return str(value) if isinstance(value, Path) else value

    def secrets(self) -> list[str]:
        """What must not be in a log."""
        passwords = [urlsplit(url).password or "" for url in (self.database_url, self.smtp_url)]
        receivers = (self.alert_webhook_url, self.alert_ntfy_url, self.deadman_url)
        headers = [header.partition("=")[2].strip() for header in self.otlp_headers.split(",")]
        told = (self.sentry_dsn, *headers, *map(unquote, headers))
        keys = (self.metrics_token, self.s3_secret_access_key, self.backup_passphrase, *receivers, *told)
        return [secret for secret in (*keys, *passwords, *map(unquote, passwords)) if secret]

    def environment(self) -> dict[str, str]:
        """The same settings as variables, for a child that must not read a file that changed meanwhile."""
        text = {f"{PREFIX}{name.upper()}": _as_text(getattr(self, name)) for name in self.READERS}
        return {**text, f"{PREFIX}CONFIG": os.devnull}


def mask_password(url: str) -> str:
    """
    >>> mask_password("postgresql://me:secret@db.example/connectme")
    'postgresql://me:…@db.example/connectme'
    """
    return re.sub(r"(://[^/@]*?:)[^@]*@", r"\1…@", url)


def names() -> list[str]:
    """Of all settings, in their order."""
    return [entry.name for entry in fields(Settings) if entry.name in Settings.READERS]


Entries = Iterator[tuple[str, str, object]]  # where, name, raw value


def _file(config_path: Path | str | None, environ: Mapping[str, str], problems: list[Problem]) -> Entries:
    named = config_path or environ.get(f"{PREFIX}CONFIG")
    path = Path(named or FILE)
    if not named and not path.exists():
        return
    try:
        with path.open("rb") as opened:
            table = tomllib.load(opened)
    except OSError as error:
        problems.append(Problem(str(path), "", f"cannot be read ({error.strerror}); correct the path or its rights"))
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(str(path), "", f'is not TOML ({error}); texts go in quotes: domain = "example.org"'))
        return
    for key, raw in table.items():
        yield from _known(str(path), key, raw, problems)


def _environment(environ: Mapping[str, str], problems: list[Problem]) -> Entries:
    for key, raw in environ.items():
        if not key.startswith(PREFIX) or FOREIGN.fullmatch(f"{key}={raw}"):
            continue
        name = key.removeprefix(PREFIX)
        secret = name.removesuffix("_FILE").lower()
        if name.endswith("_FILE") and secret in SECRETS:
            try:
                yield "environment", secret, Path(raw).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(Problem("environment", key, f"{raw!r} cannot be read ({error}); correct the path"))
        else:
            yield from _known("environment", name, raw, problems)


def _flags(flags: Mapping[str, object], problems: list[Problem]) -> Entries:
    for name, raw in flags.items():
        if raw is not None:
            yield from _known("flag", name, raw, problems)


def _known(where: str, key: str, raw: object, problems: list[Problem]) -> Entries:
    name = key.lower()
    if name in Settings.READERS:
        yield where, name, raw
        return
    near = HINTS.get(name) or next(iter(get_close_matches(name.replace("-", "_"), Settings.READERS, n=1)), None)
    remedy = f"did you mean {_shown(near, where)}?" if near else "docs/admin/settings.md lists those there are"
    problems.append(Problem(where, _shown(key, where), f"is not a setting; {remedy}"))


def _shown(name: str, where: str) -> str:
    if where == "environment":
        return f"{PREFIX}{name.upper()}"
    return f"--{name.replace('_', '-')}" if where == "flag" else name


def _complete(found: dict[str, Any]) -> None:
    """Fills in the defaults that follow from other settings."""
    domain = found.setdefault("domain", "localhost:8000")
    if not found.get("base_url"):
        found["base_url"] = f"{'http' if values.is_local(domain) else 'https'}://{domain}"
    data_dir = found.setdefault("data_dir", Path("data").absolute())
    if not found.get("database_url"):
        found["database_url"] = f"sqlite:///{data_dir / 'connectme.db'}"


def _contradictions(settings: Settings) -> Iterator[str]:
    public = values.is_public(settings.host)
    secure = settings.base_url.startswith("https://")
    if settings.allow_http_federation and public and secure:
        yield (
            "allow_http_federation is for labs, and base_url is https on a public name: anybody on the way"
            " could change what other servers say; set allow_http_federation = false"
        )
    if public and not secure and not settings.allow_http_federation:
        yield (
            f"base_url is {settings.base_url}, plain http on a public name, which other servers refuse;"
            " use https:// (the proxy in front speaks TLS), or in a lab set allow_http_federation = true"
        )
    if settings.sqlite_file and max(settings.web_processes, settings.worker_processes) > 1:
        yield (
            "SQLite takes one web and one worker process; set web_processes and worker_processes to 1,"
            " or database_url to a PostgreSQL"
        )
    if bool(settings.s3_access_key_id) != bool(settings.s3_secret_access_key):
        yield "s3_access_key_id and s3_secret_access_key belong together; set both, or none"
    if settings.s3_endpoint and not (settings.media_store or settings.backup_bucket):
        yield 's3_endpoint is set and media_store is not; name the bucket: media_store = "s3://bucket/prefix"'
    if settings.socket_path and settings.web_processes > 1:
        yield "a Unix socket takes one web process; set web_processes = 1, or bind to address:port"
    if settings.web_processes + settings.worker_processes == 0:
        yield "web_processes and worker_processes are both 0, so nothing would run; set one of them to 1"
    if settings.alert_email and not settings.smtp_url:
        yield "alert_email is set and smtp_url is not, so no mail could be sent; set smtp_url"
    if settings.data_dir.exists() and not settings.data_dir.is_dir():
        yield f"data_dir {settings.data_dir} is not a folder; name another"


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "" if value is None else str(value)
