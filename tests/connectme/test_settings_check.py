"""`connectme settings check FILE`: a wrong file is refused, with what to do, before it can do harm."""

import asyncio
import json
import os
import shutil
import socket
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from connectme.cli import main
from federation.keys import KeyPair
from ops import identity
from store.database import Database
from tests import postgresql
from tests.ops.doctoring import claimed, copied
from tests.people import OURS, rsa_pem


class Server:
    """One that ran, with its file of settings: `check("line", …)` tries another of these lines."""

    def __init__(self, home, url=None):
        self.home = home
        self.data = home / "data"
        self.data.mkdir(mode=0o700)
        self.url = url or f"sqlite:///{self.data / 'connectme.db'}"
        self.lines = {"domain": "ours.test", "data_dir": str(self.data), "database_url": self.url}
        self.write("connectme.toml", self.lines)

    def write(self, name, values):
        file = self.home / name
        file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        return file

    def check(self, *words, **values):
        wanted = {key: value for key, value in {**self.lines, **values}.items() if value is not None}
        new = self.write("new.toml", wanted)
        context = {"CONNECTME_CONFIG": None}
        names = ["--config", self.home / "connectme.toml", "settings", "check", new, *words]
        return CliRunner().invoke(main, [str(name) for name in names], env=context)

    def facts(self, *words, **values):
        done = self.check("--json", *words, **values)
        found = json.loads(done.stdout)
        assert done.exit_code == (0 if found["fit"] else 1)
        return found

    def ill(self, **values):
        """By id; what the machine of the tests brings along is left out."""
        found = {one["id"]: one for one in self.facts(**values)["findings"] if one["severity"] != "ok"}
        assert all(one["remedy"] for one in found.values())
        return {name: one for name, one in found.items() if name not in ("disk.room", "postgresql.durable")}


@pytest.fixture
def server(tmp_path, sqlite_template, origin):
    made = Server(tmp_path)
    copied(sqlite_template, made.data / "connectme.db")
    begin(made, origin)
    return made


def begin(made, origin):
    async def claims():
        async with await Database.open(made.url) as db:
            await claimed(db, made.data, origin, [KeyPair("rsa", *rsa_pem("server"))])

    asyncio.run(claims())


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"domian": "ours.test"}, "did you mean domain?"),
        ({"registrations": "none"}, "is not one of open, approval, closed"),
        ({"base_url": "http://ours.org"}, "plain http on a public name"),
        ({"web_processes": 2}, "SQLite takes one web and one worker process"),
        ({"ca_file": "/nowhere/ca.pem"}, "cannot be read"),
    ],
)
def test_what_no_server_could_start_with_is_refused_all_at_once(server, values, says):
    found = server.ill(**values)["settings.read"]
    assert says in found["evidence"]
    done = server.check(**values)
    assert done.exit_code == 1
    assert "must not be used: settings.read" in done.stderr


def test_a_file_that_is_not_there_or_is_no_toml_is_refused(server):
    server.check()
    for name, says in (("none.toml", "cannot be read"), ("bad.toml", "is not TOML")):
        (server.home / "bad.toml").write_text("domain = ours.test")
        config = str(server.home / "connectme.toml")
        done = CliRunner().invoke(main, ["--config", config, "settings", "check", str(server.home / name)])
        assert done.exit_code == 1
        assert says in done.stdout


def test_the_same_settings_are_fit_and_nothing_is_written(server):
    before = {path: path.stat().st_mtime_ns for path in server.home.rglob("*") if path.name != "new.toml"}
    assert server.ill() == {}
    assert "can take the place" in server.check().stdout
    after = {path: path.stat().st_mtime_ns for path in server.home.rglob("*")}
    assert {path: after[path] for path in before if path.is_file()} == {
        path: when for path, when in before.items() if path.is_file()
    }


def test_what_changes_is_shown_without_secrets(server):
    found = server.facts(title="Another", metrics_token="t0ken")
    assert found["changes"]["title"] == {"old": "ConnectMe", "new": "Another"}
    assert "t0ken" not in json.dumps(found)
    assert "TITLE" in server.check(title="Another").stdout


def test_an_empty_database_is_refused_though_the_data_folder_is_another(server):
    other = server.home / "other"
    for values in (
        {"database_url": f"sqlite:///{server.home}/empty.db"},
        {"data_dir": str(other), "database_url": None},
    ):
        found = server.ill(**values)
        assert "ours.test" in found["identity.lost"]["says"]
    assert found["settings.data_dir"]["severity"] == "error"
    assert not other.exists()
    assert not (server.home / "empty.db").exists()


