"""Moving the database to the other engine: every kind of value arrives, and whatever goes wrong, nothing was moved."""

import asyncio
import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Table,
    Text,
    insert,
    inspect,
    make_url,
    select,
    text,
)

import migrations
from connectme import lock, schema
from connectme.settings import Settings
from federation.origin import Origin
from ops import identity
from ops.change import engine, progress
from ops.change.place import NotChanged, Place
from ops.move import ends, moving, values
from ops.move.values import Sum
from social import fulltext
from store.tables import accounts, facts, metadata, posts, unindexed
from store.tables.base import Instant, Json
from store.tables.posts import blank_post
from tests import commands, postgresql
from tests.people import remote

ODD = "Zo\u00eb \U0001f989 \U0010ffff \u202e '; DROP \\ \"{}\n"
_names = (f"moved{number}" for number in itertools.count())
HERE = Origin("ours.test", "https://ours.test")


_EDGES: dict[type[Any], Callable[[int], Any]] = {
    Boolean: lambda number: number % 2 == 0,
    Instant: lambda number: datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - timedelta(microseconds=number),
    Json: lambda number: {ODD: [number, None, True, 0.1, "\0"]},
    LargeBinary: lambda number: bytes(range(256)) + number.to_bytes(2),
    Float: lambda number: [-0.0, 0.1, 1e300][number % 3],
    BigInteger: lambda number: (1 << 63) - 1 - number,
    Integer: lambda number: (1 << 31) - 1 - number,
    Text: lambda number: f"{ODD}{number}",
}


def some(column: Column[Any], number: int) -> Any:
    """A value of that kind, at its edges."""
    if column.nullable and number == 1:
        return None
    return next(make for kind, make in _EDGES.items() if isinstance(column.type, kind))(number)


def fill(tx: Connection) -> None:
    """Three rows in each table; what names another row names one that is there, also of a later one."""
    for table in metadata.sorted_tables:
        tx.execute(insert(table), [_row(table, number) for number in range(3)])


def _row(table: Table, number: int) -> dict[str, Any]:
    row = {column.key: some(column, number) for column in table.columns}
    for column in table.columns:
        if column.foreign_keys and row[column.key] is not None:
            row[column.key] = some(_root(column), 2 - number if column.table.c.get("parent_id") is column else number)
    return row


def _root(column: Column[Any]) -> Column[Any]:
    for key in column.foreign_keys:
        return _root(key.column) if key.column is not column else column
    return column


def place_of(url: str, tmp_path: Path) -> Place:
    return Place(url, tmp_path, f"sqlite:///{tmp_path}/spool.db", "1.0")


