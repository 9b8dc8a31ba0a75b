"""The documents of our people, their posts and collections, for other servers.

The same addresses answer browsers with pages: `negotiated`.  A private post is served to whoever signs the request and
may see it; with AUTHORIZED_FETCH nothing but the server's own actor, and what it takes to check a signature of ours,
is served unsigned.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection, bindparam, select

from federation import vocabulary
from federation.signatures import ACCEPT_SIGNATURE
from outbox import documents, synchronisation
from social import accounts, follows, pins, quotes, timelines, views
from social import featured as shown_tags
from social.collections import curate, sending, theirs
from social.collections import views as collected
from social.errors import Gone, NotAllowed, NotFound, Refusal, Unauthorised, Unavailable
from social.pages import Page
from social.posts import around
from social.views import PostView
from store.tables import INSTANCE_ACTOR_ID, Account, AccountKey, tombstones
from web.errors import Handler
from web.fetched import FETCHED
from web.keys import CONFIG, DATABASE, ORIGIN, SIGNER
from web.params import as_id, of_query

routes = web.RouteTableDef()

PAGE: Final = 40
CONTENT_TYPE: Final = "application/activity+json; charset=utf-8"
_PROFILE: Final = "https://www.w3.org/ns/activitystreams"
_TOMBSTONE = select(tombstones.c.at).where(tombstones.c.uri == bindparam("asked"))
_SIGNED = web.RequestKey[Account | None]("SIGNED")
_DOUBT = web.RequestKey[Refusal | None]("DOUBT")  # why it is not known who signed


def wanted(request: web.Request) -> bool:
    """Does the request ask for a document rather than a page?"""
    document, page = 0.0, 0.0
    for part in request.headers.get("Accept", "")[:1000].lower().split(","):
        kind, *more = (piece.strip() for piece in part.split(";"))
        said = dict(piece.replace(" ", "").partition("=")[::2] for piece in more)
        weight = _weight(said.get("q", "1"))
        if kind == "application/activity+json" or (
            kind == "application/ld+json" and said.get("profile", _PROFILE).strip('"') == _PROFILE
        ):
            document = max(document, weight)
        elif kind in ("text/html", "application/xhtml+xml"):
            page = max(page, weight)
    return document > 0 and document >= page


def _weight(text: str) -> float:
    try:
        return min(float(text), 1.0)
    except ValueError:
        return 1.0


def negotiated(page: Handler, document: Handler) -> Handler:
    """The page for browsers, the document for servers."""

    async def either(request: web.Request) -> web.StreamResponse:
        if wanted(request):
            answer = await document(request)
            if answer.status == 401:
                answer.headers["Accept-Signature"] = ACCEPT_SIGNATURE
            return answer
        response = await page(request)
        response.headers.setdefault("Vary", "Accept")
        return response

    return either


# ---- people


@routes.get("/actor")
async def instance_actor(request: web.Request) -> web.Response:
    """Served to anybody, so that our signatures can be checked by servers that want a signature themselves."""
    account, keys = await request.app[DATABASE].read(_actor, INSTANCE_ACTOR_ID)
    return _document(request, documents.instance_actor(account, keys, request.app[ORIGIN].domain), for_all=True)


@routes.get("/actor/outbox")
async def instance_outbox(request: web.Request) -> web.Response:
    """The server itself posts nothing."""
    uri = f"{request.app[ORIGIN].instance_actor}/outbox"
    return _document(request, vocabulary.OrderedCollection(id=uri, total_items=0, ordered_items=()), for_all=True)


async def actor(request: web.Request) -> web.Response:
    signer, account = await _signer(request), await _owner(request)
    _, keys = await request.app[DATABASE].read(_actor, account.id)
    bare = signer is None and request.app[CONFIG].authorized_fetch
    document = documents.actor(_stub(account) if bare else account, keys, request.app[ORIGIN].domain)
    return _document(request, document, for_all=bare)


def _stub(account: Account) -> Account:
    """Just what it takes to check a signature: whoever demands signatures must let others fetch the keys."""
    return replace(
        account,
        display_name="",
        note="",
        fields=[],
        emojis=[],
        avatar_url=None,
        header_url=None,
        also_known_as=[],
        moved_to=None,
        followers_uri=None,
        following_uri=None,
        featured_uri=None,
        discoverable=False,
        indexable=False,
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
    await _viewer(request)
    account, page = await _owner(request), _page(request)
    uri = f"{account.uri}/{which}"
    total = account.followers_count if which == "followers" else account.following_count
    if account.hide_collections:  # how many, not who
        return _document(request, vocabulary.OrderedCollection(id=uri, total_items=total))
    if page is None:
        return _whole(request, uri, total)
    found = await request.app[DATABASE].read(unit, account.id, page)
    return _part(request, uri, page, [it.account.uri for it in found], [it.id for it in found], total)


@routes.get("/users/{name}/followers_synchronization")
async def followers_synchronization(request: web.Request) -> web.Response:
    """FEP-8fcf: those of our follower list who live on the server that asks."""
    signer = await _signer(request)
    if signer is None and (doubt := request.get(_DOUBT)):
        raise doubt
    if signer is None or signer.host is None:
        raise Unauthorised("This list is for the server whose people are on it; sign the request")
    account = await _owner(request)
    uris = await request.app[DATABASE].read(synchronisation.partial, account.id, signer.host)
    uri = f"{account.uri}/followers_synchronization"
    return _document(request, vocabulary.OrderedCollection(id=uri, total_items=len(uris), ordered_items=tuple(uris)))


# ---- collections of accounts (FEP-7aa9)


@routes.get("/users/{name}/featured_collections")
async def collections(request: web.Request) -> web.Response:
    """Those that are shown on the profile, whole."""
    viewer, account = await _viewer(request), await _owner(request)
    found = await request.app[DATABASE].read(_collections, account, viewer)
    uri = documents.collections_of(account)
    return _document(request, vocabulary.Collection(id=uri, total_items=len(found), items=tuple(found)))


def _collections(tx: Connection, account: Account, viewer_id: int | None) -> list[vocabulary.FeaturedCollection]:
    found = collected.of_account(tx, account.id, viewer_id, curate.MOST)
    return [sending.document(tx, account, it.collection, viewer_id) for it in found]


async def collection(request: web.Request) -> web.Response:
    viewer, db = await _viewer(request), request.app[DATABASE]
    return _document(request, await db.read(_collection, as_id(request.match_info["id"]), viewer))


def _collection(tx: Connection, number: int | None, viewer_id: int | None) -> vocabulary.FeaturedCollection:
    """Raises: NotFound, also for those of other servers."""
    it = collected.one(tx, number or 0, viewer_id).collection
    if not it.local:
        raise NotFound("No such collection")
    return sending.document(tx, accounts.by_id(tx, it.account_id), it, viewer_id)


@routes.get("/users/{name}/feature_authorizations/{id}")
async def feature_authorization(request: web.Request) -> web.Response:
    """For whoever may see the collection in which the account is."""
    viewer, account = await _viewer(request), await _owner(request)
    number, db = as_id(request.match_info["id"]), request.app[DATABASE]
    uri = curate.approval_of(account, number or 0)
    collection_uri = await db.read(theirs.approved, account.id, uri, viewer)
    return _document(request, documents.feature_authorization(account, uri, collection_uri))


# ---- posts


@routes.get("/users/{name}/outbox")
async def outbox(request: web.Request) -> web.Response:
    viewer, account, page = await _viewer(request), await _owner(request), _page(request)
    uri, total = f"{account.uri}/outbox", account.posts_count
    if page is None:
        return _whole(request, uri, total)
    found = await _handed_out(
        request, lambda: request.app[DATABASE].read(timelines.account_page, viewer, account.id, page)
    )
    return _part(request, uri, page, [_activity(view) for view in found], [v.parts.post.id for v in found], total)


@routes.get("/users/{name}/collections/featured")
async def featured(request: web.Request) -> web.Response:
    viewer, account = await _viewer(request), await _owner(request)
    found = await _handed_out(request, lambda: request.app[DATABASE].read(pins.shown, viewer, account.id))
    items = tuple(documents.note(view.parts) for view in found)
    uri = f"{account.uri}/collections/featured"
    return _document(request, vocabulary.OrderedCollection(id=uri, total_items=len(items), ordered_items=items))


@routes.get("/users/{name}/collections/tags")
async def featured_tags(request: web.Request) -> web.Response:
    """The hashtags that are shown on the profile."""
    await _viewer(request)
    account, origin = await _owner(request), request.app[ORIGIN]
    found = await request.app[DATABASE].read(shown_tags.featured, account.id)
    items = tuple(vocabulary.Hashtag(href=origin.tag(it.tag.name), name=f"#{it.tag.shown}") for it in found)
    uri = f"{account.uri}/collections/tags"
    return _document(request, vocabulary.Collection(id=uri, total_items=len(items), items=items))


async def post(request: web.Request) -> web.Response:
    [view] = await _handed_out(request, lambda: _posts(request))
    return _document(request, _activity(view) if view.boost_of else documents.note(view.parts))


@routes.get("/users/{name}/posts/{id}/activity")
async def activity(request: web.Request) -> web.Response:
    [view] = await _handed_out(request, lambda: _posts(request))
    return _document(request, _activity(view))


async def _posts(request: web.Request) -> list[PostView]:
    return [await _post(request)]


async def _handed_out(request: web.Request, load: Callable[[], Awaitable[list[PostView]]]) -> list[PostView]:
    """Posts whose words the server that asks may keep: it is noted that it has them.

    They are looked at once more then: what became of them in between is told to nobody who was not noted.
    """
    found, signer = await load(), await _signer(request)
    is_new = await request.app[FETCHED].note(signer, [it.parts.post.id for it in found if it.boost_of is None])
    return await load() if is_new else found


def _activity(view: PostView) -> vocabulary.Create | vocabulary.Announce:
    return documents.announce(view.parts) if view.boost_of else documents.create(view.parts)


@routes.get("/users/{name}/posts/{id}/replies")
async def replies(request: web.Request) -> web.Response:
    """FEP-7458: direct comments that are known here, ours and others'."""
    view, page = await _post(request), _page(request)
    post_ = view.parts.post
    uri = f"{post_.uri}/replies"
    if page is None:
        return _whole(request, uri, post_.replies_count)
    found = await request.app[DATABASE].read(around.replies, post_.id, await _viewer(request), page)
    return _part(request, uri, page, [u for _, u in found], [i for i, _ in found], post_.replies_count)


