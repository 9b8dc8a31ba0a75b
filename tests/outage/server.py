"""What a wrong maintenance does to PostgreSQL."""

import asyncio
import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from ops import copies
from ops.findings import Finding
from tests import postgresql
from tests.outage.embedded import fixed
from tests.outage.fault import Fault, quoted, says
from tests.outage.scene import Scene
from tests.postgresql import do

SHUT = ("refused",)
_HAS = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1"
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"
GONE = ("emergency", "alert database-down", "status page")


def url(scene: Scene, *, database: str = "", role: str = "") -> str:
    there = make_url(scene.admin_url)
    return str(there.set(database=database or there.database, username=role or there.username))


def place_of(scene: Scene) -> Path:
    """The folder of the cluster."""
    return Path(str(make_url(scene.admin_url).query["host"]))


def postmaster(scene: Scene) -> int:
    return int((place_of(scene) / "data/postmaster.pid").read_text().split()[0])


async def another_instance(scene: Scene) -> None:
    other = f"other_{make_url(scene.admin_url).database}"[:60]
    await do(url(scene, database="postgres"), f"CREATE DATABASE {other} TEMPLATE pristine")
    await do(url(scene, database=other), "UPDATE fact SET value = 'far.example' WHERE name = 'domain'",
             "UPDATE fact SET value = 'ffffffffffffffff' WHERE name = 'instance'")  # fmt: skip
    await scene.start_with(DATABASE_URL=url(scene, database=other))


async def empty(scene: Scene) -> None:
    await do(url(scene, database="postgres"), "CREATE DATABASE conectme")
    await scene.start_with(DATABASE_URL=url(scene, database="conectme"))


async def url_back(scene: Scene, finding: Finding) -> None:
    says(finding, "DATABASE_URL")
    await scene.stop()
    scene.server.settings["DATABASE_URL"] = scene.admin_url
    scene.server.start()


async def killed(scene: Scene) -> None:
    scene.begins()
    os.kill(postmaster(scene), signal.SIGKILL)


async def started(scene: Scene, finding: Finding) -> None:
    says(finding, "systemctl status postgresql")
    postgresql.start(place_of(scene))


async def another_encoding(scene: Scene) -> None:
    await do(url(scene, database="postgres"),
             "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")  # fmt: skip
    await scene.start_with(DATABASE_URL=url(scene, database="ascii"))


