"""Announcements and emoji, by API, page and command.  Refusals first."""

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from connectme.media.workshop import Workshop
from federation.origin import Origin
from ops import incidents, state
from ops.ahead import Ahead, announced_as
from social import accounts, announcements, emojis
from social.errors import Invalid
from store.blobs import Folder, kind_of
from tests import samples
from tests.people import OURS, remote, stored
from tests.web import browsing
from tests.web.site import Site

HERE = "/api/v1/announcements"
FILE = f"{'a' * 32}.gif"


async def told(site: Site, text="Hello :blobcat: #all", **more):
    return await site.db.write(lambda tx: announcements.create(tx, site.origin, text, datetime.now(UTC), **more))


async def test_what_is_not_there_is_404(site: Site):
    _, token = await site.person("alice")
    over = await told(site, ends_at=datetime.now(UTC) - timedelta(seconds=1))
    for number in (over.id, 1, "x"):
        for method, path in (
            ("POST", f"{HERE}/{number}/dismiss"),
            ("PUT", f"{HERE}/{number}/reactions/%F0%9F%A4%94"),
            ("DELETE", f"{HERE}/{number}/reactions/%F0%9F%A4%94"),
        ):
            assert (await site.call(method, path, token)).status == 404, (method, path)
    it = await told(site)
    assert (await site.call("PUT", f"{HERE}/{it.id}/reactions/nothing", token)).status == 422
    assert (await site.call("DELETE", f"{HERE}/{it.id}/reactions/nothing", token)).status == 404
    assert (await site.call("PUT", f"{HERE}/{it.id}/reactions/%00", token)).status == 422


async def test_members_read_react_and_put_away(site: Site):
    _, token = await site.person("alice")
    await site.db.write(emojis.add, "blobcat", FILE, "b" * 32 + ".png", "Cats", datetime.now(UTC))
    it = await told(site, starts_at=datetime(2026, 6, 5, tzinfo=UTC), all_day=True)
    for name in ("%F0%9F%A4%94", "blobcat"):
        assert (await site.call("PUT", f"{HERE}/{it.id}/reactions/{name}", token)).json == {}
    picture = {
        "url": f"https://ours.test/media/{FILE}",
        "static_url": f"https://ours.test/media/{'b' * 32}.png",
    }
    (shown,) = (await site.get(HERE, token)).json
    assert shown == {
        "id": str(it.id),
        "content": shown["content"],
        "starts_at": "2026-06-05T00:00:00.000Z",
        "ends_at": None,
        "all_day": True,
        "published_at": shown["updated_at"],
        "updated_at": shown["updated_at"],
        "read": False,
        "mentions": [],
        "statuses": [],
        "tags": [{"name": "all", "url": "https://ours.test/tags/all"}],
        "emojis": [
            {"shortcode": "blobcat", "url": picture["url"], "static_url": picture["url"], "visible_in_picker": False}
        ],
        "reactions": [
            {"name": "🤔", "count": 1, "me": True},
            {"name": "blobcat", "count": 1, "me": True, **picture},
        ],
    }
    assert shown["content"].startswith("<p>Hello :blobcat: <a ")
    assert (await site.post(f"{HERE}/{it.id}/dismiss", token)).json == {}
    assert (await site.call("DELETE", f"{HERE}/{it.id}/reactions/blobcat", token)).json == {}
    (shown,) = (await site.get(HERE, token)).json
    assert (shown["read"], len(shown["reactions"])) == (True, 1)
    listed = {"shortcode": "blobcat", **picture, "visible_in_picker": True, "category": "Cats"}
    assert (await site.get("/api/v1/custom_emojis")).json == [listed]


async def test_people_and_posts_in_the_text_come_along(site: Site):
    alice, token = await site.person("alice")
    await stored(site.db, bob := remote("bob"), gone := remote("gone", suspended_at=datetime.now(UTC)))
    seen, hidden = await site.posted(alice, "news"), await site.posted(alice, "for some", visibility="private")
    places = f"https://ours.test/@alice/{seen.id} and {hidden.uri}, {seen.uri}, https://ours.test/@alice/{'9' * 19}"
    await told(site, f"Ask @alice, @alice@ours.test, @bob@far.test, @{gone.acct} or @nobody: {places}")
    (shown,) = (await site.get(HERE, token)).json
    people = [{"id": str(one.id), "username": one.username, "acct": one.acct, "url": one.url} for one in (alice, bob)]
    assert shown["mentions"] == people
    assert [(one["id"], one["favourited"]) for one in shown["statuses"]] == [(str(seen.id), False)]
    assert f'<a href="{bob.url}" class="u-url mention">' in shown["content"]
    await site.do(accounts.suspend, alice.id)
    _, other = await site.person("carol")
    (shown,) = (await site.get(HERE, other)).json
    assert (shown["mentions"], shown["statuses"]) == (people[1:], [])


async def test_forty_announcements_cost_as_many_queries_as_one(site: Site, queries):
    alice, token = await site.person("alice")
    await site.get(HERE, token)  # now he was seen today
    costs = []
    for number in (1, 39):
        for _ in range(number):
            post = await site.posted(alice)
            it = await told(site, f"@alice: {post.uri}")
            await site.call("PUT", f"{HERE}/{it.id}/reactions/%F0%9F%A4%94", token)
        await site.get(HERE, token)  # now these posts are remembered
        queries.clear()
        assert (await site.get(HERE, token)).status == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]


