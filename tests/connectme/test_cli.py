"""What people and scripts rely on: exit status, one line on standard error, facts as JSON."""

import json
import os
import shutil
import sqlite3

import click
import pytest

from connectme import lock
from connectme.cli import COMMANDS, main
from connectme.cli.common import Context
from connectme.lock import alone
from connectme.settings import Settings
from tests import commands, samples
from tests.connectme.test_settings import ROOT


@pytest.fixture
def run(tmp_path, monkeypatch, sqlite_template):
    """`run("account", "list")`: on a server of its own whose database is migrated.  Its result has exit_code …"""
    (tmp_path / "data").mkdir()
    shutil.copy(sqlite_template, tmp_path / "data" / "connectme.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONNECTME_DOMAIN", "ours.test")
    return commands.run


@pytest.fixture
def alice(run):
    result = run("account", "create", "alice", "--email", "alice@ours.test", "--password", "correct horse")
    assert result.exit_code == 0, result.output


def facts(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def all_commands(group=main, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, (*path, name))
        elif not command.hidden:
            yield (*path, name)


@pytest.mark.parametrize(
    "words",
    [
        ["serv"],
        ["--set", "domain", "settings"],
        ["serve", "--port", "1"],
        ["account"],
        ["account", "make"],
        ["account", "create"],
        ["account", "create", "alice"],
        ["account", "create", "alice", "--email", "a@ours.test", "--role", "king"],
        ["account", "set-role", "alice", "king"],
        ["token", "create"],
        ["token", "create", "alice", "--scopes", "everything"],
        ["token", "create", "alice", "--scopes", ""],
        ["host", "block"],
        ["host", "import"],
        ["text", "set", "motto", "-"],
        ["text", "set", "terms", "-", "--from", "soon"],
        ["db", "draft", " "],
        ["setup", "--name", "alice"],
    ],
)
def test_wrong_usage_is_exit_status_2_and_says_what_is_wrong(run, words):
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["account", "show", "nobody"], "No such account"),
        (["account", "show", "not a handle"], "No such account"),
        (["account", "create", "a b", "--email", "a@ours.test"], "A name has 1 to 30"),
        (["account", "create", "admin", "--email", "a@ours.test"], "reserved"),
        (["account", "create", "bob", "--email", "nowhere"], "no e-mail address"),
        (["account", "create", "bob", "--email", "b@ours.test", "--password", "short"], "8 to 256 characters"),
        (["account", "set-password", "nobody", "--password", "long enough"], "No such account"),
        (["account", "set-role", "nobody", "admin"], "No such account"),
        (["account", "suspend", "nobody"], "No such account"),
        (["account", "delete", "nobody"], "No such account"),
        (["account", "delete", "bob@far.test"], "No such account"),
        (["token", "create", "nobody"], "No such account"),
        (["host", "block", "not a host"], "no host name"),
        (["host", "unblock", "far.test"], "there is no limit on far.test"),
        (["host", "import", "none.csv"], "cannot be read"),
        (["network", "unblock", "nowhere"], "is no address"),
        (["network", "unblock", "192.0.2.0/24"], "there is no block on 192.0.2.0/24"),
        (["--config", "none.toml", "settings"], "cannot be read"),
        (["--set", "domian=x", "settings"], "did you mean --domain?"),
        (["--set", "registrations=none", "account", "list"], "is not one of open, approval, closed"),
    ],
)
def test_what_cannot_be_done_is_exit_status_1_and_a_line(run, words, says):
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert says in result.stderr


def test_a_flag_that_was_not_given_takes_nothing_back():
    before = Context(None, {"bind": "127.0.0.1:9000", "domain": "ours.test"})
    assert before.settings(bind=None).bind == "127.0.0.1:9000"
    assert before.settings(bind="127.0.0.1:9001").bind == "127.0.0.1:9001"


def test_what_the_system_refuses_is_exit_status_1_and_a_line(run, tmp_path):
    (tmp_path / "data" / "backup.lock").mkdir()
    result = run("backup", "create")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path / 'data' / 'backup.lock'}: Is a directory; ")


