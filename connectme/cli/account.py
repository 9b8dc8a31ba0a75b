"""`connectme account …`: people of this server, and what an administrator does to accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Connection

from connectme.cli.common import Context, as_json, emit, example, fail, passes, table, yes_option
from connectme.cli.common import confirm as sure
from connectme.cli.database import origin_of, with_database
from federation.keys import KeyPair, generate
from federation.origin import Origin
from ops import identity
from social import accounts, passwords, second_factor, secrets, users
from social.accounts import NewAccount, find
from social.errors import NotFound
from store.database import Database
from store.tables import Account, User

role_choice = click.Choice(users.ROLES)


@dataclass(frozen=True, slots=True)
class Person:
    """An account with its login, which remote ones lack."""

    account: Account
    user: User | None

    @property
    def state(self) -> str:
        if self.account.deleted_at:
            return "deleted"
        if self.account.suspended_at:
            return "suspended"
        if self.user and not (self.user.approved_at and self.user.confirmed_at):
            return "waiting"
        return "active"

    def facts(self) -> dict[str, Any]:
        account, user = self.account, self.user
        return {
            "id": str(account.id),
            "name": account.acct,
            "state": self.state,
            "role": user.role if user else None,
            "email": user.email if user else None,
            "uri": account.uri,
            "url": account.url,
            "created_at": account.created_at.isoformat(),
            "posts": account.posts_count,
            "followers": account.followers_count,
            "following": account.following_count,
        }


@click.group()
def account() -> None:
    """Accounts of this server."""


@account.command(
    epilog=example(
        "connectme account create alice --email alice@example.org --password 'correct horse'",
        "connectme account create bob --email bob@example.org --role moderator",
    )
)
@click.argument("name")
@click.option("--email", required=True, help="The address to sign in with; it is taken as confirmed.")
@click.option("--password", help="At least 8 characters.  Without it one is made and printed.")
@click.option("--role", type=role_choice, default="member", show_default=True)
@click.option("--display-name", default="", help="What people see beside the name.")
@as_json
@passes
def create(
    context: Context, name: str, email: str, password: str | None, role: str, display_name: str, *, as_json: bool
) -> None:
    """Make an account, confirmed and ready to log in."""
    settings = context.settings()
    chosen = password or secrets.new_token()
    new = NewAccount(name, email, "", role, display_name)

    async def make(db: Database) -> Account:
        return await add(db, origin_of(settings), new, chosen)

    made = with_database(settings, make)
    facts = {"id": str(made.id), "name": made.acct, "role": role, "uri": made.uri, "url": made.url}
    shown = {} if password else {"password": chosen}
    emit({**facts, **shown}, "\n".join([f"made {made.url}", *(f"{k}: {v}" for k, v in shown.items())]), as_json)


async def add(db: Database, origin: Origin, new: NewAccount, password: str) -> Account:
    """Stores `new` with that password and fresh keys.  Raises: Refusal."""
    accounts.check_username(new.username)
    ready = NewAccount(new.username, new.email, passwords.hash_password(password), new.role, new.display_name)
    keys = [generate("rsa"), generate("ed25519")]
    return await db.write(_create, origin, ready, keys, datetime.now(UTC))


@account.command("list", epilog=example("connectme account list", "connectme account list --json"))
@as_json
@passes
def list_(context: Context, *, as_json: bool) -> None:
    """The accounts of this server."""
    people = with_database(context.settings(), lambda db: db.read(_everybody))
    rows = [(p.account.acct, p.state, p.user and p.user.role, p.user and p.user.email) for p in people]
    emit([person.facts() for person in people], lambda: table(rows, "NAME", "STATE", "ROLE", "EMAIL"), as_json)


@account.command(epilog=example("connectme account show alice", "connectme account show bob@far.example --json"))
@click.argument("name")
@as_json
@passes
def show(context: Context, name: str, *, as_json: bool) -> None:
    """One account, ours or one of another server that is known here."""
    settings = context.settings()
    facts = with_database(settings, lambda db: db.read(_person, name, origin_of(settings))).facts()
    lines = [f"{key:<10} {value}" for key, value in facts.items() if value is not None]
    emit(facts, "\n".join(lines), as_json)


@account.command("set-password", epilog=example("connectme account set-password alice --password 'correct horse'"))
@click.argument("name")
@click.option("--password", help="At least 8 characters.  Without it one is made and printed.")
@passes
def set_password(context: Context, name: str, password: str | None) -> None:
    """Give a new password; all sessions and tokens of that person end."""
    chosen = password or secrets.new_token()

    async def change(db: Database) -> None:
        hashed = passwords.hash_password(chosen)
        await db.write(_set_password, name, hashed, datetime.now(UTC))

    with_database(context.settings(), change)
    click.echo(f"{name} has a new password" + ("" if password else f": {chosen}"))


@account.command(epilog=example("connectme account confirm alice"))
@click.argument("name")
@passes
def confirm(context: Context, name: str) -> None:
    """The e-mail address of somebody who signed up is his: where no mails are sent."""
    with_database(context.settings(), lambda db: db.write(_confirm, name, datetime.now(UTC)))
    click.echo(f"the address of {name} is confirmed")


@account.command(epilog=example("connectme account approve alice"))
@click.argument("name")
@passes
def approve(context: Context, name: str) -> None:
    """Let in somebody who signed up while REGISTRATIONS is `approval`."""
    with_database(context.settings(), lambda db: db.write(_approve, name, datetime.now(UTC)))
    click.echo(f"{name} is approved")


@account.command("codes-off", epilog=example("connectme account codes-off alice"))
@click.argument("name")
@passes
def codes_off(context: Context, name: str) -> None:
    """Ask for no code at sign-in any more, for one who lost telephone and recovery codes."""
    if not with_database(context.settings(), lambda db: db.write(_codes_off, name, datetime.now(UTC))):
        raise fail(f"no code is asked of {name}")
    click.echo(f"{name} signs in with the password alone; all sessions and tokens have ended")


@account.command("set-role", epilog=example("connectme account set-role alice moderator"))
@click.argument("name")
@click.argument("role", type=role_choice)
@passes
def set_role(context: Context, name: str, role: str) -> None:
    """Give another role; all sessions and tokens of that person end."""
    with_database(context.settings(), lambda db: db.write(_set_role, name, role, datetime.now(UTC)))
    click.echo(f"{name} is now {role}")


@account.command(epilog=example("connectme account suspend spammer", "connectme account suspend bad@far.example"))
@click.argument("name")
@passes
def suspend(context: Context, name: str) -> None:
    """Shut an account out, ours or of another server.  Can be taken back."""
    settings = context.settings()
    with_database(settings, lambda db: db.write(_suspend, name, origin_of(settings), datetime.now(UTC)))
    click.echo(f"{name} is suspended")


@account.command(epilog=example("connectme account unsuspend alice"))
@click.argument("name")
@passes
def unsuspend(context: Context, name: str) -> None:
    """Let an account in again."""
    settings = context.settings()
    with_database(settings, lambda db: db.write(_unsuspend, name, origin_of(settings)))
    click.echo(f"{name} is not suspended")


@account.command(epilog=example("connectme account delete alice --yes"))
@click.argument("name")
@yes_option
@passes
def delete(context: Context, name: str, *, yes: bool) -> None:
    """Delete an account of ours with its posts, and tell all servers.  The name stays taken."""
    sure(f"{name} and all posts of {name} are deleted, here and elsewhere. Go on?", yes)
    if not with_database(context.settings(), lambda db: db.write(_delete, name, datetime.now(UTC))):
        raise fail(f"{name} was deleted before")
    click.echo(f"{name} is deleted")


def _create(tx: Connection, origin: Origin, new: NewAccount, keys: Sequence[KeyPair], now: datetime) -> Account:
    identity.claim(tx, origin)  # from now on the database is this domain's: the account's address has it in it
    return accounts.create_local(tx, origin, new, keys, now)


def _everybody(tx: Connection) -> list[Person]:
    logins = users.everybody(tx)
    found = accounts.by_ids(tx, [user.account_id for user in logins])
    return [Person(found[user.account_id], user) for user in logins]


def _person(tx: Connection, name: str, origin: Origin) -> Person:
    found = accounts.by_handle(tx, name, origin)
    try:
        return Person(found, users.by_account(tx, found.id))
    except NotFound:
        return Person(found, None)


def _set_password(tx: Connection, name: str, hashed: str, now: datetime) -> None:
    users.set_password(tx, find.local(tx, name).id, hashed, now)


def _confirm(tx: Connection, name: str, now: datetime) -> None:
    users.confirm(tx, find.local(tx, name).id, now)


def _approve(tx: Connection, name: str, now: datetime) -> None:
    users.approve(tx, find.local(tx, name).id, now)


def _codes_off(tx: Connection, name: str, now: datetime) -> bool:
    return second_factor.turn_off(tx, find.local(tx, name).id, b"", now)


def _set_role(tx: Connection, name: str, role: str, now: datetime) -> None:
    users.set_role(tx, find.local(tx, name).id, role, now)


def _suspend(tx: Connection, name: str, origin: Origin, now: datetime) -> None:
    accounts.suspend(tx, accounts.by_handle(tx, name, origin).id, now)


def _unsuspend(tx: Connection, name: str, origin: Origin) -> None:
    accounts.unsuspend(tx, accounts.by_handle(tx, name, origin).id)


def _delete(tx: Connection, name: str, now: datetime) -> bool:
    return accounts.delete_local(tx, find.local(tx, name).id, now)
