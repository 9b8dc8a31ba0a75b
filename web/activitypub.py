"""The documents of our people, their posts and collections, for other servers.

The same addresses answer browsers with pages: `negotiated`.  A private post is served to whoever signs the request and
may see it; with AUTHORIZED_FETCH nothing but the server's own actor is served unsigned.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, bindparam, select

from federation import vocabulary
from outbox import documents, synchronisation
from social import accounts, follows, timelines, views
from social.errors import Gone, NotFound, Unauthorised
from social.pages import Page
from social.posts import around
from social.views import PostView
from store.tables import INSTANCE_ACTOR_ID, Account, AccountKey, tombstones
from web.errors import Handler
from web.keys import CONFIG, DATABASE, ORIGIN, SIGNER
from web.params import as_id, of_query

routes = web.RouteTableDef()

PAGE = 40
CONTENT_TYPE = "application/activity+json; charset=utf-8"
_WANTED = re.compile(
    r"application/(activity\+json|ld\+json\s*;[^,]*profile=\"?https://www\.w3\.org/ns/activitystreams)", re.IGNORECASE
)
_LATELY = "public, max-age=60"
_TOMBSTONE = select(tombstones.c.at).where(tombstones.c.uri == bindparam("asked"))


def wanted(request: web.Request) -> bool:
    """Does the request ask for a document rather than a page?"""
    return _WANTED.search(request.headers.get("Accept", "")[:1000]) is not None


def negotiated(page: Handler, document: Handler) -> Handler:
    """The page for browsers, the document for servers."""

    async def either(request: web.Request) -> web.StreamResponse:
        return await (document if wanted(request) else page)(request)

    return either


# ---- people


@routes.get("/actor")
async def instance_actor(request: web.Request) -> web.Response:
    """Served to anybody, so that our signatures can be checked by servers that want a signature themselves."""
    account, keys = await request.app[DATABASE].read(_actor, INSTANCE_ACTOR_ID)
    return _document(documents.instance_actor(account, keys, request.app[ORIGIN].domain), private=False)


async def actor(request: web.Request) -> web.Response:
    account = await _owner(request)
    signer = await _signer(request, else_none=True)
    _, keys = await request.app[DATABASE].read(_actor, account.id)
    if signer is None and request.app[CONFIG].authorized_fetch:
        account = _stub(account)
    return _document(documents.actor(account, keys, request.app[ORIGIN].domain), private=False)


def _stub(account: Account) -> Account:
    """Just what it takes to check a signature: whoever demands signatures must let others fetch the keys."""
    return replace(
        account, display_name="", note="", fields=[], emojis=[], avatar_url=None, header_url=None, also_known_as=[]
    )


def _actor(tx: Connection, account_id: int) -> tuple[Account, list[AccountKey]]:
    return accounts.by_id(tx, account_id), accounts.keys_of(tx, account_id)


@routes.get("/users/{name}/followers")
async def followers(request: web.Request) -> web.Response:
    return await _people(request, follows.followers_page, "followers")


@routes.get("/users/{name}/following")
async def following(request: web.Request) -> web.Response:
    return await _people(request, follows.following_page, "following")


async def _people(request: web.Request, unit: Callable[..., list[follows.Listed]], which: str) -> web.Response:
    await _signer(request)
    account = await _owner(request)
    uri = f"{account.uri}/{which}"
    total = account.followers_count if which == "followers" else account.following_count
    page = _page(request)
    if page is None:
        return _document(vocabulary.OrderedCollection(id=uri, total_items=total, first=f"{uri}?page=1"), private=False)
    found = await request.app[DATABASE].read(unit, account.id, page)
    return _ordered(uri, page, [it.account.uri for it in found], [it.id for it in found], total)


@routes.get("/users/{name}/followers_synchronization")
async def followers_synchronization(request: web.Request) -> web.Response:
    """FEP-8fcf: those of our follower list who live on the server that asks."""
    signer = await _signer(request)
    if signer is None or signer.host is None:
        raise Unauthorised("This list is for the server whose people are on it; sign the request")
    account = await _owner(request)
    uris = await request.app[DATABASE].read(synchronisation.partial, account.id, signer.host)
    collection = vocabulary.OrderedCollection(
        id=f"{account.uri}/followers_synchronization", total_items=len(uris), ordered_items=tuple(uris)
    )
    return _document(collection, private=True)


# ---- posts


@routes.get("/users/{name}/outbox")
async def outbox(request: web.Request) -> web.Response:
    signer, account = await _signer(request), await _owner(request)
    uri, total, page = f"{account.uri}/outbox", account.posts_count, _page(request)
    if page is None:
        return _document(vocabulary.OrderedCollection(id=uri, total_items=total, first=f"{uri}?page=1"), private=False)
    viewer = signer.id if signer else None
    found = await request.app[DATABASE].read(timelines.account_page, viewer, account.id, page)
    items = [documents.announce(v.parts) if v.boost_of else documents.create(v.parts) for v in found]
    return _ordered(uri, page, items, [v.parts.post.id for v in found], total, private=signer is not None)


@routes.get("/users/{name}/collections/featured")
async def featured(request: web.Request) -> web.Response:
    signer, account = await _signer(request), await _owner(request)
    found = await request.app[DATABASE].read(timelines.pinned, signer.id if signer else None, account.id)
    items = tuple(documents.note(view.parts) for view in found)
    collection = vocabulary.OrderedCollection(
        id=f"{account.uri}/collections/featured", total_items=len(items), ordered_items=items
    )
    return _document(collection, private=signer is not None)


async def post(request: web.Request) -> web.Response:
    view = await _post(request)
    document = documents.announce(view.parts) if view.parts.post.boost_of_id else documents.note(view.parts)
    return _document(document, private=_is_private(view))


@routes.get("/users/{name}/posts/{id}/activity")
async def activity(request: web.Request) -> web.Response:
    view = await _post(request)
    document = documents.announce(view.parts) if view.parts.post.boost_of_id else documents.create(view.parts)
    return _document(document, private=_is_private(view))


@routes.get("/users/{name}/posts/{id}/replies")
async def replies(request: web.Request) -> web.Response:
    """FEP-7458: direct comments that are known here, ours and others'."""
    view, page = await _post(request), _page(request)
    uri = f"{view.parts.post.uri}/replies"
    total, private = view.parts.post.replies_count, _is_private(view)
    if page is None:
        return _document(
            vocabulary.OrderedCollection(id=uri, total_items=total, first=f"{uri}?page=1"), private=private
        )
    signer = await _signer(request)
    found = await request.app[DATABASE].read(around.replies, view.parts.post.id, signer.id if signer else None, page)
    return _ordered(uri, page, [u for _, u in found], [i for i, _ in found], total, private=private)


