"""`connectme settings` and `connectme version`."""

import platform
import sys

import click

from connectme import __version__
from connectme.cli.common import Context, as_json, emit, example, passes, table
from connectme.settings import names


@click.command(epilog=example("connectme settings", "connectme --config /etc/connectme.toml settings --json"))
@as_json
@passes
def settings(context: Context, *, as_json: bool) -> None:
    """Each setting, its value and where it came from.  Secrets are masked."""
    found = context.settings()
    facts = {name: {"value": found.shown(name), "source": found.sources[name]} for name in names()}
    rows = [(name.upper(), _one_line(fact["value"]), fact["source"]) for name, fact in facts.items()]
    emit(facts, lambda: table(rows, "NAME", "VALUE", "FROM"), as_json)


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