def test_the_database_of_another_instance_is_refused(server, sqlite_template, origin):
    (server.home / "theirs").mkdir()
    copied(sqlite_template, server.home / "theirs" / "x.db")
    url = f"sqlite:///{server.home / 'theirs' / 'x.db'}"

    async def claims():
        async with await Database.open(url) as db:
            await db.write(identity.claim, origin)

    asyncio.run(claims())
    assert set(server.ill(database_url=url)) >= {"identity.other"}


def test_a_database_of_another_program_or_that_is_none_is_refused(server):
    with closing(sqlite3.connect(server.home / "x.db")) as connection:
        connection.execute("CREATE TABLE customer (id)")
    assert "identity.foreign" in server.ill(database_url=f"sqlite:///{server.home}/x.db")
    (server.home / "y.db").write_text("it is a text, and long enough to be looked at " * 99)
    assert "database.reads" in server.ill(database_url=f"sqlite:///{server.home}/y.db")


def test_another_domain_is_refused_also_while_the_database_is_away(server):
    for values in ({}, {"database_url": "postgresql://me:secret@127.0.0.1:1/x"}):
        found = server.ill(domain="other.test", base_url="https://other.test", **values)
        assert "made for ours.test" in found["identity.domain"]["says"]
    assert "secret" not in json.dumps(found)
    assert f"made for {OURS}" in server.ill(base_url="https://www.ours.test")["identity.domain"]["says"]


def test_a_moved_data_folder_is_taken(server):
    shutil.copytree(server.data, server.home / "moved")
    (server.home / "moved").chmod(0o700)
    assert server.ill(data_dir=str(server.home / "moved"), database_url=None) == {}


def test_folders_that_cannot_be_written_are_named(server, monkeypatch):
    shut = server.home / "shut"
    shut.mkdir()
    really = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: really(path, mode) and str(path) != str(shut))
    for name, folder in (("backup_store", shut / "backups"), ("status_dir", shut), ("bind", f"unix:{shut}/socket")):
        found = server.ill(**{name: str(folder)})["settings.folders"]
        assert found["says"].startswith(name.upper())
        assert str(shut) in found["says"]
    (server.home / "file").write_text("")
    assert "is no folder" in server.ill(status_dir=f"{server.home}/file/status")["settings.folders"]["says"]
    assert "is not there" in server.ill(bind=f"unix:{server.home}/none/socket")["settings.folders"]["says"]


def test_an_address_where_somebody_listens_is_refused_and_one_s_own_is_not(server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        assert "in use" in server.ill(bind=bind)["settings.bind"]["says"]
        server.lines["bind"] = bind
        server.write("connectme.toml", server.lines)
        assert server.ill() == {}
    assert server.ill(bind=bind.replace("127.0.0.1", "0.0.0.0")) == {}
    assert "settings.bind" in server.ill(bind="192.0.2.1:8000")


def test_what_would_be_missed_later_is_a_warning(server):
    server.lines["backup_passphrase"] = "correct horse"
    server.write("connectme.toml", server.lines)
    found = server.ill(backup_passphrase="another", media_store="s3://bucket")
    assert {found[name]["severity"] for name in ("settings.passphrase", "settings.media")} == {"warning"}


def test_a_check_by_root_for_another_user_says_what_it_cannot_tell(server, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    owner = server.data.stat().st_uid
    found = server.ill()
    assert ("settings.user" in found) == (owner != 0)


def test_a_mail_server_that_does_not_answer_is_told_but_offline(server):
    values = {"smtp_url": "smtp://127.0.0.1:1"}
    assert "network.smtp" in server.ill(**values)
    assert server.facts("--offline", **values)["fit"]


def test_settings_in_use_that_are_broken_are_no_reason_not_to_look(server):
    (server.home / "connectme.toml").write_text("nonsense = 1")
    assert server.ill() == {}
    assert "the new ones are looked at alone" in server.check().stderr
    assert "identity.domain" in server.ill(domain="other.test")


def test_postgresql_is_looked_at_as_the_doctor_does(tmp_path, postgres, postgres_template, origin):
    run = lambda url, *statements: asyncio.run(postgresql.do(url, *statements))  # noqa: E731
    run(postgres.format("postgres"), f'CREATE DATABASE "checked" TEMPLATE "{postgres_template}"')
    made = Server(tmp_path, postgres.format("checked"))
    begin(made, origin)
    assert made.ill() == {}
    assert "postgresql.connections" in made.ill(web_processes=60)
    assert "identity.lost" in made.ill(database_url=postgres.format("postgres"))
    run(made.url, 'CREATE ROLE "weak" LOGIN')
    try:
        found = made.ill(database_url=made.url.replace("test@", "weak@"))
        assert "lacks rights" in found["postgresql.rights"]["says"]
    finally:
        run(made.url, 'DROP OWNED BY "weak"', 'DROP ROLE "weak"')
