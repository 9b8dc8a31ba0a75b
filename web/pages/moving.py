"""Moving to another account, and from others to this one.

Others believe a move when the new account names the old one: that is done first, there, and looked at as it is now.
"""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import accounts, moves, passwords
from social.accounts import find
from social.errors import Invalid, NotAllowed, NotFound, Refusal
from store.tables import Account
from web.keys import DATABASE, ORIGIN, REMOTE
from web.limits import TooMany
from web.pages import addresses, entry, frame
from web.params import Params, of_query

routes = web.RouteTableDef()


@routes.get("/settings/moving")
async def moving(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    return await _form(request, signed.account, done=of_query(request).text("done"))


@routes.post("/settings/moving/alias")
async def add_alias(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    try:
        other = await _found(request, given)
        await request.app[DATABASE].write(
            _alias, request.app[ORIGIN], signed.account.id, other.uri, datetime.now(UTC), add=True
        )
    except Refusal as refusal:
        typed = given.text("handle")
        return await _form(request, signed.account, says=str(refusal), status=frame.status_of(refusal), alias=typed)
    return addresses.see_other("/settings/moving?done=alias")


@routes.post("/settings/moving/unalias")
async def remove_alias(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    uri, now = given.text("uri"), datetime.now(UTC)
    await request.app[DATABASE].write(_alias, request.app[ORIGIN], signed.account.id, uri, now, add=False)
    return addresses.see_other("/settings/moving?done=unalias")


@routes.post("/settings/moving/away")
async def move_away(request: web.Request) -> web.Response:
    """Asks for the password: followers who were carried off do not come back."""
    signed, given = await frame.posted(request)
    try:
        entry.count_tries(request, signed.account.handle)
        if not await entry.in_pool(request, passwords.verify, signed.user.password, given.text("password")):
            raise NotAllowed("That is not your password")
        target, now = await _found(request, given), datetime.now(UTC)
        await request.app[DATABASE].write(moves.move_out, request.app[ORIGIN], signed.account.id, target, now)
    except TooMany:
        says = "Too many tries. Please wait some minutes."
        return await _form(request, signed.account, says=says, status=429, target=given.text("handle"))
    except Refusal as refusal:
        typed = given.text("handle")
        return await _form(request, signed.account, says=str(refusal), status=frame.status_of(refusal), target=typed)
    return addresses.see_other("/settings/moving?done=away")


@routes.post("/settings/moving/back")
async def move_back(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    await request.app[DATABASE].write(moves.move_back, request.app[ORIGIN], signed.account.id, datetime.now(UTC))
    return addresses.see_other("/settings/moving?done=back")


async def _found(request: web.Request, given: Params) -> Account:
    """As it is now.  Raises: Refusal."""
    handle = given.text("handle").strip()
    if not handle:
        raise Invalid("Which account? Write it as name@server")
    try:
        return await request.app[REMOTE].account(handle, fresh=True)
    except NotFound:
        raise Invalid("There is no such account") from None


def _alias(tx: Connection, origin: Origin, account_id: int, uri: str, now: datetime, *, add: bool) -> None:
    others = [one for one in accounts.by_id(tx, account_id).also_known_as if one != uri]
    accounts.set_aliases(tx, origin, account_id, [*others, uri] if add else others, now)


async def _form(
    request: web.Request, account: Account, *, says: str = "", done: str = "", status: int = 200, alias: str = "",
    target: str = "",
) -> web.Response:  # fmt: skip
    """`alias`, `target`: what was typed, when it could not be done."""
    uris = [*account.also_known_as, *([account.moved_to] if account.moved_to else [])]
    known = await request.app[DATABASE].read(_known, uris)
    names = {uri: f"@{known[uri].acct}" if uri in known else uri for uri in uris}
    return frame.show(
        request, "settings_moving.html", status=status, says=says, done=done, names=names, moved_to=account.moved_to,
        aliases=account.also_known_as, alias=alias, target=target,
    )  # fmt: skip


def _known(tx: Connection, uris: list[str]) -> dict[str, Account]:
    return {uri: found for uri in uris if (found := find.find_by_uri(tx, uri))}
