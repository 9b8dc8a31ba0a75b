"""Files of other servers, through ours: only those that we showed, only what cannot run, once."""

import asyncio
import os
import time
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectme.media import cache as caching
from social import moderation
from social.posts import receive
from tests import samples
from tests.conftest import NOW
from tests.people import remote, stored
from tests.social.said import note
from tests.web.site import Site

LAB = {"ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8", "ALLOW_HTTP_FEDERATION": "true"}


class Shop:
    """Another server with files: path → body, or a status, or where they moved."""

    def __init__(self):
        self.files = {"/cat.jpg": samples.picture()}
        self.asked = []
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        self.server = TestServer(app, host="127.0.0.1")

    async def _get(self, request):
        self.asked.append(request)
        found = self.files.get(request.path, 404)
        if isinstance(found, int):
            return web.Response(status=found)
        if isinstance(found, str):
            return web.Response(status=302, headers={"Location": found})
        return web.Response(body=found, content_type="text/html")

    def url(self, path="/cat.jpg"):
        return f"http://127.0.0.1:{self.server.port}{path}"


@pytest.fixture
async def shop():
    there = Shop()
    await there.server.start_server()
    yield there
    await there.server.close()


@pytest.fixture
async def lab(server):
    async with server(**LAB) as running:
        yield running


def ours(site: Site, url: str) -> str:
    return site.house.origin.proxied(url).removeprefix("https://ours.test")


async def test_what_we_did_not_sign_is_not_fetched(lab: Site, shop):
    right = ours(lab, shop.url())
    _, _, mark, name = right.split("/")
    other = ours(lab, shop.url("/dog.jpg")).split("/")[3]
    forged = mark[:-1] + ("B" if mark.endswith("A") else "A")
    for path in (f"/proxy/{forged}/{name}", f"/proxy/{mark}/{other}", f"/proxy/{mark}/%20", f"/proxy/{mark}",
                 f"/proxy/x/{name}", f"/proxy/%ff/{name}", f"/proxy/{mark}/%C3%A9", "/proxy/"):  # fmt: skip
        assert (await lab.get(path)).status == 404, path
    assert shop.asked == []


async def test_what_is_no_picture_film_or_sound_is_refused_and_remembered(lab: Site, shop):
    shop.files |= {
        "/a.svg": samples.SVG,
        "/a.html": samples.HTML,
        "/actor": b'{"id": "x"}',
        "/empty": b"",
        "/gone": 410,
    }
    for path in ("/a.svg", "/a.html", "/actor", "/empty", "/gone", "/missing"):
        for _ in range(2):
            answer = await lab.get(ours(lab, shop.url(path)))
            assert (answer.status, "error" in answer.json) == (404, True), path
    assert len(shop.asked) == 6
    assert lab.house.cache.usage().files == 0


async def test_a_private_address_is_not_reached_through_us(site: Site, shop):
    assert (await site.get(ours(site, shop.url()))).status == 404
    assert shop.asked == []


async def test_a_redirect_is_judged_like_the_first_address(lab: Site, shop):
    shop.files |= {"/a": "http://10.0.0.1/", "/b": "/b", "/c": "file:///etc/passwd", "/d": "/cat.jpg"}
    for path, status in (("/a", 404), ("/b", 404), ("/c", 404), ("/d", 200)):
        assert (await lab.get(ours(lab, shop.url(path)))).status == status, path


async def test_a_server_that_is_silent_or_too_generous_costs_little(lab: Site, shop, monkeypatch):
    monkeypatch.setattr(caching, "LARGEST", 1_000)
    shop.files |= {"/broken": 500}
    assert (await lab.get(ours(lab, shop.url()))).status == 404
    assert (await lab.get(ours(lab, shop.url("/broken")))).status == 503
    assert (await lab.get(ours(lab, shop.url("/broken")))).status == 503
    assert len(shop.asked) == 2
    assert lab.house.cache.usage().files == 0


