"""What people change about themselves: profile, how their posts start, password."""

from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from federation.reading.values import language
from social import accounts, passwords, sanitise, sessions, users
from social.accounts import ProfileChanges
from social.errors import Invalid, NotAllowed, Unavailable
from social.secrets import new_token, sha256
from store.tables import Account
from web import auth, portraits
from web.keys import DATABASE, ORIGIN
from web.languages import LANGUAGES
from web.limits import TooMany
from web.pages import addresses, entry, frame
from web.params import Params, of_query

routes = web.RouteTableDef()

FIELDS: Final = 4  # offered by the form; more that are there already are kept


@routes.get("/settings")
async def settings(request: web.Request) -> web.Response:  # noqa: ARG001
    return addresses.see_other("/settings/profile")


@routes.get("/settings/profile")
async def profile(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    account, user = signed.account, signed.user
    fields = [(field["name"], sanitise.plain(field["value"])) for field in account.fields]
    typed = {
        "display_name": account.display_name,
        "note": account.note_source,
        "locked": account.locked,
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "bot": account.kind == "Service",
        "avatar_alt": account.avatar_alt,
        "header_alt": account.header_alt,
        "fields": _padded(fields),
        "sites": "\n".join(account.attribution_domains),
        "visibility": user.default_visibility,
        "sensitive": user.default_sensitive,
        "language": user.default_language or "",
    }
    return _form(request, typed, done="saved" in of_query(request))


@routes.post("/settings/profile")
async def save_profile(request: web.Request) -> web.Response:
    async with frame.posted_files(request, portraits.LIMITS) as (signed, form):
        typed = _typed(form.params)
        try:
            async with portraits.taken(request, form, signed.account) as pictures:
                changed = await request.app[DATABASE].write(
                    _save, request.app[ORIGIN], signed.account.id, {**typed, **pictures}, datetime.now(UTC)
                )
            await portraits.forget(request, signed.account, changed)
        except (Invalid, Unavailable) as refusal:
            return _form(request, typed, says=str(refusal))
    return addresses.see_other("/settings/profile?saved=1")


def _typed(given: Params) -> dict[str, Any]:
    names, values = given.many("field_name")[:16], given.many("field_value")[:16]
    return {
        "display_name": given.text("display_name"),
        "note": given.text("note"),
        "locked": given.flag("locked"),
        "discoverable": given.flag("discoverable"),
        "indexable": given.flag("indexable"),
        "bot": given.flag("bot"),
        "avatar_alt": given.text("avatar_alt"),
        "header_alt": given.text("header_alt"),
        "no_avatar": given.flag("no_avatar"),
        "no_header": given.flag("no_header"),
        "fields": _padded(list(zip_longest(names, values, fillvalue=""))),
        "sites": given.text("sites"),
        "visibility": given.text("visibility", "public"),
        "sensitive": given.flag("sensitive"),
        "language": given.text("language"),
    }


def _save(tx: Connection, origin: Origin, account_id: int, typed: dict[str, Any], now: datetime) -> Account:
    changes = ProfileChanges(
        display_name=typed["display_name"],
        note=typed["note"],
        locked=typed["locked"],
        discoverable=typed["discoverable"],
        indexable=typed["indexable"],
        bot=typed["bot"],
        fields=[pair for pair in typed["fields"] if any(pair)],
        avatar_url=typed.get("avatar_url", "" if typed["no_avatar"] else None),
        avatar_alt=typed["avatar_alt"],
        header_url=typed.get("header_url", "" if typed["no_header"] else None),
        header_alt=typed["header_alt"],
        attribution_domains=typed["sites"].split(),
    )
    changed = accounts.update_profile(tx, origin, account_id, changes, now)
    users.set_defaults(tx, account_id, typed["visibility"], typed["sensitive"], language(typed["language"]))
    return changed


def _padded(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*fields, *([("", "")] * (FIELDS - len(fields)))]


def _form(request: web.Request, typed: dict[str, Any], *, says: str = "", done: bool = False) -> web.Response:
    return frame.show(
        request,
        "settings_profile.html",
        status=422 if says else 200,
        typed=typed,
        says=says,
        done=done,
        languages=LANGUAGES,
    )


@routes.get("/settings/password")
async def password(request: web.Request) -> web.Response:
    await frame.member(request)
    return frame.show(request, "settings_password.html", says="", done="saved" in of_query(request))


@routes.post("/settings/password")
async def save_password(request: web.Request) -> web.Response:
    """Ends all other sessions, and what programs were allowed (security row 80); this browser stays signed in."""
    signed, given = await frame.posted(request)
    try:
        entry.count_tries(request, signed.account.handle)
        hashed = await _checked(request, signed.user.password, given)
    except TooMany:
        return _refused(request, "Too many tries. Please wait some minutes.", 429)
    except (Invalid, NotAllowed) as refusal:
        return _refused(request, str(refusal), frame.status_of(refusal))
    secret = new_token()
    agent = request.headers.get("User-Agent", "")
    await request.app[DATABASE].write(
        _new_password, signed.account.id, hashed, sha256(secret), new_token(), agent, datetime.now(UTC)
    )
    answer = addresses.see_other("/settings/password?saved=1")
    auth.remember(request, answer, secret)
    return answer


async def _checked(request: web.Request, present: str, given: Params) -> str:
    """The hash of the new password.  Raises: NotAllowed, Invalid."""
    if not await entry.in_pool(request, passwords.verify, present, given.text("password")):
        raise NotAllowed("That is not your present password")
    return await entry.in_pool(request, passwords.hash_password, given.text("new"))


def _new_password(
    tx: Connection, account_id: int, hashed: str, cookie_hash: bytes, csrf: str, agent: str, now: datetime
) -> None:
    users.set_password(tx, account_id, hashed, now)
    sessions.start_session(tx, account_id, cookie_hash, csrf, agent, now)


def _refused(request: web.Request, says: str, status: int) -> web.Response:
    return frame.show(request, "settings_password.html", status=status, says=says, done=False)
