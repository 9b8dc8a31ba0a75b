"""Accounts: https://docs.joinmastodon.org/methods/accounts/ and /methods/follow_requests/"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from federation.reading.values import language
from social import accounts, blocks, follows, pins, timelines, users
from social.errors import Invalid
from social.pages import Page
from store.tables import Account, User
from web import auth, params, portraits
from web.api import shapes
from web.api.answers import answer, id_of, statuses
from web.api.entities.account import account, credential_account, relationship
from web.api.people import account_of, act, people, shown
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.paging import page_of
from web.params import Params, as_id, of_query
from web.uploads import received

routes = web.RouteTableDef()

_REQUESTS = 100  # counted up to this number
_RELATIONSHIPS = 80  # asked for at once
_LANGUAGES = 50  # of one follow
_PROFILE = {
    "display_name": str,
    "note": str,
    "locked": bool,
    "discoverable": bool,
    "indexable": bool,
    "hide_collections": bool,
    "bot": bool,
    "fields_attributes": list[dict[str, str]],
    "source": dict[str, Any],
    "avatar": bytes,
    "avatar_description": str,
    "header": bytes,
    "header_description": str,
}


@routes.get("/api/v1/accounts/verify_credentials")
@spec(answers=shapes.CredentialAccount)
@auth.person("read:accounts", "profile")
async def verify_credentials(request: web.Request, caller: Caller) -> web.Response:
    user, asked = await request.app[DATABASE].read(_own, caller.account.id)
    return answer(credential_account(caller.account, user, request.app[ORIGIN], asked))


def _own(tx: Connection, account_id: int) -> tuple[User, int]:
    return users.by_account(tx, account_id), len(follows.requests_page(tx, account_id, Page(limit=_REQUESTS)))


@routes.patch("/api/v1/accounts/update_credentials")
@spec(answers=shapes.CredentialAccount, body=_PROFILE)
@auth.person("write:accounts")
async def update_credentials(request: web.Request, caller: Caller) -> web.Response:
    """What a profile says and shows, and how it answers."""
    async with received(request, portraits.LIMITS) as form, portraits.taken(request, form, caller.account) as pictures:
        given = form.params
        changes = accounts.ProfileChanges(
            display_name=_text(given, "display_name"),
            note=_text(given, "note"),
            locked=_flag(given, "locked"),
            discoverable=_flag(given, "discoverable"),
            indexable=_flag(given, "indexable"),
            hide_collections=_flag(given, "hide_collections"),
            bot=_flag(given, "bot"),
            fields=_fields(given),
            avatar_alt=_text(given, "avatar_description"),
            header_alt=_text(given, "header_description"),
            **pictures,
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
        _set_defaults(tx, users.by_account(tx, account_id), source)
    return changed, *_own(tx, account_id)


def _set_defaults(tx: Connection, user: User, source: Params) -> None:
    spoken = source.text("language", user.default_language or "")
    if spoken and language(spoken) is None:
        raise Invalid("source[language] is a code like en or pt-BR")
    users.set_defaults(
        tx,
        user.account_id,
        source.text("privacy") or user.default_visibility,
        source.flag("sensitive", default=user.default_sensitive),
        spoken or None,
    )


def _text(given: Params, name: str) -> str | None:
    return given.text(name) if name in given else None


def _flag(given: Params, name: str) -> bool | None:
    return given.flag(name) if name in given else None


def _fields(given: Params) -> list[tuple[str, str]] | None:
    """`fields_attributes[0][name]`, or a list of objects."""
    if "fields_attributes" not in given:
        return None
    return [(one.text("name"), one.text("value")) for one in given.inners("fields_attributes") if one.text("name")]


@routes.delete("/api/v1/profile/avatar")
@spec(answers=shapes.CredentialAccount)
@auth.person("write:accounts")
async def delete_avatar(request: web.Request, caller: Caller) -> web.Response:
    return await _without(request, caller, accounts.ProfileChanges(avatar_url="", avatar_alt=""))


@routes.delete("/api/v1/profile/header")
@spec(answers=shapes.CredentialAccount)
@auth.person("write:accounts")
async def delete_header(request: web.Request, caller: Caller) -> web.Response:
    return await _without(request, caller, accounts.ProfileChanges(header_url="", header_alt=""))


async def _without(request: web.Request, caller: Caller, changes: accounts.ProfileChanges) -> web.Response:
    changed, user, asked = await request.app[DATABASE].write(
        _update, request.app[ORIGIN], caller.account.id, changes, None, datetime.now(UTC)
    )
    await portraits.forget(request, caller.account, changed)
    return answer(credential_account(changed, user, request.app[ORIGIN], asked))


@routes.get("/api/v1/accounts/lookup")
@spec(answers=shapes.Account, query={"acct": str})
@auth.public
async def lookup(request: web.Request) -> web.Response:
    """Those who are known here; `search` with `resolve` asks other servers."""
    handle, origin = of_query(request).text("acct"), request.app[ORIGIN]
    return answer(account(shown(await request.app[DATABASE].read(accounts.find_by_handle, handle, origin)), origin))


@routes.get("/api/v1/accounts/relationships")
@spec(answers=list[shapes.Relationship], query={"id": list[str]})
@auth.person("read:follows")
async def relationships(request: web.Request, caller: Caller) -> web.Response:
    ids = [found for text in of_query(request).many("id") if (found := as_id(text)) is not None]
    known = await request.app[DATABASE].read(_known, caller.account.id, ids[:_RELATIONSHIPS])
    return answer([relationship(it) for it in known])


def _known(tx: Connection, reader_id: int, ids: Sequence[int]) -> list[follows.Relationship]:
    there = accounts.by_ids(tx, ids)
    found = follows.relationship(tx, reader_id, [number for number in dict.fromkeys(ids) if number in there])
    return list(found.values())


@routes.get("/api/v1/accounts/{id}")
@spec(answers=shapes.Account)
@auth.anybody("read:accounts")
async def get_account(request: web.Request, _: Account | None) -> web.Response:
    return answer(account(await account_of(request), request.app[ORIGIN]))


@routes.get("/api/v1/accounts/{id}/statuses")
@spec(
    answers=list[shapes.Status],
    query={**PAGE, "pinned": bool, "exclude_replies": bool, "exclude_reblogs": bool, "only_media": bool},
    partial="`tagged` is ignored",
)
@auth.anybody("read:statuses")
async def get_statuses(request: web.Request, reader: Account | None) -> web.Response:
    page, asked, it = page_of(request), of_query(request), await account_of(request)
    if asked.flag("pinned"):
        views = await request.app[DATABASE].read(pins.shown, id_of(reader), it.id)
        return statuses(request, reader, views, Page(limit=len(views) + 1))
    views = await request.app[DATABASE].read(
        timelines.account_page,
        id_of(reader),
        it.id,
        page,
        replies=not asked.flag("exclude_replies"),
        boosts=not asked.flag("exclude_reblogs"),
        only_media=asked.flag("only_media"),
    )
    return statuses(request, reader, views, page)


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


def _languages(given: Params) -> list[str] | None:
    """None: nothing is said of them; an empty list: all."""
    if "languages" not in given:
        return None
    found = given.many("languages")
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
