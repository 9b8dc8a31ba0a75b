"""A hashtag has a row as long as anybody can see it, or a moderator spoke of it; and what a page of them costs."""

import re

from sqlalchemy import insert, text

from connectme.housekeeping import Housekeeping
from social import featured, tags
from social.moderation import hashtags
from social.moderation.sanctions import Staff
from social.numbers import number_of
from social.pages import Page
from social.posts import delete
from store.ids import new_id
from store.tables import hashtags as table
from store.tables import post_tags, posts
from store.tables.posts import blank_post
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.said import rows, say

# What looks at all that there is before the first row: SQLite says it so, and PostgreSQL.
WHOLE = re.compile(r"SCAN (post|post_tag)\b|hashed SubPlan")


async def test_those_that_nobody_uses_any_more_are_forgotten_however_many(db, spool, origin):
    alice = await local(db, "alice")
    by = Staff(await local(db, "admin"), "admin")
    await say(db, origin, alice, "#kept #KeptToo")
    lost = await say(db, origin, alice, "#Lost #followed #featured #judged #spelled #kept")
    await db.write(tags.follow, by.account.id, "followed")
    await db.write(featured.feature, alice.id, "featured", NOW)
    await db.write(hashtags.change, by, "judged", {"usable": False}, None, NOW)
    await db.write(hashtags.change, by, "spelled", {}, "SpellEd", NOW)
    await db.write(delete.delete, alice.id, lost.id, NOW)
    many = [{"name": f"old{number:05}", "number": number, "shown": "Old"} for number in range(2_500)]
    await db.write(lambda tx: tx.execute(insert(table), many) and None)
    await Housekeeping(db, spool, origin).sweep(NOW)
    left = {row.name: row.shown for row in await rows(db, table)}
    assert left.keys() == {"kept", "kepttoo", "followed", "featured", "judged", "spelled"}
    assert left["spelled"] == "SpellEd"
    await say(db, origin, alice, "#LOST")  # and begins anew
    assert {row.name: row.shown for row in await rows(db, table)} == {**left, "lost": "LOST"}


async def test_one_that_was_used_again_meanwhile_stays(db, origin):
    alice = await local(db, "alice")
    lost = await say(db, origin, alice, "#again")
    await db.write(delete.delete, alice.id, lost.id, NOW)
    assert await db.read(hashtags.unused, "") == (["again"], None)
    await say(db, origin, alice, "#again")
    await db.write(hashtags.forget, ["again"])
    assert [row.name for row in await rows(db, table)] == ["again"]


async def test_a_page_looks_only_at_posts_of_its_own_hashtags(db, queries):
    await stored(db, bob := remote("bob"))
    names, ids = [f"tag{number}" for number in range(400)], [new_id() for _ in range(400)]
    said = {"author_id": bob.id, "published": NOW, "visibility": "public", "local": False}

    def fill(tx):
        tx.execute(insert(posts), [blank_post(id=n, uri=f"{bob.uri}/{n}", thread_id=n, **said) for n in ids])
        tx.execute(insert(post_tags), [{"name": a, "post_id": b, "shown": a} for a, b in zip(names, ids, strict=True)])
        tx.execute(insert(table), [{"name": name, "number": number_of(name), "shown": name} for name in names])
        tx.execute(text("ANALYZE"))

    await db.write(fill)
    queries.clear()
    found = await db.read(hashtags.page, Page(limit=20), NOW)
    assert [one.view.id for one in found] == sorted(map(number_of, names), reverse=True)[:20]
    explain = "EXPLAIN QUERY PLAN" if "?" in queries[0] else "EXPLAIN"
    asked = re.sub(r"\?|\$\d+(::\w+)?", "'1'", queries[0])
    steps = await db.read(lambda tx: [" ".join(map(str, row)) for row in tx.exec_driver_sql(f"{explain} {asked}")])
    assert steps != []
    assert WHOLE.search("\n".join(steps)) is None, steps
