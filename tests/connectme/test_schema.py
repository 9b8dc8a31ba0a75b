import pytest

import migrations
from connectme import schema
from connectme.settings import Settings
from store.database import Database


def settings_for(url, tmp_path):
    return Settings.load("/dev/null", environ={"CONNECTME_DATABASE_URL": url, "CONNECTME_DATA_DIR": str(tmp_path)})


def test_a_postgresql_that_does_not_answer_is_refused_in_one_line(tmp_path):
    with pytest.raises(schema.CannotUse, match="does not answer") as caught:
        schema.look(settings_for("postgresql://me:secret@127.0.0.1:1/x", tmp_path))
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_cheap_answer_is_that_of_the_migrations(url, tmp_path):
    assert schema.newest() == migrations.newest()
    found = schema.look(settings_for(url, tmp_path))
    assert (found.found, found.state) == (migrations.newest(), "current")


async def test_it_changes_nothing_and_waits_for_nobody(sqlite_template, tmp_path):
    """A writer in the midst of a transaction does not delay a start."""
    file = tmp_path / "busy.db"
    file.write_bytes(sqlite_template.read_bytes())
    async with await Database.open(f"sqlite:///{file}") as db:
        found = await db.write(lambda tx: schema.look(settings_for(f"sqlite:///{file}", tmp_path)))
    assert found.state == "current"
    assert schema.look(settings_for(f"sqlite:///{tmp_path}/none.db", tmp_path)).state == "empty"
    assert not (tmp_path / "none.db").exists()
