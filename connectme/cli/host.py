"""`connectme host …`: limits on other servers.  A running server heeds them within seconds."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from connectme.cli.common import Context, as_json, emit, example, fail, passes, table
from connectme.cli.database import with_database
from social import moderation
from social.errors import Invalid
from social.moderation import importing
from store.tables import HostPolicy

Command = TypeVar("Command", bound=Callable[..., Any])


def options(command: Command) -> Command:
    """What may be said of a server, whatever its level.  It replaces what was said before."""
    for declare in (
        click.option("--comment", default="", help="Why, for people to read."),
        click.option("--private-comment", default="", help="Why, for moderators alone."),
        click.option("--reject-media", is_flag=True, help="Show none of its files, and forget those there are."),
        click.option("--reject-reports", is_flag=True, help="Do not read its reports."),
        click.option("--obfuscate", is_flag=True, help="Show its name with stars where the public reads it."),
    )[::-1]:
        command = declare(command)
    return command


@click.group()
def host() -> None:
    """Limits on other servers.  One for `far.example` holds for all names below it, too."""


@host.command("list", epilog=example("connectme host list", "connectme host list --json"))
@as_json
@passes
def list_(context: Context, *, as_json: bool) -> None:
    """All limits."""
    found = with_database(context.settings(), lambda db: db.read(moderation.policies))
    facts = [
        {
            "host": one.host,
            "level": one.level,
            "comment": one.comment,
            "since": one.created_at.isoformat(),
            "private_comment": one.private_comment,
            "reject_media": one.reject_media,
            "reject_reports": one.reject_reports,
            "obfuscate": one.obfuscate,
        }
        for one in found
    ]
    rows = [(one.host, one.level, one.created_at.date(), _also(one), one.comment) for one in found]
    emit(facts, lambda: table(rows, "HOST", "LEVEL", "SINCE", "ALSO", "COMMENT"), as_json)


@host.command(epilog=example("connectme host block far.example --comment spam"))
@click.argument("name")
@options
@passes
def block(context: Context, /, name: str, **said: Any) -> None:
    """Nothing of that server is stored, shown, fetched or answered.  Follows between us end."""
    _set(context, name, "block", said)


@host.command(epilog=example("connectme host limit loud.example"))
@click.argument("name")
@options
@passes
def limit(context: Context, /, name: str, **said: Any) -> None:
    """Posts of that server are shown to followers only, and its follows need consent."""
    _set(context, name, "limit", said)


@host.command(epilog=example("connectme host allow good.far.example"))
@click.argument("name")
@options
@passes
def allow(context: Context, /, name: str, **said: Any) -> None:
    """An exception below a blocked name; with FEDERATION_MODE=allowlist, a server to talk with."""
    _set(context, name, "allow", said)


@host.command(epilog=example("connectme host noop odd.example --reject-media"))
@click.argument("name")
@options
@passes
def noop(context: Context, /, name: str, **said: Any) -> None:
    """No limit by itself: only what the options say."""
    _set(context, name, "noop", said)


@host.command(epilog=example("connectme host unblock far.example"))
@click.argument("name")
@passes
def unblock(context: Context, name: str) -> None:
    """Lift whatever limit there is on exactly that name."""
    if not with_database(context.settings(), lambda db: db.write(moderation.unset_policy, name)):
        raise fail(f"there is no limit on {name}; `connectme host list` shows those there are")
    click.echo(f"no limit on {name} any more")


@host.command("import", epilog=example("connectme host import blocks.csv", "connectme host import - < blocks.csv"))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@as_json
@passes
def import_(context: Context, file: Path, *, as_json: bool) -> None:
    """Set the limits of a CSV as Mastodon exports it, or of a plain list of names; others stay.

    Exit status 1 when a line could not be used; the others are set all the same.
    """
    try:
        parsed = moderation.parse_csv(_read(file))
    except Invalid as error:
        raise fail(f"{file}: {error}") from error
    now = datetime.now(UTC)
    changed = with_database(context.settings(), lambda db: db.write(importing.take, parsed.drafts, now))
    facts = {"read": len(parsed.drafts), "changed": changed, "skipped": list(parsed.skipped)}
    emit(facts, f"{len(parsed.drafts)} read, {changed} changed", as_json)
    if parsed.skipped:
        raise fail(f"{len(parsed.skipped)} lines could not be used: {'; '.join(parsed.skipped[:5])}")


@host.command(epilog=example("connectme host export > blocks.csv"))
@passes
def export(context: Context) -> None:
    """All limits as CSV, on standard output."""
    found = with_database(context.settings(), lambda db: db.read(moderation.policies))
    click.echo(moderation.format_csv(found), nl=False)


def _set(context: Context, name: str, level: str, said: dict[str, Any]) -> None:
    now, draft = datetime.now(UTC), moderation.PolicyDraft(name, level, **said)
    made = with_database(context.settings(), lambda db: db.write(moderation.set_draft, draft, now))
    click.echo(", ".join(filter(None, (f"{made.host}: {made.level}", _also(made)))))


def _also(policy: HostPolicy) -> str:
    facts = {"no files": policy.reject_media, "no reports": policy.reject_reports, "obfuscated": policy.obfuscate}
    return ", ".join(name for name, holds in facts.items() if holds)


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise fail(f"{file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise fail(f"{file} is not UTF-8 text") from error
