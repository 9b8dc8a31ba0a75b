"""toot, a client that others wrote, comes in by its own way: a code that its person copies from the page."""

import asyncio
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from toot import App, User, api, auth, config

from tests.web.oauth import fields, signed_in
from tests.web.site import Site


@pytest.fixture
def home(tmp_path, monkeypatch) -> None:
    """What it keeps stays in the test's folder."""
    monkeypatch.setattr(config, "get_config_file_path", lambda: str(tmp_path / "toot.json"))


async def blocking(work: Callable[..., Any], *given: Any, **more: Any) -> Any:
    return await asyncio.to_thread(work, *given, **more)


async def test_toot_logs_in_with_a_code_posts_and_reads(site: Site, home) -> None:
    browser, account = await signed_in(site)
    base = str(site.http.make_url("")).rstrip("/")
    app: App = await blocking(auth.register_app, "ours.test", base)
    asked = (await blocking(api.get_browser_login_url, app)).removeprefix(base)
    assert asked.startswith("/oauth/authorize/?")
    page = await browser.get(asked)
    await browser.send("/oauth/authorize", **fields(page), decision="allow")
    page = await browser.get(browser.location)
    code = unescape(re.findall(r'id="code"[^>]*value="([^"]+)"', page)[0])
    user: User = await blocking(auth.login_auth_code, app, code)
    assert user.username == "alice"
    posted = (await blocking(api.post_status, app, user, "hello from toot", visibility="unlisted")).json()
    read = (await blocking(api.fetch_status, app, user, posted["id"])).json()
    assert "hello from toot" in read["content"]
    assert (read["account"]["id"], read["visibility"]) == (str(account.id), "unlisted")
    home_page = await blocking(lambda: next(api.home_timeline_generator(app, user)))
    assert [one["id"] for one in home_page] == [posted["id"]]
    found = (await blocking(api.search, app, user, "alice", type="accounts")).json()
    assert [one["acct"] for one in found["accounts"]] == ["alice"]


async def test_toot_follows_keeps_lists_and_reads_what_happened(site: Site) -> None:
    alice, token = await site.person("alice")
    bob, other = await site.person("bob")
    base = str(site.http.make_url("")).rstrip("/")
    app = App("ours.test", base, "client", "secret")
    user, her = User("ours.test", "alice", token), User("ours.test", "bob", other)
    relation = (await blocking(api.follow, app, user, str(bob.id))).json()
    assert relation["following"] is True
    assert [one["acct"] for one in await blocking(api.following, app, user, str(alice.id))] == ["bob"]
    posted = (await blocking(api.post_status, app, her, "hello @alice #world")).json()
    for act, field in ((api.bookmark, "bookmarked"), (api.favourite, "favourited")):
        assert (await blocking(act, app, user, posted["id"])).json()[field] is True
    kept = await blocking(lambda: next(api.bookmark_timeline_generator(app, user)))
    assert [one["id"] for one in kept] == [posted["id"]]
    listed = (await blocking(api.create_list, app, user, "friends")).json()
    await blocking(api.add_accounts_to_list, app, user, listed["id"], [str(bob.id)])
    assert [one["title"] for one in await blocking(api.get_lists, app, user)] == ["friends"]
    assert [one["acct"] for one in await blocking(api.get_list_accounts, app, user, listed["id"])] == ["bob"]
    told = (await blocking(api.get_notifications, app, her)).json()
    assert [one["type"] for one in told] == ["favourite", "follow"]
    await blocking(api.follow_tag, app, user, "world")
    assert [one["name"] for one in await blocking(api.followed_tags, app, user)] == ["world"]
    await blocking(api.block, app, user, str(bob.id))
    found = (await blocking(api.search, app, user, "bob", resolve=True, type="accounts")).json()
    assert [one["acct"] for one in found["accounts"]] == ["bob"]  # else nobody could be let go again
    assert (await blocking(api.unblock, app, user, str(bob.id))).json()["blocking"] is False