@routes.get("/users/{name}/quote_authorizations/{id}")
async def quote_authorization(request: web.Request) -> web.Response:
    """FEP-044f: for whoever may see the post that is quoted."""
    viewer, account = await _viewer(request), await _owner(request)
    number = as_id(request.match_info["id"])
    if number is None:
        raise NotFound("No such approval")
    uri = f"{account.uri}/quote_authorizations/{number}"
    approved, quoted = await request.app[DATABASE].read(quotes.approval, uri)
    if await request.app[DATABASE].read(views.post, quoted.id, viewer) is None:
        raise _denied(request, "No such approval")
    return _document(request, documents.quote_authorization(account, uri, approved.quoting_uri, quoted.uri))


@routes.get("/users/{name}/posts/{id}/context")
async def context(request: web.Request) -> web.Response:
    """FEP-f228: all of a conversation that began here, as far as it is known."""
    view, page, db = await _post(request), _page(request), request.app[DATABASE]
    post_, uri = view.parts.post, f"{view.parts.post.uri}/context"
    if documents.context_of(post_) != uri:
        raise NotFound("This conversation did not begin here")
    viewer = await _viewer(request)
    total = await db.read(around.conversation_size, post_.thread_id, viewer)
    if page is None:
        by = view.parts.author.uri
        return _document(
            request, vocabulary.OrderedCollection(id=uri, total_items=total, first=f"{uri}?page=1", attributed_to=by)
        )
    found = await db.read(around.conversation, post_.thread_id, viewer, page)
    return _part(request, uri, page, [u for _, u in found], [i for i, _ in found], total)


