"""A client library that others wrote, against a running server: what it reads without complaint, clients read."""

import asyncio

import pytest
from mastodon import Mastodon, MastodonNotFoundError, MastodonUnauthorizedError
from mastodon.errors import MastodonDeprecationWarning

from social import users
from store.tables import Account
from tests.people import remote, stored
from tests.web.library import Library, ids
from tests.web.site import Site


@pytest.fixture
async def alice(site: Site) -> tuple[Account, Library]:
    account, token = await site.person("alice")
    return account, Library(site, token)


async def test_it_hears_refusals(site: Site, alice):
    _, library = alice
    with pytest.raises(MastodonNotFoundError):
        await library("status", 114)
    with pytest.raises(MastodonUnauthorizedError):
        await Library(site, "wrong")("timeline_home")


async def test_it_posts_and_reads(site: Site, alice):
    account, library = alice
    posted = await library("status_post", "hello #world", spoiler_text="cw", visibility="unlisted", language="en")
    assert (str(posted.account.id), posted.visibility, posted.spoiler_text) == (str(account.id), "unlisted", "cw")
    answer = await library("status_post", "and again", in_reply_to_id=posted.id)
    context = await library("status_context", posted.id)
    assert (ids(context.descendants), ids(context.ancestors)) == (ids([answer]), [])
    assert ids(await library("timeline_home")) == ids([answer, posted])
    edited = await library("status_update", posted.id, status="goodbye")
    assert "goodbye" in edited.content
    assert edited.edited_at is not None
    assert (await library("status_source", posted.id)).text == "goodbye"
    await library("status_delete", answer.id)
    assert ids(await library("account_statuses", account.id)) == ids([posted])


async def test_it_likes_boosts_and_pins(site: Site, alice):
    account, library = alice
    bob, _ = await site.person("bob")
    post = await site.posted(bob)
    assert (await library("status_favourite", post.id)).favourited is True
    assert ids([(await library("status_reblog", post.id)).reblog]) == [str(post.id)]
    assert (await library("status_unreblog", post.id)).reblogged is False
    own = await library("status_post", "mine")
    assert (await library("status_pin", own.id)).pinned is True
    assert ids(await library("account_statuses", account.id, pinned=True)) == ids([own])


async def test_it_pages_through_all_of_a_feed(site: Site, alice):
    account, library = alice
    everything = [str((await site.posted(account)).id) for _ in range(7)][::-1]
    first = await library("timeline_public", limit=3)
    second = await library("fetch_next", first)
    assert ids(second) == everything[3:6]
    assert ids(await library("fetch_previous", second)) == everything[:3]
    assert ids(await library("fetch_remaining", first)) == everything


async def test_it_follows_and_is_told(site: Site, alice):
    account, library = alice
    bob, token = await site.person("bob")
    relation = await library("account_follow", bob.id, reblogs=False)
    assert (relation.following, relation.showing_reblogs) == (True, False)
    assert ids(await library("account_following", account.id)) == [str(bob.id)]
    assert [one.following for one in await library("account_relationships", [bob.id])] == [True]
    told = await Library(site, token)("notifications")
    assert [(one.type, str(one.account.id)) for one in told] == [("follow", str(account.id))]
    assert (await library("account_unfollow", bob.id)).following is False
    assert (await library("account_block", bob.id)).blocking is True


async def test_it_finds_people(site: Site, alice):
    account, library = alice
    await stored(site.db, bob := remote("bob"))
    site.remote.found["bob@far.test"] = bob
    found = await library("search_v2", "bob@far.test", resolve=True)
    assert ids(found.accounts) == [str(bob.id)]
    assert ids([await library("account_lookup", "alice")]) == [str(account.id)]
    assert (await library("account", bob.id)).acct == "bob@far.test"


async def test_it_votes(site: Site, alice):
    _, library = alice
    _, token = await site.person("bob")
    other = Library(site, token)
    asked = await library("make_poll", ["yes", "no"], 600)
    posted = await library("status_post", "well?", poll=asked)
    poll = await other("poll_vote", posted.poll.id, [1])
    assert (poll.voted, poll.own_votes, poll.options[1].votes_count) == (True, [1], 1)


async def test_it_knows_itself_and_the_server(site: Site, alice):
    account, library = alice
    owner, _ = await site.person("owner")
    await site.do(users.set_role, owner.id, "owner")
    assert ids([await library("me")]) == [str(account.id)]
    changed = await library("account_update_credentials", display_name="Alice", fields=[("web", "https://alice.test/")])
    assert (changed.display_name, changed.source.fields[0].value) == ("Alice", "https://alice.test/")
    with pytest.warns(MastodonDeprecationWarning):  # it reads our Deprecation header
        assert (await library("instance_v1")).uri == "ours.test"
    assert (await library("instance_v2")).configuration.statuses.max_characters == 5000
    assert list(await library("instance_peers")) == []
    assert (await library("app_verify_credentials")).name == "a program"


async def test_it_registers_a_program(site: Site):
    address = str(site.http.make_url("")).rstrip("/")
    name, secret = await asyncio.to_thread(Mastodon.create_app, "toot", api_base_url=address)
    assert name
    assert secret


async def test_it_does_all_of_that_on_both_engines(both_sites: Site):
    site = both_sites
    account, token = await site.person("alice")
    person, other_token = await site.person("bob")
    library, other = Library(site, token), Library(site, other_token)
    await library("account_follow", person.id)
    post = await other("status_post", "hello @alice #world", visibility="unlisted")
    assert ids(await library("timeline_home")) == ids([post])
    assert (await library("status_favourite", post.id)).favourited is True
    assert (await library("status_bookmark", post.id)).bookmarked is True
    assert (await library("status_reblog", post.id)).reblog.reblogs_count == 1
    answer = await library("status_reply", post, "well met")
    assert ids((await other("status_context", post.id)).descendants) == ids([answer])
    assert [one.type for one in await other("notifications")] == ["mention", "reblog", "favourite", "follow"]
    assert (await other("grouped_notifications")).notification_groups
    listed = await library("list_create", "friends")
    await library("list_accounts_add", listed.id, [person.id])
    assert ids(await library("timeline_list", listed.id)) == ids([post])
    assert ids((await library("search_v2", "bob")).accounts) == [str(person.id)]
    assert (await other("status_update", post.id, "goodbye @alice")).edited_at is not None
    assert [str(one.id) for one in await other("account_followers", person.id)] == [str(account.id)]
    await other("status_delete", post.id)
