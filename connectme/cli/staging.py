"""`connectme staging create`: a copy of a backup, under another name, to try things on.  docs/admin/staging.md."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from connectme import backups, logging, schema
from connectme.cli.backup import place_option, plainly
from connectme.cli.common import Context, as_json, emit, example, passes
from connectme.settings import Settings
from federation.origin import Origin
from ops import staging as copying
from ops.backup import places
from ops.backup import restore as restoring


@click.group()
def staging() -> None:
    """A copy to try things on."""


@staging.command(epilog=example("connectme staging create ./staging --domain staging.example.org"))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--domain", metavar="D", required=True, help="What handles end in there: another than here.")
@click.option("--base-url", metavar="URL", help="Where it is reached, if not at https://DOMAIN.")
@click.option("--bind", metavar="A:P", default="127.0.0.1:8010", show_default=True, help="Where it listens.")
@click.option("--backup", "name", metavar="NAME", help="Of which backup; by default the newest.")
@click.option("--database", metavar="URL", envvar="RESTORE_DATABASE", show_envvar=True, default="",
              help="A new, empty database, for a backup of PostgreSQL.")  # fmt: skip
@place_option
@as_json
@passes
def create(context: Context, folder: Path, domain: str, base_url: str | None, bind: str, name: str | None,
           database: str, other: str | None, *, as_json: bool) -> None:  # fmt: skip
    """Make a copy of a backup in FOLDER that sends nothing to anybody, has other keys and another domain."""
    settings = context.settings()
    logging.set_up(settings, "command", least="warning")
    given = {"domain": domain, "base_url": base_url, "bind": bind, "data_dir": folder, "database_url": database or None}
    there = Settings.load("/dev/null", {}, given)
    wanted = copying.Wanted(there.data_dir, Origin(there.domain, there.base_url), database)
    with plainly(), backups.alone(settings):
        place = backups.place_of(settings, other)
        manifest = places.look(place, name or places.newest(place))
        restoring.check_known(manifest, schema.newest())
        copying.refuse(wanted, settings.data_dir, Origin(settings.domain, settings.base_url), manifest)
        url = copying.create(place, manifest, wanted, settings.backup_passphrase, datetime.now(UTC))
    file = _settings(there, url)
    facts = {"folder": str(there.data_dir), "backup": manifest.name, "domain": there.domain, "settings": str(file)}
    emit(facts, f"a copy of {manifest.name} is in {there.data_dir}; start it: connectme --config {file} serve", as_json)


def _settings(there: Settings, url: str) -> Path:
    """Those of the copy: nothing of the server's, which might reach somebody."""
    values = {
        "domain": there.domain, "base_url": there.base_url, "bind": there.bind, "data_dir": str(there.data_dir),
        "database_url": url, "outgoing": False, "registrations": "closed", "title": "Staging",
        "backup_every_hours": 0, "drill_every_days": 0,
    }  # fmt: skip
    file = there.data_dir / "connectme.toml"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()), encoding="utf-8")
    return file
