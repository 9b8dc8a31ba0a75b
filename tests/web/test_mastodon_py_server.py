"""Mastodon.py: the server, searching, programs and tokens (each answer checked by library.py)."""

import asyncio

import pytest
from mastodon import Mastodon, MastodonUnauthorizedError

from social import fulltext, users
from tests.people import OURS, remote, stored
from tests.web.library import Library, ids
from tests.web.site import Site
from tests.web.test_mastodon_py_posts import alice

__all__ = ["alice"]


@pytest.mark.filterwarnings("ignore::mastodon.errors.MastodonDeprecationWarning")  # test_mastodon_py.py expects it
async def test_the_server_describes_itself(site: Site, alice):
    _, library = alice
    owner, _ = await site.person("owner")
    await site.do(users.set_role, owner.id, "owner")
    for name in (
        "", "_v1", "_v2", "_nodeinfo", "_peers", "_rules", "_activity", "_extended_description", "_languages",
        "_translation_languages",
    ):  # fmt: skip
        assert await library(f"instance{name}") is not None
    assert await library("stream_healthy") is True
    info = await library("oauth_authorization_server_info")
    assert info.code_challenge_methods_supported == ["S256"]
    assert (await library("retrieve_mastodon_version"))[0].isdigit()


async def test_search_finds_people_and_posts(site: Site, alice):
    account, library = alice
    await stored(site.db, far := remote("bob"))
    site.remote.found["bob@far.test"] = far
    post = await library("status_post", "a rare word: sesquipedalian #rarity")
    while await site.db.write(fulltext.work):
        pass
    found = await library("search", "bob@far.test", resolve=True)
    assert ids(found.accounts) == ids([far])
    assert ids((await library("search_v2", "sesquipedalian", result_type="statuses")).statuses) == ids([post])
    assert ids((await library("search_v2", "alice", result_type="accounts", limit=1)).accounts) == ids([account])
    await library("search_v2", "#rarity", exclude_unreviewed=True)


async def test_programs_come_and_tokens_go(site: Site, alice):
    account, library = alice
    name, secret = await asyncio.to_thread(
        Mastodon.create_app, "a program", scopes=["read", "write"], redirect_uris=["https://app.test/a"],
        website="https://app.test/", api_base_url=OURS, session=library.session,
    )  # fmt: skip
    assert (await library("app_verify_credentials")).name == "a program"
    program = Library(site, None, client_id=name, client_secret=secret)
    asked = await program("auth_request_url", scopes=["read"], redirect_uris="https://app.test/a", state="x")
    assert asked.startswith("https://ours.test/oauth/authorize?")
    assert (await library("oauth_userinfo")).preferred_username == account.username
    with pytest.raises(MastodonUnauthorizedError):
        await Library(site, "gone")("me")


async def test_filters(alice):
    _, library = alice
    post = await library("status_post", "a spoiler")
    made = await library("create_filter_v2", "films", ["home", "public"], "warn", 3600, [{"keyword": "spoiler"}])
    keyword = await library("add_filter_keyword_v2", made.id, "ending", whole_word=True)
    attached = await library("add_filter_status_v2", made.id, post.id)
    assert len(await library("filter_keywords_v2", made.id)) == 2
    assert ids(await library("filter_statuses_v2", made.id)) == ids([attached])
    assert str((await library("filter_status_v2", attached.id)).status_id) == str(post.id)
    [shown] = await library("timeline_home")
    assert shown.filtered[0].keyword_matches == ["spoiler"]
    assert (await library("update_filter_v2", made.id, title="cinema")).title == "cinema"
    assert ids(await library("filters_v2")) == ids([made])
    await library("delete_filter_keyword_v2", keyword.id)
    await library("delete_filter_status_v2", attached.id)
    await library("delete_filter_v2", made.id)
