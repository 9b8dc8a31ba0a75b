"""`python -m connectme.child web 0`: a process that `connectme serve` starts.

    web N, worker N   run until told to stop, or until the parent is gone
    nursery …         starts several of those ("web 0" "worker 0") that share what they load: connectme/nursery.py
    prepare           fills an empty database, refuses one that cannot be used; then ends
    change            brings an older database to this version, ends with its parent, goes on where a killed one was

Not a command of `connectme`: people have no use for it, and it does without click, which would cost each
process 3 MB.  Its settings come from the environment that the parent made.
"""

import gc
import logging as log_of
import os
import resource
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from connectme import __version__, logging, processor, schema
from connectme.errors import Failure
from connectme.lock import InUse
from connectme.observing import observed
from connectme.settings import PREFIX, Settings
from connectme.supervisor import NO_USE, leave_with_parent
from ops.change import progress

log = log_of.getLogger("connectme.serve")
HOME = Path(__file__).parent.parent  # where `connectme` and its sister packages are imported from
FILES = 65_536  # connections, mostly: shells allow 1,024, which an idle thousand of strangers uses up
WORK = {"web": "connectme.app:serve_web", "worker": "connectme.worker:run_worker"}
USED = {"connectme.loop", "uvloop", "aiosqlite", "store.sqlite"}  # by all, a moment later
AWAY = 75  # EX_TEMPFAIL of sysexits.h: the database may be there later


def main(kind: str, *more: str) -> NoReturn:
    if kind == "nursery":
        raise_all(more[:-1], int(more[-1]))
    if kind != "prepare":
        leave_with_parent()
    settings = Settings.load()
    logging.set_up(settings, " ".join([kind, *more]))
    if kind == "web":
        leave(ended(WORK[kind], settings, index=int(more[0])))
    if kind == "worker":
        leave(ended(WORK[kind], settings))
    prepare(settings, changes=kind == "change")
    leave(0)


def raise_all(names: Sequence[str], ids: int) -> NoReturn:
    """Loads what all of them need, once; forks them when told to, and ends.  ids: where their process ids are written.

    No thread may run yet: a child would have none of them, and whatever lock one of them held for ever.
    """
    with suppress(ImportError):  # whoever needs it says that it is not there
        load({WORK[name.partition(" ")[0]].partition(":")[0] for name in names} | USED)
    if not os.read(0, 1):
        os._exit(1)  # the supervisor has ended
    pids = []
    for name in names:
        if (pid := os.fork()) == 0:
            os.close(ids)
            os.setpgid(0, 0)  # as those that are started alone
            with suppress(OSError):
                Path("/proc/self/comm").write_text(name, encoding="ascii")  # all have the same command line
            main(*name.split())
        pids.append(pid)
    os.write(ids, " ".join(map(str, pids)).encode())
    os._exit(0)


def load(names: Iterable[str]) -> list[ModuleType]:
    """Modules that stay until the process ends.

    Meanwhile and afterwards nobody looks for garbage among them: there is next to none, looking takes a fifth of the
    time of loading, and what is taken away leaves holes that children would fill, each with something else; they would
    also write into all that they share.
    """
    gc.disable()
    try:
        return [import_module(name) for name in names]
    finally:
        gc.freeze()
        gc.enable()


def argv(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "connectme.child", *words)  # -P: a folder `web` where we start is not our `web`


def environment(settings: Settings) -> dict[str, str]:
    """Of children: the settings as they are now, the code of this process, and what suits this machine."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    places = [str(HOME), *filter(None, [others.get("PYTHONPATH")])]
    machine = {"MALLOC_ARENA_MAX": "2", **processor.environment()}
    return {**machine, **others, **settings.environment(), "PYTHONPATH": os.pathsep.join(places)}


def open_more_files() -> None:
    """As many as the system lets this user have, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft not in (resource.RLIM_INFINITY, wanted) and soft < wanted:
        with suppress(ValueError, OSError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def prepare(settings: Settings, *, changes: bool = False) -> None:
    """Leaves by itself, with a line in the log, when the database cannot be used.

    changes: also one that is not empty, while the server answers (connectme/waiting.py).
    """
    try:
        state = schema.look(settings).state
        last = progress.last(settings.data_dir)
        if state == "behind" and last and last.stage == "returned" and last.version == __version__:
            raise schema.CannotUse(f"{last.says or 'the upgrade was rolled back'}; {progress.BACK}")
        if state == "empty" or changes:
            from connectme.cli.database import fill  # noqa: PLC0415  with SQLAlchemy and alembic

            log.info("migrating the database")
            fill(settings)
    except (schema.Away, InUse) as failure:
        log.warning("%s; starting without it", failure)
        leave(AWAY)
    except Failure as failure:
        log.error("%s", failure)  # noqa: TRY400  a line for people
        leave(1)


def ended(main: str, settings: Settings, **more: object) -> int:
    """The exit status after `main`, "module:function", has run until it was told to stop."""
    open_more_files()
    module, _, function = main.partition(":")
    try:
        with observed(settings, function.rpartition("_")[2]):
            return _ended(module, function, settings, **more)
    except Failure as failure:
        log.error("%s", failure)  # noqa: TRY400  a line for people
        return NO_USE if failure.lasting else 1


def _ended(module: str, function: str, settings: Settings, **more: object) -> int:
    try:
        work, loop = load([module, "connectme.loop"])  # not in the supervisor
        status: int = loop.run(partial(getattr(work, function), **more), settings)
    except Failure:
        raise
    except Exception:
        log.exception("this process ends")
        return 1
    return status


def leave(status: int) -> NoReturn:
    """Ends the process now, also when a thread of a library is still about."""
    log_of.shutdown()
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
