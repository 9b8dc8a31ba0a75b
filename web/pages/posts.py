"""One post and its conversation; and what readers do to posts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from outbox import receipts
from social import boosts, marks, pins, polls, reactions, views
from social.completeness import Completeness
from social.errors import Invalid, NotFound
from social.posts import refreshing, threads
from social.posts.edit import history
from social.views import PostView
from store.tables import Edit
from web.keys import DATABASE
from web.pages import addresses, frame, trees, writing
from web.pages.frame import viewer_id
from web.params import Params, as_id, of_query

routes = web.RouteTableDef()

COMMENTS: Final = 120  # on one page
ABOVE: Final = 40


@dataclass(frozen=True, slots=True)
class Conversation:
    """`missing`: the uri of a parent that is not here; `after`: where the next page of comments begins."""

    above: list[PostView]
    view: PostView
    below: list[PostView]
    missing: str | None
    earlier: int | None
    begins: int
    after: int | None
    comments: int
    state: Completeness
    due: bool


def _load(tx: Connection, post_id: int, reader_id: int | None, begins: int, now: datetime) -> Conversation:
    found = threads.thread(tx, post_id, reader_id)
    below = found.descendants[begins : begins + COMMENTS]
    above = found.ancestors[-ABOVE:]
    loaded = {view.parts.post.id: view for view in views.posts(tx, [*above, post_id, *below], reader_id)}
    if post_id not in loaded:
        raise NotFound("There is no such post, or it is not for you")
    end = begins + len(below)
    state, due = refreshing.state(tx, loaded[post_id].parts.post, now)
    return Conversation(
        [loaded[i] for i in above if i in loaded],
        loaded[post_id],
        [loaded[i] for i in below if i in loaded],
        next(iter(found.missing), None),
        above[0] if len(above) < len(found.ancestors) else None,
        begins,
        end if end < len(found.descendants) else None,
        len(found.descendants),
        state,
        reader_id is not None and due,
    )


async def thread(request: web.Request) -> web.Response:
    """`/@name/ID` and `/@name@host/ID`, where ID is ours: what it answers, the post, the comments."""
    signed = await frame.look(request)
    post_id = as_id(request.match_info["id"])
    if post_id is None:
        raise NotFound("There is no such post, or it is not for you")
    begins = max(0, min(of_query(request).number("from") or 0, 1_000_000))
    db, now = request.app[DATABASE], datetime.now(UTC)
    found = await db.read(_load, post_id, viewer_id(signed), begins, now)
    shown = found.view.boost_of or found.view
    address = addresses.of_post(shown.parts.author, shown.parts.post)
    if found.view.boost_of is not None or _elsewhere(request, address):
        return addresses.see_other(address)
    asked = found.due and await db.write(refreshing.ask, viewer_id(signed), post_id, now)
    first = found.above[0] if found.above else found.view
    typed = None if signed is None else writing.answering(signed.user, signed.account, found.view)
    return frame.show(
        request,
        "thread.html",
        place="thread",
        found=found,
        looking=asked or found.state.running,
        view=found.view,
        comments=trees.grow(post_id, found.below),
        starter=first.parts.author.id if found.missing is None and found.earlier is None else None,
        typed=typed,
        noindex=not shown.parts.author.is_local or not shown.parts.author.indexable,
        **writing.choices(),
    )


@routes.get("/posts/{id:[0-9]+}/history")
async def all_texts(request: web.Request) -> web.Response:
    """For whoever may see the post."""
    signed, post_id = await frame.look(request), as_id(request.match_info["id"])
    view, edits = await request.app[DATABASE].read(_texts, post_id or 0, viewer_id(signed))
    if not view.parts.author.is_local:
        await frame.member(request)
    return frame.show(request, "history.html", view=view, edits=edits, noindex=True)


def _texts(tx: Connection, post_id: int, reader_id: int | None) -> tuple[PostView, Sequence[Edit]]:
    """Raises: NotFound."""
    view = views.post(tx, post_id, reader_id)
    if view is None or view.boost_of is not None:
        raise NotFound("There is no such post, or it is not for you")
    return view, history(tx, post_id, reader_id)


@routes.get("/posts/{id:[0-9]+}/arrival")
async def arrival(request: web.Request) -> web.Response:
    """For its author alone."""
    signed, post_id = await frame.member(request), as_id(request.match_info["id"])
    view, receipt = await request.app[DATABASE].read(_receipt, post_id or 0, signed.account.id)
    return frame.show(request, "arrival.html", view=view, receipt=receipt, noindex=True)


def _receipt(tx: Connection, post_id: int, reader_id: int) -> tuple[PostView, receipts.Receipt]:
    """Raises: NotFound."""
    view = views.post(tx, post_id, reader_id)
    if view is None or view.boost_of is not None or view.parts.author.id != reader_id:
        raise NotFound("There is no such post, or it is not yours")
    return view, receipts.of(tx, post_id)


def _elsewhere(request: web.Request, address: str) -> bool:
    return addresses.of_acct(request.match_info["name"]).lower() != address.rpartition("/")[0].lower()


def _plain(unit: Callable[..., Any]) -> Callable[[web.Request, int, int, Params], Awaitable[None]]:
    async def act(request: web.Request, account_id: int, post_id: int, _: Params) -> None:
        await request.app[DATABASE].write(unit, account_id, post_id, datetime.now(UTC))

    return act


async def _vote(request: web.Request, account_id: int, post_id: int, given: Params) -> None:
    chosen = given.many("choice")
    if not chosen:
        raise Invalid("Choose an option first, then vote")
    if not all(word.isascii() and word.isdigit() and len(word) < 3 for word in chosen):
        raise Invalid("There is no such option")
    numbers = sorted({int(word) for word in chosen})
    await request.app[DATABASE].write(polls.vote, account_id, post_id, numbers, datetime.now(UTC))


async def _look_again(request: web.Request, account_id: int, post_id: int, _: Params) -> None:
    await request.app[DATABASE].write(refreshing.ask, account_id, post_id, datetime.now(UTC), wished=True)


_ACTIONS: Final = {
    "refresh": _look_again,
    "like": _plain(reactions.like),
    "unlike": _plain(reactions.unlike),
    "boost": _plain(boosts.boost),
    "unboost": _plain(boosts.unboost),
    "pin": _plain(pins.pin),
    "unpin": _plain(pins.unpin),
    "bookmark": _plain(marks.bookmark),
    "unbookmark": _plain(marks.unbookmark),
    "mute": _plain(marks.mute_thread),
    "unmute": _plain(marks.unmute_thread),
    "vote": _vote,
}


@routes.post(f"/posts/{{id:[0-9]+}}/{{action:{'|'.join(_ACTIONS)}}}")
async def act(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    post_id = as_id(request.match_info["id"])
    if post_id is None:
        raise NotFound("There is no such post, or it is not for you")
    await _ACTIONS[request.match_info["action"]](request, signed.account.id, post_id, given)
    return addresses.see_other(given.text("back"), "/home")
