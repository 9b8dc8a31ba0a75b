"""What is kept of posts is never stale: after each change, a list says what it would say if nothing had been kept."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from outbox import parts
from social import accounts, blocks, boosts, polls, reactions
from social.follows import ours as follows
from social.posts import delete, edit
from social.posts.drafts import Draft, PollDraft
from store.tables import accounts as accounts_table
from web.api import pieces


def forget():
    parts.REMEMBERED.forget()
    pieces._kept.clear()


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

    async def seen():
        paths = ("timelines/home", "timelines/public", f"accounts/{bob.id}/statuses", f"statuses/{root.id}/context")
        return [
            (await site.get(f"/api/v1/{path}", by)).json
            for path in paths
            for by in (token, bob_s, carol_s, None)
            if by or path != "timelines/home"
        ]

    def rename(tx):
        tx.execute(update(accounts_table).where(accounts_table.c.id == bob.id).values(display_name="Bobby"))

    changes = [
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
    ]
    before = await seen()
    for number, change in enumerate(changes):
        await change()
        kept = await seen()
        forget()
        assert kept == await seen(), number
        assert kept != before, number
        before = kept


async def test_what_is_kept_is_bounded(site, monkeypatch):
    monkeypatch.setattr(pieces, "MOST", 4)
    alice, token = await site.person("alice")
    for number in range(9):
        await site.posted(alice, str(number))
        assert len((await site.get("/api/v1/timelines/home", token)).json) == number + 1
    assert len(pieces._kept) <= 4