@routes.get("/users/{name}/posts/{id}/{which:likes|shares}")
async def reactions(request: web.Request) -> web.Response:
    """How many, not who: that is theirs to tell."""
    post_ = (await _post(request)).parts.post
    which = request.match_info["which"]
    total = post_.likes_count if which == "likes" else post_.boosts_count
    return _document(request, vocabulary.OrderedCollection(id=f"{post_.uri}/{which}", total_items=total))


# ---- what they share


async def _signer(request: web.Request) -> Account | None:
    """Whoever signed, looked at once per request; None when nobody did.

    Nor when his key is not to be had: what everybody may see is served all the same, since he could have asked for it
    unsigned, and his server may be waiting for just this answer before it tells us the key.

    Raises: Forged, for a signature that is wrong; Refused, NotAllowed; with AUTHORIZED_FETCH Unauthorised, Unavailable.
    """
    if _SIGNED not in request:
        found = None
        try:
            found = await request.app[SIGNER](request)
        except (Unauthorised, Unavailable) as error:
            if request.app[CONFIG].authorized_fetch:
                raise
            request[_DOUBT] = error
        if found is not None and found.is_gone:
            raise NotAllowed("You are suspended here")
        request[_SIGNED] = found
    return request[_SIGNED]


def _denied(request: web.Request, text: str) -> Refusal:
    """What he hears who may not see it: also that we cannot tell who he is, which may be all that is wrong."""
    return request.get(_DOUBT) or NotFound(text)