def test_a_database_from_a_newer_version_is_refused(run, tmp_path):
    connection = sqlite3.connect(tmp_path / "data" / "connectme.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    for words in (["account", "list"], ["db", "status"], ["db", "upgrade"]):
        result = run(*words)
        assert result.exit_code == 1
        assert "install the version that made it" in result.stderr


def test_a_database_from_an_older_version_is_refused_until_it_is_migrated(run, tmp_path):
    (tmp_path / "data" / "connectme.db").unlink()
    connection = sqlite3.connect(tmp_path / "data" / "connectme.db")
    connection.executescript(
        "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('0000')"
    )
    connection.close()
    result = run("account", "list")
    assert result.exit_code == 1
    assert "run `connectme db upgrade`" in result.stderr
    assert run("db", "status").exit_code == 1


def test_a_file_that_is_not_a_database_is_refused(run, tmp_path):
    (tmp_path / "data" / "connectme.db").write_text("it is a text, and long enough to be looked at " * 9)
    result = run("account", "list")
    assert result.exit_code == 1
    assert "is it the right file?" in result.stderr


def test_a_database_of_another_program_is_refused(run, tmp_path):
    (tmp_path / "data" / "connectme.db").unlink()
    connection = sqlite3.connect(tmp_path / "data" / "connectme.db")
    connection.execute("CREATE TABLE customer (id)")
    connection.close()
    result = run("db", "upgrade")
    assert result.exit_code == 1
    assert "not ConnectMe's" in result.stderr


def test_a_database_that_was_made_for_another_domain_is_refused(run, alice, monkeypatch):
    monkeypatch.setenv("CONNECTME_DOMAIN", "theirs.test")
    for words in (["account", "list"], ["account", "create", "bob", "--email", "bob@theirs.test"]):
        result = run(*words)
        assert result.exit_code == 1
        assert "made for ours.test" in result.stderr


def test_a_name_or_address_is_given_once(run, alice):
    for name, email in (("alice", "other@ours.test"), ("other", "ALICE@ours.test")):
        result = run("account", "create", name, "--email", email)
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1


def test_a_server_that_has_people_is_not_set_up_again(run, alice):
    result = run("setup", "--name", "bob", "--email", "bob@ours.test")
    assert result.exit_code == 1
    assert "this server is set up" in result.stderr


def test_every_command_has_help_with_an_example_and_stands_in_the_documents(run):
    documents = (ROOT / "docs/admin/commands.md").read_text()
    found = list(all_commands())
    assert ("serve",) in found
    assert ("account", "create") in found
    for path in found:
        help_text = run(*path, "--help")
        assert help_text.exit_code == 0
        assert f"Example:\n  connectme {' '.join(path)}" in help_text.stdout.replace("\n    ", "\n  "), path
        assert path[-1] in documents, path


def test_help_of_all_names_every_command(run):
    shown = run("--help").stdout
    assert [name for name in COMMANDS if f"\n  {name} " not in shown] == []


def test_an_account_is_made_shown_changed_and_deleted(run, alice):
    assert facts(run("account", "show", "@alice@ours.test", "--json"))["uri"] == "https://ours.test/users/alice"
    made = facts(run("account", "create", "bob", "--email", "bob@ours.test", "--role", "admin", "--json"))
    assert len(made["password"]) >= 20
    people = {person["name"]: person for person in facts(run("account", "list", "--json"))}
    assert [people[name]["role"] for name in ("alice", "bob")] == ["member", "admin"]
    assert run("account", "set-role", "alice", "moderator").exit_code == 0
    assert run("account", "set-password", "alice", "--password", "another horse").exit_code == 0
    assert run("account", "suspend", "alice").exit_code == 0
    assert facts(run("account", "show", "alice", "--json"))["state"] == "suspended"
    assert run("account", "unsuspend", "alice").exit_code == 0
    assert facts(run("account", "show", "alice", "--json"))["role"] == "moderator"
    assert run("account", "delete", "alice", "--yes").exit_code == 0
    assert facts(run("account", "show", "alice", "--json"))["state"] == "deleted"
    assert "NAME" in run("account", "list").stdout
    assert "active" in run("account", "show", "bob").stdout


def test_a_token_is_printed_alone(run, alice):
    result = run("token", "create", "alice")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.split()) == 1
    assert facts(run("token", "create", "alice", "--scopes", "read", "--app", "x", "--json"))["scopes"] == "read"


def test_limits_on_hosts_are_set_lifted_imported_and_exported(run, tmp_path):
    for word, level in (("block", "block"), ("limit", "limit"), ("allow", "allow")):
        assert run("host", word, f"{word}.TEST", "--comment", "why").stdout == f"{word}.test: {level}\n"
    said = run("host", "noop", "odd.test", "--reject-media", "--obfuscate", "--private-comment", "x").stdout
    assert said == "odd.test: noop, no files, obfuscated\n"
    assert facts(run("host", "list", "--json"))[-1]["private_comment"] == "x"
    assert run("host", "unblock", "odd.test").exit_code == 0
    (tmp_path / "more.csv").write_text("#domain,#severity\nblock.test,suspend\nnew.test,silence\n")
    assert facts(run("host", "import", "more.csv", "--json")) == {"read": 2, "changed": 2, "skipped": []}
    assert run("host", "unblock", "limit.test").exit_code == 0
    levels = {one["host"]: one["level"] for one in facts(run("host", "list", "--json"))}
    assert levels == {"allow.test": "allow", "block.test": "block", "new.test": "limit"}
    exported = run("host", "export").stdout
    assert "new.test,silence" in exported
    assert facts(run("host", "import", "-", "--json", input=exported))["changed"] == 0


