"""`connectme settings`, `connectme settings check` and `connectme version`."""

import asyncio
import platform
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from connectme import __version__
from connectme.cli.common import Context, as_json, emit, example, fail, passes, table
from connectme.settings import Settings, SettingsError, names
from ops import findings
from ops.doctor.words import ill, well
from ops.findings import Finding

_SHOW = example("connectme settings", "connectme --config /etc/connectme.toml settings --json")


@click.group(invoke_without_command=True, epilog=_SHOW)
@as_json
@click.pass_context
def settings(ctx: click.Context, *, as_json: bool) -> None:
    """Each setting, its value and where it came from.  Secrets are masked."""
    if ctx.invoked_subcommand is None:
        _show(ctx.obj, as_json=as_json)


def _show(context: Context, *, as_json: bool) -> None:
    found = context.settings()
    facts = {name: {"value": found.shown(name), "source": found.sources[name]} for name in names()}
    rows = [(name.upper(), _one_line(fact["value"]), fact["source"]) for name, fact in facts.items()]
    emit(facts, lambda: table(rows, "NAME", "VALUE", "FROM"), as_json)


@settings.command(
    epilog=example("connectme settings check new.toml", "connectme settings check new.toml --offline --json")
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also list what is well.")
@click.option("--offline", is_flag=True, help="Do not try the mail server and the buckets that it names.")
@as_json
@passes
def check(context: Context, file: Path, *, everything: bool, offline: bool, as_json: bool) -> None:
    """Try another FILE of settings before it takes the place of the one in use.  Exit status 0: it can, 1: it must not.

    The database that it names is looked at as the doctor does, and has to be the one that this server belongs to.
    Nothing is written, and a running server notices nothing.  Variables and flags override FILE as they do the other.
    """
    old = _in_use(context)
    try:
        new = Context(file, context.flags).settings()
    except SettingsError as error:
        _tell(file, [ill("settings.read", "error", str(one)) for one in error.problems], {}, everything, as_json)
        return
    found = asyncio.run(_examined(old, new, offline=offline))
    found.append(well("settings.read", str(file)))
    _tell(file, found, _changes(old, new) if old else {}, everything, as_json)


def _in_use(context: Context) -> Settings | None:
    """None, when they cannot be read: others will do then, whatever these say."""
    try:
        return context.settings()
    except SettingsError as error:
        click.echo(f"{error}\nthe settings in use cannot be read, so the new ones are looked at alone", err=True)
        return None


async def _examined(old: Settings | None, new: Settings, *, offline: bool) -> list[Finding]:
    from connectme import schema  # noqa: PLC0415  these bring the database along, which `version` does not need
    from connectme.cli.doctor import buckets  # noqa: PLC0415
    from ops.doctor import replacing, services  # noqa: PLC0415
    from ops.doctor.case import Case  # noqa: PLC0415

    newest, now = schema.newest(), datetime.now(UTC)
    found = await replacing.look(old, new, newest, now)
    if not offline:
        found += await services.look(Case(new, newest, now), buckets(new))
    return found


def _changes(old: Settings, new: Settings) -> dict[str, dict[str, object]]:
    """Old and new value as people may see them, of all that differ."""
    differ = [name for name in names() if getattr(old, name) != getattr(new, name)]
    return {name: {"old": old.shown(name), "new": new.shown(name)} for name in differ}


def _tell(
    file: Path, found: list[Finding], changes: dict[str, dict[str, object]], everything: bool, as_json: bool
) -> None:
    """Raises: ClickException, with the number of errors."""
    from connectme.cli.doctor import words  # noqa: PLC0415  see above
    from ops.doctor import whole  # noqa: PLC0415

    found = [replace(one, fixable=False) for one in whole.arranged(found)]  # the doctor mends what is in use
    wrong = findings.errors(found)
    rows = [(name.upper(), _one_line(one["old"]), _one_line(one["new"])) for name, one in changes.items()]
    lines = [table(rows, "CHANGES", "FROM", "TO")] if rows else []
    lines.append(words(found, {}, everything=everything))
    if not wrong:
        lines.append(f"{file} can take the place of the settings in use; they are read at the next start of the server")
    facts = {"fit": not wrong, "changes": changes, "findings": whole.facts(found)}
    emit(facts, "\n".join(lines), as_json)
    if wrong:
        raise fail(f"{file} must not be used: {', '.join(dict.fromkeys(one.id for one in wrong))}")


@click.command(epilog=example("connectme version", "connectme version --json"))
@as_json
def version(*, as_json: bool) -> None:
    """The version of ConnectMe."""
    facts = {"connectme": __version__, "python": platform.python_version(), "platform": sys.platform}
    emit(facts, f"ConnectMe {__version__}", as_json)


def _one_line(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "" if value is None else str(value)
