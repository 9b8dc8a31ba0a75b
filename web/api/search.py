"""Search: https://docs.joinmastodon.org/methods/search/

Handles and addresses, asked of their own servers with `resolve`; names of people and hashtags known here; words of
posts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from aiohttp import web
from sqlalchemy import Connection

from federation.reading.values import is_web
from social import fulltext, tags, views, words
from social import search as search_by
from social.collections import views as collections
from social.collections.views import CollectionView
from social.errors import NotFound, Refusal
from social.known import Known
from social.known import known as known_here
from social.tags import TagView
from social.views import PostView
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import answer, framed, id_of
from web.api.entities.account import known
from web.api.entities.collection import collection
from web.api.entities.list import tag
from web.api.entities.status import status
from web.api.spec import spec
from web.keys import DATABASE, ORIGIN, REMOTE
from web.params import Params, of_query

routes = web.RouteTableDef()

LONGEST: Final = 2_048  # characters of a query
FARTHEST: Final = 10_000  # results that are skipped
USUAL: Final = 20
MOST: Final = 40


QUERY: Final = {
    "q": str,
    "type": str,
    "resolve": bool,
    "following": bool,
    "account_id": str,
    "exclude_unreviewed": bool,
    "min_id": str,
    "max_id": str,
    "limit": int,
    "offset": int,
}


@routes.get("/api/v2/search")
@spec(answers=shapes.Search, query=QUERY)
@auth.anybody("read:search")
async def search(request: web.Request, reader: Account | None) -> web.Response:
    return answer(await _search(request, reader))


@routes.get("/api/v1/search")
@spec(answers=shapes.SearchV1, query=QUERY)
@auth.anybody("read:search")
async def old_search(request: web.Request, reader: Account | None) -> web.Response:
    """Hashtags are words alone."""
    found = await _search(request, reader)
    names = [it["name"] for it in found["hashtags"]]
    return answer(shapes.SearchV1(accounts=found["accounts"], statuses=found["statuses"], hashtags=names))


async def _search(request: web.Request, reader: Account | None) -> shapes.Search:
    asked = Asked.of(of_query(request))
    found: shapes.Search = {"accounts": [], "statuses": [], "hashtags": [], "collections": []}
    if asked.query and len(asked.query) <= LONGEST:
        hit = await _hit(request, asked.query, reader) if reader and asked.resolve and not asked.offset else None
        if hit is None:
            await _find(found, request, reader, asked)
        else:
            await _show(found, request, reader, hit)
    if asked.kind not in ("", "accounts"):
        found["accounts"] = []
    if asked.kind not in ("", "statuses"):
        found["statuses"] = []
    if asked.kind not in ("", "collections"):
        found["collections"] = []
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a search."""

    query: str
    kind: str
    resolve: bool
    following: bool
    limit: int
    offset: int
    account_id: int | None
    below: int | None
    above: int | None

    @classmethod
    def of(cls, given: Params) -> Self:
        limit, offset = given.number("limit"), given.number("offset") or 0
        return cls(
            given.text("q").strip(),
            given.text("type"),
            given.flag("resolve"),
            given.flag("following"),
            max(1, min(USUAL if limit is None else limit, MOST)),
            max(0, min(offset, FARTHEST)),
            given.id("account_id"),
            given.id("max_id"),
            given.id("min_id"),
        )


async def _show(
    found: shapes.Search, request: web.Request, reader: Account | None, hit: Account | CollectionView | int
) -> None:
    if isinstance(hit, CollectionView):
        found["collections"] = [collection(hit, request.app[ORIGIN])]
        return
    if isinstance(hit, Account):
        people = [] if hit.is_gone else await request.app[DATABASE].read(known_here, [hit], id_of(reader))
        found["accounts"] = [known(it, request.app[ORIGIN]) for it in people]
        return
    view = await request.app[DATABASE].read(views.post, hit, id_of(reader))
    found["statuses"] = [status(view, framed(request, reader))] if view else []


async def _find(found: shapes.Search, request: web.Request, reader: Account | None, asked: Asked) -> None:
    """Words of posts are looked for by those who are signed in: what one may find depends on who one is."""
    db = request.app[DATABASE]
    if asked.kind in ("", "accounts"):
        found["accounts"] = [known(it, request.app[ORIGIN]) for it in await db.read(_people, id_of(reader), asked)]
    if asked.kind in ("", "statuses") and reader is not None:
        frame, shown = framed(request, reader), await db.read(_posts, reader.id, asked)
        found["statuses"] = [status(view, frame) for view in shown]
    if asked.kind in ("", "hashtags") and "@" not in asked.query:
        found["hashtags"] = [tag(it, request.app[ORIGIN]) for it in await db.read(_tags, id_of(reader), asked)]


def _people(tx: Connection, reader_id: int | None, asked: Asked) -> list[Known]:
    followed = reader_id is not None and asked.following
    there = search_by.people(tx, asked.query, asked.limit, asked.offset, reader_id=reader_id, following=followed)
    return known_here(tx, there, reader_id)


def _tags(tx: Connection, reader_id: int | None, asked: Asked) -> list[TagView]:
    """What nobody can write as a hashtag is none."""
    try:
        start = tags.named(asked.query)
    except NotFound:
        return []
    return tags.look(tx, search_by.hashtags(tx, start, asked.limit, asked.offset), reader_id, datetime.now(UTC))


def _posts(tx: Connection, reader_id: int, asked: Asked) -> list[PostView]:
    ids = fulltext.find(
        tx,
        reader_id,
        words.parse(asked.query),
        limit=asked.limit,
        offset=asked.offset,
        author_id=asked.account_id,
        below=asked.below,
        above=asked.above,
    )
    return views.posts(tx, ids, reader_id)


async def _hit(request: web.Request, query: str, reader: Account) -> Account | CollectionView | int | None:
    if is_web(query) and (it := await request.app[DATABASE].read(collections.at, query, reader.id)):
        return it
    try:
        return await request.app[REMOTE].resolve(query)
    except Refusal:  # as in Mastodon: what cannot be found is an empty answer; unless it is a collection by now
        return await request.app[DATABASE].read(collections.at, query, reader.id) if is_web(query) else None