@routes.get("/users/{name}/posts/{id}/{which:likes|shares}")
async def reactions(request: web.Request) -> web.Response:
    """How many, not who: that is theirs to tell."""
    view = await _post(request)
    post_, which = view.parts.post, request.match_info["which"]
    total = post_.likes_count if which == "likes" else post_.boosts_count
    collection = vocabulary.OrderedCollection(id=f"{post_.uri}/{which}", total_items=total)
    return _document(collection, private=_is_private(view))


# ---- what they share


async def _signer(request: web.Request, *, else_none: bool = False) -> Account | None:
    """Whoever signed; None when nobody did, if nobody needs to.  Raises: Forged, Refused, Unauthorised."""
    signer = await request.app[SIGNER](request)
    if signer is None and request.app[CONFIG].authorized_fetch and not else_none:
        raise Unauthorised("This server answers signed requests only")
    return signer


async def _owner(request: web.Request) -> Account:
    account = await request.app[DATABASE].read(accounts.local, request.match_info["name"])
    if account.is_gone:
        raise Gone("This account is no more")
    return account


async def _post(request: web.Request) -> PostView:
    """The post of the address.  Raises: NotFound, also when the signer may not see it; Gone, when it was deleted."""
    account, signer = await _owner(request), await _signer(request)
    post_id = as_id(request.match_info["id"])
    if post_id is None:
        raise NotFound("No such post")
    found = await request.app[DATABASE].read(views.posts, [post_id], signer.id if signer else None)
    if found and found[0].parts.author.id == account.id:
        return found[0]
    if await request.app[DATABASE].read(_deleted_at, f"{account.uri}/posts/{post_id}"):
        raise Gone("This post was deleted")
    raise NotFound("No such post")


def _deleted_at(tx: Connection, uri: str) -> datetime | None:
    return tx.scalar(_TOMBSTONE, {"asked": uri})


def _is_private(view: PostView) -> bool:
    return view.parts.post.visibility not in ("public", "unlisted")


def _page(request: web.Request) -> Page | None:
    """None: the collection itself is asked for."""
    asked = of_query(request)
    if not {"page", "max_id", "min_id"} & set(request.query):
        return None
    return Page(limit=PAGE, max_id=asked.id("max_id"), min_id=asked.id("min_id"))


def _ordered(
    uri: str, page: Page, items: list[Any], cursors: list[int], total: int, *, private: bool = False
) -> web.Response:
    own = f"{uri}?page=1" + (f"&max_id={page.max_id}" if page.max_id else "")
    more = len(cursors) >= page.limit
    document = vocabulary.OrderedCollectionPage(
        id=own,
        part_of=uri,
        total_items=total,
        next=f"{uri}?page=1&max_id={min(cursors)}" if more else None,
        prev=f"{uri}?page=1&min_id={max(cursors)}" if cursors and page.max_id else None,
        ordered_items=tuple(items),
    )
    return _document(document, private=private)


def _document(document: vocabulary.Document, *, private: bool) -> web.Response:
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Vary": "Accept, Signature",
        "Cache-Control": "private, no-store" if private else _LATELY,
    }
    return web.Response(body=vocabulary.encode(document), headers=headers)
