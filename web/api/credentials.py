"""One's own account and what may be changed of it.

https://docs.joinmastodon.org/methods/accounts/#update_credentials and /methods/profile/
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from federation.reading.values import language
from social import accounts, featured, follows, preferences, users
from social.errors import Invalid
from social.featured import FeaturedView
from social.known import Known, known
from social.pages import Page
from store.tables import Account, User
from web import auth, portraits
from web.api import shapes
from web.api.answers import answer
from web.api.entities.account import credential_account, profile
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.params import Params
from web.uploads import received

routes = web.RouteTableDef()

_REQUESTS = 100  # counted up to this number
_SHOWN: Final = {"show_media": bool, "show_media_replies": bool, "show_featured": bool}
_PROFILE = {
    "display_name": str,
    "note": str,
    "locked": bool,
    "discoverable": bool,
    "indexable": bool,
    "hide_collections": bool,
    "bot": bool,
    "attribution_domains": list[str],
    "fields_attributes": list[dict[str, str]],
    "avatar": bytes,
    "avatar_description": str,
    "header": bytes,
    "header_description": str,
}


@dataclass(frozen=True, slots=True)
class Own:
    """requests: to follow this account."""

    known: Known
    user: User
    requests: int
    tags: list[FeaturedView]


@routes.get("/api/v1/accounts/verify_credentials")
@spec(answers=shapes.CredentialAccount)
@auth.person("read:accounts", "profile")
async def verify_credentials(request: web.Request, caller: Caller) -> web.Response:
    return answer(_credentials(await request.app[DATABASE].read(_own, caller.account), request.app[ORIGIN]))


def _own(tx: Connection, it: Account) -> Own:
    (own,) = known(tx, [it], it.id)
    requests = len(follows.requests_page(tx, it.id, Page(limit=_REQUESTS)))
    return Own(own, users.by_account(tx, it.id), requests, featured.featured(tx, it.id))


def _credentials(own: Own, origin: Origin) -> shapes.CredentialAccount:
    return credential_account(own.known, own.user, origin, own.requests)


def _profile(own: Own, origin: Origin) -> shapes.Profile:
    return profile(own.known.account, own.tags, origin)


@routes.patch("/api/v1/accounts/update_credentials")
@spec(answers=shapes.CredentialAccount, body={**_PROFILE, "source": dict[str, Any]})
@auth.person("write:accounts")
async def update_credentials(request: web.Request, caller: Caller) -> web.Response:
    """What a profile says and shows, and how it answers."""
    return answer(_credentials(await _changed(request, caller), request.app[ORIGIN]))


@routes.get("/api/v1/profile")
@spec(answers=shapes.Profile)
@auth.person("read:accounts", "profile")
async def get_profile(request: web.Request, caller: Caller) -> web.Response:
    return answer(_profile(await request.app[DATABASE].read(_own, caller.account), request.app[ORIGIN]))


@routes.patch("/api/v1/profile")
@spec(answers=shapes.Profile, body={**_PROFILE, **_SHOWN})
@auth.person("write:accounts")
async def update_profile(request: web.Request, caller: Caller) -> web.Response:
    return answer(_profile(await _changed(request, caller), request.app[ORIGIN]))


async def _changed(request: web.Request, caller: Caller) -> Own:
    async with received(request, portraits.LIMITS) as form, portraits.taken(request, form, caller.account) as pictures:
        given = form.params
        changes = accounts.ProfileChanges(
            display_name=_text(given, "display_name"),
            note=_text(given, "note"),
            locked=_flag(given, "locked"),
            discoverable=_flag(given, "discoverable"),
            indexable=_flag(given, "indexable"),
            hide_collections=_flag(given, "hide_collections"),
            show_media=_flag(given, "show_media"),
            show_media_replies=_flag(given, "show_media_replies"),
            show_featured=_flag(given, "show_featured"),
            bot=_flag(given, "bot"),
            fields=_fields(given),
            attribution_domains=given.many("attribution_domains") if "attribution_domains" in given else None,
            avatar_alt=_text(given, "avatar_description"),
            header_alt=_text(given, "header_description"),
            **pictures,
        )
        return await request.app[DATABASE].write(
            _update, request.app[ORIGIN], caller.account.id, changes, given, datetime.now(UTC)
        )


def _update(
    tx: Connection,
    origin: Origin,
    account_id: int,
    changes: accounts.ProfileChanges,
    given: Params | None,
    now: datetime,
) -> Own:
    changed = accounts.update_profile(tx, origin, account_id, changes, now)
    if given is not None:
        source = given.inner("source")
        if source is not None:
            preferences.change(tx, account_id, {"quote_policy": _text(source, "quote_policy")})
            _set_defaults(tx, users.by_account(tx, account_id), source)
    return _own(tx, changed)


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
    own = await request.app[DATABASE].write(
        _update, request.app[ORIGIN], caller.account.id, changes, None, datetime.now(UTC)
    )
    await portraits.forget(request, caller.account, own.known.account)
    return answer(_credentials(own, request.app[ORIGIN]))