async def _viewer(request: web.Request) -> int | None:
    """For whom the document is.  Raises: as `_signer`; Unauthorised, when nobody signed and somebody has to."""
    signer = await _signer(request)
    if signer is None and request.app[CONFIG].authorized_fetch:
        raise Unauthorised("This server answers signed requests only")
    return signer.id if signer else None


async def _owner(request: web.Request) -> Account:
    account = await request.app[DATABASE].read(accounts.local, request.match_info["name"])
    if account.id == INSTANCE_ACTOR_ID:  # it is at /actor
        raise NotFound("No such account")
    if account.is_gone:
        raise Gone("This account is no more")
    return account


async def _post(request: web.Request) -> PostView:
    """The post of the address.  Raises: NotFound, also when the signer may not see it; Gone, when it was deleted."""
    viewer, account = await _viewer(request), await _owner(request)
    post_id = as_id(request.match_info["id"])
    if post_id is None:
        raise NotFound("No such post")
    found = await request.app[DATABASE].read(views.post, post_id, viewer)
    if found is not None and found.parts.author.id == account.id:
        return found
    if await request.app[DATABASE].read(_deleted_at, f"{account.uri}/posts/{post_id}"):
        raise Gone("This post was deleted")
    raise _denied(request, "No such post")


def _deleted_at(tx: Connection, uri: str) -> datetime | None:
    return tx.scalar(_TOMBSTONE, {"asked": uri})


def _page(request: web.Request) -> Page | None:
    """None: the collection itself is asked for."""
    if not {"page", "max_id", "min_id"} & set(request.query):
        return None
    asked = of_query(request)
    return Page(limit=PAGE, max_id=asked.id("max_id"), min_id=asked.id("min_id"))


def _whole(request: web.Request, uri: str, total: int) -> web.Response:
    return _document(request, vocabulary.OrderedCollection(id=uri, total_items=total, first=f"{uri}?page=1"))


def _part(
    request: web.Request, uri: str, page: Page, items: Sequence[Any], cursors: Sequence[int], total: int
) -> web.Response:
    own = {"max_id": page.max_id, "min_id": page.min_id}
    begins = page.max_id is None and page.min_id is None
    document = vocabulary.OrderedCollectionPage(
        id=f"{uri}?page=1" + "".join(f"&{name}={number}" for name, number in own.items() if number is not None),
        part_of=uri,
        total_items=total,
        next=f"{uri}?page=1&max_id={min(cursors)}" if len(cursors) >= page.limit else None,
        prev=f"{uri}?page=1&min_id={max(cursors)}" if cursors and not begins else None,
        ordered_items=tuple(items),
    )
    return _document(request, document)


def _document(request: web.Request, document: vocabulary.Document, *, for_all: bool = False) -> web.Response:
    """for_all: everybody gets the same, whether he signs or not."""
    signed = request.get(_SIGNED) is not None or request.app[CONFIG].authorized_fetch
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Vary": "Accept, Signature",
        "Cache-Control": "private, no-store" if signed and not for_all else "public, max-age=60",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=vocabulary.encode(document), headers=headers)
