"""The `connectme` command.  Each file holds the commands of one subject; the work is done elsewhere.

A file is imported when one of its commands runs, so that `connectme serve` does not pay for all others.
Exit status: 0 done, 1 not (a `Failure`, in a line on standard error), 2 wrong usage.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from connectme import __version__
from connectme.cli.common import Context
from connectme.errors import Failure

COMMANDS = {  # name: file, function, what `connectme --help` says
    "serve": ("serve", "serve", "Run the server: web and worker."),
    "setup": ("setup", "setup", "First run without a browser."),
    "account": ("account", "account", "Accounts of this server."),
    "export": ("archive", "export", "All that somebody has here, into a file."),
    "import": ("archive", "import_", "An archive of posts, into an account."),
    "token": ("token", "token", "Tokens for programs."),
    "audit": ("audit", "audit", "What moderators did."),
    "host": ("host", "host", "Limits on other servers."),
    "network": ("network", "network", "Networks that are blocked."),
    "delivery": ("delivery", "delivery", "What waits to be delivered."),
    "rules": ("site", "rules", "The rules of this server."),
    "text": ("site", "text", "What the server says of itself, of privacy and of its terms."),
    "announcement": ("announcement", "announcement", "What all members are told."),
    "emoji": ("emoji", "emoji", "Pictures that members write as :names:."),
    "search": ("search", "search", "The index of words by which posts are found."),
    "media": ("media", "media", "Files of our people, and the cache of others'."),
    "backup": ("backup", "backup", "Copies of everything, proved by restoring them."),
    "drill": ("drill", "drill", "The newest backup, started and tried."),
    "staging": ("staging", "staging", "A copy to try things on."),
    "db": ("db", "db", "The database and its migrations."),
    "incident": ("incident", "incident", "What members are told while something is wrong."),
    "maintenance": ("maintenance", "maintenance", "How much of the server is open."),
    "repair": ("repair", "repair", "What was said elsewhere while this server was away."),
    "doctor": ("doctor", "doctor", "Is this server fit to run, and if not, what to do."),
    "settings": ("settings", "settings", "Each setting, its value and where it came from."),
    "version": ("settings", "version", "The version of ConnectMe."),
}


class Commands(click.Group):
    """A group that finds its commands by name, and tells failures in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's
        file, function, *_ = COMMANDS.get(cmd_name, ("", ""))
        if not file:
            return None
        command: click.Command = getattr(import_module(f"connectme.cli.{file}"), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, _, says) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            raise click.ClickException(str(failure)) from failure
        except OSError as error:
            if error.filename is None:
                raise
            says = f"{error.filename}: {error.strerror}"
            raise click.ClickException(f"{says}; mend that, or let `connectme doctor` look for more") from error


def _pairs(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> Mapping[str, str]:
    for word in given:
        if "=" not in word:
            raise click.BadParameter(f"{word!r} is not NAME=VALUE, like log_level=debug")
    return {name.strip().lower(): value for name, _, value in (word.partition("=") for word in given)}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="connectme", message="%(prog)s %(version)s")
@click.option("--config", type=click.Path(path_type=Path), help="The file of settings, instead of connectme.toml.")
@click.option("--set", "flags", multiple=True, callback=_pairs, metavar="NAME=VALUE", help="A setting, for this run.")
@click.pass_context
def main(ctx: click.Context, config: Path | None, flags: Mapping[str, str]) -> None:
    """ConnectMe: a federated social server that keeps whole conversations.

    \b
    Example:
      connectme serve
      connectme account create alice --email alice@example.org
      connectme --set log_level=debug serve --single-process
    """
    ctx.obj = Context(config, flags)
