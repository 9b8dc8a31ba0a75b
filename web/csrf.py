"""Forms come from our own pages only (security row 77).

Two guards, each enough alone: the browser says from where a form was sent, and a form of somebody who is signed in
carries the secret of his session.  Before sign-in there is no session and no cookie: there the first guard stands.
Source: OWASP, Cross-Site Request Forgery Prevention Cheat Sheet; https://www.breachattack.com for the mask.
"""

import hmac
import secrets
from base64 import b64decode, urlsafe_b64encode

from aiohttp import web

from social.errors import NotAllowed
from social.sessions import SignedIn
from web.keys import ORIGIN

FIELD = "csrf"
_FOREIGN = "This form was sent from another site, so nothing was changed. Please open {} and try again there."
_STALE = "This form is out of date, so nothing was changed. Please go back, load the page again, and send it once more."


def check(request: web.Request, given: str, signed: SignedIn) -> None:
    """given: what the form has in FIELD.  Raises: NotAllowed."""
    check_place(request)
    if not fits(given, signed):
        raise NotAllowed(_STALE, why="wrong token")


def fits(given: str, signed: SignedIn) -> bool:
    """Is it the secret of this session, as it is or as `shown` wrote it?"""
    ours = signed.session.csrf.encode()
    found = given.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(found, ours) or hmac.compare_digest(_unmasked(found), ours)


def shown(secret: str) -> str:
    """The secret for a page, other letters each time: from the length of packed pages nobody guesses it (BREACH)."""
    plain = secret.encode()
    mask = secrets.token_bytes(len(plain))
    return urlsafe_b64encode(mask + _xor(mask, plain)).decode()


def _unmasked(given: bytes) -> bytes:
    try:
        both = b64decode(given, altchars=b"-_", validate=True)
    except ValueError:
        return b""
    return _xor(both[: len(both) // 2], both[len(both) // 2 :])


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


def check_place(request: web.Request) -> None:
    """Was the form sent from a page of ours?

    Every browser says so in one of two headers, which no page can change; what sends neither is no browser, and nobody
    can make it send anything.
    Raises: NotAllowed.
    """
    place = request.headers.get("Sec-Fetch-Site")
    if place in ("same-origin", "none"):
        return
    ours = request.app[ORIGIN].base_url
    if place is not None or request.headers.get("Origin", ours).lower() != ours.lower():
        raise NotAllowed(_FOREIGN.format(ours), why=f"{place} {request.headers.get('Origin', '')[:200]}")
