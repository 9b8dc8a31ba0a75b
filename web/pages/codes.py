"""/settings/codes: codes by time beside the password, turned on and off."""

from datetime import UTC, datetime

from aiohttp import web

from social import passwords, second_factor
from social.errors import Invalid, NotAllowed, Refusal
from social.sessions import SignedIn
from web.keys import CONFIG, DATABASE, ORIGIN
from web.limits import TooMany
from web.pages import addresses, entry, frame
from web.params import Params, of_query

routes = web.RouteTableDef()

_HERE = "/settings/codes"


@routes.get(_HERE)
async def codes(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    return await _page(request, signed, done="off" if "off" in of_query(request) else "")


@routes.post(_HERE + "/on")
async def turn_on(request: web.Request) -> web.Response:
    """Answers with the recovery codes, which are shown this once: so no redirect."""
    signed, given = await frame.posted(request)
    secret = given.text("secret")
    try:
        await _prove(request, signed, given)
        made = await request.app[DATABASE].write(
            second_factor.turn_on, signed.account.id, secret, given.text("code"), signed.session.hash, _now()
        )
    except (Invalid, NotAllowed, TooMany) as refusal:
        return await _page(request, signed, says=refusal, secret=secret)
    return await _page(request, signed, recovery=made)


@routes.post(_HERE + "/renew")
async def renew(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    try:
        await _prove(request, signed, given)
    except (NotAllowed, TooMany) as refusal:
        return await _page(request, signed, says=refusal)
    if not await request.app[DATABASE].read(second_factor.is_on, signed.account.id):
        return addresses.see_other(_HERE)
    made = await request.app[DATABASE].write(second_factor.renew_codes, signed.account.id, signed.session.hash, _now())
    return await _page(request, signed, recovery=made)


@routes.post(_HERE + "/off")
async def turn_off(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    try:
        await _prove(request, signed, given)
    except (NotAllowed, TooMany) as refusal:
        return await _page(request, signed, says=refusal)
    await request.app[DATABASE].write(second_factor.turn_off, signed.account.id, signed.session.hash, _now())
    return addresses.see_other(f"{_HERE}?off=1")


async def _prove(request: web.Request, signed: SignedIn, given: Params) -> None:
    """The password once more.  Raises: NotAllowed, TooMany."""
    entry.count_tries(request, signed.account.handle)
    if not await entry.in_pool(request, passwords.verify, signed.user.password, given.text("password")):
        raise NotAllowed("That is not your password")


async def _page(
    request: web.Request,
    signed: SignedIn,
    *,
    says: Exception | None = None,
    done: str = "",
    secret: str = "",
    recovery: list[str] | None = None,
) -> web.Response:
    is_on = await request.app[DATABASE].read(second_factor.is_on, signed.account.id)
    if is_on or not second_factor.is_secret(secret):
        secret = "" if is_on else second_factor.new_secret()
    return frame.show(
        request,
        "settings_codes.html",
        status=_status(says),
        headers={"Cache-Control": "no-store"},
        is_on=is_on,
        secret=secret,
        picture=await entry.in_pool(request, _picture, _address(request, signed, secret)) if secret else "",
        recovery=recovery or [],
        says="Too many tries. Please wait some minutes." if isinstance(says, TooMany) else str(says or ""),
        done=done,
    )


def _status(says: Exception | None) -> int:
    if isinstance(says, Refusal):
        return frame.status_of(says)
    return 200 if says is None else 429


def _address(request: web.Request, signed: SignedIn, secret: str) -> str:
    """What the picture says: https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
    import pyotp  # noqa: PLC0415  only here

    name = f"{signed.account.username}@{request.app[ORIGIN].domain}"
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=request.app[CONFIG].title)


def _picture(text: str) -> str:
    """A QR code as SVG, black on white also in the dark, for cameras want it so."""
    import segno  # noqa: PLC0415  hardly ever needed

    made: str = segno.make(text, error="m").svg_inline(scale=5, border=3, dark="#000", light="#fff", omitsize=True)
    return made


def _now() -> datetime:
    return datetime.now(UTC)