def test_a_list_with_a_line_that_cannot_be_used_costs_that_line(run, tmp_path):
    (tmp_path / "list.csv").write_text("good.test\nnot a host\n")
    result = run("host", "import", "list.csv")
    assert result.exit_code == 1
    assert "1 lines could not be used: line 2" in result.stderr
    assert [one["host"] for one in facts(run("host", "list", "--json"))] == ["good.test"]


def test_deliveries_are_counted_listed_retried_and_dropped(run):
    none = {"waiting": 0, "hosts": 0, "failing_hosts": 0, "oldest": None, "held_since": None}
    assert facts(run("delivery", "stats", "--json")) == none
    assert facts(run("delivery", "list", "--host", "far.test", "--json")) == []
    assert facts(run("delivery", "retry", "--host", "far.test", "--json")) == {"hosts": 0}
    assert facts(run("delivery", "drop", "--yes", "--json")) == {"dropped": 0}
    assert run("delivery", "stats").exit_code == 0
    assert run("delivery", "list").exit_code == 0


def test_what_needs_no_change_needs_no_stopped_server(run, tmp_path):
    with lock.alone(Settings.load()):
        assert facts(run("db", "upgrade", "--json"))["state"] == "current"
        assert run("db", "plan").stdout == "there is nothing to do\n"
        assert run("db", "rollback", "--yes").exit_code == 1


def test_all_posts_are_looked_at_again(run):
    assert facts(run("search", "reindex", "--json")) == {"rounds": 0}
    assert "looked at again" in run("search", "reindex").stdout


def test_the_database_tells_where_it_is_and_is_brought_to_the_newest(run, tmp_path):
    (tmp_path / "data" / "connectme.db").unlink()
    assert run("db", "status").exit_code == 1
    done = facts(run("db", "upgrade", "--json"))
    assert done["from"] is None
    assert done["state"] == "current"
    assert facts(run("db", "status", "--json"))["state"] == "current"
    assert run("db", "upgrade", "--if-needed").stdout == ""


def test_settings_are_shown_with_where_they_came_from_and_without_secrets(run):
    shown = facts(run("--set", "metrics_token=t0ken", "settings", "--json"))
    assert shown["domain"] == {"value": "ours.test", "source": "environment"}
    assert shown["metrics_token"] == {"value": "…", "source": "flag"}
    assert shown["bind"]["source"] == "default"
    assert "DOMAIN" in run("settings").stdout


def test_the_version_is_told(run):
    assert set(facts(run("version", "--json"))) == {"connectme", "python", "platform"}
    assert run("version").stdout.startswith("ConnectMe ")
    assert run("--version").exit_code == 0


def test_setup_names_the_server_and_makes_its_owner(run, tmp_path, monkeypatch):
    monkeypatch.delenv("CONNECTME_DOMAIN")
    words = ["setup", "--domain", "example.org", "--name", "alice", "--email", "alice@example.org", "--json"]
    made = facts(run(*words))
    assert (made["domain"], made["owner"]) == ("example.org", "alice")
    assert (tmp_path / "connectme.toml").read_text() == 'domain = "example.org"\n'
    shown = facts(run("account", "show", "alice", "--json"))
    assert (shown["role"], shown["uri"]) == ("owner", "https://example.org/users/alice")


def test_setup_says_nothing_of_settings_that_say_so_and_sees_a_server_that_runs(run, tmp_path, monkeypatch):
    monkeypatch.delenv("CONNECTME_DOMAIN")
    file = tmp_path / "x.toml"
    file.write_text('domain = "example.org"\n')
    owner = ["--name", "alice", "--email", "alice@example.org", "--password", "correct horse"]
    with alone(Settings.load(file)):
        made = run("--config", file, "setup", "--domain", "example.org", *owner)
    assert made.stderr == ""
    assert made.stdout.endswith("the server runs already: sign in at https://example.org\n")
    assert not (tmp_path / "connectme.toml").exists()


def test_setup_names_the_file_that_is_read(run, tmp_path, monkeypatch):
    monkeypatch.delenv("CONNECTME_DOMAIN")
    file = tmp_path / "x.toml"
    file.write_text('title = "Ours"\n')
    made = run("--config", file, "setup", "--domain", "example.org", "--name", "alice", "--email", "alice@example.org")
    assert f"put this into {file}" in made.stderr
    assert made.stdout.endswith("now: connectme serve\n")
    assert not (tmp_path / "connectme.toml").exists()


