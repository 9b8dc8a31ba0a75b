"""/signup, and what letters lead to: /auth/confirm, /auth/password.

A letter's link opens a page with a button, for programs that look at mails open every link in them.
"""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from social import passwords, signups
from social.errors import Faulty, Invalid, NotAllowed
from social.secrets import sha256
from social.signups import Wanted
from web import csrf, params, signing_up
from web.keys import CONFIG, DATABASE
from web.limits import TooMany
from web.pages import addresses, frame
from web.pages.entry import in_pool
from web.params import Params, of_query

routes = web.RouteTableDef()

_TOO_MANY = "Too many tries. Please wait half an hour."
_OF_LETTERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_WORDS = {
    "username": "The name",
    "email": "The e-mail address",
    "password": "The password",
    "agreement": "The rules",
    "reason": "What you wrote",
}


@routes.get("/signup")
async def form(request: web.Request) -> web.Response:
    if await frame.look(request) is not None:
        return addresses.see_other("/home")
    return _form(request, Params({}))


@routes.post("/signup")
async def sign_up(request: web.Request) -> web.Response:
    csrf.check_place(request)
    given = await params.read(request)
    name = given.text("name").strip().removeprefix("@")
    wanted = Wanted(
        name, given.text("email"), given.text("password"), given.flag("agreement"), given.text("reason").strip()
    )
    if request.app[CONFIG].registrations == "approval" and not wanted.reason:
        return _form(request, given, says="Please write some words about why you would like to join")
    try:
        await signing_up.sign_up(request, wanted)
    except Faulty as faulty:
        return _form(request, given, says=". ".join(f"{_WORDS[it.field]} {it.says}" for it in faulty.faults))
    except Invalid as refusal:
        return _form(request, given, says=str(refusal))
    except NotAllowed:
        return _form(request, given, says="Nobody can make an account here at present", status=403)
    except TooMany:
        return _form(request, given, says=_TOO_MANY, status=429)
    return addresses.see_other("/signup/done")


@routes.get("/signup/done")
async def done(request: web.Request) -> web.Response:
    await frame.look(request)
    return frame.show(request, "signup_done.html", noindex=True)


@routes.get("/auth/confirm")
async def confirm(request: web.Request) -> web.Response:
    await frame.look(request)
    return _letters(request, "confirm.html", token=of_query(request).text("token"))


@routes.post("/auth/confirm")
async def confirmed(request: web.Request) -> web.Response:
    csrf.check_place(request)
    token = (await params.read(request)).text("token")
    try:
        await request.app[DATABASE].write(signups.confirm, sha256(token), datetime.now(UTC))
    except Invalid as refusal:
        return _letters(request, "confirm.html", says=str(refusal), status=422)
    return _letters(request, "confirm.html", done="Your address is confirmed.")


@routes.post("/auth/confirm/again")
async def once_more(request: web.Request) -> web.Response:
    return await _ask(request, signups.again, "confirm.html", "If somebody waits for it, a letter is on its way.")


@routes.get("/auth/password")
async def password(request: web.Request) -> web.Response:
    await frame.look(request)
    return _letters(request, "password.html", token=of_query(request).text("token"))


@routes.post("/auth/password")
async def forgot(request: web.Request) -> web.Response:
    """The same answer, and as soon, whoever has that address."""
    done = "If somebody here has that address, a letter is on its way."
    return await _ask(request, signups.forgot, "password.html", done)


@routes.post("/auth/password/new")
async def new_password(request: web.Request) -> web.Response:
    csrf.check_place(request)
    given = await params.read(request)
    token = given.text("token")
    try:
        signing_up.count(request, signing_up.LETTERS)
        passwords.check(given.text("password"))
        hashed = await in_pool(request, passwords.hash_password, given.text("password"))
        await request.app[DATABASE].write(_new_password, token, hashed, datetime.now(UTC))
    except TooMany:
        return _letters(request, "password.html", token=token, says=_TOO_MANY, status=429)
    except Invalid as refusal:
        return _letters(request, "password.html", token=token, says=str(refusal), status=422)
    return _letters(request, "password.html", done="You have a new password. All browsers and programs are signed out.")


def _new_password(tx: Connection, token: str, hashed: str, now: datetime) -> None:
    signups.new_password(tx, sha256(token), hashed, now)


async def _ask(request: web.Request, unit: signups.Asks, template: str, done: str) -> web.Response:
    csrf.check_place(request)
    address = (await params.read(request)).text("email")
    try:
        signing_up.count(request, signing_up.LETTERS, address)
    except TooMany:
        return _letters(request, template, says=_TOO_MANY, status=429)
    if request.app[CONFIG].mails:
        await request.app[DATABASE].write(unit, address, datetime.now(UTC))
    return _letters(request, template, done=done)


def _letters(
    request: web.Request, template: str, *, token: str = "", says: str = "", done: str = "", status: int = 200
) -> web.Response:
    return frame.show(
        request, template, status=status, headers=_OF_LETTERS, token=token[:200], says=says, done=done, noindex=True
    )


def _form(request: web.Request, given: Params, *, says: str = "", status: int = 422) -> web.Response:
    return frame.show(
        request,
        "signup.html",
        status=status if says else 200,
        headers={"Cache-Control": "no-store"},
        name=given.text("name"),
        email=given.text("email"),
        reason=given.text("reason"),
        says=says,
    )
