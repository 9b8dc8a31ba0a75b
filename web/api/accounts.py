"""Accounts: https://docs.joinmastodon.org/methods/accounts/ and /methods/follow_requests/"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import accounts, blocks, follows, timelines, users
from social.errors import NotFound
from social.pages import Page
from store.tables import Account, User
from web import auth, params
from web.api.answers import answer, path_id
from web.api.entities.account import account, credential_account, relationship
from web.api.timelines import shown
from web.keys import DATABASE, ORIGIN
from web.paging import linked, page_of
from web.params import Params, as_id, of_query

routes = web.RouteTableDef()

_REQUESTS = 100  # counted up to this number


@routes.get("/api/v1/accounts/verify_credentials")
async def verify_credentials(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "read:accounts")
    user, asked = await request.app[DATABASE].read(_own, caller.account.id)
    return answer(credential_account(caller.account, user, request.app[ORIGIN], asked))


def _own(tx: Connection, account_id: int) -> tuple[User, int]:
    return users.by_account(tx, account_id), len(follows.requests_page(tx, account_id, Page(limit=_REQUESTS)))


@routes.patch("/api/v1/accounts/update_credentials")
async def update_credentials(request: web.Request) -> web.Response:
    """What a profile says and how it answers; pictures come with uploads."""
    caller, given = await auth.caller(request, "write:accounts"), await params.read(request)
    changes = accounts.ProfileChanges(
        display_name=given.text("display_name") if "display_name" in given else None,
        note=given.text("note") if "note" in given else None,
        locked=_flag(given, "locked"),
        discoverable=_flag(given, "discoverable"),
        indexable=_flag(given, "indexable"),
        bot=_flag(given, "bot"),
        fields=_fields(given),
    )
    changed, user, asked = await request.app[DATABASE].write(
        _update, request.app[ORIGIN], caller.account.id, changes, given.inner("source"), datetime.now(UTC)
    )
    return answer(credential_account(changed, user, request.app[ORIGIN], asked))


def _update(
    tx: Connection,
    origin: Origin,
    account_id: int,
    changes: accounts.ProfileChanges,
    source: Params | None,
    now: datetime,
) -> tuple[Account, User, int]:
    changed = accounts.update_profile(tx, origin, account_id, changes, now)
    if source is not None:
        user = users.by_account(tx, account_id)
        users.set_defaults(
            tx,
            account_id,
            source.text("privacy", user.default_visibility),
            source.flag("sensitive", default=user.default_sensitive),
            source.text("language", user.default_language or "") or None,
        )
    return changed, *_own(tx, account_id)


def _flag(given: Params, name: str) -> bool | None:
    return given.flag(name) if name in given else None


def _fields(given: Params) -> list[tuple[str, str]] | None:
    """`fields_attributes[0][name]`, or a list of objects."""
    if "fields_attributes" not in given:
        return None
    return [(one.text("name"), one.text("value")) for one in given.inners("fields_attributes") if one.text("name")]


@routes.get("/api/v1/accounts/lookup")
async def lookup(request: web.Request) -> web.Response:
    """Those who are known here; `search` with `resolve` asks other servers."""
    found = await request.app[DATABASE].read(accounts.find_by_handle, _of_ours(request, of_query(request).text("acct")))
    if found is None or found.is_gone:
        raise NotFound("Record not found")
    return answer(account(found, request.app[ORIGIN]))


def _of_ours(request: web.Request, handle: str) -> str:
    """`alice@our.domain` is `alice`."""
    name, _, domain = handle.strip().removeprefix("@").partition("@")
    return name if domain and request.app[ORIGIN].is_our_domain(domain) else f"{name}@{domain}" if domain else name


@routes.get("/api/v1/accounts/relationships")
async def relationships(request: web.Request) -> web.Response:
    caller = await auth.caller(request, "read:follows")
    ids = [found for text in of_query(request).many("id") if (found := as_id(text)) is not None][:80]
    known = await request.app[DATABASE].read(follows.relationship, caller.account.id, ids)
    return answer([relationship(i, known[i]) for i in ids if i in known])


@routes.get("/api/v1/accounts/{id}")
async def get_account(request: web.Request) -> web.Response:
    await auth.reader(request, "read:accounts")
    return answer(account(await _account(request), request.app[ORIGIN]))


@routes.get("/api/v1/accounts/{id}/statuses")
async def get_statuses(request: web.Request) -> web.Response:
    reader, page, it = await auth.reader(request, "read:statuses"), page_of(request), await _account(request)
    asked = of_query(request)
    viewer_id = reader.id if reader else None
    if asked.flag("pinned"):
        views = await request.app[DATABASE].read(timelines.pinned, viewer_id, it.id)
        return shown(request, views, Page(limit=len(views) + 1))
    views = await request.app[DATABASE].read(
        timelines.account_page,
        viewer_id,
        it.id,
        page,
        replies=not asked.flag("exclude_replies"),
        boosts=not asked.flag("exclude_reblogs"),
        only_media=asked.flag("only_media"),
    )
    return shown(request, views, page)


@routes.get("/api/v1/accounts/{id}/followers")
async def get_followers(request: web.Request) -> web.Response:
    return await _people(request, follows.followers_page)


@routes.get("/api/v1/accounts/{id}/following")
async def get_following(request: web.Request) -> web.Response:
    return await _people(request, follows.following_page)


async def _people(request: web.Request, unit: Callable[..., list[follows.Listed]]) -> web.Response:
    await auth.reader(request, "read:accounts")
    page, it = page_of(request, usual=40, most=80), await _account(request)
    found = await request.app[DATABASE].read(unit, it.id, page)
    entities = [account(one.account, request.app[ORIGIN]) for one in found]
    return linked(request, entities, [one.id for one in found], page)


@routes.post("/api/v1/accounts/{id}/follow")
async def follow(request: web.Request) -> web.Response:
    caller, given = await auth.caller(request, "write:follows"), await params.read(request)
    it = await _account(request)
    await request.app[DATABASE].write(
        follows.ask,
        caller.account.id,
        it.id,
        datetime.now(UTC),
        show_boosts=given.flag("reblogs", default=True),
        notify=given.flag("notify"),
    )
    return await _relationship(request, caller.account, it.id)


@routes.post("/api/v1/accounts/{id}/unfollow")
async def unfollow(request: web.Request) -> web.Response:
    return await _act(request, "write:follows", follows.unfollow)


@routes.post("/api/v1/accounts/{id}/remove_from_followers")
async def remove_from_followers(request: web.Request) -> web.Response:
    return await _act(request, "write:follows", follows.remove_follower)


@routes.post("/api/v1/accounts/{id}/block")
async def block(request: web.Request) -> web.Response:
    return await _act(request, "write:blocks", blocks.block)


@routes.post("/api/v1/accounts/{id}/unblock")
async def unblock(request: web.Request) -> web.Response:
    return await _act(request, "write:blocks", blocks.unblock)


@routes.get("/api/v1/follow_requests")
async def get_follow_requests(request: web.Request) -> web.Response:
    caller, page = await auth.caller(request, "read:follows"), page_of(request, usual=40, most=80)
    found = await request.app[DATABASE].read(follows.requests_page, caller.account.id, page)
    entities = [account(one.account, request.app[ORIGIN]) for one in found]
    return linked(request, entities, [one.id for one in found], page)


@routes.post("/api/v1/follow_requests/{id}/authorize")
async def authorize(request: web.Request) -> web.Response:
    return await _act(request, "write:follows", follows.accept_request)


@routes.post("/api/v1/follow_requests/{id}/reject")
async def reject(request: web.Request) -> web.Response:
    return await _act(request, "write:follows", follows.reject_request)


async def _act(request: web.Request, scope: str, unit: Callable[..., Any]) -> web.Response:
    """What `unit(tx, own_id, other_id, now)` does, and what both are to each other after it."""
    caller = await auth.caller(request, scope)
    it = await _account(request)
    await request.app[DATABASE].write(unit, caller.account.id, it.id, datetime.now(UTC))
    return await _relationship(request, caller.account, it.id)


async def _relationship(request: web.Request, reader: Account, account_id: int) -> web.Response:
    known = await request.app[DATABASE].read(follows.relationship, reader.id, [account_id])
    return answer(relationship(account_id, known[account_id]))


async def _account(request: web.Request) -> Account:
    found = await request.app[DATABASE].read(accounts.by_id, path_id(request))
    if found.deleted_at:
        raise NotFound("Record not found")
    return found
