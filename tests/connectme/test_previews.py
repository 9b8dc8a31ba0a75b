"""Links are fetched through the guarded client, once, and what cannot be had is not asked for again and again."""

from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectme.errands import Errands
from connectme.gather import Gatherer
from connectme.jobs import JobLoop
from federation.client import Client
from federation.guard import Guard
from federation.origin import Origin
from store.tables import cards, jobs
from tests.conftest import NOW
from tests.inbox.far import lab_client
from tests.people import local
from tests.social.said import rows, say

ORIGIN = Origin("ours.test", "https://ours.test")
PAGE = "<html><head><title>A page</title>{}</head><body>{}"


class Web:
    """A site. `pages`: path → (body, type), or a status."""

    def __init__(self):
        self.pages = {}
        self.asked = []
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        self.server = TestServer(app, host="127.0.0.1")

    async def _get(self, request):
        self.asked.append((request.path, request.headers.get("Signature"), request.headers["Accept"]))
        found = self.pages.get(request.path, 404)
        if isinstance(found, int):
            return web.Response(status=found)
        body, kind = found
        return web.Response(body=body.encode(), headers={"Content-Type": kind})

    def url(self, path):
        return f"http://127.0.0.1:{self.server.port}{path}"


@pytest.fixture
async def far_web():
    site = Web()
    await site.server.start_server()
    yield site
    await site.server.close()


async def card_of(db, url, now=NOW, client=None):
    """The card of a post with that link, after all that is due was done."""
    if await rows(db, cards) == []:
        await say(db, ORIGIN, await local(db, "alice"), url)
    client = client or lab_client()
    gatherer = Gatherer(db, client, ORIGIN, clock=lambda: now)
    loop = JobLoop(db, Errands(db, gatherer).table, clock=lambda: now + timedelta(minutes=1))
    while await loop.round():
        pass
    await client.close()
    [card] = await rows(db, cards)
    return card


async def test_a_page_becomes_a_card(sqlite_db, far_web):
    far_web.pages["/a"] = PAGE.format('<meta property="og:image" content="/p.png">', "x" * 2_000_000), "text/html"
    card = await card_of(sqlite_db, far_web.url("/a"))
    assert (card.kind, card.title, card.image_url) == ("link", "A page", far_web.url("/p.png"))
    assert await rows(sqlite_db, jobs) == []
    assert [(path, signature) for path, signature, _ in far_web.asked] == [("/a", None)]


async def test_oembed_says_more_where_the_page_names_it(sqlite_db, far_web):
    link = '<link type="application/json+oembed" href="/o"><link type="application/json+oembed" href="/no">'
    far_web.pages["/a"] = PAGE.format(link, ""), "text/html; charset=utf-8"
    far_web.pages["/o"] = '{"type": "photo", "title": "A photo", "url": "/p.png", "html": "<b>"}', "application/json"
    card = await card_of(sqlite_db, far_web.url("/a"))
    assert (card.kind, card.title, card.embed_url) == ("photo", "A photo", far_web.url("/p.png"))


async def test_a_page_without_its_oembed_is_a_page_all_the_same(sqlite_db, far_web):
    far_web.pages["/a"] = PAGE.format('<link type="application/json+oembed" href="http://10.0.0.1/">', ""), "text/html"
    assert (await card_of(sqlite_db, far_web.url("/a"))).title == "A page"


@pytest.mark.parametrize(
    "page",
    [404, 410, 403, ("x", "image/png"), ("x", "application/activity+json"), ("<p>no title", "text/html")],
    ids=str,
)
async def test_what_is_no_page_has_no_card_and_is_not_asked_for_again(sqlite_db, far_web, page):
    far_web.pages["/a"] = page
    card = await card_of(sqlite_db, far_web.url("/a"))
    assert (card.kind, card.fetched_at) == ("none", NOW)
    assert await rows(sqlite_db, jobs) == []


async def test_a_site_that_is_down_is_tried_three_times(sqlite_db, far_web):
    far_web.pages["/a"] = 500
    for hours in range(5):
        card = await card_of(sqlite_db, far_web.url("/a"), NOW + timedelta(hours=hours))
    assert len(far_web.asked) == 3
    assert card.kind == "none"
    assert await rows(sqlite_db, jobs) == []


async def test_addresses_that_are_not_public_are_not_asked(sqlite_db, far_web):
    """The client of the house, as it is made for the open network."""
    far_web.pages["/a"] = PAGE.format("", ""), "text/html"
    client = Client(guard=Guard(allow_http=True), user_agent="test")
    assert (await card_of(sqlite_db, far_web.url("/a"), client=client)).kind == "none"
    assert far_web.asked == []


async def test_our_own_pages_are_not_asked(sqlite_db):
    assert (await card_of(sqlite_db, "https://ours.test/@alice/1")).fetched_at is not None
