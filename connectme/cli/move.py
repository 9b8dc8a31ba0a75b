"""`connectme db move`: the same rows in the other kind of database.  docs/admin/moving.md."""

import json
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from connectme import logging
from connectme.cli.change import said
from connectme.cli.common import Context, as_json, emit, example, fail, passes
from connectme.cli.database import place_of
from connectme.lock import alone
from connectme.settings import FILE, PREFIX, Settings, mask_password
from ops.move import moving

STEP: Final = 10_000  # rows, between two words on a terminal
_LINE: Final = re.compile(r"""^[ \t]*["']?database_url["']?[ \t]*=.*$""", re.MULTILINE | re.IGNORECASE)


@click.command("move", epilog=example(
    "connectme db move --to postgresql://connectme@localhost/connectme",
    "connectme db move --to sqlite:////var/lib/connectme/connectme.db --switch"))  # fmt: skip
@click.option("--to", "url", metavar="URL", envvar="MOVE_TO", required=True, help="The new database: an empty one.")
@click.option("--switch", is_flag=True, help="Write the new DATABASE_URL into the file of settings.")
@as_json
@passes
def move(context: Context, url: str, *, switch: bool, as_json: bool) -> None:
    """Move everything from SQLite to PostgreSQL, or back, and compare.  The server must be stopped.

    The old database is only read, and stays as it is.  Interrupted, nothing was moved: give the same command again.
    MOVE_TO in the environment does what --to does, and shows no password to others on the machine.
    """
    settings, there = context.settings(), context.settings(database_url=url)
    logging.set_up(settings, "command", least="warning")
    write = _switch(context, settings, there.database_url) if switch else None
    with said(), alone(settings):
        done = moving.move(place_of(settings), there.database_url, _teller())
    if write is not None:
        write()
    rows = sum(done.rows.values())
    facts = {"from": settings.shown("database_url"), "to": mask_password(there.database_url),
             "switched": switch, **asdict(done)}  # fmt: skip
    emit(facts, lambda: _told(settings, there, rows, done, switched=switch), as_json)


def _told(settings: Settings, there: Settings, rows: int, done: moving.Moved, *, switched: bool) -> str:
    rate = f"{done.rows['post'] / done.seconds:,.0f} posts/s"
    lines = [f"{rows:,} rows of {len(done.rows)} tables in {done.seconds:.1f} s, read back and the same; {rate}"]
    if done.mended:
        lines.append(
            f"{done.mended} texts had characters in them that cannot be kept (NUL, broken UTF-8), and are without now"
        )
    where = settings.sources["database_url"]
    if switched:
        lines.append("database_url names the new one now; start the server")
    elif where in ("environment", "flag"):
        lines.append(f"now set {PREFIX}DATABASE_URL ({where}) to the new one, and start the server")
    else:
        name = FILE if where == "default" else where
        lines.append(f"now write in {name}, and start the server:")
        lines.append(f'  database_url = "{mask_password(there.database_url)}"')
    lines.append("the worker makes the index of words again; until then searches find less")
    lines.append(f"the old database is as it was: {settings.shown('database_url')}; it is the way back")
    return "\n".join(lines)


def _teller() -> Callable[[str, int, int], None]:
    """A line for each table; on a terminal one that grows, too."""
    shown = sys.stderr.isatty()

    def tell(table: str, done: int, total: int) -> None:
        if done >= total:
            click.echo(f"{table:<26} {done:>12,}", err=True)
        elif shown and done % STEP == 0:
            click.echo(f"{table:<26} {done:>12,} of {total:,}\r", err=True, nl=False)

    return tell


def _switch(context: Context, settings: Settings, url: str) -> Callable[[], None]:
    """What writes the setting; refused before anything is moved when it cannot be.  Raises: ClickException."""
    where = settings.sources["database_url"]
    if where in ("environment", "flag"):
        raise fail(f"database_url comes from the {where}, not from a file; move without --switch and change it there")
    file = Path(context.config or os.environ.get(f"{PREFIX}CONFIG") or FILE).absolute()
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise fail(f"{file} cannot be written; move without --switch, and change it as its owner")
    after = _rewritten(file.read_text(encoding="utf-8") if file.exists() else "", url)
    if after is None:
        raise fail(f"{file} is written in a way that this command does not change; move without --switch")

    def write() -> None:
        """In place: owner and rights stay."""
        if file.exists():
            shutil.copy2(file, file.with_name(f"{file.name}.before-move"))
        file.touch(mode=0o600)
        file.write_text(after, encoding="utf-8")

    return write


def _rewritten(before: str, url: str) -> str | None:
    """The file with the new line, all else as it was; None when that cannot be said of it."""
    line = f"database_url = {json.dumps(url)}"
    after = _LINE.sub(lambda _: line, before) if _LINE.search(before) else f"{line}\n{before}"
    try:
        was, found = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return None
    others = {name: value for name, value in was.items() if name.lower() != "database_url"}
    return after if found == {**others, "database_url": url} else None
