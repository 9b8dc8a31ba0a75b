"""Mastodon.py: posts and all that is done with them, each answer held against its types and ours (library.py)."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from mastodon import MastodonAPIError
from PIL import Image

from store.tables import Account
from tests.web.library import Library, ids
from tests.web.site import Site


@pytest.fixture
async def alice(site: Site) -> tuple[Account, Library]:
    account, token = await site.person("alice")
    return account, Library(site, token)


@pytest.fixture
async def bob(site: Site) -> tuple[Account, Library]:
    account, token = await site.person("bob")
    return account, Library(site, token)


def picture() -> BytesIO:
    made = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(made, "PNG")
    made.seek(0)
    return made


async def test_posts_in_every_dress(alice, bob):
    _, library = alice
    _, other = bob
    root = await library("status_post", "hello @bob #world", spoiler_text="cw", visibility="unlisted", language="en")
    reply = await other("status_reply", root, "well met", idempotency_key="once")
    assert str((await other("status_reply", root, "well met", idempotency_key="once")).id) == str(reply.id)
    quoting = await library("status_post", "look", quoted_status_id=reply.id, quote_approval_policy="followers")
    for one in (root, reply, quoting):
        assert ids([await library("status", one.id)]) == ids([one])
    assert ids(await library("statuses", [root.id, reply.id])) == ids([root, reply])
    assert ids((await library("status_context", root.id)).descendants) == ids([reply])
    edited = await library("status_update", root.id, status="goodbye @bob", quote_approval_policy="nobody")
    assert edited.edited_at is not None
    assert len(await library("status_history", root.id)) == 2
    assert (await library("status_source", root.id)).text == "goodbye @bob"
    await library("status_update_quote_approval_policy", root.id, "public")
    deleted = await library("status_delete", root.id)
    assert deleted.text == "goodbye @bob"


async def test_what_readers_do_with_a_post(alice, bob):
    account, library = alice
    _, other = bob
    post = await library("status_post", "hello")
    for did, undid in (("favourite", "unfavourite"), ("bookmark", "unbookmark"), ("mute", "unmute")):
        field = {"favourite": "favourited", "bookmark": "bookmarked", "mute": "muted"}[did]
        assert (await other(f"status_{did}", post.id))[field] is True
        lists = {"favourite": "favourites", "bookmark": "bookmarks"}
        if did in lists:
            assert ids(await other(lists[did])) == ids([post])
        if did == "favourite":
            assert [one.acct for one in await library("status_favourited_by", post.id)] == ["bob"]
        assert (await other(f"status_{undid}", post.id))[field] is False
    boost = await other("status_reblog", post.id, visibility="unlisted")
    assert (str(boost.reblog.id), boost.reblog.reblogged) == (str(post.id), True)
    assert [one.acct for one in await library("status_reblogged_by", post.id)] == ["bob"]
    assert (await other("status_unreblog", post.id)).reblogged is False
    assert (await library("status_pin", post.id)).pinned is True
    assert ids(await library("account_statuses", account.id, pinned=True)) == ids([post])
    assert (await library("status_unpin", post.id)).pinned is False
    with pytest.raises(MastodonAPIError):
        await library("status_translate", post.id)


async def test_quotes_are_seen_and_taken_back(alice, bob):
    _, library = alice
    _, other = bob
    post = await library("status_post", "hello", quote_approval_policy="public")
    quoting = await other("status_post", "look", quoted_status_id=post.id)
    assert quoting.quote.state == "accepted"
    assert ids(await library("status_quotes", post.id)) == ids([quoting])
    revoked = await library("status_quote_revoke", post.id, quoting.id)
    assert revoked.quote.state == "revoked"


async def test_files_go_up_at_once_and_are_described_later(alice):
    _, library = alice
    media = await library(
        "media_post", picture(), "image/png", description="teal", focus=(0.5, -0.5), file_name="a.png"
    )
    assert (await library("media", media.id)).meta.focus.x == 0.5
    changed = await library("media_update", media.id, description="more teal")
    assert changed.description == "more teal"
    post = await library("status_post", "look", media_ids=[media.id])
    assert [one.description for one in post.media_attachments] == ["more teal"]
    attributes = library.mastodon.generate_media_edit_attributes(media.id, description="the most teal")
    edited = await library("status_update", post.id, status="look", media_attributes=[attributes])
    assert [one.description for one in edited.media_attachments] == ["the most teal"]


async def test_polls(alice, bob):
    _, library = alice
    _, other = bob
    asked = library.mastodon.make_poll(["yes", "no", "both"], 600, multiple=True, hide_totals=True)
    posted = await library("status_post", "well?", poll=asked)
    poll = await other("poll_vote", posted.poll.id, [0, 2])
    assert (poll.voted, poll.own_votes, poll.multiple) == (True, [0, 2], True)
    assert (await other("poll", posted.poll.id)).voters_count == 1


async def test_posts_for_later(alice):
    _, library = alice
    later = datetime.now(UTC) + timedelta(hours=1)
    made = await library("status_post", "in an hour", scheduled_at=later)
    assert made.params.text == "in an hour"
    assert ids(await library("scheduled_statuses")) == ids([made])
    moved = await library("scheduled_status_update", made.id, later + timedelta(hours=1))
    assert moved.scheduled_at > made.scheduled_at
    await library("scheduled_status_delete", made.id)
    assert ids(await library("scheduled_statuses")) == []


async def test_feeds_of_every_kind(alice, bob):
    account, library = alice
    person, other = bob
    post = await library("status_post", "hello #world https://site.test/a")
    private = await other("status_post", "private", visibility="private")
    for feed, more in (
        ("home", {}),
        ("local", {}),
        ("public", {"only_media": False}),
        ("hashtag", {"hashtag": "world"}),
    ):
        assert ids(await library(f"timeline_{feed}", **more)) == ids([post]), feed
    assert ids(await library("account_statuses", account.id, tagged="world", exclude_replies=True)) == ids([post])
    assert ids(await library("timeline_home", limit=1, min_id=post.id)) == []
    assert await library("timeline_is_available", "public") is True
    listed = await library("list_create", "friends", replies_policy="none", exclusive=True)
    await library("account_follow", person.id)
    await library("list_accounts_add", listed.id, [person.id])
    assert ids(await library("list_accounts", listed.id)) == [str(person.id)]
    assert ids(await library("account_lists", person.id)) == ids([listed])
    heard = await other("status_post", "to the list")
    assert ids(await library("timeline_list", listed.id)) == ids([heard, private])
    assert (await library("list_update", listed.id, "best", exclusive=False)).title == "best"
    assert [one.title for one in await library("lists")] == ["best"]
    assert (await library("list", listed.id)).title == "best"
    await library("list_accounts_delete", listed.id, [person.id])
    await library("list_delete", listed.id)


async def test_direct_posts_are_conversations(alice, bob):
    _, library = alice
    _, other = bob
    await other("status_post", "@alice psst", visibility="direct")
    [talk] = await library("conversations")
    assert (talk.unread, [one.acct for one in talk.accounts]) == (True, ["bob"])
    assert (await library("conversations_read", talk.id)).unread is False
