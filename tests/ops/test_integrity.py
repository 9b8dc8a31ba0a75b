"""What is wrong in the data is found, told, and repaired where nothing can be lost."""

import sqlite3
from contextlib import closing
from functools import partial

from ops import state
from ops.integrity import check
from social import boosts, reactions, ties
from social.posts import find, publish
from social.posts.drafts import Draft
from tests import people
from tests.conftest import NOW


def ill(report):
    return {one.id: one for one in report.findings if one.severity != "ok"}


async def test_data_without_faults_are_well(db):
    await people.local(db, "alice")
    assert ill(await check.check(db, NOW)) == {}


async def test_counters_are_counted_anew_and_nothing_is_changed_without_the_word(db):
    alice = await people.local(db, "alice")
    await db.write(lambda tx: tx.exec_driver_sql(f"UPDATE account SET followers_count = 7 WHERE id = {alice.id}"))
    for _ in range(2):
        found = ill(await check.check(db, NOW))["integrity.counts"]
        assert (found.evidence, found.fixable) == ("account.followers_count", True)
    assert (await check.check(db, NOW, repair=True)).repaired == {"integrity.counts": 1}
    assert ill(await check.check(db, NOW)) == {}


async def test_counters_of_other_servers_are_theirs(db):
    await people.stored(db, people.remote("bob", followers_count=9))
    assert ill(await check.check(db, NOW)) == {}


async def test_accounts_that_are_being_removed_are_not_counted(db):
    await people.local(db, "alice", followers_count=3, deleted_at=NOW)
    assert ill(await check.check(db, NOW)) == {}


async def test_what_people_did_is_counted_as_the_server_counts_it(db, origin):
    alice, carol, bob = await people.local(db, "alice"), await people.local(db, "carol"), people.remote("bob")
    await people.stored(db, bob)
    post = await db.write(publish.publish, origin, alice.id, Draft("hello"), NOW)
    for visibility in ("public", "private", "direct"):
        draft = Draft("@alice yes", visibility=visibility, reply_to_id=post.id)
        await db.write(publish.publish, origin, carol.id, draft, NOW)
    await db.write(boosts.boost, carol.id, post.id, NOW)
    await db.write(reactions.like, carol.id, post.id, NOW)
    await db.write(reactions.receive_like, bob, post.uri, f"{bob.uri}/like", NOW)
    for follower in (carol, bob):
        await db.write(partial(ties.add, accepted=True), follower, alice, NOW)
    assert ill(await check.check(db, NOW)) == {}
    sql = "UPDATE post SET replies_count = 9, likes_count = 9, boosts_count = 9"
    await db.write(lambda tx: tx.exec_driver_sql(sql))
    assert (await check.check(db, NOW, repair=True)).repaired == {"integrity.counts": 15}
    assert ill(await check.check(db, NOW)) == {}
    counted = await db.read(find.by_id, post.id)
    assert (counted.replies_count, counted.likes_count, counted.boosts_count) == (1, 2, 1)


async def test_keys_that_are_broken_and_names_that_differ_in_case_alone_are_told(db):
    alice = await people.local(db, "alice")
    await people.stored(db, people.remote("bob"), people.remote("eve"))
    await db.write(lambda tx: tx.exec_driver_sql("UPDATE account SET handle = 'Bob@far.test' WHERE username = 'eve'"))
    sql = (
        "INSERT INTO account_key (id, account_id, kind, public, private, created_at) "
        f"SELECT 'x', {alice.id}, 'rsa', 'x', 'x', created_at FROM account WHERE id = {alice.id}"
    )
    await db.write(lambda tx: tx.exec_driver_sql(sql))
    found = ill(await check.check(db, NOW, repair=True))
    assert found["integrity.keys"].evidence.startswith("x: ")
    assert found["integrity.unique"].evidence == "bob@far.test"


async def test_rows_that_point_at_nothing_are_found_and_what_was_found_is_kept(sqlite_db, tmp_path):
    with closing(sqlite3.connect(tmp_path / "main.db")) as raw:  # foreign keys are off here
        raw.execute("INSERT INTO delivery (activity_id, host, inbox) VALUES (5, 'far.test', 'https://far.test/inbox')")
        raw.execute("INSERT INTO account_word (word, account_id) VALUES ('bob', 5)")
        raw.commit()
    found = await check.check(sqlite_db, NOW)
    assert "account_word name a account that is not there" in ill(found)["integrity.foreign_keys"].says
    assert "integrity.deliveries" in ill(found)
    check.keep(tmp_path, found)
    assert len(state.read_json(tmp_path / "state" / "integrity.json")["findings"]) == len(found.findings)
    assert (await check.check(sqlite_db, NOW, repair=True)).repaired == {"integrity.deliveries": 1}
    assert ill(await check.check(sqlite_db, NOW)).keys() == {"integrity.foreign_keys"}
