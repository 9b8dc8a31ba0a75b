"""A hashtag has a row as long as anybody can see it, or a moderator spoke of it."""

from sqlalchemy import insert

from connectme.housekeeping import Housekeeping
from social import featured, tags
from social.moderation import hashtags
from social.moderation.sanctions import Staff
from social.posts import delete
from store.tables import hashtags as table
from tests.conftest import NOW
from tests.people import local
from tests.social.said import rows, say


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
