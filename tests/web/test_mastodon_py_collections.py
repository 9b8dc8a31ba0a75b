"""Mastodon.py: collections of accounts (each answer checked by library.py)."""

import pytest
from mastodon import MastodonNotFoundError, MastodonUnauthorizedError

from tests.web.library import Library, ids
from tests.web.site import Site


async def test_collections(site: Site):
    alice, alice_s = await site.person("alice")
    bob, bob_s = await site.person("bob", discoverable=True)
    carol, _ = await site.person("carol", discoverable=True)
    library, other = Library(site, alice_s), Library(site, bob_s)
    made = (await library("collection_create", "Friends", description="of mine", account_ids=[bob.id])).collection
    assert (made.name, made.item_count) == ("Friends", 1)
    added = (await library("collection_item_add", made.id, carol.id)).collection_item
    shown = await other("collection", made.id)
    assert ids(shown.accounts) == ids([alice, bob, carol])
    assert (await library("collection_update", made.id, "Good friends", discoverable=True)).collection.discoverable
    assert ids((await other("account_collections", alice.id)).collections) == ids([made])
    assert ids((await other("account_in_collections", None)).collections) == ids([made])
    assert (await other("report", alice.id, collection_ids=[made.id])).collection_ids == [made.id]
    news = await other("notifications")
    assert [one.type for one in news] == ["collection_update", "added_to_collection"]
    assert ids((await other("search_v2", made.url)).collections) == ids([made])
    assert ids((await other("search_v2", made.uri)).collections) == ids([made])
    await library("collection_item_delete", made.id, added.id)
    await other("collection_item_revoke", made.id, made["items"][0].id)
    assert (await library("collection", made.id)).collection.item_count == 0
    await library("collection_delete", made.id)
    with pytest.raises(MastodonNotFoundError):
        await other("collection", made.id)
    with pytest.raises(MastodonUnauthorizedError):
        await Library(site)("collection_create", "x")
