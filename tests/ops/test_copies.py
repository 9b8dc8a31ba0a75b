"""Copies of live databases: consistent, whole or absent, and clear about why not."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from ops import copies
from ops.copies import CopyError
from tests import postgresql


@pytest.fixture
def live(tmp_path: Path) -> Path:
    file = tmp_path / "live.db"
    with closing(sqlite3.connect(file)) as made, made:
        made.execute("PRAGMA journal_mode = wal")
        made.execute("CREATE TABLE pair (one, other)")
        made.executemany("INSERT INTO pair VALUES (?, ?)", ((n, "x" * 400) for n in range(20_000)))
    return file


def test_a_copy_made_while_others_write_is_of_one_moment(live: Path, tmp_path: Path) -> None:
    writer = sqlite3.connect(live, check_same_thread=False, timeout=10)
    steps = []

    def seen(done: int, total: int) -> None:  # a commit between all steps: the copy does not begin anew
        steps.append(done)
        with writer:
            writer.execute("INSERT INTO pair VALUES ('late', 'late')")

    copies.copy_sqlite(live, tmp_path / "copy.db", rest=0, seen=seen)
    writer.close()

    assert len(steps) > 5
    assert steps == sorted(steps)
    assert copies.check_sqlite(tmp_path / "copy.db") == []
    assert copies.rows_sqlite(tmp_path / "copy.db") == {"pair": 20_000}
    assert copies.rows_sqlite(live)["pair"] == 20_000 + len(steps)


def test_writers_go_on_while_it_is_copied(live: Path, tmp_path: Path) -> None:
    began, done = threading.Event(), threading.Event()

    def seen(*_: int) -> None:
        began.set()
        assert done.wait(60)

    copying = threading.Thread(target=copies.copy_sqlite, args=(live, tmp_path / "copy.db"), kwargs={"seen": seen})
    copying.start()
    assert began.wait(60)
    with closing(sqlite3.connect(live, timeout=0)) as writer, writer:
        writer.execute("DELETE FROM pair")
    done.set()
    copying.join()
    assert copies.rows_sqlite(tmp_path / "copy.db") == {"pair": 20_000}


def test_what_is_not_there_or_there_already_is_refused_and_leaves_nothing(live: Path, tmp_path: Path) -> None:
    with pytest.raises(CopyError, match="no file"):
        copies.copy_sqlite(tmp_path / "absent.db", tmp_path / "copy.db")
    with pytest.raises(CopyError, match="there already"):
        copies.copy_sqlite(live, live)
    (tmp_path / "text.db").write_text("these are no tables" * 100)
    with pytest.raises(CopyError, match="not a database"):
        copies.copy_sqlite(tmp_path / "text.db", tmp_path / "copy.db")
    assert {path.name for path in tmp_path.iterdir()} <= {"live.db", "live.db-wal", "live.db-shm", "text.db"}


def test_a_place_that_cannot_be_written_is_said(live: Path) -> None:
    with pytest.raises(CopyError, match="see its rights and free space"):
        copies.copy_sqlite(live, live / "copy.db")


def test_damage_is_found(live: Path, tmp_path: Path) -> None:
    copies.copy_sqlite(live, tmp_path / "copy.db")
    with (tmp_path / "copy.db").open("rb+") as file:
        file.seek(5 * 4096 + 8)
        file.write(b"\xff" * 64)
    assert copies.check_sqlite(tmp_path / "copy.db")


def test_programs_that_are_missing_or_too_old_are_said() -> None:
    with pytest.raises(CopyError, match="not installed"):
        copies.program("pg_nothing")
    if copies.DEBIAN.exists():
        with pytest.raises(CopyError, match="which it cannot read"):
            copies.program("pg_dump", 99)


def test_passwords_go_by_the_environment() -> None:
    given = copies.libpq(make_url("postgresql://me:p%40ss@db.test:5433/name?sslmode=require"))
    assert given["PGPASSWORD"] == "p@ss"
    assert (given["PGHOST"], given["PGPORT"], given["PGSSLMODE"]) == ("db.test", "5433", "require")


def test_a_dump_of_postgresql_fills_an_empty_database(postgres: str, postgres_template: str, tmp_path: Path) -> None:
    copies.dump(postgres.format(postgres_template), tmp_path / "main.dump")
    postgresql.create(postgres, "loaded", "template1")
    copies.load(tmp_path / "main.dump", postgres.format("loaded"))

    async def number() -> str:
        connection = await asyncpg.connect(host=make_url(postgres).query["host"], user="test", database="loaded")
        try:
            return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
        finally:
            await connection.close()

    assert asyncio.run(number())
    with pytest.raises(CopyError, match="already exists"):
        copies.load(tmp_path / "main.dump", postgres.format("loaded"))
    with pytest.raises(CopyError, match="does not exist"):
        copies.dump(postgres.format("absent"), tmp_path / "absent.dump")
    assert [path.name for path in tmp_path.iterdir()] == ["main.dump"]
