"""What a wrong maintenance does to SQLite."""

import asyncio
import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

from ops.findings import Finding
from tests.outage.fault import Fault, says
from tests.outage.scene import Scene

SHUT = ("refused",)
GONE = ("emergency", "alert database-down", "status page")
DAMAGED = ("doctor database.sound", "status page")
_URL = "sqlite:///{}"


# Settings that name another database.


def neighbour(scene: Scene) -> Path:
    """The database of another ConnectMe: like ours, and somebody else's."""
    other = scene.server.folder / "neighbour.db"
    with closing(sqlite3.connect(scene.file)) as ours, closing(sqlite3.connect(other)) as theirs:
        ours.backup(theirs)
        with theirs:
            theirs.execute("UPDATE fact SET value = 'far.example' WHERE name = 'domain'")
            theirs.execute("UPDATE fact SET value = 'ffffffffffffffff' WHERE name = 'instance'")
    return other


async def another_instance(scene: Scene) -> None:
    await scene.start_with(DATABASE_URL=_URL.format(neighbour(scene)))


async def empty_file(scene: Scene) -> None:
    empty = scene.server.folder / "conectme.db"  # a slip of the pen
    empty.touch()
    await scene.start_with(DATABASE_URL=_URL.format(empty))


async def another_programs(scene: Scene) -> None:
    other = scene.server.folder / "notes.db"
    with closing(sqlite3.connect(other)) as link, link:
        link.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, words TEXT)")
    await scene.start_with(DATABASE_URL=_URL.format(other))


async def url_back(scene: Scene, finding: Finding) -> None:
    says(finding, "DATABASE_URL")
    await scene.stop()
    del scene.server.settings["DATABASE_URL"]
    scene.server.start()


# What happens to the file while the server runs.


async def moved(scene: Scene) -> None:
    scene.begins()
    scene.file.rename(scene.server.folder / "old.db")


async def moved_back(scene: Scene, finding: Finding) -> None:
    says(finding, "DATA_DIR")
    (scene.server.folder / "old.db").rename(scene.file)


async def replaced(scene: Scene) -> None:
    other = neighbour(scene)
    scene.begins()
    for end in ("", "-wal", "-shm"):
        if (old := Path(f"{scene.file}{end}")).exists():
            old.rename(scene.server.folder / f"old.db{end}")
    shutil.copy(other, scene.file)


async def put_back(scene: Scene, finding: Finding) -> None:
    says(finding, "back")
    for end in ("-wal", "-shm"):
        Path(f"{scene.file}{end}").unlink(missing_ok=True)
    for end in ("-shm", "-wal", ""):
        if (old := scene.server.folder / f"old.db{end}").exists():
            os.replace(old, f"{scene.file}{end}")


# Wrong settings and rights.


async def another_domain(scene: Scene) -> None:
    await scene.start_with(DOMAIN="localhost:1", BASE_URL=f"http://{scene.server.domain}")


async def domain_back(scene: Scene, finding: Finding) -> None:
    says(finding, f"set DOMAIN back to {scene.server.domain}")
    await scene.stop()
    del scene.server.settings["BASE_URL"]
    scene.server.settings["DOMAIN"] = scene.server.domain
    scene.server.start()


async def no_rights(scene: Scene) -> None:
    await scene.stop()
    scene.file.chmod(0o400)
    await scene.start_with()


async def rights_back(scene: Scene, finding: Finding) -> None:
    await scene.does(finding, "chown --reference")


async def wrong_owner(scene: Scene) -> None:
    await scene.stop()
    for file in scene.server.folder.glob("connectme.db*"):
        os.chown(file, 65534, 65534)
    await scene.start_with()


async def owner_back(scene: Scene, finding: Finding) -> None:
    await scene.does(finding, "chown -R --reference")


# Damage to what is in it.


async def dropped_index(scene: Scene) -> None:
    with closing(sqlite3.connect(scene.file, timeout=10)) as link:
        scene.begins()
        link.execute("DROP INDEX ix_post_author_id")


async def fixed(scene: Scene, finding: Finding) -> None:
    says(finding, "`connectme doctor --fix`")
    await scene.run("doctor", "--fix")


