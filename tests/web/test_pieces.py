"""What is kept of posts is never stale: after each change, a list says what it would say if nothing had been kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from federation.reading import Actor, Attachment, Emoji
from federation.reading.page import Preview
from outbox import parts
from social import accounts, blocks, boosts, cards, domains, emojis, polls, reactions
from social.accounts.remember import remember
from social.follows import ours as follows
from social.media import uploads
from social.media.kinds import Made
from social.moderation import hosts
from social.moderation.hosts import PolicyDraft
from social.posts import delete, edit, receive
from social.posts.drafts import Draft, PollDraft
from store.kept import Kept
from store.tables import accounts as accounts_table
from tests.people import remote, stored
from tests.social.said import mention, note
from tests.web.site import Site
from web.api import pieces


def forget():
    parts.REMEMBERED.forget()
    pieces._kept.clear()


async def told_of_each(site: Site, changes, asked):
    """Each change shows, and what is said then does not come from what was kept before.  asked: paths, and by whom."""

    async def seen():
        return [(await site.get(f"/api/v1/{path}", by)).json for path, by in asked]

    before = await seen()
    for number, change in enumerate(changes):
        await change()
        kept = await seen()
        forget()
        assert kept == await seen(), number
        assert kept != before, number
        before = kept


async def test_after_each_change_lists_are_as_if_nothing_was_kept(both_sites):
    site = both_sites
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    carol, carol_s = await site.person("carol")
    await site.do(follows.ask, alice.id, bob.id)
    soon = datetime.now(UTC) + timedelta(hours=1)
    root = await site.posted(bob, "of @carol #tag")
    asked = await site.posted(bob, "?", poll=PollDraft(("a", "b"), soon))
    answer = await site.posted(carol, "@bob yes", reply_to_id=root.id)
    made = await site.do(boosts.boost, bob.id, answer.id)
    assert made

    def rename(tx):
        tx.execute(update(accounts_table).where(accounts_table.c.id == bob.id).values(display_name="Bobby"))

    paths = ("timelines/home", "timelines/public", f"accounts/{bob.id}/statuses", f"statuses/{root.id}/context")
    await told_of_each(
        site,
        [
            lambda: site.do(reactions.like, alice.id, answer.id),
            lambda: site.do(boosts.boost, alice.id, root.id),
            lambda: site.db.write(rename),
            lambda: site.db.write(edit.edit, site.origin, bob.id, root.id, Draft("changed #other"), datetime.now(UTC)),
            lambda: site.do(polls.vote, alice.id, asked.id, [0]),
            lambda: site.posted(alice, "and?", reply_to_id=root.id),
            lambda: site.post(f"/api/v1/statuses/{answer.id}/bookmark", token),
            lambda: site.post(f"/api/v1/statuses/{asked.id}/mute", token),
            lambda: site.post(f"/api/v1/statuses/{root.id}/pin", bob_s),
            lambda: site.db.write(reactions.unlike, alice.id, answer.id),
            lambda: site.do(blocks.block, carol.id, alice.id),
            lambda: site.do(accounts.suspend, carol.id),
            lambda: site.do(delete.delete, bob.id, root.id),
        ],
        [(path, by) for path in paths for by in (token, bob_s, carol_s, None) if by or path != "timelines/home"],
    )


async def picture(site: Site, owner, description):
    made = Made("image", f"{description}.png", "image/png", 10, width=1, height=1)
    return await site.do(uploads.add, site.origin, owner.id, made, {"description": description})


async def test_what_belongs_to_a_post_of_ours_is_not_kept_too_long(both_sites):
    site = both_sites
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    await site.do(emojis.add, "cat", "cat.png", None, None)
    one, two = await picture(site, bob, "one"), await picture(site, bob, "two")
    linked = await site.posted(bob, "https://site.test/a")
    shown = await site.posted(bob, ":cat:", media_ids=(one.id,))
    quoted = await site.posted(bob, "quoted")
    more = {"status": "look", "quoted_status_id": str(quoted.id)}
    quoting = (await site.post("/api/v1/statuses", token, json=more)).json["id"]
    filters: list[str] = []

    async def filtered():
        wish = {"title": "f", "context": ["home", "public", "account"], "keywords_attributes": [{"keyword": "cat"}]}
        filters.append((await site.post("/api/v2/filters", token, json=wish)).json["id"])

    def change(post, text, **more):
        return site.db.write(edit.edit, site.origin, bob.id, post.id, Draft(text, **more), datetime.now(UTC))

    def page(title):
        return site.do(cards.fetched, linked.card_id, Preview(title=title))

    paths = ("timelines/home", "timelines/public", f"accounts/{bob.id}/statuses", f"statuses/{quoting}")
    await told_of_each(
        site,
        [
            lambda: page("A page"),
            lambda: page("A page that changed"),
            lambda: site.do(cards.fetched, linked.card_id, None),
            lambda: change(shown, ":cat: :cat:", media_ids=(two.id, one.id)),
            lambda: change(shown, "no more", media_ids=(one.id,)),
            lambda: change(shown, ":cat:"),
            filtered,
            lambda: site.call("PUT", f"/api/v2/filters/{filters[0]}", token, json={"filter_action": "hide"}),
            lambda: site.call("DELETE", f"/api/v2/filters/{filters[0]}", token),
            lambda: site.do(reactions.like, alice.id, quoted.id),
            lambda: change(quoted, "quoted, and changed"),
            lambda: site.call(
                "PUT",
                f"/api/v1/statuses/{quoted.id}/interaction_policy",
                bob_s,
                json={"quote_approval_policy": "followers"},
            ),
            lambda: site.do(follows.ask, alice.id, bob.id),  # he may quote it again
            lambda: site.do(blocks.block, alice.id, bob.id),
            lambda: site.do(blocks.unblock, alice.id, bob.id),
            lambda: site.post(f"/api/v1/statuses/{quoted.id}/quotes/{quoting}/revoke", bob_s),
            lambda: site.post(f"/api/v1/statuses/{linked.id}/pin", bob_s),
            lambda: site.post(f"/api/v1/statuses/{linked.id}/unpin", bob_s),
            lambda: site.do(follows.ask, alice.id, bob.id),
            lambda: site.post("/api/v1/statuses", token, json={**more, "status": "again"}),
            lambda: site.do(delete.delete, bob.id, quoted.id),
        ],
        [(path, by) for path in paths for by in (token, bob_s, None) if by or path != "timelines/home"],
    )


async def test_what_another_server_changes_is_not_kept_too_long(both_sites):
    site = both_sites
    alice, token = await site.person("alice")
    bob, eve = remote("bob"), remote("eve", "other.test")
    await stored(site.db, bob, eve)
    await site.do(follows.ask, alice.id, bob.id)
    named = await site.posted(alice, "of @bob@far.test")
    at = datetime.now(UTC) - timedelta(minutes=9)
    said = note(
        bob,
        "<p>:cat:</p>",
        published=at,
        mentions=(mention(eve),),
        attachments=(Attachment("image", "https://far.test/a.png"),),
    )
    theirs = await site.do(receive.receive, bob, said)
    other = await site.do(receive.receive, bob, note(bob, published=at - timedelta(minutes=1)))
    assert theirs
    assert other

    def actor(person, **more):
        found = Actor(person.uri, "Person", person.username, person.inbox, url=person.url)
        handle = more.pop("handle", person.handle)
        return site.do(remember, replace(found, **more), handle)

    def says(**more):
        changed = replace(said, updated=datetime.now(UTC), **more)
        return site.do(edit.receive_edit, bob, changed)

    def policy(**more):
        return site.do(hosts.set_draft, PolicyDraft("far.test", **more))

    paths = (
        "timelines/public",
        "timelines/home",
        f"accounts/{bob.id}/statuses",
        f"accounts/{alice.id}/statuses",
        f"statuses/{theirs.id}",
        f"statuses/{named.id}",
    )
    cat = Emoji("cat", "https://far.test/cat.png")
    await told_of_each(
        site,
        [
            lambda: actor(bob, name="Bob", emojis=(cat,)),
            lambda: actor(eve, url="https://other.test/people/eve"),
            lambda: actor(bob, username="Bob"),
            lambda: actor(bob, handle="bob@new.test"),
            lambda: actor(eve, handle="eva@other.test", username="eva"),
            lambda: says(emojis=(cat,)),
            lambda: says(emojis=(replace(cat, url="https://far.test/dog.png"),)),
            lambda: says(emojis=(cat,), attachments=(Attachment("image", "https://far.test/a.png", description="a"),)),
            lambda: says(html="<p>words</p>", mentions=()),
            lambda: says(html="<p>words</p>", mentions=(), quote="https://other.test/1"),
            lambda: says(html="<p>words</p>", mentions=(), quote=other.uri),
            lambda: says(html="<p>words</p>", mentions=()),
            lambda: site.do(domains.block, site.origin, alice.id, "new.test"),
            lambda: site.db.write(domains.unblock, alice.id, "new.test"),
            lambda: policy(level="noop", reject_media=True),
            lambda: policy(level="limit"),
            lambda: policy(level="block"),
        ],
        [(path, by) for path in paths for by in (token, None) if by or path != "timelines/home"],
    )


async def test_what_is_kept_is_bounded(site, monkeypatch):
    monkeypatch.setattr(pieces, "_kept", Kept(10_000))
    alice, token = await site.person("alice")
    for number in range(9):
        await site.posted(alice, str(number))
        assert len((await site.get("/api/v1/timelines/home", token)).json) == number + 1
    assert 0 < len(pieces._kept) < 9


async def test_each_reader_is_told_of_himself_whoever_read_before(both_sites):
    site = both_sites
    alice, token = await site.person("alice")
    bob, other = await site.person("bob")
    post, asks = (
        await site.posted(alice, "words"),
        await site.posted(alice, "poll", poll=PollDraft(("yes", "no"), datetime.now(UTC) + timedelta(hours=1))),
    )
    await site.db.write(reactions.like, bob.id, post.id, datetime.now(UTC))
    await site.db.write(boosts.boost, bob.id, post.id, datetime.now(UTC))
    await site.db.write(polls.vote, bob.id, asks.id, [0], datetime.now(UTC))

    async def told(by):
        return (await site.get(f"/api/v1/accounts/{alice.id}/statuses", by)).json

    fresh = {}
    for by in (token, other, None):
        forget()
        fresh[by] = await told(by)
    assert [fresh[by][1].get("favourited") for by in (token, other, None)] == [False, True, None]
    assert [fresh[by][0]["poll"].get("own_votes") for by in (token, other, None)] == [[], [0], None]
    for by in (None, other, token, other, None, token, token):
        assert await told(by) == fresh[by]


async def test_who_wrote_the_page_that_a_card_shows_is_not_kept_too_long_and_kept(both_sites, queries):
    site = both_sites
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    post = await site.posted(bob, "https://site.test/a")
    page = Preview(title="A", creator="alice@ours.test", host="www.site.test")
    await site.do(cards.fetched, post.card_id, page)

    def credit():
        return site.db.write(lambda tx: cards.credit(tx, cards.find(tx, post.card_id), alice))

    def agrees(*domains):
        changes = accounts.ProfileChanges(attribution_domains=list(domains))
        return site.db.write(accounts.update_profile, site.origin, alice.id, changes, datetime.now(UTC))

    def rename(tx):
        tx.execute(update(accounts_table).where(accounts_table.c.id == alice.id).values(display_name="Alice A."))

    paths = ("timelines/public", f"accounts/{bob.id}/statuses", f"statuses/{post.id}")
    asked = [(path, by) for path in paths for by in (token, bob_s, None)]
    changes = [credit, lambda: agrees("site.test"), lambda: site.db.write(rename), lambda: agrees("other.test"),
               lambda: agrees("site.test"), lambda: site.do(accounts.suspend, alice.id)]  # fmt: skip
    await told_of_each(site, changes[:-1], asked)
    for loaded in (0, 1):  # nothing is loaded anew, until it is forgotten
        queries.clear()
        await site.get("/api/v1/timelines/public", bob_s)
        assert sum(query.startswith("SELECT preview_card") for query in queries) == loaded
        forget()
    await told_of_each(site, changes[-1:], asked[1:2])
