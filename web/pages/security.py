"""/settings/security: where somebody is signed in, and what programs may do in his name; and the end of each."""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from social import apps, second_factor, sessions
from social.apps import Allowed
from store.tables import Session
from web.keys import DATABASE
from web.oauth import words
from web.pages import addresses, frame
from web.params import as_id, of_query

routes = web.RouteTableDef()

_HERE = "/settings/security"
_SAID = {
    "session": "That browser is signed out.",
    "program": "That program may not use your account any more.",
    "all": "All other browsers and all programs are signed out.",
}
# What a browser says of itself, more or less; the first that fits.
_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "CrOS", "Linux")
_KNOWN_AS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Macintosh": "a Mac",
    "CrOS": "ChromeOS",
    "iPhone": "an iPhone",
    "iPad": "an iPad",
}


@routes.get(_HERE)
async def security(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    browsers, programs, codes = await request.app[DATABASE].read(_overview, signed.account.id)
    return frame.show(
        request,
        "settings_security.html",
        browsers=[(it, device(it.agent), it.hash == signed.session.hash) for it in browsers],
        programs=[(it, words.of(it.scopes)) for it in programs],
        codes=codes,
        done=_SAID.get(of_query(request).text("done"), ""),
    )


def _overview(tx: Connection, account_id: int) -> tuple[list[Session], list[Allowed], bool]:
    return sessions.of(tx, account_id), apps.allowed_by(tx, account_id), second_factor.is_on(tx, account_id)


@routes.post(_HERE + "/browsers/{hash:[0-9a-f]{64}}/end")
async def end_browser(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    which = bytes.fromhex(request.match_info["hash"])
    await request.app[DATABASE].write(sessions.end_own, signed.account.id, which)
    return addresses.see_other(f"{_HERE}?done=session")


@routes.post(_HERE + "/programs/{id}/end")
async def end_program(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    app_id = as_id(request.match_info["id"])
    if app_id is not None:
        await request.app[DATABASE].write(apps.revoke_app, signed.account.id, app_id, datetime.now(UTC))
    return addresses.see_other(f"{_HERE}?done=program")


@routes.post(_HERE + "/end")
async def end_all(request: web.Request) -> web.Response:
    """All but this browser."""
    signed, _ = await frame.posted(request)
    await request.app[DATABASE].write(sessions.revoke_others, signed.account.id, signed.session.hash, datetime.now(UTC))
    return addresses.see_other(f"{_HERE}?done=all")


def device(agent: str) -> str:
    """
    >>> device("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"), device("curl/8")
    ('Firefox on Linux', 'curl/8')
    """
    browser = next((name for name in _BROWSERS if name in agent), None)
    system = next((name for name in _SYSTEMS if name in agent), None)
    if browser is None:
        return agent[:60] or "An unnamed browser"
    return _KNOWN_AS.get(browser, browser) + (f" on {_KNOWN_AS.get(system, system)}" if system else "")
