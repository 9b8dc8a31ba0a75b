"""An upgrade that is killed (kill -9) in one of its steps; what comes next, on both engines.

The database is one of an older version, and the server is the new one, as after an installation.  SQLite: the server
changes the database by itself, and that process is killed.  PostgreSQL: the server waits, and the admin's command is.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Lock

import migrations
from connectme.demo import HOME, until
from ops.change import engine
from ops.findings import Finding
from tests.outage.fault import Engine, Fault, quoted, says
from tests.outage.scene import Scene
from tests.postgresql import do

OLD = "0018"  # the migration after it has four statements
_ALEMBIC = Lock()  # it keeps what it works on where all threads see it
KILLING = Path(__file__).parent / "killing"
STEPS = {
    "copy": "An upgrade is killed while its rehearsal copies the database",
    "rehearsal": "An upgrade is killed in the checks of its rehearsal",
    "snapshot": "An upgrade is killed while it takes the snapshot",
    "migration": "An upgrade is killed between two statements of a migration",
    "checks": "An upgrade is killed while it checks the result",
    "return": "An upgrade that is no good is killed on its way back",
}


async def older(scene: Scene) -> None:
    """The server stops, and its database is as an older version left it."""
    await scene.stop()
    url = scene.admin_url or f"sqlite:///{scene.file}"
    await asyncio.to_thread(_downgrade, url)


def _downgrade(url: str) -> None:
    with _ALEMBIC:
        engine.write(url, lambda tx: migrations.downgrade(tx, OLD))


def killing(scene: Scene, step: str) -> tuple[Path, tuple[str, ...]]:
    """The file that is there until a process was killed; and what runs a program that may be."""
    file = scene.server.folder / "kill-at"
    file.write_text(step, encoding="ascii")
    return file, ("env", f"PYTHONPATH={KILLING}:{HOME}", f"KILL_AT={file}")


async def in_the_server(step: str, scene: Scene) -> None:
    await older(scene)
    file, prefix = killing(scene, step)
    before, scene.server.prefix = scene.server.prefix, (*prefix, *scene.server.prefix)
    scene.server.start()
    scene.server.prefix = before

    async def killed() -> bool:
        return not file.exists()

    await until(killed, "the change is killed")
    scene.begins()


async def by_hand(step: str, scene: Scene) -> None:
    await older(scene)
    scene.server.start()

    async def waits() -> bool:
        return await scene.mode() == "maintenance"

    await until(waits, "the new version waits")
    in_rehearsal = step in ("copy", "rehearsal")
    if not in_rehearsal:
        await scene.run("db", "rehearse")
    _, prefix = killing(scene, step)
    words = ("db", "rehearse" if in_rehearsal else "upgrade")
    command = await asyncio.create_subprocess_exec(
        *prefix, sys.executable, "-m", "connectme", *words, env=scene.server.environment, cwd=HOME
    )
    assert await command.wait() == -9
    scene.begins()


async def upgraded(scene: Scene, finding: Finding) -> None:
    if finding.id == "schema.version":
        await scene.does(finding, "connectme db rehearse")
    await scene.does(finding, "connectme db upgrade")


async def upgraded_and_started(scene: Scene, finding: Finding) -> None:
    """The process that was started by the way has ended: the log says that the older version is to be started."""
    assert "the database is as it was before; start the version that you had before" in scene.log()
    says(finding, "connectme db upgrade")
    if scene.admin_url:
        await scene.does(finding, "connectme db rehearse")
    await scene.does(finding, "connectme db upgrade")
    scene.server.start()


async def half_by_hand(scene: Scene) -> None:
    """Somebody pasted the first statements of a migration into a shell, and ended there."""
    await older(scene)
    await run(
        scene,
        'ALTER TABLE host_policy ADD COLUMN "private_comment" TEXT',
        "ALTER TABLE host_policy ADD COLUMN reject_media BOOLEAN",
    )
    scene.begins()
    scene.server.start()


async def taken_away(scene: Scene, finding: Finding) -> None:
    await scene.stop()
    await run(scene, *filter(None, map(str.strip, quoted(finding, "ALTER TABLE").split(";"))))
    await scene.does(finding, "connectme db rehearse")
    await scene.does(finding, "connectme db upgrade")
    scene.server.start()


async def run(scene: Scene, *statements: str) -> None:
    if scene.admin_url:
        await do(scene.admin_url, *statements)
        return
    with closing(sqlite3.connect(scene.file, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def faults(kind: Engine) -> list[Fault]:
    make: Callable[[str, Scene], Awaitable[None]] = in_the_server if kind == "SQLite" else by_hand
    found = []
    for step, name in STEPS.items():
        told: tuple[str, ...] = ("maintenance",)
        finding, mend, shut = "", upgraded, False
        if step == "return":
            told, finding, mend, shut = ("refused",), "schema.version", upgraded_and_started, True
        elif kind == "PostgreSQL" and step in ("copy", "rehearsal"):
            finding, mend = "schema.version", upgraded
        elif kind == "PostgreSQL" and step == "snapshot":
            told, finding, mend = ("maintenance", "alert change-stopped"), "schema.change", upgraded
        found.append(Fault(name, kind, partial(make, step), told, finding, mend, shut=shut))
    told = ("refused",) if kind == "SQLite" else ("maintenance",)
    name = "Statements of a migration were run by hand, and not all"
    return [*found, Fault(name, kind, half_by_hand, told, "schema.half", taken_away, shut=kind == "SQLite")]
