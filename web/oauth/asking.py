"""What a program asks for at /oauth/authorize (RFC 6749, section 4.1.1), and the way back to it.

Nothing leads to an address before it was compared with those that the program registered: until then a mistake is
shown to the person (`Unknown`), afterwards it is sent to the program (`Wrong`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Connection

from social import apps
from social.errors import Invalid
from store.tables import App
from web import scopes

OUT_OF_BAND: Final = "urn:ietf:wg:oauth:2.0:oob"
FIELDS: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)  # fmt: skip
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url
_LOOPBACK: Final = re.compile(r"\A(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?=[/?]|\Z)")
_STATE_LIMIT: Final = 2_048


class Unknown(Invalid):
    """There is no program to answer: a page says why."""


class Wrong(Exception):
    """What the program hears; `code` is one of RFC 6749, section 4.1.2.1."""

    def __init__(self, code: str, says: str, redirect_uri: str, state: str) -> None:
        super().__init__(says)
        self.code, self.redirect_uri, self.state = code, redirect_uri, state


@dataclass(frozen=True, slots=True)
class Asking:
    """A program that asks a person for something, in the right way."""

    app: App
    redirect_uri: str
    scopes: str
    state: str
    challenge: str | None

    @property
    def out_of_band(self) -> bool:
        """Has it no address, so that the person carries the code?"""
        return self.redirect_uri == OUT_OF_BAND

    @property
    def leads_to(self) -> str:
        """Where the person goes afterwards, as he may recognise it: a host, or the scheme of a program here."""
        parts = urlsplit(self.redirect_uri)
        return (parts.hostname if parts.scheme in ("https", "http") else None) or f"{parts.scheme}:"

    @property
    def fields(self) -> dict[str, str]:
        """The same once more, for the form."""
        found = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scopes,
            "state": self.state,
        }
        return found | ({"code_challenge": self.challenge, "code_challenge_method": "S256"} if self.challenge else {})


def read(tx: Connection, given: Mapping[str, str]) -> Asking:
    """Raises: Unknown, Wrong."""
    app = apps.by_client_id(tx, given.get("client_id", ""))
    if app is None:
        raise Unknown("The program that sent you here is not known to this server. It has to be connected anew.")
    address, state = given.get("redirect_uri", ""), given.get("state", "")
    if not address and len(app.redirect_uris) == 1:
        address = app.redirect_uris[0]
    if not _is_registered(address, app.redirect_uris):
        raise Unknown("The program wants to send you to an address that it did not register, so this ends here.")

    def wrong(code: str, says: str) -> Wrong:
        return Wrong(code, says, address, state[:_STATE_LIMIT])

    if len(state) > _STATE_LIMIT:
        raise wrong("invalid_request", f"state has at most {_STATE_LIMIT} characters")
    if given.get("response_type") != "code":
        raise wrong("unsupported_response_type", "Only response_type=code is supported")
    challenge, method = given.get("code_challenge", ""), given.get("code_challenge_method", "")
    if (challenge or method) and (method != "S256" or not _CHALLENGE.fullmatch(challenge)):
        raise wrong("invalid_request", "A code_challenge is a SHA-256 in base64url, with code_challenge_method=S256")
    try:
        wanted = scopes.checked(given.get("scope") or "read")
    except Invalid as invalid:
        raise wrong("invalid_scope", "The requested scope is invalid, unknown, or malformed") from invalid
    if not scopes.within(wanted, app.scopes):
        raise wrong("invalid_scope", "The requested scope is more than the application was registered for")
    return Asking(app, address, wanted, state, challenge or None)


def _is_registered(address: str, registered: Sequence[str]) -> bool:
    """Letter by letter, but for the port of an address of the person's own machine, which a program there gets as it
    starts (RFC 8252, section 7.3).
    """
    return address in registered or (
        _LOOPBACK.match(address) is not None and _portless(address) in map(_portless, registered)
    )


def _portless(address: str) -> str:
    return _LOOPBACK.sub(r"\1", address)


def back(redirect_uri: str, issuer: str, state: str, **said: str) -> str:
    """The address that answers the program; `redirect_uri` stays as it is, letter by letter (RFC 9207: `iss`).

    >>> back("Tusky:///cb?a=%2f", "https://ours.test", "x", code="1")
    'Tusky:///cb?a=%2f&code=1&state=x&iss=https%3A%2F%2Fours.test'
    """
    more = urlencode({**said, **({"state": state} if state else {}), "iss": issuer})
    if "?" not in redirect_uri:
        return f"{redirect_uri}?{more}"
    return f"{redirect_uri}{'' if redirect_uri.endswith(('?', '&')) else '&'}{more}"
