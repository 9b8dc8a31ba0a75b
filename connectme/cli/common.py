"""What all commands share: their settings, and how they print facts.  Light: `connectme serve` imports it."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from connectme.settings import Settings

as_json = click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")


@dataclass(frozen=True, slots=True)
class Context:
    """What stands before the command: `connectme --config FILE --set NAME=VALUE …`."""

    config: Path | None = None
    flags: Mapping[str, object] | None = None

    def settings(self, **more: object) -> Settings:
        """Raises SettingsError.  `more`: the command's own flags, None when not given."""
        given = {name: value for name, value in more.items() if value is not None}
        return Settings.load(self.config, os.environ, {**(self.flags or {}), **given})


passes = click.make_pass_decorator(Context)


def example(*lines: str) -> str:
    """The `epilog` of a command: what one would type."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def emit(facts: Any, text: str | Callable[[], str], as_json: bool) -> None:
    """Prints `facts` as JSON, or `text`, on standard output."""
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False, default=str))
    else:
        click.echo(text() if callable(text) else text)


def table(rows: Sequence[Sequence[object]], *head: str) -> str:
    """Rows below a head, in columns.

    >>> print(table([("far.test", 3)], "HOST", "WAITING"))
    HOST      WAITING
    far.test  3
    """
    lines = [head, *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def confirm(question: str, yes: bool) -> None:
    """Asks a person at a terminal; a script has made up its mind."""
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True)


def fail(says: str) -> click.ClickException:
    """To raise: exit status 1, with that line."""
    return click.ClickException(says)
