"""PostgreSQL that is set up wrongly, in each way: found, mended by the remedy, and well afterwards."""

import asyncio
import itertools
from datetime import UTC, datetime

import pytest

from connectme import examining, schema
from federation.keys import KeyPair
from ops.doctor import often
from store.database import Database
from tests import postgresql
from tests.ops.doctoring import Patient, claimed
from tests.people import rsa_pem

_names = itertools.count()


@pytest.fixture
def server(tmp_path, postgres, postgres_template, origin):
    """A server that ran, on a database of its own: `server.sql(…)`, as superuser."""
    name = f"doctor{next(_names)}"
    run(postgres.format("postgres"), f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
    made = Patient(tmp_path / "data", DATABASE_URL=postgres.format(name))
    made.name = name
    made.sql = lambda *statements: run(postgres.format(name), *statements)

    async def begin():
        async with await Database.open(made.settings.database_url) as db:
            await claimed(db, made.folder, origin, [KeyPair("rsa", *rsa_pem("server"))])

    asyncio.run(begin())
    made.sql("ALTER SYSTEM RESET ALL")
    return made


def run(url, *statements):
    asyncio.run(postgresql.do(url, *statements))


def ill(server):
    """But for durability, which the test's own server does without."""
    return {name: one for name, one in server.ill().items() if name != "postgresql.durable"}


def test_a_server_without_faults_is_well(server):
    assert ill(server) == {}
    assert "fsync is off" in server.ill()["postgresql.durable"].says


def test_one_that_does_not_answer_is_a_finding(tmp_path):
    server = Patient(tmp_path / "data", DATABASE_URL="postgresql://me:secret@127.0.0.1:1/x")
    found = server.ill()
    assert set(found) == {"postgresql.answers"}
    assert "secret" not in str(found)


def test_one_that_takes_no_more_connections_is_told_from_one_that_is_away(server, postgres):
    role = f"crowded_{server.name}"
    server.sql(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
    url = postgres.format(server.name).replace("test@", f"{role}@")
    found = ill(type(server)(server.folder, DATABASE_URL=url))
    assert set(found) == {"postgresql.full"}
    assert "too many connections for role" in found["postgresql.full"].evidence
    assert "pg_terminate_backend" in found["postgresql.full"].remedy


def test_an_empty_database_where_a_filled_one_was_is_refused(server, postgres):
    server.settings = Patient(server.folder, DATABASE_URL=postgres.format("postgres")).settings
    assert "database postgres is empty or missing" in ill(server)["identity.lost"].says


@pytest.mark.parametrize(
    ("fault", "check", "remedy"),
    [
        (
            'ALTER DATABASE "{}" SET default_transaction_read_only = on',
            "postgresql.writable",
            'SET default_transaction_read_only = off; ALTER DATABASE "{}" RESET default_transaction_read_only',
        ),
        (
            "ALTER DATABASE \"{}\" SET default_transaction_isolation = 'serializable'",
            "postgresql.isolation",
            'ALTER DATABASE "{}" RESET default_transaction_isolation',
        ),
        (
            "ALTER DATABASE \"{}\" SET statement_timeout = '4s'",
            "postgresql.timeouts",
            'ALTER DATABASE "{}" RESET statement_timeout',
        ),
        (
            'ALTER DATABASE "{}" CONNECTION LIMIT 20',
            "postgresql.connections",
            'ALTER DATABASE "{}" CONNECTION LIMIT -1',
        ),
        (
            "ALTER TABLE poll DISABLE TRIGGER ALL",
            "postgresql.constraints",
            "ALTER TABLE poll ENABLE TRIGGER ALL",
        ),
        ("DROP INDEX ix_account_host", "schema.parts", None),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_account_host'::regclass",
            "postgresql.indexes",
            None,
        ),
        ("DROP INDEX uq_post_boost", "schema.needed", None),
        ("ALTER TABLE job DROP CONSTRAINT uq_job_key", "schema.needed", None),
        ("ALTER TABLE rule ADD COLUMN colour text", "schema.drift", "ALTER TABLE rule DROP COLUMN colour"),
    ],
    ids=lambda value: value if str(value).startswith(("postgresql.", "schema.")) else "",
)
def test_a_fault_is_found_and_mended(server, fault, check, remedy):
    server.sql(fault.format(server.name))
    found = ill(server)
    assert set(found) == {check}
    assert bool(server.refuses()) == (check == "schema.needed"), server.refuses()
    assert not found[check].remedy.count("{")
    if remedy is None:
        assert "not done" not in server.fix()[check]
    else:
        server.sql(*remedy.format(server.name).split("; "))
    assert ill(server) == {}


def test_a_timeout_that_ends_all_is_named(server):
    """Also those of the doctor himself."""
    server.sql(f"ALTER DATABASE \"{server.name}\" SET statement_timeout = '1ms'")
    found = ill(server)
    assert set(found) == {"postgresql.timeouts"}, [one.evidence for one in found.values()]
    assert f'ALTER DATABASE "{server.name}" RESET statement_timeout' in found["postgresql.timeouts"].remedy
    server.sql(f'ALTER DATABASE "{server.name}" RESET statement_timeout')
    assert ill(server) == {}


def test_a_server_does_not_start_on_a_table_that_lost_a_column(server):
    assert server.refuses() == ""
    server.sql("ALTER TABLE rule DROP COLUMN hint")
    assert "1 parts are missing: rule.hint" in server.refuses()
    said = server.serves()
    assert "1 parts are missing: rule.hint" in said
    assert "connectme backup restore" in said
    server.sql("DROP TABLE rule")
    assert "1 parts are missing: rule;" in server.refuses()


def test_a_role_without_rights_is_told_which(server, postgres):
    role = f"role_{server.name}"
    server.sql(f'CREATE ROLE "{role}" LOGIN')
    try:
        url = server.settings.database_url.replace("test@", f"{role}@")
        server.settings = Patient(server.folder, DATABASE_URL=url).settings
        found = ill(server)["postgresql.rights"]
        assert "SELECT on account" in found.says
        server.sql(
            f'GRANT USAGE, CREATE ON SCHEMA public TO "{role}"',
            f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}"',
            f'GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{role}"',
        )
        assert ill(server) == {}
    finally:
        server.sql(f'DROP OWNED BY "{role}"', f'DROP ROLE "{role}"')


