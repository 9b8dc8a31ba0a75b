"""Looking for people and posts: one box for names, handles, addresses, hashtags and words of posts.

Whoever looks for nothing yet sees whom he may like to follow, and what is talked about.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from aiohttp import web
from sqlalchemy import Connection

from federation.handles import parse_handle
from social import discovery, fulltext, search, trends, views, words
from social.discovery import Suggestion
from social.errors import Refusal
from social.tags import TagView
from social.trends import LinkView
from social.views import PostView
from store.tables import Account
from web.keys import CONFIG, DATABASE, REMOTE
from web.pages import addresses, frame
from web.params import of_query

routes = web.RouteTableDef()

MOST = 30  # people
POSTS = 20  # on a page
FARTHEST = 10_000  # posts that are skipped
LONGEST = 2048
SUGGESTED: Final = 10
TALK: Final = 10  # of each kind
WHY: Final = {"friends_of_friends": "followed by people whom you follow", "most_followed": "followed by many here"}


@dataclass(frozen=True, slots=True)
class Offered:
    """To whoever does not look for anything yet."""

    people: list[Suggestion]
    tags: list[TagView]
    links: list[LinkView]
    posts: list[PostView]


@routes.get("/search")
async def look_for(request: web.Request) -> web.Response:
    asked = of_query(request)
    return await _answer(request, asked.text("q"), max(0, min(asked.number("offset") or 0, FARTHEST)))


@routes.get("/authorize_interaction")
async def interact(request: web.Request) -> web.Response:
    """Other servers send their visitors here, to follow or to answer from their own server."""
    asked = of_query(request)
    return await _answer(request, (asked.text("uri") or asked.text("acct")).removeprefix("acct:"))


async def _answer(request: web.Request, typed: str, offset: int = 0) -> web.Response:
    signed, query = await frame.member(request), typed.strip()[:LONGEST]
    if query.startswith("#") and len(query) > 1:
        return addresses.see_other(f"/tags/{quote(query[1:].strip(), safe='')}")
    found: list[Account] = []
    posts: list[PostView] = []
    says = ""
    if query:
        hit, says = await _hit(request, query)
        if isinstance(hit, Account):
            return addresses.see_other(addresses.of_account(hit))
        if hit is not None and (view := await request.app[DATABASE].read(views.post, hit, signed.account.id)):
            return addresses.see_other(addresses.of_post(view.parts.author, view.parts.post))
        if not offset:
            found = await request.app[DATABASE].read(search.people, query.removeprefix("acct:"), MOST)
        posts = await request.app[DATABASE].read(_posts, signed.account.id, query, offset)
    offered = None if query else await _offer(request, signed.account.id)
    more = f"/search?q={quote(query, safe='')}&offset={offset + POSTS}" if len(posts) > POSTS else ""
    return frame.show(
        request, "search.html", query=query, found=found, posts=posts[:POSTS], older=more, says=says, offered=offered,
        why=WHY,
    )  # fmt: skip


async def _offer(request: web.Request, reader_id: int) -> Offered:
    config, now = request.app[CONFIG], datetime.now(UTC)
    read = request.app[DATABASE].read
    people = await read(discovery.suggestions, reader_id, SUGGESTED)
    if not config.trends:
        return Offered(people, [], [], [])
    review = config.trends_review
    return Offered(
        people,
        await read(trends.tags, reader_id, TALK, 0, now, review=review),
        await read(trends.links, TALK, 0, now, review=review),
        await read(trends.posts, reader_id, TALK, 0, review=review),
    )


def _posts(tx: Connection, reader_id: int, query: str, offset: int) -> list[PostView]:
    """One more than a page shows, to know whether there are more."""
    ids = fulltext.find(tx, reader_id, words.parse(query), limit=POSTS + 1, offset=offset)
    return views.posts(tx, ids, reader_id)


async def _hit(request: web.Request, query: str) -> tuple[Account | int | None, str]:
    """What that very handle or address is, fetched from its server if need be; and what went wrong."""
    is_address = query.startswith(("https://", "http://"))
    if not is_address and ("@" not in query.removeprefix("@") or parse_handle(query) is None):
        return None, ""
    try:
        hit = await request.app[REMOTE].resolve(query)
    except Refusal as refusal:
        return None, str(refusal)
    return hit, "" if hit is not None else "There is nothing at that address that can be shown here"
