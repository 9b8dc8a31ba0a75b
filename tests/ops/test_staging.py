"""A staging copy: what is refused, and that nothing of it can be taken for the server."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from connectme import schema
from connectme.settings import Settings
from federation.origin import Origin
from ops import belonging, identity, incidents, staging, state
from ops.backup import create
from ops.backup.booting import Place as At
from ops.backup.booting import booted
from ops.backup.manifest import BackupError, Manifest
from ops.backup.places import Folder
from ops.change import engine
from ops.staging import Wanted
from store.tables import account_keys, accounts, deliveries, jobs, sessions, tokens, users
from tests import commands, people, postgresql
from tests.ops.test_backup import HERE, NOW, PAIR, _source

THERE = Origin("try.test", "https://try.test")
_names = (f"staging{number}" for number in itertools.count())


def _live(tx: Connection) -> None:
    alice = people.ours("alice", base=HERE.base_url)
    people.add(tx, alice)
    tx.execute(
        update(accounts).where(accounts.c.id == alice.id).values(note='<a href="https://ours.test/@alice">me</a>')
    )
    signed_in = {"account_id": alice.id, "csrf": "", "created_at": NOW, "seen_at": NOW, "agent": ""}
    tx.execute(insert(sessions), {"hash": b"1" * 32, **signed_in})
    tx.execute(insert(jobs), {"id": 1, "kind": "fetch_post", "key": "a", "payload": {}, "due": NOW, "attempts": 0})


@pytest.fixture
def saved(url: str, tmp_path: Path) -> tuple[Folder, Manifest, str]:
    """Where a backup is; what it is; an empty database for it, where it wants one."""
    source = _source(url, tmp_path / "data")
    engine.write(url, _live)
    place = Folder(tmp_path / "backups")
    return place, create.create(source, place, NOW), url


@pytest.fixture
def wanted(saved: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Wanted:
    database = ""
    if not saved[2].startswith("sqlite"):
        server = request.getfixturevalue("postgres")
        postgresql.create(server, name := next(_names), "template0")
        database = server.format(name)
    return Wanted(tmp_path / "staging", THERE, database)


def test_a_copy_is_another_server_with_other_keys_in_which_nobody_is_signed_in(
    saved: Any, wanted: Wanted, tmp_path: Path
) -> None:
    place, made, live = saved
    url = staging.create(place, made, wanted, "", NOW)

    def look(tx: Connection) -> Any:
        waits = [tx.execute(select(table)).all() for table in (sessions, tokens, jobs, deliveries)]
        keys = {row.id: row.private for row in tx.execute(select(account_keys))}
        alice = tx.execute(select(accounts).where(accounts.c.handle == "alice")).one()
        return waits, keys, alice, identity.seen(tx), len(tx.execute(select(users)).all())

    waits, keys, alice, seen, members = engine.read(url, look)
    old = engine.read(live, look)
    assert waits == [[], [], [], []]
    assert members == 1
    assert not set(keys.values()) & {*old[1].values(), PAIR.private}
    assert all(one.startswith("https://try.test/") for one in keys)
    assert (alice.uri, alice.inbox) == ("https://try.test/users/alice", "https://try.test/users/alice/inbox")
    assert alice.note == '<a href="https://try.test/@alice">me</a>'
    assert (seen.facts["domain"], seen.instance != old[3].instance) == ("try.test", True)
    assert old[0][0], "the server itself is as it was"
    assert belonging.recall(wanted.folder).instance == seen.instance
    assert incidents.all_of(wanted.folder / state.FOLDER)[0].title == staging.TITLE
    assert not (wanted.folder / "settings-of-backup.json").exists()
    assert not list(tmp_path.glob(".*unfinished"))
    if url.startswith("sqlite"):
        with booted(At(wanted.folder, url, THERE.domain, THERE.base_url)) as server:
            assert server.get("/actor", "application/activity+json")["id"].startswith("https://try.test/")
            assert server.public_key() != PAIR.public


def test_whatever_could_be_the_server_itself_is_refused(lite: Any, tmp_path: Path) -> None:
    _, made, data = lite
    wanted = Wanted(tmp_path / "staging", THERE)
    staging.refuse(wanted, data, HERE, made)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("mine")
    for folder, says in (
        (data, "in use"),
        (data / "x", "in use"),
        (tmp_path, "in use"),
        (tmp_path / "full", "not empty"),
    ):
        with pytest.raises(BackupError, match=says):
            staging.refuse(replace(wanted, folder=folder), data, HERE, made)
    elsewhere = Origin("moved.test", "https://moved.test")
    for origin in (HERE, Origin("try.test", HERE.base_url), elsewhere):
        with pytest.raises(BackupError, match="of the server itself; a copy needs another one"):
            staging.refuse(replace(wanted, origin=origin), data, elsewhere, made)


@pytest.fixture
def lite(sqlite_template: Path, tmp_path: Path) -> tuple[Folder, Manifest, Path]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "connectme.db").write_bytes(sqlite_template.read_bytes())
    source = _source(f"sqlite:///{data}/connectme.db", data)
    place = Folder(data / "backups")
    return place, create.create(source, place, NOW), data


def test_what_fails_in_the_midst_leaves_no_folder(lite: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, made, _ = lite
    wanted = Wanted(tmp_path / "staging", THERE)
    with monkeypatch.context() as broken:
        broken.setattr(identity, "identity", lambda _: None)
        with pytest.raises(BackupError, match="no copy was made"):
            staging.create(place, made, wanted, "", NOW)
    assert not wanted.folder.exists()
    (tmp_path / ".staging.unfinished").mkdir()  # of one that was killed
    staging.create(place, made, wanted, "", NOW)
    assert (wanted.folder / "connectme.db").exists()


def test_the_command_writes_settings_with_which_it_runs_and_reaches_nobody(
    lite: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"CONNECTME_DOMAIN": "ours.test", "CONNECTME_SMTP_URL": "smtp://mail.test"}
    said = [
        commands.run("staging", "create", "staging", "--domain", domain, env=env)
        for domain in ("ours.test", "try.test")
    ]
    assert (said[0].exit_code, "needs another one" in said[0].stderr) == (1, True)
    assert said[1].exit_code == 0, said[1].output
    file = tmp_path / "staging" / "connectme.toml"
    settings = Settings.load(file, {})
    assert (settings.domain, settings.outgoing, settings.smtp_url) == ("try.test", False, "")
    assert settings.data_dir == file.parent
    assert file.stat().st_mode & 0o077 == 0
    assert schema.look(settings).state == "current"
