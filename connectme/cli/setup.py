"""`connectme setup`: the first run without a browser.  Names the server and makes its owner."""

import json
import os
import sys
from pathlib import Path

import click

from connectme.cli.account import add
from connectme.cli.common import Context, as_json, emit, example, fail, passes
from connectme.cli.database import origin_of, with_database
from connectme.lock import InUse, alone
from connectme.settings import FILE, PREFIX, Settings
from social import instance, secrets
from social.accounts import NewAccount
from store.database import Database
from store.tables import Account

DONE = "this server is set up: it has people; make more with `connectme account create`"


@click.command(
    epilog=example("connectme setup", "connectme setup --domain example.org --name alice --email alice@example.org")
)
@click.option("--domain", help="What handles end in, for ever: example.org.  Kept in connectme.toml.")
@click.option("--name", help="Of the owner's account.")
@click.option("--email", help="Of the owner.")
@click.option("--password", help="Of the owner.  Without it one is made and printed.")
@as_json
@passes
def setup(
    context: Context, domain: str | None, name: str | None, email: str | None, password: str | None, *, as_json: bool
) -> None:
    """First run without a browser: names the server and makes its owner.  Asks for what is not given."""
    settings = context.settings(domain=_domain(context, domain))
    owner = NewAccount(_asked("name of the owner", name), _asked("e-mail of the owner", email), "", "owner")
    chosen = password or secrets.new_token()

    async def begin(db: Database) -> Account:
        if await db.read(instance.has_people):
            raise fail(DONE)
        return await add(db, origin_of(settings), owner, chosen)

    made = with_database(settings, begin)
    _keep(context, settings)
    shown = {} if password else {"password": chosen}
    facts = {"domain": settings.domain, "base_url": settings.base_url, "owner": made.acct, **shown}
    emit(facts, "\n".join([*(f"{key}: {value}" for key, value in facts.items()), _then(settings)]), as_json)


def _domain(context: Context, given: str | None) -> str | None:
    """The domain to begin with, where no setting names one yet."""
    settings = context.settings(domain=given)
    if given or settings.sources["domain"] != "default" or not sys.stdin.isatty():
        return given
    answer: str = click.prompt("domain of this server", default=settings.domain, err=True)
    return None if answer == settings.domain else answer


def _asked(what: str, given: str | None) -> str:
    if given:
        return given
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what} is needed: --{'email' if 'mail' in what else 'name'}")
    answer: str = click.prompt(what, err=True)
    return answer


def _then(settings: Settings) -> str:
    try:
        with alone(settings, patience=0):
            return "now: connectme serve"
    except InUse:
        return f"the server runs already: sign in at {settings.base_url}"


def _keep(context: Context, settings: Settings) -> None:
    """A domain that was given here must be there when the server starts."""
    without = context.settings()
    is_kept = without.domain == settings.domain and without.sources["domain"] not in ("default", "flag")
    if settings.sources["domain"] != "flag" or is_kept:
        return
    line = f"domain = {json.dumps(settings.domain)}\n"
    file = Path(context.config or os.environ.get(f"{PREFIX}CONFIG") or FILE)
    if file.exists():
        click.echo(f"put this into {file}, on its first line: {line.strip()}", err=True)
    else:
        file.write_text(line, encoding="utf-8")
