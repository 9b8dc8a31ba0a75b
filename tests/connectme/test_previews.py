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
from social import views
from social.accounts import ProfileChanges, update_profile
from store import jobs as jobs_store
from store.tables import cards, jobs, posts
from tests.conftest import NOW
from tests.inbox.far import lab_client
from tests.people import local
from tests.social.said import rows, say

ORIGIN = Origin("ours.test", "https://ours.test")
PAGE = "<html><head><title>A page</title>{}</head><body>{}"


class Web:
    """A site. `pages`: path → (body, type), or a status, or the address of another page."""

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
        if isinstance(found, str):
            raise web.HTTPFound(found)
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


# Who wrote the page.


def naming(who):
    return PAGE.format(f'<meta name="fediverse:creator" content="@{who}">', ""), "text/html"


async def meet(db, who):
    client = lab_client()
    await Gatherer(db, client, ORIGIN, clock=lambda: NOW).account(who["id"], fresh=True)
    await client.close()


async def credited(db):
    """Whom the one post's card shows as the author of the page, and the version of the post."""
    [post] = await rows(db, posts)
    parts = (await db.read(views.post, post.id, None)).parts
    return parts.credited and parts.credited.acct, post.version


async def test_who_wrote_a_page_is_looked_up_and_shown_when_he_says_so(sqlite_db, far_web, far):
    ann = far.person("ann", attributionDomains="127.0.0.1")
    far_web.pages["/a"] = naming(f"ann@{far.host}")
    card = await card_of(sqlite_db, far_web.url("/a"))
    assert (card.creator, card.host) == (f"ann@{far.host}", far_web.url("")[7:])
    assert (await credited(sqlite_db))[0] == f"ann@{far.host}"
    assert far.asked["/users/ann"] == 1
    del ann["attributionDomains"]
    await meet(sqlite_db, ann)
    assert (await credited(sqlite_db))[0] is None


async def test_who_is_known_is_asked_again_before_he_is_left_out(sqlite_db, far_web, far):
    ann = far.person("ann")
    await meet(sqlite_db, ann)
    ann["attributionDomains"] = ["other.test", "127.0.0.1"]
    far_web.pages["/a"] = naming(f"ann@{far.host}")
    await card_of(sqlite_db, far_web.url("/a"))
    assert (await credited(sqlite_db))[0] == f"ann@{far.host}"


async def test_one_of_ours_is_shown_from_the_moment_that_he_says_so(sqlite_db, far_web):
    far_web.pages["/a"] = naming("alice@ours.test")
    card = await card_of(sqlite_db, far_web.url("/a"))
    assert card.creator_id is not None
    assert (await credited(sqlite_db))[0] is None
    changes = ProfileChanges(attribution_domains=["127.0.0.1"])
    await sqlite_db.write(update_profile, ORIGIN, card.creator_id, changes, NOW)
    assert (await credited(sqlite_db))[0] == "alice"


@pytest.mark.parametrize("who", ["nobody@ours.test", "nobody@127.0.0.1:9"])
async def test_a_page_by_nobody_is_a_page_all_the_same(sqlite_db, far_web, who):
    far_web.pages["/a"] = naming(who)
    card = await card_of(sqlite_db, far_web.url("/a"))
    assert (card.title, card.creator_id) == ("A page", None)


async def test_the_site_that_a_page_comes_from_in_the_end_is_the_one_that_names_its_author(sqlite_db, far_web):
    """A site that sends its visitors wherever they like lends its name to nobody."""
    elsewhere = Web()
    await elsewhere.server.start_server()
    far_web.pages["/a"], elsewhere.pages["/b"] = elsewhere.url("/b"), naming("alice@ours.test")
    final = elsewhere.url("")[7:]
    card = await card_of(sqlite_db, far_web.url("/a"))
    await elsewhere.server.close()
    assert (card.url, card.host) == (far_web.url("/a"), final)


async def test_a_page_that_names_another_is_shown_as_the_other_s(sqlite_db, far_web):
    far_web.pages["/a"] = naming("alice@ours.test")
    first = await card_of(sqlite_db, far_web.url("/a"))
    far_web.pages["/a"] = naming("nobody@ours.test")
    await sqlite_db.write(jobs_store.ask, "fetch_card", str(first.id), {"card_id": first.id}, NOW)
    assert (await card_of(sqlite_db, far_web.url("/a"))).creator_id is None
