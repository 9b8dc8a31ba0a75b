"""Groups hear what is said in answer to what they passed on (FEP-1b12), or nobody in them would."""

import pytest

from social import reactions
from social.posts import groups
from store.tables import notifications
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.mail import mailed, sent
from tests.social.said import arrive, note, private, rows, say

GROUP = remote("cats", "group.test", kind="Group")
BOB = remote("bob")


@pytest.fixture
async def alice(db):
    await stored(db, GROUP, BOB)
    return await local(db, "alice")


def in_group(**more):
    return note(BOB, **{"audience": GROUP.uri, **more})


async def hosts(db, post):
    return next(to for document, to in await mailed(db) if document["object"]["id"] == post.uri)


@pytest.mark.parametrize("more", [{}, {"audience": None, "cc": (GROUP.uri,)}], ids=["audience", "cc"])
async def test_an_answer_in_a_group_goes_to_the_group(db, origin, alice, more):
    (post,) = await arrive(db, (BOB, in_group(**more)))
    answer = await say(db, origin, alice, "I like it", reply_to_id=post.id)
    assert await hosts(db, answer) == {"far.test", "group.test"}
    document = (await sent(db))[-1].document["object"]
    assert GROUP.uri in document["cc"]
    assert "tag" not in document  # nobody is named in the text
    again = await say(db, origin, alice, "@cats@group.test and again", reply_to_id=answer.id)
    assert await hosts(db, again) == {"group.test"}
    assert [tag["href"] for tag in (await sent(db))[-1].document["object"]["tag"]] == [GROUP.uri]


async def test_what_is_for_few_does_not_go_to_the_group(db, origin, alice):
    (post,) = await arrive(db, (BOB, in_group()))
    answer = await say(db, origin, alice, "@bob@far.test psst", reply_to_id=post.id, visibility="direct")
    assert await hosts(db, answer) == {"far.test"}
    (closed,) = await arrive(db, (BOB, in_group(**{**private(BOB), "mentions": ()})))
    assert await db.read(groups.of, closed.id) == [GROUP.id]


async def test_people_who_are_only_addressed_are_no_groups(db, origin, alice):
    carol = remote("carol", "carol.test")
    await stored(db, carol)
    (post,) = await arrive(db, (BOB, note(BOB, audience=carol.uri)))
    assert await hosts(db, await say(db, origin, alice, "hm", reply_to_id=post.id)) == {"far.test"}
    assert await rows(db, notifications) == []


async def test_a_like_in_a_group_goes_to_the_group(db, alice):
    (post,) = await arrive(db, (BOB, in_group()))
    await db.write(reactions.like, alice.id, post.id, NOW)
    assert (await sent(db))[-1].inboxes == {BOB.shared_inbox, GROUP.shared_inbox}
    await db.write(reactions.unlike, alice.id, post.id)
    assert (await sent(db))[-1].inboxes == {BOB.shared_inbox, GROUP.shared_inbox}
