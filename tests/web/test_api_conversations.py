"""Conversations and oEmbed through the API."""

import pytest

from tests.web.site import Site

CONVERSATIONS = "/api/v1/conversations"


async def test_conversations_are_for_their_owners(site: Site):
    alice, token = await site.person("alice")
    _, other = await site.person("bob")
    await site.posted(alice, "@bob hi", visibility="direct")
    [mine] = (await site.get(CONVERSATIONS, token)).json
    here = f"{CONVERSATIONS}/{mine['id']}"
    calls = [("GET", CONVERSATIONS), ("POST", f"{here}/read"), ("POST", f"{here}/unread"), ("DELETE", here)]
    wrong = await site.token(alice, "push")
    for method, path in calls:
        assert (await site.call(method, path)).status == 401
        assert (await site.call(method, path, wrong)).status == 403
    for method, path in calls[1:]:
        assert (await site.call(method, path, other)).status == 404
        assert (await site.call(method, path.replace(mine["id"], "x"), token)).status == 404


async def test_a_conversation_is_read_and_ended(site: Site):
    alice, _ = await site.person("alice")
    _, token = await site.person("bob")
    first = await site.posted(alice, "@bob hi", visibility="direct")
    second = await site.posted(alice, "@bob there", visibility="direct")
    page = await site.get(f"{CONVERSATIONS}?limit=1", token)
    [top] = page.json
    assert (top["unread"], top["last_status"]["id"]) == (True, str(second.id))
    assert [one["id"] for one in top["accounts"]] == [str(alice.id)]
    assert [one["last_status"]["id"] for one in (await site.get(page.link("next") or "", token)).json] == [
        str(first.id)
    ]
    here = f"{CONVERSATIONS}/{top['id']}"
    assert (await site.post(f"{here}/read", token)).json["unread"] is False
    assert (await site.post(f"{here}/unread", token)).json["unread"] is True
    assert (await site.call("DELETE", here, token)).json == {}
    assert len((await site.get(CONVERSATIONS, token)).json) == 1


async def test_a_public_post_is_embedded_without_a_script(site: Site):
    alice, _ = await site.person("alice")
    post = await site.posted(alice, "hello <script>alert(1)</script>")
    for url in (post.url, post.uri, f"{post.url}/"):
        found = (await site.get(f"/api/oembed?url={url}&maxwidth=300")).json
        assert (found["type"], found["version"], found["width"], found["height"]) == ("rich", "1.0", 300, None)
        assert post.url in found["html"]
        assert "<script" not in found["html"]
    assert found["author_url"] == alice.url


@pytest.mark.parametrize("more", [{"visibility": "private"}, {"visibility": "direct"}, {"local_only": True}], ids=str)
async def test_what_not_everybody_may_see_is_not_embedded(site: Site, more):
    alice, _ = await site.person("alice")
    post = await site.posted(alice, **more)
    assert (await site.get(f"/api/oembed?url={post.url}")).status == 404


@pytest.mark.parametrize("url", ["", "x", "https://far.test/@a/1", "https://ours.test/@a/x", "https://ours.test/@a/1"])
async def test_what_is_no_post_of_ours_is_not_embedded(site: Site, url):
    assert (await site.get(f"/api/oembed?url={url}")).status == 404
    assert (await site.get("/api/oembed?url[a]=1&maxwidth=x")).status == 422
