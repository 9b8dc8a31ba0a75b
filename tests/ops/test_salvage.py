"""What a damaged file still has comes into the restored database: nothing else, and nothing that was deleted."""

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops import identity, outages, state
from ops.backup import restore, swap
from ops.change.place import NotChanged, Place
from ops.integrity import check
from ops.salvage import merging, salvage, words
from social import accounts, boosts, reactions
from social.follows import ours as follows
from social.posts import delete, edit, publish
from social.posts.drafts import Draft
from store import ids
from store.database import Database
from store.tables import metadata
from tests import people
from tests.conftest import NOW
from tests.ops.test_backup import HERE, PAIR

MANY = 90  # posts before the backup, and half as many after
TREES = (b"\2", b"\5", b"\x0a", b"\x0d")  # how a page begins that has rows on it
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(scope="module")
def world(sqlite_template, tmp_path_factory):
    """A folder with `before.db`, as a backup has it, and `after.db`, as it was when it was damaged."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copy(sqlite_template, folder / "after.db")
    asyncio.run(_live(folder))
    return folder


async def _live(folder):
    async with await Database.open(f"sqlite:///{folder}/after.db") as db:
        await db.write(identity.claim, HERE)
        await db.write(accounts.create_instance_actor, HERE, [PAIR], NOW)
        alice, carol = await people.local(db, "alice"), await people.local(db, "carol")
        far = [people.remote(f"bob{number}", f"far{number}.test", note="x" * number * 90) for number in range(40)]
        await people.stored(db, *far)
        for one in (carol, *far):
            await db.write(people.follow, one, alice)
        posts = [await _post(db, alice, number) for number in range(MANY)]
        for post in posts[::3]:
            await db.write(reactions.like, carol.id, post.id, NOW)
    with closing(sqlite3.connect(folder / "after.db")) as live, closing(sqlite3.connect(folder / "before.db")) as copy:
        live.execute("PRAGMA wal_checkpoint(truncate)")
        live.backup(copy)
    async with await Database.open(f"sqlite:///{folder}/after.db") as db:
        for number in range(MANY, MANY * 3 // 2):
            await _post(
                db, carol if number % 2 else alice, number, reply_to_id=posts[0].id if number % 5 == 0 else None
            )
        await db.write(edit.edit, HERE, alice.id, posts[3].id, Draft("written anew"), LATER)
        await db.write(delete.delete, alice.id, posts[5].id, LATER)
        await db.write(follows.unfollow, carol.id, alice.id, LATER)
        await db.write(reactions.unlike, carol.id, posts[6].id, LATER)
        await db.write(boosts.boost, carol.id, posts[7].id, LATER)
    with closing(sqlite3.connect(folder / "after.db")) as live:
        live.execute("PRAGMA journal_mode = delete")


async def _post(db, author, number, reply_to_id=None):
    text = f"post {number} " + "and more " * (number * 7 % 500)  # some go on on other pages
    return await db.write(publish.publish, HERE, author.id, Draft(text, reply_to_id=reply_to_id), NOW)


class Patient:
    """A data folder after `connectme backup swap`, and what was replaced."""

    def __init__(self, world, folder):
        self.place = Place(f"sqlite:///{folder}/connectme.db", folder, f"sqlite:///{folder}/spool.db", "1")
        self.file, self.damaged = folder / "connectme.db", folder / "replaced" / "connectme.db"
        self.damaged.parent.mkdir(parents=True)
        shutil.copy(world / "before.db", self.file)
        shutil.copy(world / "after.db", self.damaged)
        (newest,) = rows(self.file, "SELECT max(id) FROM (SELECT id FROM post UNION SELECT id FROM activity)")[0]
        note = {"newest_id": newest, "newest_row": None, "created": NOW.isoformat()}
        state.write_json(state.folder(folder) / restore.NOTE, note)
        state.write_json(state.folder(folder) / swap.IDS, {"after_ms": int(LATER.timestamp() * 1000)})
        outages.beat(folder, LATER.timestamp())

    def salvage(self, **more):
        return salvage.salvage(self.place, self.damaged, files=True, **more)

    def mended(self):
        """What the check finds wrong after the counters were counted anew."""
        return asyncio.run(_mended(self.place.url))

    def pages(self):
        return Path.stat(self.damaged).st_size // 4096

    def overwrite(self, number, content):
        with self.damaged.open("r+b") as stream:
            stream.seek((number - 1) * 4096)
            stream.write(content)

    def roots(self, table):
        return [
            root for (root,) in rows(self.damaged, f"SELECT rootpage FROM sqlite_master WHERE tbl_name = '{table}'")
        ]


async def _mended(url):
    async with await Database.open(url) as db:
        await check.check(db, NOW, repair=True)
        return [one.id for one in (await check.check(db, NOW)).faults]


@pytest.fixture
def patient(world, tmp_path):
    return Patient(world, tmp_path / "data")


def rows(file, query):
    with closing(sqlite3.connect(f"{Path(file).absolute().as_uri()}?mode=ro", uri=True)) as link:
        return link.execute(query).fetchall()


def content(file):
    """All rows of our tables but those that are made from others."""
    return {
        table: set(rows(file, f'SELECT * FROM "{table}"')) for table in metadata.tables if table != "unindexed_post"
    }


def test_a_file_that_no_backup_was_put_in_the_place_of_is_refused(patient):
    (patient.place.data_dir / state.FOLDER / restore.NOTE).unlink()
    with pytest.raises(NotChanged, match="no backup was swapped in"):
        patient.salvage()


def test_the_database_in_use_is_not_salvaged_into_itself(patient):
    patient.damaged.unlink()
    patient.damaged.symlink_to(patient.file)
    with pytest.raises(NotChanged, match="is the database in use"):
        patient.salvage()


def test_a_file_that_is_not_there_and_postgresql_are_refused(patient):
    patient.damaged.unlink()
    with pytest.raises(NotChanged, match="there is no file"):
        patient.salvage()
    with pytest.raises(NotChanged, match="this is for SQLite"):
        salvage.salvage(Place("postgresql://x/y", patient.place.data_dir, "", "1"), patient.damaged, files=True)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE fact SET value = 'ffff' WHERE name = 'instance'", "of another instance"),
        ("UPDATE alembic_version SET version_num = '0001'", "the file is at migration 0001"),
    ],
)
def test_a_file_of_others_or_of_another_version_is_refused(patient, sql, says):
    with closing(sqlite3.connect(patient.damaged)) as link, link:
        link.execute(sql)
    before = content(patient.file)
    with pytest.raises(NotChanged, match=says):
        patient.salvage()
    assert content(patient.file) == before


def test_a_file_that_says_nothing_of_whose_it_is_is_refused(patient):
    patient.damaged.write_bytes(random.Random(1).randbytes(80 * 4096))
    with pytest.raises(NotChanged, match="nothing in the file says"):
        patient.salvage()


def test_a_file_that_is_older_than_the_backup_is_refused(patient, world):
    shutil.copy(world / "before.db", patient.damaged)
    note = state.read_json(patient.place.data_dir / state.FOLDER / restore.NOTE)
    late = note | {"newest_id": ids.new_id() + (1 << 40)}
    state.write_json(patient.place.data_dir / state.FOLDER / restore.NOTE, late)
    with pytest.raises(NotChanged, match="older than the backup"):
        patient.salvage()


def test_of_a_whole_file_everything_comes_over_and_what_was_deleted_stays_deleted(patient, world):
    before = patient.damaged.read_bytes()
    done = patient.salvage()
    assert content(patient.file) == content(world / "after.db")
    assert all(one.clean for one in done.reading.tables.values())
    assert done.merged["post"].removed == 1
    assert done.merged["follow"].removed == 1
    assert patient.mended() == []
    assert patient.damaged.read_bytes() == before


def test_what_is_taken_is_asked_to_be_found_by_its_words(patient, world):
    patient.salvage()
    posts = {row[0] for row in content(world / "after.db")["post"] ^ content(world / "before.db")["post"]}
    assert posts <= {row[0] for row in rows(patient.file, "SELECT post_id FROM unindexed_post")}


def test_a_second_time_finds_nothing_more(patient):
    patient.salvage()
    assert patient.mended() == []
    before = content(patient.file)
    again = patient.salvage()
    assert {name: (one.new, one.removed) for name, one in again.merged.items() if one.new or one.removed} == {}
    assert content(patient.file) == before


def test_one_may_look_first(patient, world):
    assert patient.salvage(only_look=True).merged["post"].new > 0
    assert content(patient.file) == content(world / "before.db")


def test_posts_come_over_though_the_top_of_their_tree_and_of_its_indexes_is_damaged(patient, world):
    for root in patient.roots("post"):
        patient.overwrite(root, b"\x55" * 4096)
    done = patient.salvage()
    wanted = content(world / "after.db")
    assert {row[0] for row in wanted["post"]} <= {row[0] for row in content(patient.file)["post"]}
    assert done.reading.tables["post"].strays > MANY
    assert patient.mended() == []
    said = "\n".join(words.lines(done, only_look=False))
    assert "rows were found astray" in said
    assert "those of other servers are fetched again" in said
    assert words.facts(done)["tables"]["post"]["whole"] is False


def test_a_post_that_was_deleted_is_deleted_though_its_table_is_damaged(patient, world):
    patient.overwrite(patient.roots("post")[0], bytes(4096))
    patient.salvage()
    gone = {row[0] for row in content(world / "before.db")["post"] - content(world / "after.db")["post"]}
    still = {row[0] for row in content(world / "after.db")["post"]}
    assert not {row[0] for row in content(patient.file)["post"]} & (gone - still)


def test_of_a_file_that_was_cut_short_the_rest_is_taken(patient, world):
    os.truncate(patient.damaged, patient.damaged.stat().st_size * 2 // 3 // 4096 * 4096)
    done = patient.salvage()
    assert sum(one.new for one in done.merged.values()) > 0
    assert any(one.tree.bad_pages for one in done.reading.tables.values())
    both = content(world / "before.db")["post"] & content(world / "after.db")["post"]
    assert both <= content(patient.file)["post"]
    assert patient.mended() == []


def logged(patient, world):
    """What is in the log alone: a note of alice's, and a change that was not committed."""
    log = Path(f"{patient.damaged}-wal")
    link = sqlite3.connect(patient.damaged, isolation_level=None)
    link.execute("PRAGMA journal_mode = wal")
    link.execute("UPDATE account SET note = 'in the log' WHERE username = 'alice'")
    link.execute("BEGIN")
    link.execute("UPDATE account SET note = 'not committed'")
    shutil.copy(log, patient.damaged.parent / "kept")
    link.execute("ROLLBACK")
    link.close()
    shutil.copy(world / "after.db", patient.damaged)
    return (patient.damaged.parent / "kept").rename(log)


