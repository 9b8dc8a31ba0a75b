"""`connectme rules …` and `connectme text …`: what the owner of this server says to people."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from connectme.cli.common import Context, as_json, emit, example, fail, passes, table
from connectme.cli.database import with_database
from social import site
from social.errors import Refusal


@click.group()
def rules() -> None:
    """The rules of this server, as people and programs read them."""


@rules.command("list", epilog=example("connectme rules list", "connectme rules list --json"))
@as_json
@passes
def list_rules(context: Context, *, as_json: bool) -> None:
    """All rules, in their order."""
    found = with_database(context.settings(), lambda db: db.read(site.all_rules))
    facts = [{"number": number, "text": one.text, "hint": one.hint} for number, one in enumerate(found, 1)]
    rows = [(number, one.text, one.hint) for number, one in enumerate(found, 1)]
    emit(facts, lambda: table(rows, "", "RULE", "HINT"), as_json)


@rules.command("add", epilog=example('connectme rules add "Be kind." --hint "Also to those who are not."'))
@click.argument("text")
@click.option("--hint", default="", help="More about it.")
@passes
def add_rule(context: Context, text: str, hint: str) -> None:
    """One more rule, the last of them."""
    try:
        made = with_database(context.settings(), lambda db: db.write(site.add_rule, text, hint))
    except Refusal as refusal:
        raise fail(str(refusal)) from refusal
    click.echo(f"rule: {made.text}")


@rules.command("remove", epilog=example("connectme rules remove 2"))
@click.argument("number", type=int)
@passes
def remove_rule(context: Context, number: int) -> None:
    """Take a rule back, by its number in the list."""
    try:
        gone = with_database(context.settings(), lambda db: db.write(site.remove_rule, number))
    except Refusal as refusal:
        raise fail(f"{refusal}; `connectme rules list` shows those there are") from refusal
    click.echo(f"no rule any more: {gone.text}")


@click.group()
def text() -> None:
    """What the server says of itself, of privacy and of its terms: HTML, or plain paragraphs."""


@text.command("list", epilog=example("connectme text list", "connectme text list --json"))
@as_json
@passes
def list_texts(context: Context, *, as_json: bool) -> None:
    """Which texts there are."""
    found = with_database(context.settings(), lambda db: db.read(site.all_texts))
    facts = [
        {"name": one.name, "effective": one.effective or None, "updated_at": one.updated_at.isoformat(),
         "characters": len(one.source)}
        for one in found
    ]  # fmt: skip
    rows = [(one.name, one.effective, one.updated_at.date(), len(one.source)) for one in found]
    emit(facts, lambda: table(rows, "NAME", "HOLDS FROM", "CHANGED", "CHARACTERS"), as_json)


@text.command("set", epilog=example("connectme text set about about.html",
                                    "connectme text set terms terms.txt --from 2027-01-01"))  # fmt: skip
@click.argument("name", type=click.Choice(site.NAMES))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--from", "day", type=click.DateTime(["%Y-%m-%d"]), help="Terms: the day from which they hold.")
@passes
def set_text(context: Context, name: str, file: Path, day: datetime | None) -> None:
    """Say that; `-` reads standard input.  Terms of another day stay."""
    words, now = _read(file), datetime.now(UTC)
    try:
        made = with_database(
            context.settings(), lambda db: db.write(site.set_text, name, words, now, day.date() if day else None)
        )
    except Refusal as refusal:
        raise fail(str(refusal)) from refusal
    click.echo(f"{made.name}: {len(made.source)} characters" + (f", from {made.effective}" if made.effective else ""))


@text.command("remove", epilog=example("connectme text remove about", "connectme text remove terms --from 2027-01-01"))
@click.argument("name", type=click.Choice(site.NAMES))
@click.option("--from", "day", type=click.DateTime(["%Y-%m-%d"]), help="Terms: the day from which they hold.")
@passes
def remove_text(context: Context, name: str, day: datetime | None) -> None:
    """Say it no more."""
    effective = day.date().isoformat() if day else ""
    if not with_database(context.settings(), lambda db: db.write(site.unset_text, name, effective)):
        raise fail("there is no such text; `connectme text list` shows those there are")
    click.echo(f"{name}: said no more")


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise fail(f"{file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise fail(f"{file} is not UTF-8 text") from error