async def made_in_another_encoding(scene: Scene) -> None:
    """It was moved by hand into one that took its encoding from a system without UTF-8."""
    name = f"ascii_{make_url(scene.admin_url).database}"[:60]
    await scene.stop()
    await do(url(scene, database="postgres"),
             f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")  # fmt: skip
    copy = scene.server.folder / "moved.dump"
    await asyncio.to_thread(copies.dump, scene.admin_url, copy)
    scene.admin_url = url(scene, database=name)
    await asyncio.to_thread(copies.load, copy, scene.admin_url)
    await scene.start_with(DATABASE_URL=scene.admin_url)


async def encoded_again(scene: Scene, finding: Finding) -> None:
    there, new = make_url(scene.admin_url), f"utf_{make_url(scene.admin_url).database}"[:60]
    await scene.does(finding, "createdb", ROLE=str(there.username), connectme2=new)
    await scene.stop()
    await scene.does(finding, "pg_dump", OLD=str(there.database), connectme2=new)
    scene.admin_url = scene.server.settings["DATABASE_URL"] = url(scene, database=new)
    scene.server.start()


async def too_few_connections(scene: Scene) -> None:
    await do(scene.admin_url, "ALTER SYSTEM SET max_connections = 24")
    scene.begins()
    await asyncio.to_thread(postgresql.restart, place_of(scene))


async def more_connections(scene: Scene, finding: Finding) -> None:
    says(finding, "restart PostgreSQL")
    found = re.search(r"Set `max_connections` to (\d+) or more", finding.remedy)
    assert found
    await do(scene.admin_url, f"ALTER SYSTEM SET max_connections = {found[1]}")
    await asyncio.to_thread(postgresql.restart, place_of(scene))


async def all_taken(scene: Scene) -> None:
    """By a program of somebody else's, after a restart of PostgreSQL that it survived faster."""
    ours, theirs = f"ours_{make_url(scene.admin_url).database}"[:60], f"hog_{make_url(scene.admin_url).database}"[:60]
    await do(scene.admin_url, f"CREATE ROLE {ours} LOGIN IN ROLE test", f"CREATE ROLE {theirs} LOGIN")
    await scene.start_with(DATABASE_URL=url(scene, role=ours))
    await scene.is_back()
    admin = await asyncpg.connect(scene.admin_url)
    scene.begins()
    try:
        while True:
            gone = not await admin.fetchval(_HAS, ours)  # so all that we had is there to be taken
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    scene.others.append(await asyncpg.connect(url(scene, database="postgres", role=theirs)))
            if gone and not await admin.fetchval(_HAS, ours):
                break
            await admin.fetch(_END, ours)
    finally:
        await admin.close()


async def given_back(scene: Scene, finding: Finding) -> None:
    admin = await asyncpg.connect(scene.admin_url)
    try:
        [most, *_] = await admin.fetch(quoted(finding, "SELECT usename"))
        await admin.fetch(quoted(finding, "SELECT pg_terminate").replace("WHO", most["usename"]))
    finally:
        await admin.close()


async def another_collation(scene: Scene) -> None:
    """After an upgrade of the operating system: its library orders words in another way than the indexes have it."""
    name = f"ordered_{make_url(scene.admin_url).database}"[:60]
    await scene.stop()
    await do(url(scene, database="postgres"),
             f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'")  # fmt: skip
    copy = scene.server.folder / "moved.dump"
    await asyncio.to_thread(copies.dump, scene.admin_url, copy)
    scene.admin_url = url(scene, database=name)
    await asyncio.to_thread(copies.load, copy, scene.admin_url)
    await do(scene.admin_url, f"UPDATE pg_database SET datcollversion = '57.1' WHERE datname = '{name}'")
    await scene.start_with(DATABASE_URL=scene.admin_url)


async def ordered_again(scene: Scene, finding: Finding) -> None:
    await said_in_psql(scene, finding)
    await scene.does(finding, "connectme db check")


async def dropped_index(scene: Scene) -> None:
    scene.begins()
    await do(scene.admin_url, "DROP INDEX ix_post_author_id")


async def unchecked(scene: Scene) -> None:
    """For an import by hand that was to be quick."""
    scene.begins()
    await do(scene.admin_url, "ALTER TABLE post DISABLE TRIGGER ALL")


async def no_rights(scene: Scene) -> None:
    await do(scene.admin_url, "CREATE ROLE stranger LOGIN")
    await scene.start_with(DATABASE_URL=url(scene, role="stranger"))


async def read_only(scene: Scene) -> None:
    name = make_url(scene.admin_url).database
    await do(scene.admin_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await scene.start_with()


_BEGINS = {
    "postgresql.rights": "GRANT",
    "postgresql.writable": "SET default",
    "postgresql.constraints": "ALTER TABLE",
    "postgresql.collation": "REINDEX DATABASE",
}


async def said_in_psql(scene: Scene, finding: Finding) -> None:
    """Word by word, as whoever may do it."""
    words = quoted(finding, _BEGINS[finding.id])
    await do(scene.admin_url, *filter(None, map(str.strip, words.split(";"))))


async def and_restarted(scene: Scene, finding: Finding) -> None:
    await said_in_psql(scene, finding)
    says(finding, "restart the server")
    await scene.stop()
    scene.server.start()


FAULTS = [
    Fault("Settings name the database of another instance", "PostgreSQL", another_instance, SHUT,
          "identity.other", url_back, shut=True),
    Fault("Settings name an empty database", "PostgreSQL", empty, SHUT, "identity.lost", url_back, shut=True),
    Fault("Settings name a database of another encoding", "PostgreSQL", another_encoding, SHUT,
          "postgresql.encoding", url_back, shut=True),
    Fault("The database was made in another encoding", "PostgreSQL", made_in_another_encoding, SHUT,
          "postgresql.encoding", encoded_again, shut=True),
    Fault("max_connections is too low", "PostgreSQL", too_few_connections,
          ("doctor postgresql.connections", "alert doctor"), "postgresql.connections", more_connections),
    Fault("All connections are taken by another program", "PostgreSQL", all_taken, (*GONE, "doctor postgresql.full"),
          "postgresql.full", given_back),
    Fault("The system orders words in another way than the indexes", "PostgreSQL", another_collation,
          ("doctor postgresql.collation", "alert doctor"), "postgresql.collation", ordered_again),
    Fault("An index was dropped", "PostgreSQL", dropped_index, ("doctor schema.parts", "alert doctor"),
          "schema.parts", fixed),
    Fault("Foreign keys are not enforced", "PostgreSQL", unchecked,
          ("doctor postgresql.constraints", "alert doctor"), "postgresql.constraints", said_in_psql),
    Fault("PostgreSQL is killed (kill -9)", "PostgreSQL", killed, GONE, "postgresql.answers", started),
    Fault("Settings name a role without rights", "PostgreSQL", no_rights, GONE, "postgresql.rights", said_in_psql),
    Fault("Transactions are read-only by default", "PostgreSQL", read_only,
          ("read-only", "alert database-read-only", "status page"), "postgresql.writable", and_restarted),
]  # fmt: skip
