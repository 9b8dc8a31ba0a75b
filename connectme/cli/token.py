"""`connectme token create`: a bearer token for a program."""

from datetime import UTC, datetime

import click
from sqlalchemy import Connection

from connectme.cli.common import Context, as_json, emit, example, passes
from connectme.cli.database import with_database
from social import apps, secrets, users
from social.accounts import find
from web import scopes

NOWHERE = "urn:ietf:wg:oauth:2.0:oob"  # the redirect URI of a program that shows codes to people


@click.group()
def token() -> None:
    """Tokens for programs."""


def _scopes(_: click.Context, __: click.Parameter, given: str) -> str:
    for word in given.split():
        if word not in scopes.SCOPES:
            raise click.BadParameter(f"{word!r} is not a scope, like read, write:statuses, follow, push")
    if not given.split():
        raise click.BadParameter("name at least one")
    return " ".join(given.split())


@token.command(
    epilog=example("connectme token create alice", 'connectme token create alice --scopes "read" --app reader')
)
@click.argument("name")
@click.option("--scopes", "words", default="read write follow push", show_default=True, callback=_scopes)
@click.option("--app", default="command line", show_default=True, help="What the list of programs calls it.")
@as_json
@passes
def create(context: Context, name: str, words: str, app: str, *, as_json: bool) -> None:
    """Print a bearer token with which a program acts for a person.  It is shown this once."""
    made = secrets.new_token()
    with_database(context.settings(), lambda db: db.write(_issue, name, app, words, made, datetime.now(UTC)))
    emit({"token": made, "account": name, "scopes": words, "app": app}, made, as_json)


def _issue(tx: Connection, name: str, app_name: str, scopes: str, token: str, now: datetime) -> None:
    account = find.local(tx, name)
    users.by_account(tx, account.id)  # refuses one that is no login
    client, secret = secrets.new_token(), secrets.sha256(secrets.new_token())
    app = apps.create_app(tx, app_name, client, secret, [NOWHERE], scopes, now)
    apps.issue_token(tx, app.id, account.id, scopes, secrets.sha256(token), now)
