"""Mastodon.py: people, what they are to each other, and what they hear (each answer checked by library.py)."""

import pytest
from mastodon import MastodonNotFoundError

from tests.web.library import Library, ids
from tests.web.site import Site
from tests.web.test_mastodon_py_posts import alice, bob, picture

__all__ = ["alice", "bob"]


async def test_people_are_read(site: Site, alice, bob):
    account, library = alice
    person, _ = bob
    carol, _ = await site.person("carol", locked=True)
    assert ids([await library("account", person.id), await library("account_lookup", "carol")]) == ids([person, carol])
    assert ids(await library("accounts", [person.id, carol.id])) == ids([person, carol])
    assert ids(await library("account_search", "bo")) == ids([person])
    assert (await library("account_follow", person.id, notify=True)).notifying is True
    assert (await library("account_follow", carol.id)).requested is True
    assert ids(await library("account_following", account.id)) == ids([person])
    assert ids(await library("account_followers", person.id)) == ids([account])
    assert len(await library("account_relationships", [person.id, carol.id])) == 2
    assert len(await library("account_familiar_followers", [carol.id])) == 1
    assert (await library("account_note_set", person.id, "the builder")).note == "the builder"
    for did in ("endorse", "unendorse", "pin", "unpin", "mute", "unmute", "block", "unblock"):
        await library(f"account_{did}", person.id)
        if did in ("endorse", "mute", "block"):
            name = {"endorse": "endorsements", "mute": "mutes", "block": "blocks"}[did]
            assert ids(await library(name)) == ids([person])
    assert (await library("account_unfollow", person.id)).following is False


async def test_who_asks_to_follow_is_answered(site: Site, alice, bob):
    account, library = alice
    person, other = bob
    await library("account_update_credentials", locked=True)
    carol, token = await site.person("carol")
    await other("account_follow", account.id)
    await Library(site, token)("account_follow", account.id)
    assert set(ids(await library("follow_requests"))) == set(ids([person, carol]))
    assert (await library("follow_request_authorize", person.id)).followed_by is True
    assert (await library("follow_request_reject", carol.id)).followed_by is False
    assert (await library("account_remove_from_followers", person.id)).followed_by is False


async def test_a_profile_is_kept(alice):
    _, library = alice
    changed = await library(
        "account_update_credentials", display_name="Alice", note="hi #all", fields=[("web", "https://a.test/")],
        avatar=picture(), avatar_mime_type="image/png", header=picture(), header_mime_type="image/png", bot=True,
        discoverable=True, indexable=True, hide_collections=True, default_privacy="unlisted", default_sensitive=True,
        default_language="de",
    )  # fmt: skip
    assert (changed.source.privacy, changed.source.language, changed.bot) == ("unlisted", "de", True)
    assert "/media/" in changed.avatar
    for name in ("account_delete_avatar", "account_delete_header", "me", "account_verify_credentials"):
        assert (await library(name)).display_name == "Alice"
    assert (await library("preferences"))["posting:default:visibility"] == "unlisted"


async def test_domains_are_shut_out(alice):
    _, library = alice
    await library("domain_block", "evil.test")
    assert list(await library("domain_blocks")) == ["evil.test"]
    await library("domain_unblock", "evil.test")
    assert list(await library("domain_blocks")) == []


async def test_hashtags_are_followed_and_featured(alice):
    account, library = alice
    await library("status_post", "hello #world")
    assert (await library("tag_follow", "world")).following is True
    assert [one.name for one in await library("followed_tags")] == ["world"]
    assert (await library("tag", "world")).name == "world"
    assert (await library("tag_unfollow", "world")).following is False
    made = await library("featured_tag_create", "world")
    assert ids(await library("featured_tags")) == ids([made])
    assert [one.name for one in await library("account_featured_tags", account.id)] == ["world"]
    await library("featured_tag_delete", made.id)


async def test_notifications_one_by_one_and_in_groups(alice, bob):
    account, library = alice
    _, other = bob
    post = await library("status_post", "hello")
    await other("account_follow", account.id)
    await other("status_favourite", post.id)
    await other("status_reblog", post.id)
    await other("status_post", "@alice hey")
    told = await library("notifications")
    assert [one.type for one in told] == ["mention", "reblog", "favourite", "follow"]
    assert [one.type for one in await library("notifications", mentions_only=True)] == ["mention"]
    assert (await library("notifications", id=told[0].id)).type == "mention"
    assert (await library("notifications_unread_count")).count == 4
    grouped = await library("grouped_notifications", expand_accounts="partial_avatars")
    group = grouped.notification_groups[0]
    assert (await library("grouped_notification", group.group_key)).notification_groups
    assert [one.acct for one in await library("grouped_notification_accounts", group.group_key)] == ["bob"]
    assert await library("unread_grouped_notifications_count") >= 1
    set_ = await library("markers_set", ["notifications", "home"], [told[0].id, post.id])
    assert set_.keys() == (await library("markers_get", ["notifications", "home"])).keys()
    await library("dismiss_grouped_notification", group.group_key)
    await library("notifications_dismiss", told[1].id)
    await library("notifications_clear")
    assert list(await library("notifications")) == []


async def test_notifications_of_strangers_wait(alice, bob):
    _, library = alice
    person, other = bob
    policy = await library("update_notifications_policy", for_not_following="filter")
    assert policy.for_not_following == "filter"
    await other("status_post", "@alice hey")
    assert (await library("notifications_policy")).summary.pending_requests_count == 1
    [asked] = await library("notification_requests")
    assert str((await library("notification_request", asked.id)).account.id) == str(person.id)
    await library("accept_notification_request", asked.id)
    assert await library("notifications_merged") in (True, False)
    with pytest.raises(MastodonNotFoundError):
        await library("dismiss_notification_request", 1)


async def test_push(alice):
    _, library = alice
    with pytest.raises(MastodonNotFoundError):
        await library("push_subscription")
    _, public = library.mastodon.push_subscription_generate_keys()
    made = await library("push_subscription_set", "https://push.test/x", public, mention_events=True, policy="followed")
    assert (made.endpoint, made.alerts.mention) == ("https://push.test/x", True)
    assert (await library("push_subscription_update", favourite_events=True, policy="all")).alerts.favourite is True
    assert (await library("push_subscription")).policy == "all"
    await library("push_subscription_delete")
