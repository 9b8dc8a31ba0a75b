"""/settings/leaving: deleting one's own account, for good."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from social import accounts, passwords
from social.errors import Invalid, NotAllowed, Refusal
from web import auth
from web.keys import DATABASE
from web.limits import TooMany
from web.pages import addresses, entry, frame
from web.pages.frame import RUNS

routes = web.RouteTableDef()

_HERE: Final = "/settings/leaving"


@routes.get(_HERE)
async def leaving(request: web.Request) -> web.Response:
    return await _form(request)


async def _form(request: web.Request, says: str = "", status: int = 200) -> web.Response:
    await frame.member(request)
    return frame.show(request, "settings_leaving.html", status=status, says=says)


@routes.post(_HERE)
async def leave(request: web.Request) -> web.Response:
    """Asks for the password and the name: other servers cannot be told to bring an account back."""
    signed, given = await frame.posted(request)
    me = signed.account
    try:
        if signed.user.role in RUNS:
            raise NotAllowed(
                "Who runs a server cannot leave it like this; somebody else has to take your role away first"
            )
        entry.count_tries(request, me.handle)
        if not await entry.in_pool(request, passwords.verify, signed.user.password, given.text("password")):
            raise NotAllowed("That is not your password")
        if given.text("name").strip().removeprefix("@").lower() != me.username.lower():
            raise Invalid("Write your name, to show that you mean this account")
        await request.app[DATABASE].write(accounts.delete_local, me.id, datetime.now(UTC))
    except TooMany:
        return await _form(request, "Too many tries. Please wait some minutes.", 429)
    except Refusal as refusal:
        return await _form(request, str(refusal), frame.status_of(refusal))
    answer = addresses.see_other("/")
    auth.forget(request, answer)
    return answer