async def test_pages_show_what_was_not_put_away(sqlite_db, aiohttp_client):
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    origin = Origin("ours.test", OURS)
    it = await sqlite_db.write(announcements.create, origin, "The cellar is open", datetime.now(UTC))
    await browsing.person(sqlite_db, origin, "alice")
    await browser.get("/local")
    assert "The cellar is open" not in browser.text
    await browser.sign_in("alice")
    await browser.get("/local")
    assert "The cellar is open" in browser.text
    for action in ("dismiss", "react", "unreact"):
        await browser.post(f"/announcements/{it.id}/{action}", {"csrf": "wrong", "name": "👍"})
        assert browser.status == 403
    await browser.get("/local")
    await browser.send(f"/announcements/{it.id}/dismiss", back="/local")
    assert (browser.status, browser.location) == (303, "/local")
    await browser.get("/local")
    assert "The cellar is open" not in browser.text
    await browser.send("/announcements/1/dismiss")
    assert browser.status == 404


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
async def test_a_picture_becomes_an_emoji(tmp_path, kind):
    blobs = Folder(tmp_path / "media")
    workshop = Workshop(tmp_path / "incoming", blobs)
    file = tmp_path / "x"
    try:
        file.write_bytes(samples.picture(kind, 600, 300, "RGBA" if kind == "PNG" else "RGB"))
        whole, still = await workshop.emoji(file)
        assert (still, kind_of(whole)) == (None, f"image/{kind.lower() if kind == 'WEBP' else 'png'}")
        with Image.open(blobs.path(whole)) as image:
            assert image.size == (256, 128)
        if kind != "PNG":
            file.write_bytes(samples.animated(kind))
            whole, still = await workshop.emoji(file)
            assert (kind_of(whole), kind_of(still or "")) == (f"image/{kind.lower()}", "image/png")
    finally:
        await workshop.close()


def large() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((800, 800), 90).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("what", ["nothing", "jpeg", "html", "large", "bomb", "cut"])
async def test_what_cannot_be_an_emoji_is_refused(tmp_path, what):
    file, workshop = tmp_path / "x", Workshop(tmp_path / "incoming", Folder(tmp_path / "media"))
    file.write_bytes(
        {
            "nothing": lambda: b"",
            "jpeg": samples.picture,
            "html": lambda: b"<html><script>x</script>",
            "large": large,
            "bomb": lambda: samples.png_bomb(10_000, 10_000),
            "cut": lambda: samples.picture("PNG")[:-60],
        }[what]()
    )
    try:
        with pytest.raises(Invalid):
            await workshop.emoji(file)
    finally:
        await workshop.close()
    assert not (tmp_path / "media").exists()


async def test_a_planned_window_is_an_announcement_that_can_be_put_away(site: Site, tmp_path):
    _, token = await site.person("alice")
    now, folder = datetime.now(UTC), state.folder(tmp_path)
    begins, ends = now + timedelta(hours=1), now + timedelta(hours=2)
    window = incidents.plan(folder, "A larger disk", "No pages.", begins, ends, now)
    await Ahead(site.db, site.origin, tmp_path)(now)
    (shown,) = (await site.get(HERE, token)).json
    assert shown["id"] == str(announced_as(window.id))
    assert (shown["starts_at"][:19], shown["ends_at"][:19]) == (begins.isoformat()[:19], ends.isoformat()[:19])
    assert (shown["read"], shown["reactions"]) == (False, [])
    assert (await site.call("POST", f"{HERE}/{shown['id']}/dismiss", token)).status == 200
    assert [it["read"] for it in (await site.get(HERE, token)).json] == [True]


async def test_members_react_on_pages_and_take_it_back(sqlite_db, aiohttp_client):
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    origin = Origin("ours.test", OURS)
    it = await sqlite_db.write(announcements.create, origin, "The cellar is open", datetime.now(UTC))
    await sqlite_db.write(emojis.add, "cat", "cat.png", None, None, datetime.now(UTC))
    bob = await browsing.person(sqlite_db, origin, "bob")
    await sqlite_db.write(announcements.react, bob.id, it.id, "🎉", datetime.now(UTC))
    await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    place = f"/announcements/{it.id}"
    for path, name, status in (
        (f"{place}/react", "", 422),
        (f"{place}/react", "<b>", 422),
        (f"{place}/react", "dog", 422),
        (f"{place}/unreact", "🎉", 404),
        ("/announcements/1/react", "🎉", 404),
    ):
        await browser.get("/local")
        await browser.send(path, name=name)
        assert (browser.status, "Validation" in browser.text) == (status, False), (path, name)
    for name in ("🎉", ":cat:"):
        await browser.get("/local")
        await browser.send(f"{place}/react", name=name, back="/local")
        assert (browser.status, browser.location) == (303, "/local")
    await browser.get("/local")
    assert re.findall(r'value="(\S+)" aria-pressed="(\w+)"', browser.page) == [("🎉", "true"), ("cat", "true")]
    assert "🎉 2" in browser.text
    assert '/media/cat.png"' in browser.page
    await browser.send(f"{place}/unreact", name="🎉")
    await browser.get("/local")
    assert 'value="🎉" aria-pressed="false"' in browser.page
