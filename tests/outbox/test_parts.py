from dataclasses import asdict

from sqlalchemy import insert

from outbox.parts import Mentioned, Tag, load
from store.tables import Poll, media, polls, post_tags
from tests.conftest import NOW
from tests.outbox.rows import ALICE, add, add_post, far, picture, post
from tests.people import ours, remote

BOB, CAROL = ours("bob"), remote("Carol")
OPTIONS = [{"title": "yes", "votes": 2}, {"title": "no", "votes": 0}]


async def test_what_does_not_exist_has_no_parts(db):
    assert await db.read(load, []) == {}
    assert await db.read(load, [1, 2]) == {}


async def test_a_post_with_all_its_parts(db):
    shown = post(CAROL)
    asked = post(ALICE, kind="Question", reply_to_id=shown.id, reply_to_uri=shown.uri, emojis=[])
    boost = post(BOB, kind="Announce", boost_of_id=shown.id)
    two = [picture(1, post_id=asked.id, position=1), picture(2, post_id=asked.id)]

    def prepare(tx):
        add(tx, ALICE, BOB, CAROL)
        add_post(tx, shown)
        add_post(tx, asked, BOB, CAROL)
        add_post(tx, boost)
        tx.execute(insert(post_tags), {"name": "cats", "post_id": asked.id, "shown": "Cats"})
        tx.execute(insert(media), [asdict(one) for one in two])
        poll = {"multiple": False, "options": OPTIONS, "voters_count": 2, "expires_at": NOW, "closed_at": None}
        tx.execute(insert(polls), {"post_id": asked.id, **poll})

    await db.write(prepare)
    found = await db.read(load, [asked.id, boost.id, 5])
    assert set(found) == {asked.id, boost.id}
    parts = found[asked.id]
    assert (parts.post, parts.author, parts.parent_author_id, parts.boost_of_uri) == (asked, ALICE, CAROL.id, None)
    assert set(parts.mentions) == {
        Mentioned(BOB.id, BOB.uri, "bob", "bob", BOB.url, False),
        Mentioned(CAROL.id, CAROL.uri, "Carol@far.test", "Carol", CAROL.url, False),
    }
    assert parts.tags == (Tag("cats", "Cats"),)
    assert parts.media == (two[1], two[0])
    assert parts.poll == Poll(asked.id, False, OPTIONS, 2, NOW, None)
    assert (found[boost.id].boost_of_uri, found[boost.id].mentions, found[boost.id].poll) == (shown.uri, (), None)


async def test_forty_posts_cost_as_many_statements_as_one(db, queries):
    rows = [post(far(n)) for n in range(40)]

    def prepare(tx):
        for n, row in enumerate(rows):
            author = far(n, id=row.author_id)
            add(tx, author)
            add_post(tx, row, author)

    await db.write(prepare)
    counts = []
    for ids in ([rows[0].id], [row.id for row in rows]):
        queries.clear()
        assert len(await db.read(load, ids)) == len(ids)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4