def empty_postgresql(postgres: str) -> str:
    postgresql.create(postgres, name := next(_names), "template0")
    return postgres.format(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database that nobody else is connected to."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "test.db")
        return f"sqlite:///{tmp_path}/test.db"
    server = request.getfixturevalue("postgres")
    postgresql.create(server, name := next(_names), request.getfixturevalue("postgres_template"))
    return str(server).format(name)


@pytest.fixture
def target(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """An empty database of the other kind."""
    if not url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/new/moved.db"
    return empty_postgresql(request.getfixturevalue("postgres"))


def moved(url: str, target: str, tmp_path: Path) -> moving.Moved:
    return moving.move(place_of(url, tmp_path), target, lambda *_: None)


def everything(url: str) -> dict[str, list[Any]]:
    """As the server reads it."""

    def read(tx: Connection) -> dict[str, list[Any]]:
        return {
            name: sorted(map(tuple, tx.execute(select(table))), key=repr) for name, table in metadata.tables.items()
        }

    return engine.read(url, read)


def is_empty(target: str) -> bool:
    if target.startswith("sqlite"):
        return not Path(target.removeprefix("sqlite:///")).exists()
    return engine.read(target, lambda tx: inspect(tx).get_table_names()) == []


def test_every_table_arrives_on_the_other_engine_and_comes_back_the_same(
    url: str, target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    engine.write(url, fill)
    before, steps = everything(url), []
    done = moving.move(place_of(url, tmp_path), target, lambda *step: steps.append(step))

    assert everything(target) == before == everything(url)
    assert done.rows == dict.fromkeys(metadata.tables, 3)
    assert {table for table, *_ in steps} == set(metadata.tables)
    assert done.mended == 0
    assert engine.read(target, migrations.differences) == []
    back = f"sqlite:///{tmp_path}/back.db"
    if target.startswith("sqlite"):
        back = empty_postgresql(request.getfixturevalue("postgres"))
    again = moved(target, back, tmp_path)
    assert (again.sums, everything(back)) == (done.sums, before)


def posted(tx: Connection) -> None:
    bob = remote("bob", indexable=True)
    tx.execute(insert(accounts), asdict(bob))
    for number, said in ((7, "a heron"), (8, "an owl")):
        values = blank_post(uri=f"https://far.test/{number}", author_id=bob.id, html=f"<p>{said}</p>", id=number,
                            local=False, visibility="public",
                            published=datetime(2026, 1, 1, tzinfo=UTC))  # fmt: skip
        tx.execute(insert(posts), {**values, "thread_id": number})
    fulltext.ask(tx, [7])
    fulltext.work(tx)


def test_the_database_is_still_the_one_of_this_server_and_what_was_found_by_words_is_found_again(
    url: str, target: str, tmp_path: Path
) -> None:
    engine.write(url, lambda tx: identity.claim(tx, HERE))
    engine.write(url, posted)
    known = engine.read(url, identity.identity)
    moved(url, target, tmp_path)

    assert engine.read(target, identity.identity) == known
    engine.read(target, lambda tx: identity.check(tx, HERE, known))
    assert engine.read(target, lambda tx: tx.scalars(select(unindexed.c.post_id)).all()) == [7]
    engine.write(target, fulltext.work)
    assert engine.read(target, lambda tx: list(ends.indexed(tx))) == [[7]]


@pytest.fixture
def lite(sqlite_template: Path, tmp_path: Path) -> Path:
    file = tmp_path / "lite.db"
    file.write_bytes(sqlite_template.read_bytes())
    return file


def test_what_postgresql_cannot_keep_is_told_and_the_rest_of_the_text_stays(
    lite: Path, postgres: str, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(lite)) as raw, raw:
        raw.execute("INSERT INTO fact VALUES ('nul', 'a' || char(0) || 'b')")
        raw.execute("INSERT INTO fact VALUES ('surrogate', 'a' || CAST(x'eda080' AS TEXT) || 'b')")
    done = moved(f"sqlite:///{lite}", target := empty_postgresql(postgres), tmp_path)
    found = dict(engine.read(target, lambda tx: tx.execute(select(facts.c.name, facts.c.value)).all()))
    assert found == {"nul": "ab", "surrogate": "a���b"}
    assert done.mended == 2


def test_what_fails_in_the_midst_leaves_the_target_empty_and_the_same_command_begins_anew(
    url: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.write(url, fill)

    def killed(table: str, *_: int) -> None:
        if table == "post":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving.move(place_of(url, tmp_path), target, killed)
    assert is_empty(target)
    with monkeypatch.context() as lying:
        lying.setattr(Sum, "__eq__", lambda *_: False)
        lying.setattr(Sum, "__ne__", lambda *_: True, raising=False)
        with pytest.raises(NotChanged, match=r"nothing was moved: .* had 3 rows"):
            moved(url, target, tmp_path)
    assert is_empty(target)
    moved(url, target, tmp_path)
    assert everything(target) == everything(url)


def test_a_server_that_is_stopped_in_the_midst_is_told_in_a_line(lite: Path, postgres: str, tmp_path: Path) -> None:
    target, url = empty_postgresql(postgres), f"sqlite:///{lite}"
    engine.write(url, fill)
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"

    def stopped(table: str, *_: int) -> None:
        if table == "post":  # from elsewhere: this thread has a loop that waits for it
            work = postgresql.do(postgres.format("postgres"), end_all.format(make_url(target).database))
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, work).result()

    with pytest.raises(NotChanged, match="the connection to the database was lost"):
        moving.move(place_of(url, tmp_path), target, stopped)
    assert is_empty(target)


def test_a_target_that_is_not_empty_is_refused_and_not_touched(url: str, target: str, tmp_path: Path) -> None:
    if target.startswith("sqlite"):
        file = Path(target.removeprefix("sqlite:///"))
        file.parent.mkdir()
        file.write_text("mine")
        with pytest.raises(NotChanged, match="is there already"):
            moved(url, target, tmp_path)
        assert file.read_text() == "mine"
    else:
        engine.write(target, lambda tx: tx.execute(text("CREATE TABLE mine (id int)")))
        with pytest.raises(NotChanged, match=r"not empty .it has a table mine"):
            moved(url, target, tmp_path)
        assert engine.read(target, lambda tx: inspect(tx).get_table_names()) == ["mine"]


def test_an_older_or_half_changed_database_is_refused(url: str, target: str, tmp_path: Path) -> None:
    progress.tell(tmp_path, progress.begun("upgrade", "migrating", version="1.0"))
    with pytest.raises(NotChanged, match="db upgrade"):
        moved(url, target, tmp_path)
    progress.tell(tmp_path, progress.begun("upgrade", "done", version="1.0"))
    engine.write(url, lambda tx: migrations.downgrade(tx, "-1"))
    with pytest.raises(NotChanged, match="run `connectme db upgrade` first"):
        moved(url, target, tmp_path)
    assert is_empty(target)


def test_the_same_engine_is_refused_with_the_way_that_does_it(lite: Path, tmp_path: Path) -> None:
    with pytest.raises(NotChanged, match="copy DATA_DIR"):
        moved(f"sqlite:///{lite}", f"sqlite:///{tmp_path}/other.db", tmp_path)
    with pytest.raises(NotChanged, match="make a backup"):
        moved("postgresql://a/b", "postgresql://a/c", tmp_path)


def test_damage_and_wrong_targets_are_refused_before_anything_is_written(
    lite: Path, postgres: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{lite}"
    with pytest.raises(NotChanged, match="does not exist"):
        moved(url, postgres.format("nowhere"), tmp_path)
    with closing(sqlite3.connect(lite)) as raw, raw:
        raw.execute("INSERT INTO visit (week, account_id) VALUES (1, 2)")
    with pytest.raises(NotChanged, match=r"a row of visit names one of .* run `connectme db check`"):
        moved(url, target := empty_postgresql(postgres), tmp_path)
    assert is_empty(target)


def test_a_number_that_does_not_fit_is_said_with_its_table_and_row(lite: Path, postgres: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(lite)) as raw, raw:
        raw.execute("INSERT INTO rule (id, position, text, hint) VALUES (77, 4294967296, '', '')")
    with pytest.raises(NotChanged, match=r"nothing was moved: of rule, the rows \[77\] to \[77\]: .*int32"):
        moved(f"sqlite:///{lite}", target := empty_postgresql(postgres), tmp_path)
    assert is_empty(target)


def test_others_who_use_a_postgresql_stop_the_move(postgres: str, postgres_template: str, tmp_path: Path) -> None:
    import asyncpg  # noqa: PLC0415

    postgresql.create(postgres, name := next(_names), postgres_template)
    url = postgres.format(name)

    async def while_used() -> None:
        connection = await asyncpg.connect(url)
        try:
            await asyncio.to_thread(moved, url, f"sqlite:///{tmp_path}/new.db", tmp_path)
        finally:
            await connection.close()

    with pytest.raises(NotChanged, match="1 other connections use the database"):
        asyncio.run(while_used())


@given(st.lists(st.text(st.characters()), max_size=5))
def test_any_text_gives_a_sum_or_is_made_fit(texts: list[str]) -> None:
    rows = [(number, one) for number, one in zip(itertools.count(), texts, strict=False)]
    whole, turned = Sum(), Sum()
    whole.add(rows)
    turned.add(reversed(rows))
    assert whole == turned
    far = object.__new__(ends.PostgreSQL)
    far.mended = 0
    fit = far.fit(rows)
    assert all("\0" not in one for _, one in fit)
    assert far.mended == sum("\0" in one for one in texts)
    assert [one.replace("\0", "") for one in texts] == [one for _, one in fit]


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_the_same_on_both_engines(at: datetime) -> None:
    assert values.moment(values.ticks(at)) == at


@pytest.fixture
def run(tmp_path: Path, lite: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "data").mkdir()
    lite.rename(tmp_path / "data" / "connectme.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONNECTME_DOMAIN", "ours.test")
    return partial(commands.run, "db", "move")


def test_the_command_says_which_line_to_change_or_changes_it(run: Any, postgres: str, tmp_path: Path) -> None:
    settings = tmp_path / "connectme.toml"
    settings.write_text('# ours\ntitle = "Here"\nDATABASE_URL = "sqlite:///data/connectme.db"  # old\n')
    settings.chmod(0o640)
    url = empty_postgresql(postgres)
    said = run(env={"MOVE_TO": url})
    assert said.exit_code == 0, said.output
    assert f'database_url = "{url}"' in said.stdout
    assert "rows of" in said.stdout
    assert "DATABASE_URL" in settings.read_text()
    said = run("--to", other := empty_postgresql(postgres), "--switch", "--json")
    assert (said.exit_code, json.loads(said.stdout)["switched"]) == (0, True), said.output
    assert settings.read_text() == f'# ours\ntitle = "Here"\ndatabase_url = "{other}"\n'
    assert settings.stat().st_mode & 0o777 == 0o640
    assert "# old" in (tmp_path / "connectme.toml.before-move").read_text()
    assert schema.look(Settings.load()).state == "current"


def test_the_command_refuses_before_anything_is_moved(run: Any, postgres: str, tmp_path: Path) -> None:
    url = postgres.format("nowhere")  # so what is not refused before fails there
    assert run().exit_code == 2
    assert "is not a database ConnectMe knows" in run("--to", "mysql://x/y").stderr
    with lock.alone(Settings.load()):
        assert "stop it" in run("--to", url).stderr
    assert "not from a file" in run("--to", url, "--switch", env={"CONNECTME_DATABASE_URL": "sqlite:///x.db"}).stderr
    (tmp_path / "connectme.toml").write_text('title = """\ndatabase_url = 1\n"""\n')
    assert "does not change" in run("--to", url, "--switch").stderr
    said = run("--to", f"sqlite:///{tmp_path}/new.db", env={"CONNECTME_WEB_PROCESSES": "3"})
    assert "SQLite takes one web" in said.stderr
    assert not (tmp_path / "new.db").exists()
