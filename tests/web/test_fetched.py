"""Who gets a post by a signed GET hears of its edits and its end; who does not get it, or signs nothing, does not."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from social import blocks, follows
from social.posts import delete
from social.posts.drafts import Draft
from social.posts.edit import edit
from store.tables import fetches as table
from tests.people import follow, remote, stored
from tests.social.mail import mailed
from tests.web.site import Site
from web.fetched import Fetched


async def someone(site: Site, name: str = "bob", host: str = "far.test", **more):
    person = remote(name, host, **more)
    await stored(site.db, person)
    return person


async def noted(site: Site) -> list[tuple[int, str, str]]:
    rows = select(table.c.post_id, table.c.host, table.c.inbox).order_by(table.c.post_id, table.c.host)
    return await site.db.read(lambda tx: [tuple(row) for row in tx.execute(rows)])


async def changed(site: Site, alice, post) -> list[tuple[str, set[str]]]:
    """To whom its edit and its deletion go."""
    before = len(await mailed(site.db))
    now = datetime.now(UTC)
    await site.db.write(edit, site.origin, alice.id, post.id, Draft("Better so"), now)
    await site.db.write(delete.delete, alice.id, post.id, now)
    return [(document["type"], hosts) for document, hosts in (await mailed(site.db))[before:]]


async def test_who_signs_nothing_or_gets_nothing_is_not_noted(site: Site):
    alice, _ = await site.person("alice")
    bob, eve = await someone(site), await someone(site, "eve", "evil.test")
    post = await site.posted(alice)
    private, direct = await site.posted(alice, visibility="private"), await site.posted(alice, visibility="direct")
    at_home = await site.posted(alice, local_only=True)
    await site.do(blocks.block, alice.id, eve.id)
    assert (await site.document(f"/users/alice/posts/{post.id}")).status == 200
    assert (await site.signed(f"/users/alice/posts/{post.id}", eve)).status == 404
    for hidden in (private, direct, at_home):
        assert (await site.signed(f"/users/alice/posts/{hidden.id}", bob)).status == 404
    for part in ("", "/replies", "/likes", "/context"):  # no words of the post are in these
        assert (await site.signed(f"/users/alice{'/posts/' + str(post.id) if part else ''}{part}", bob)).status == 200
    assert await noted(site) == []
    assert await changed(site, alice, post) == []


@pytest.mark.parametrize("path", ["/users/alice/posts/{}", "/@alice/{}", "/users/alice/posts/{}/activity",
                                  "/users/alice/outbox?page=1", "/users/alice/collections/featured"])  # fmt: skip
async def test_who_fetched_a_post_hears_what_becomes_of_it(site: Site, path):
    alice, token = await site.person("alice")
    actor, bob = await someone(site, "actor", shared_inbox=None), await someone(site)
    post = await site.posted(alice)
    await site.post(f"/api/v1/statuses/{post.id}/pin", token)
    for by in (actor, bob, actor):
        assert (await site.signed(path.format(post.id), by)).status == 200
    assert await noted(site) == [(post.id, "far.test", actor.inbox)]
    assert await changed(site, alice, post) == [("Update", {"far.test"}), ("Delete", {"far.test"})]
    assert await noted(site) == []


async def test_a_boost_has_no_words_of_its_own(site: Site):
    alice, token = await site.person("alice")
    bob = await someone(site)
    post = await site.posted(alice)
    boost = (await site.post(f"/api/v1/statuses/{post.id}/reblog", token)).json["id"]
    assert (await site.signed(f"/users/alice/posts/{boost}", bob)).json["type"] == "Announce"
    assert await noted(site) == []


async def test_who_may_see_a_private_post_no_more_hears_of_its_end_alone(site: Site):
    alice, _ = await site.person("alice")
    bob = await someone(site)
    await site.db.write(follow, bob, alice)
    post = await site.posted(alice, visibility="private")
    assert (await site.signed(f"/users/alice/posts/{post.id}", bob)).status == 200
    assert await noted(site) == [(post.id, "far.test", bob.shared_inbox)]
    await site.db.write(follows.remove_follower, alice.id, bob.id)
    assert await changed(site, alice, post) == [("Delete", {"far.test"})]


async def test_what_is_known_costs_nothing_and_is_known_after_a_restart(both_sites: Site, queries):
    site = both_sites
    alice, _ = await site.person("alice")
    bob = await someone(site)
    for _ in range(3):
        await site.posted(alice)
    page, inserts = "/users/alice/outbox?page=1", []
    for _ in range(3):
        queries.clear()
        assert (await site.signed(page, bob)).status == 200
        inserts.append([query for query in queries if "post_fetch" in query])
    assert [len(some) for some in inserts] == [2, 0, 0]  # for all of the page: what is new, and to write it down
    anew = Fetched(site.db)
    numbers = [number for number, _, _ in await noted(site)]
    assert len(numbers) == 3
    assert not await anew.note(bob, numbers)
    assert await anew.note(await someone(site, "eve", "other.test"), numbers)


async def test_a_post_is_served_also_when_nothing_can_be_noted(site: Site):
    alice, _ = await site.person("alice")
    bob = await someone(site)
    post = await site.posted(alice)
    await site.db.write(lambda tx: tx.exec_driver_sql("DROP TABLE post_fetch").rowcount)
    assert (await site.signed(f"/users/alice/posts/{post.id}", bob)).status == 200
