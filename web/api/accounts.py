"""Accounts: https://docs.joinmastodon.org/methods/accounts/ and /methods/follow_requests/"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from federation.reading.values import language
from social import accounts, backfills, blocks, follows, pins, timelines
from social.errors import Invalid
from social.known import Known
from social.pages import Page
from social.text import normalise_tag
from social.views import PostView
from store.tables import Account
from web import auth, params
from web.api import async_refreshes, shapes
from web.api.answers import answer, id_of, path_id, statuses
from web.api.entities.account import known, relationship
from web.api.people import account_of, act, is_shown, known_of, people, shown
from web.api.spec import PAGE, spec
from web.auth import AnyReader, Caller
from web.keys import DATABASE, ORIGIN
from web.paging import page_of
from web.params import Params, as_id, of_query

routes = web.RouteTableDef()

_RELATIONSHIPS = 80  # asked for at once
_LANGUAGES = 50  # of one follow


@routes.get("/api/v1/accounts/lookup")
@spec(answers=shapes.Account, query={"acct": str})
@auth.anybody("read:accounts")
async def lookup(request: web.Request, reader: Account | None) -> web.Response:
    """Those who are known here; `search` with `resolve` asks other servers."""
    handle, origin = of_query(request).text("acct"), request.app[ORIGIN]
    return answer(known(await request.app[DATABASE].read(_named, handle, origin, id_of(reader)), origin))


def _named(tx: Connection, handle: str, origin: Origin, reader_id: int | None) -> Known:
    return shown(tx, accounts.find_by_handle(tx, handle, origin), reader_id)


@routes.get("/api/v1/accounts/relationships")
@spec(answers=list[shapes.Relationship], query={"id": list[str], "with_suspended": bool})
@auth.person("read:follows")
async def relationships(request: web.Request, caller: Caller) -> web.Response:
    asked = of_query(request)
    ids = [found for text in asked.many("id") if (found := as_id(text)) is not None]
    gone = asked.flag("with_suspended")
    between = await request.app[DATABASE].read(_relationships, caller.account.id, ids[:_RELATIONSHIPS], gone)
    return answer([relationship(it) for it in between])


def _relationships(tx: Connection, reader_id: int, ids: Sequence[int], gone: bool) -> list[follows.Relationship]:
    """gone: also with those who are suspended."""
    there = {one.id for one in accounts.by_ids(tx, ids).values() if gone or not one.is_gone}
    found = follows.relationship(tx, reader_id, [number for number in dict.fromkeys(ids) if number in there])
    return list(found.values())


@routes.get("/api/v1/accounts/{id}")
@spec(answers=shapes.Account)
@auth.anybody("read:accounts")
async def get_account(request: web.Request, reader: Account | None) -> web.Response:
    return answer(known(await known_of(request, reader), request.app[ORIGIN]))


@routes.get("/api/v1/accounts/{id}/statuses")
@spec(
    answers=list[shapes.Status],
    query={
        **PAGE,
        "pinned": bool,
        "exclude_replies": bool,
        "exclude_reblogs": bool,
        "exclude_direct": bool,
        "only_media": bool,
        "tagged": str,
    },
)
@auth.any_reader("read:statuses")
async def get_statuses(request: web.Request, reader: AnyReader) -> web.Response:
    """For whoever signed in, what is older is asked for in the background."""
    page, asked, number = page_of(request), of_query(request), path_id(request)
    if asked.flag("pinned"):
        who, views = await reader.read(_pinned, number)
        return statuses(request, who, views, Page(limit=len(views) + 1))
    now = datetime.now(UTC)
    who, (views, state) = await reader.read(
        _posts,
        number,
        page,
        now,
        replies=not asked.flag("exclude_replies"),
        boosts=not asked.flag("exclude_reblogs"),
        direct=not asked.flag("exclude_direct"),
        tag=normalise_tag(asked.text("tagged")),
        only_media=asked.flag("only_media"),
    )
    fresh = state.due and await request.app[DATABASE].write(backfills.ask, number, now)
    found = 0 if fresh else state.found
    more = async_refreshes.of_account(number, found) if fresh or state.running else None
    return statuses(request, who, views, page, headers=more)


def _posts(
    tx: Connection, reader_id: int | None, /, account_id: int, page: Page, now: datetime, **chosen: Any
) -> tuple[list[PostView], backfills.State]:
    """Raises: NotFound."""
    is_shown(tx, account_id)
    state = backfills.NOTHING if reader_id is None else backfills.state(tx, account_id, now)
    return timelines.account_page(tx, reader_id, account_id, page, **chosen), state


def _pinned(tx: Connection, reader_id: int | None, account_id: int) -> list[PostView]:
    """Raises: NotFound."""
    is_shown(tx, account_id)
    return pins.shown(tx, reader_id, account_id)


@routes.get("/api/v1/accounts/{id}/followers")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.anybody("read:accounts")
async def get_followers(request: web.Request, reader: Account | None) -> web.Response:
    return await people(request, follows.followers_page, await account_of(request), reader, hideable=True)


@routes.get("/api/v1/accounts/{id}/following")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.anybody("read:accounts")
async def get_following(request: web.Request, reader: Account | None) -> web.Response:
    return await people(request, follows.following_page, await account_of(request), reader, hideable=True)


@routes.get("/api/v1/follow_requests")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.person("read:follows")
async def get_follow_requests(request: web.Request, caller: Caller) -> web.Response:
    return await people(request, follows.requests_page, caller.account, caller.account)


@routes.post("/api/v1/accounts/{id}/follow")
@spec(answers=shapes.Relationship, body={"reblogs": bool, "notify": bool, "languages": list[str]})
@auth.person("write:follows")
async def follow(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    return await act(request, caller, _follow, _flag(given, "reblogs"), _flag(given, "notify"), _languages(given))


def _flag(given: Params, name: str) -> bool | None:
    return given.flag(name) if name in given else None


def _languages(given: Params) -> list[str] | None:
    """None: nothing is said of them; an empty list: all."""
    if "languages" not in given:
        return None
    found = [one for one in given.many("languages") if one]  # `languages[]=`: a form that names none
    if len(found) > _LANGUAGES or not all(map(language, found)):
        raise Invalid("languages are codes like en or pt-BR")
    return found


def _follow(
    tx: Connection,
    follower_id: int,
    target_id: int,
    now: datetime,
    boosts: bool | None,
    notify: bool | None,
    languages: list[str] | None,
) -> None:
    """Follows; who follows already changes only what he says."""
    old = follows.relationship(tx, follower_id, [target_id])[target_id]
    usual = old.show_boosts if old.following or old.requested else True
    follows.ask(
        tx,
        follower_id,
        target_id,
        now,
        show_boosts=usual if boosts is None else boosts,
        notify=old.notify if notify is None else notify,
        languages=old.languages if languages is None else languages,
    )


@routes.post("/api/v1/accounts/{id}/unfollow")
@spec(answers=shapes.Relationship)
@auth.person("write:follows")
async def unfollow(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, follows.unfollow)


@routes.post("/api/v1/accounts/{id}/block")
@spec(answers=shapes.Relationship)
@auth.person("write:blocks")
async def block(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, blocks.block)


@routes.post("/api/v1/accounts/{id}/unblock")
@spec(answers=shapes.Relationship)
@auth.person("write:blocks")
async def unblock(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, blocks.unblock)


@routes.post("/api/v1/follow_requests/{id}/authorize")
@spec(answers=shapes.Relationship)
@auth.person("write:follows")
async def authorize(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, follows.accept_request)


@routes.post("/api/v1/follow_requests/{id}/reject")
@spec(answers=shapes.Relationship)
@auth.person("write:follows")
async def reject(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, follows.reject_request)