def test_what_is_in_the_log_alone_is_taken(patient, world):
    logged(patient, world)
    assert patient.salvage().since is None
    assert ("in the log",) in rows(patient.file, "SELECT note FROM account WHERE username = 'alice'")


def test_of_a_file_whose_log_is_damaged_nobody_knows_what_was_deleted(patient, world):
    log = logged(patient, world)
    with log.open("r+b") as stream:
        stream.seek(32 + 24 + 100)
        stream.write(b"damage")
    done = patient.salvage()
    assert sum(one.removed + one.changed for one in done.merged.values()) == 0
    assert done.merged["post"].new > 0
    assert "its log (-wal) is damaged" in "\n".join(words.lines(done, only_look=False))


def test_a_killed_one_has_done_nothing_and_is_begun_anew(patient, world, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(merging, "_settle", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        child = os.fork()
        if child == 0:
            patient.salvage()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    with closing(sqlite3.connect(patient.file)) as link:
        assert link.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert content(patient.file) == content(world / "before.db")
    patient.salvage()
    assert content(patient.file) == content(world / "after.db")


def test_once_a_server_ran_only_what_was_made_since_the_backup_is_added(patient, world):
    outages.beat(patient.place.data_dir, LATER.timestamp() + 60)
    done = patient.salvage()
    assert done.since is not None
    before, now = content(world / "before.db"), content(patient.file)
    assert all(before[table] <= now[table] for table in before)
    new = {row[0] for row in content(world / "after.db")["post"]} - {row[0] for row in before["post"]}
    assert new <= {row[0] for row in now["post"]}
    assert patient.mended() == []
    assert "a server ran" in "\n".join(words.lines(done, only_look=False))


def test_uploads_since_the_backup_come_along(patient):
    name = f"{'ab' * 16}.png"
    (patient.damaged.parent / "media" / "ab").mkdir(parents=True)
    (patient.damaged.parent / "media" / "ab" / name).write_bytes(b"a picture")
    assert patient.salvage(only_look=True).files == 0
    assert patient.salvage().files == 1
    assert (patient.place.data_dir / "media" / "ab" / name).read_bytes() == b"a picture"
    assert patient.salvage().files == 0


_PLACE = st.tuples(
    st.sampled_from(["random", "zeros", "other", "old"]), st.integers(0, 1 << 20), st.integers(0, 1 << 20)
)


def taken(patient):
    """False: what says whose it is, or of which version, is damaged."""
    try:
        patient.salvage()
    except NotChanged as error:
        if not any(word in str(error) for word in ("of this server", "another instance", "migration", "older")):
            raise
        return False
    return True


def with_damaged_pages(world, folder, places, cut):
    patient = Patient(world, folder)
    good, old = (world / "after.db").read_bytes(), (world / "before.db").read_bytes()
    for how, where, other in places:
        number = where % patient.pages() + 1
        at = other % patient.pages() * 4096
        page = {"random": random.Random(other).randbytes(4096), "zeros": bytes(4096), "other": good[at : at + 4096],
                "old": old[(number - 1) * 4096 : number * 4096]}[how]  # fmt: skip
        if how in ("random", "zeros") or page[:1] in TREES:  # what else is on it might as well be a piece of a text
            patient.overwrite(number, page)
    if cut is not None:
        os.truncate(patient.damaged, len(good) * cut // 100)
    return patient


def is_as_it_should_be(world, patient):
    before, after = content(world / "before.db"), content(world / "after.db")
    for table, found in content(patient.file).items():
        assert before[table] & after[table] <= found, table
        strange = found - before[table] - after[table]
        if table in ("post", "quote"):  # whose parent could not be read, answers nobody
            known = {row[0] for row in before[table] | after[table]}
            assert {row[0] for row in strange} <= known, table
        else:
            assert not strange, table
    assert patient.mended() == []


def with_flipped_bits(world, folder, seed, number):
    patient = Patient(world, folder)
    chance, all_of_it = random.Random(seed), bytearray(patient.damaged.read_bytes())
    for _ in range(number):
        all_of_it[chance.randrange(len(all_of_it))] ^= 1 << chance.randrange(8)
    patient.damaged.write_bytes(all_of_it)
    return patient


def is_sound(patient):
    with closing(sqlite3.connect(patient.file)) as link:
        assert link.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert link.execute("PRAGMA foreign_key_check").fetchall() == []


PAGES = {"places": st.lists(_PLACE, min_size=1, max_size=12), "cut": st.none() | st.integers(30, 99)}
BITS = {"seed": st.integers(0, 1 << 32), "number": st.integers(1, 400)}


@settings(max_examples=4)
@given(**PAGES)
def test_whatever_pages_are_damaged_only_rows_that_were_there_are_taken(world, tmp_path_factory, places, cut):
    patient = with_damaged_pages(world, tmp_path_factory.mktemp("damaged") / "data", places, cut)
    taken(patient)
    is_as_it_should_be(world, patient)


@settings(max_examples=4)
@given(**BITS)
def test_whatever_bits_are_flipped_the_result_is_sound(world, tmp_path_factory, seed, number):
    patient = with_flipped_bits(world, tmp_path_factory.mktemp("flipped") / "data", seed, number)
    taken(patient)
    is_sound(patient)