def test_what_a_server_process_found_is_told_by_the_supervisor_for_a_while(server):
    server.sql("DROP INDEX ix_account_host")
    asyncio.run(examining.look(server.settings, schema.newest()))
    assert "ix_account_host" in server.minute()["schema.parts"].says
    later = datetime.now(UTC) + often.FRESH
    assert not any(one.id == "schema.parts" for one in often.look(server.settings, schema.newest(), later))
    server.fix()
    assert ill(server) == {}
    asyncio.run(examining.look(server.settings, schema.newest()))
    assert set(server.minute()) <= {"postgresql.durable"}


def test_another_encoding_is_refused_at_the_start(server, postgres):
    run(postgres.format("postgres"), "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(schema.CannotUse, match=r"SQL_ASCII.*DATABASE_URL"):
        schema.look(Patient(server.folder, DATABASE_URL=postgres.format("ascii")).settings)


def test_another_encoding_is_found(server, postgres, tmp_path):
    run(postgres.format("postgres"), "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    other = Patient(tmp_path / "other", DATABASE_URL=postgres.format("latin"))
    assert "LATIN1" in other.ill()["postgresql.encoding"].says


def test_a_collation_of_another_version_is_found_and_refreshed(server):
    server.sql(f"UPDATE pg_database SET datcollversion = '1' WHERE datname = '{server.name}'")
    found = ill(server)["postgresql.collation"]
    assert found.says.startswith("the collation of the database changed from version 1")
    assert f'REINDEX DATABASE "{server.name}"' in found.remedy
    server.sql(f"UPDATE pg_database SET datcollversion = NULL WHERE datname = '{server.name}'")
    assert ill(server) == {}
