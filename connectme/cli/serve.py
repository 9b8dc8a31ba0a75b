"""`connectme serve`.  What its processes do is in connectme/child.py."""

import logging as log_of
import os
import subprocess
import sys
from urllib.parse import urlsplit

import click

from connectme import __version__, logging, processor
from connectme.child import AWAY, argv, ended, environment, leave
from connectme.cli.common import Context, example, passes
from connectme.lock import alone
from connectme.nursery import Command, Nursery, is_possible
from connectme.schema import Away, WrongDatabase, look, newest
from connectme.settings import Settings
from connectme.sockets import free_address
from connectme.supervisor import Supervisor
from connectme.values import is_local
from connectme.watching import watching
from ops import belonging
from ops.belonging import refusal
from ops.doctor import often

log = log_of.getLogger("connectme.serve")


@click.command(epilog=example("connectme serve", "connectme serve --bind 127.0.0.1:9000 --single-process"))
@click.option("--bind", metavar="A:P", help="Where to listen: address:port, or unix:/path.")
@click.option("--single-process", is_flag=True, help="Web and worker in this one process: the least memory.")
@passes
def serve(context: Context, bind: str | None, *, single_process: bool) -> None:
    """Run the server: web and worker.

    Migrates the embedded database if it needs it.  Runs until SIGTERM or Ctrl-C; then lets each process
    finish what it does, for ten seconds at most.
    """
    settings = context.settings(bind=bind)
    logging.set_up(settings, "supervisor")
    with alone(settings):
        settings = context.settings(bind=free_address(settings))
        commands = [] if single_process else _commands(settings)
        nursery = _nursery(commands, settings)  # loads while the database is looked at
        _examined(settings)
        _prepared(settings)
        log.info("ConnectMe %s on %s, for %s", __version__, settings.bind, settings.base_url)
        if _is_elsewhere(settings):
            log.warning("links will say %s; set DOMAIN to the port that people use", settings.base_url)
        if single_process:
            processor.prefer()
            with watching(settings, lambda: [("server", os.getpid(), 0)]):
                status = ended("connectme.app:serve_single", settings)
            leave(min(status, 1))
        supervisor = Supervisor(commands, environment(settings), nursery=nursery)
        with watching(settings, supervisor.processes):
            status = supervisor.run()
        sys.exit(status)


def _is_elsewhere(settings: Settings) -> bool:
    """A server for this machine alone, whose links name another port than the one it listens on."""
    if settings.socket_path or not is_local(settings.host) or not settings.base_url.startswith("http:"):
        return False
    return settings.address[1] != (urlsplit(settings.base_url).port or 80)


def _examined(settings: Settings) -> None:
    """The doctor's cheap checks.  Raises: WrongDatabase; all else is told, and the server does what it can."""
    try:
        found = often.look_and_keep(settings, newest())
    except OSError as error:
        log.error("the data folder cannot be written (%s); `connectme doctor` says more", error)  # noqa: TRY400  a line
        return
    for one in found:
        if one.severity == "error" and one.id.startswith(("identity.", "schema.needed")):
            raise WrongDatabase(refusal(one))
        if one.severity in ("warning", "error"):
            log.warning("%s: %s (%s); %s", one.id, one.says, one.evidence, one.remedy)


def _prepared(settings: Settings) -> None:
    """An empty database is filled, what cannot be used is refused.  Costs next to nothing when the tables are there.

    In a process of its own: alembic would stay in the memory of this one.  An older database is left as it is: web
    answers while that is changed (connectme/waiting.py).
    """
    file = settings.sqlite_file
    if file and not file.exists() and belonging.recall(settings.data_dir):
        return  # there was one: connectme/waiting.py waits for it
    try:
        if file and look(settings).state == "current":
            return
    except Away as failure:
        log.warning("%s; starting without it", failure)
        return
    done = subprocess.run(argv("prepare"), env=environment(settings), check=False)  # noqa: S603  our own command
    if done.returncode not in (0, AWAY):
        raise click.exceptions.Exit(1)  # it has said why


def _commands(settings: Settings) -> list[Command]:
    web = [Command(f"web {n}", argv("web", str(n))) for n in range(settings.web_processes)]
    worker = [Command(f"worker {n}", argv("worker", str(n))) for n in range(settings.worker_processes)]
    return web + worker


def _nursery(commands: list[Command], settings: Settings) -> Nursery | None:
    """Where the system allows it, those that run beside each other share what they load."""
    if len(commands) < 2 or not is_possible():
        return None
    names = [command.name for command in commands]
    return Nursery(Command("nursery", argv("nursery", *names)), environment(settings))