async def test_a_picture_is_fetched_once_and_served_so_that_it_cannot_run(lab: Site, shop):
    path = ours(lab, shop.url())
    first, *others = await asyncio.gather(*(lab.get(path) for _ in range(5)))
    assert (first.status, first.body) == (200, samples.picture())
    assert first.headers["Content-Type"] == "image/jpeg"  # it said text/html
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in first.headers["Content-Security-Policy"]
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert {one.body for one in others} == {first.body}
    assert (await lab.get(path, headers={"Range": "bytes=0-3"})).body == first.body[:4]
    [asked] = shop.asked
    assert not {"Cookie", "Referer", "Authorization", "Signature"} & set(asked.headers)


async def test_the_cache_goes_before_the_disk_is_full(lab: Site, shop, monkeypatch):
    size, cache = len(samples.picture()), lab.house.cache
    for number in range(4):
        shop.files[f"/{number}.jpg"] = samples.picture()
        file = await cache.get(shop.url(f"/{number}.jpg"))
        os.utime(file, (time.time() - 1000 + number, time.time()))
    assert cache._least > caching.LARGEST
    disk = SimpleNamespace(free=cache._least - size)

    def usage(_folder):
        freed = (4 - cache.usage().files) * size
        return SimpleNamespace(free=disk.free + freed)

    monkeypatch.setattr(caching.shutil, "disk_usage", usage)
    assert cache.prune(time.time()) == 2 * size  # what is missing, and a little more
    assert (await lab.get(ours(lab, shop.url()))).status == 200
    disk.free = 0
    assert (await lab.get(ours(lab, shop.url("/0.jpg")))).status == 503
    assert cache.usage().files == 0
    asked = len(shop.asked)
    assert (await lab.get(ours(lab, shop.url("/1.jpg")))).status == 503
    assert len(shop.asked) == asked  # nothing is fetched that cannot be kept
    disk.free = cache._least
    assert (await lab.get(ours(lab, shop.url("/0.jpg")))).status == 200


async def test_the_least_used_goes_when_there_is_no_room(lab: Site, shop):
    size, cache = len(samples.picture()), lab.house.cache
    for number in range(5):
        shop.files[f"/{number}.jpg"] = samples.picture()
        file = await cache.get(shop.url(f"/{number}.jpg"))
        os.utime(file, (time.time() - 1000 + number, time.time()))
    cache._limit = 3 * size
    assert cache.prune(time.time()) == 3 * size  # to 90 % of the limit
    assert cache.usage().files == 2
    await cache.get(shop.url("/4.jpg"))
    assert len(shop.asked) == 5
    assert cache.prune(time.time() + 8 * 86400) == 2 * size  # nobody looked for a week
    cache._limit = size
    await cache.get(shop.url("/1.jpg"))
    await cache.get(shop.url("/2.jpg"))
    assert cache.usage().files <= 1


async def test_programs_and_pages_are_shown_our_addresses(lab: Site, shop):
    bob = remote("bob", avatar_url="https://far.test/bob.png", emojis=[{"shortcode": "x", "url": "https://far.test/x.png"}],
                 display_name="Bob :x:")  # fmt: skip
    await stored(lab.db, bob)
    entity = (await lab.get(f"/api/v1/accounts/{bob.id}")).json
    assert entity["avatar"] == lab.house.origin.proxied("https://far.test/bob.png")
    assert entity["emojis"][0]["url"] == lab.house.origin.proxied("https://far.test/x.png")
    await lab.db.write(receive.receive_many, [(bob, note(bob))], NOW)
    page = await lab.get("/public", headers={"Accept": "text/html"})
    assert "https://far.test/bob.png" not in page.body.decode()
    assert "img-src 'self' data:; media-src 'self';" in page.headers["Content-Security-Policy"]


async def test_files_of_a_server_whose_files_are_refused_are_not_passed_on(lab, shop):
    path = ours(lab, shop.url())
    assert (await lab.get(path)).status == 200
    draft = moderation.PolicyDraft("127.0.0.1", "noop", reject_media=True)
    await lab.db.write(moderation.set_draft, draft, NOW)
    await lab.house.rules.read(lab.db)
    assert (await lab.get(path)).status == 404
    assert (await lab.get(ours(lab, shop.url("/other.jpg")))).status == 404
    assert len(shop.asked) == 1