def test_files_are_counted_compared_and_pruned(run, tmp_path):
    assert facts(run("media", "stats", "--json"))["files"] == 0
    store, name = tmp_path / "data" / "media" / "aa", "a" * 32 + ".jpg"
    store.mkdir(parents=True)
    (store / name).write_bytes(b"12345")
    assert facts(run("media", "stats", "--json"))["bytes"] == 5
    assert facts(run("media", "check", "--json"))["unused"] == []  # its row may not be written yet
    os.utime(store / name, (0, 0))
    assert facts(run("media", "check", "--json"))["unused"] == [name]
    assert facts(run("media", "check", "--remove", "--json"))["removed"]
    assert not (store / name).exists()
    assert facts(run("media", "prune", "--cache", "--json")) == {"cache_freed": 0}


def test_rules_and_texts_by_command(run, tmp_path):
    assert run("rules", "add", "Be kind.", "--hint", "To all.").exit_code == 0
    assert run("rules", "add", "Be brief.").exit_code == 0
    assert [one["text"] for one in facts(run("rules", "list", "--json"))] == ["Be kind.", "Be brief."]
    assert run("rules", "remove", "1").exit_code == 0
    assert facts(run("rules", "list", "--json")) == [{"number": 1, "text": "Be brief.", "hint": ""}]
    dated = ["text", "set", "about", "-", "--from", "2027-01-01"]
    for wrong in (["rules", "remove", "2"], ["rules", "add", " "], ["text", "remove", "about"], dated,
                  ["text", "set", "about", tmp_path / "none"]):  # fmt: skip
        result = run(*wrong, input="words")
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1), wrong
    assert run("text", "set", "terms", "-", "--from", "2027-01-01", input="Terms.").exit_code == 0
    assert run("text", "set", "about", "-", input="Us.").exit_code == 0
    told = facts(run("text", "list", "--json"))
    assert [(one["name"], one["effective"]) for one in told] == [("about", None), ("terms", "2027-01-01")]
    assert run("text", "remove", "terms", "--from", "2027-01-01").exit_code == 0


def test_announcements_are_told_listed_and_deleted(run):
    assert run("announcement", "create", " ").exit_code == 1
    assert run("announcement", "create", "x", "--ends", "soon").exit_code == 2
    assert run("announcement", "create", "x", "--starts", "2026-06-05", "--ends", "2026-06-04").exit_code == 1
    made = facts(run("announcement", "create", "We meet", "--ends", "2026-06-05", "--all-day", "--json"))
    (listed,) = facts(run("announcement", "list", "--json"))
    assert (listed["id"], listed["text"], listed["all_day"]) == (made["id"], "We meet", True)
    assert "2026-06-05" in run("announcement", "list").output
    assert run("announcement", "delete", made["id"]).exit_code == 0
    assert run("announcement", "delete", made["id"]).exit_code == 1
    assert facts(run("announcement", "list", "--json")) == []


def test_emoji_are_added_listed_and_removed(run, tmp_path):
    file = tmp_path / "cat.png"
    assert run("emoji", "add", "blobcat", file).exit_code == 1
    file.write_bytes(b"no picture")
    assert run("emoji", "add", "blobcat", file).exit_code == 1
    file.write_bytes(samples.picture("PNG"))
    assert run("emoji", "add", "blob cat", file).exit_code == 1
    assert run("emoji", "add", ":blobcat:", file, "--category", "Cats").exit_code == 0
    assert run("emoji", "add", "blobcat", file).exit_code == 1
    (listed,) = facts(run("emoji", "list", "--json"))
    assert (listed["name"], listed["category"]) == ("blobcat", "Cats")
    assert facts(run("media", "check", "--json")) == {"missing": [], "unused": [], "removed": False}
    assert len(list((tmp_path / "data" / "media").rglob("*.png"))) == 1
    assert run("emoji", "remove", "blobcat").exit_code == 0
    assert run("emoji", "remove", "blobcat").exit_code == 1
    assert list((tmp_path / "data" / "media").rglob("*.png")) == []


def test_what_the_database_says_is_checked_and_mended_on_request(run, alice):
    assert facts(run("db", "check", "--json"))["repaired"] == {}
    with sqlite3.connect("data/connectme.db") as link:
        link.execute("UPDATE account SET followers_count = 7 WHERE handle = 'alice'")
    link.close()
    tried = run("db", "check", "--repair", "--dry-run")
    assert (tried.exit_code, "would be mended" in tried.stdout) == (1, True)
    assert "integrity.last" in run("doctor", "--offline").stdout
    assert facts(run("db", "check", "--repair", "--json"))["repaired"] == {"integrity.counts": 1}
    assert run("db", "check").exit_code == 0
    assert "integrity.last" not in run("doctor", "--offline").stdout