async def overwritten(scene: Scene) -> None:
    """The pages at the top of what posts lie in, as a disk may return them that is about to fail."""
    await scene.run("backup", "create")
    with closing(sqlite3.connect(scene.file, timeout=10)) as link:
        link.execute("PRAGMA wal_checkpoint(truncate)")
        roots = [row[0] for row in link.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'post'")]
        (size,) = link.execute("PRAGMA page_size").fetchone()
    scene.begins()
    with scene.file.open("r+b", buffering=0) as stream:
        for root in roots:
            stream.seek((root - 1) * size)
            stream.write(b"\x55" * size)


async def cut(scene: Scene) -> None:
    await scene.run("backup", "create")
    with closing(sqlite3.connect(scene.file, timeout=10)) as link:
        link.execute("PRAGMA wal_checkpoint(truncate)")
    scene.begins()
    os.truncate(scene.file, scene.file.stat().st_size * 2 // 3)


async def restored(scene: Scene, finding: Finding) -> None:
    says(finding, "Stop the server", "`connectme backup list`", "`connectme delivery release`")
    await scene.stop()
    [backup] = json.loads(await scene.run("backup", "list", "--json"))
    there = {"./restored": str(scene.server.folder / "restored")}
    await scene.does(finding, "connectme backup restore", NAME=backup["name"], **there)
    said = await scene.does(finding, "connectme backup swap", **there)
    away = scene.server.folder / f"replaced-by-{backup['name']}"
    assert f"connectme db salvage --from {away}/connectme.db" in said
    await scene.does(finding, "connectme db salvage", REPLACED=str(away))
    scene.server.start()
    await scene.server.ready()
    await scene.does(finding, "connectme delivery release")


async def held(scene: Scene) -> None:
    """A shell with a transaction that somebody forgot."""
    words = f"import sqlite3, time; c = sqlite3.connect({str(scene.file)!r}, timeout=60); c.execute('BEGIN IMMEDIATE')"
    scene.begins()
    await asyncio.create_subprocess_exec(sys.executable, "-c", f"{words}; time.sleep(600)")


async def ended(scene: Scene, finding: Finding) -> None:
    await scene.does(finding, "kill")


async def full(scene: Scene) -> None:
    """A log that grew, in the data folder."""
    scene.begins()
    with (scene.server.folder / "debug.log").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 20))


async def emptied(scene: Scene, finding: Finding) -> None:
    largest = (await scene.does(finding, "du -xsh")).splitlines()[-1].split(None, 1)[1]
    Path(largest).unlink()


def not_root() -> str:
    return "" if os.getuid() == 0 else "only root may do that"


FAULTS = [
    Fault("Settings name the database of another instance", "SQLite", another_instance, SHUT,
          "identity.other", url_back, shut=True),
    Fault("Settings name an empty file", "SQLite", empty_file, SHUT, "identity.lost", url_back, shut=True),
    Fault("Settings name the database of another program", "SQLite", another_programs, SHUT,
          "identity.foreign", url_back, shut=True),
    Fault("The file is moved away at run time", "SQLite", moved, GONE, "identity.lost", moved_back),
    Fault("The file of another instance is put in its place", "SQLite", replaced, GONE, "identity.other", put_back),
    Fault("Settings name another domain", "SQLite", another_domain, SHUT, "identity.domain", domain_back, shut=True),
    Fault("The file may not be written", "SQLite", no_rights, GONE, "database.rights", rights_back),
    Fault("The file belongs to another user", "SQLite", wrong_owner, GONE, "files.owner", owner_back, cannot=not_root),
    Fault("An index was dropped", "SQLite", dropped_index, ("doctor schema.parts", "alert doctor"),
          "schema.parts", fixed),
    Fault("A page is damaged", "SQLite", overwritten, ("read-only", "alert database-read-only", *DAMAGED),
          "database.sound", restored),
    Fault("The file is cut short", "SQLite", cut, ("read-only", "alert database-down", *DAMAGED),
          "database.sound", restored, loses=True),
    Fault("Another program keeps it locked", "SQLite", held,
          ("read-only", "alert database-read-only", "status page"), "database.locked", ended),
    Fault("The disk is full", "SQLite", full, ("read-only", "alert disk-low", "status page"), "disk.room",
          emptied, shut=True, disk_mb=600, cannot=not_root),
]  # fmt: skip
