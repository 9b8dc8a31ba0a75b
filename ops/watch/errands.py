"""`python -m ops.watch.errands`: a child of the supervisor that says something to somebody, and ends.

A program of its own: TLS and mail would stay in the supervisor's memory, and a receiver that hangs must not hold it.
Standard input: one JSON object, see `Errand`.  Standard output: one JSON object,
{"failed": {"webhook": "timed out"}, "days": 61.2, "believed": 1.0, "skew": 0.3}.
"""

import json
import smtplib
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parsedate_to_datetime
from functools import partial
from typing import Any, Final, TypedDict
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPSHandler, Request, build_opener

from ops import certificate

PATIENCE: Final = 10.0  # seconds for each receiver


class Errand(TypedDict, total=False):
    """to: receivers by kind; email is {url, sender, to}.  All of it may be missing."""

    to: dict[str, Any]
    subject: str
    body: str
    facts: dict[str, Any]  # what the webhook gets
    ping: str  # an address that wants to hear of us again and again
    certificate: str  # host:port
    smtp: str  # the address of a mail server: does it take our name and password?
    ca_file: str


def main(errand: Errand) -> dict[str, Any]:
    found: dict[str, Any] = {"failed": {}}
    for kind, where in errand.get("to", {}).items():
        _try(found, kind, partial(_SENDERS[kind], where, errand))
    if ping := errand.get("ping"):
        _try(found, "deadman", lambda: _fetch(Request(ping), errand))  # noqa: S310  the owner's own setting
    if place := errand.get("certificate"):
        _try(found, "certificate", lambda: _certificate(place, errand.get("ca_file", "")))
    if url := errand.get("smtp"):
        _try(found, "mail server", lambda: _mail_server(url, errand))
    return found


def _try(found: dict[str, Any], kind: str, act: Callable[[], Mapping[str, Any] | None]) -> None:
    try:
        found.update(act() or {})
    except (OSError, smtplib.SMTPException, ValueError, KeyError) as error:
        found["failed"][kind] = f"{type(error).__name__}: {error}"[:200]


def _webhook(url: str, errand: Errand) -> Mapping[str, Any]:
    body = {"text": f"{errand['subject']}\n{errand['body']}", **errand.get("facts", {})}
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    return _fetch(request, errand)


def _ntfy(url: str, errand: Errand) -> Mapping[str, Any]:
    title = errand["subject"].encode("ascii", "replace").decode()
    headers = {"Title": title, "Tags": "rotating_light" if errand.get("facts", {}).get("open") else "white_check_mark"}
    return _fetch(Request(url, errand["body"].encode(), headers), errand)  # noqa: S310


def _fetch(request: Request, errand: Errand) -> Mapping[str, Any]:
    """What the receiver's clock says of ours comes with its answer."""
    if urlsplit(request.full_url).scheme not in ("http", "https"):
        raise ValueError("is not http(s)")
    request.add_header("User-Agent", "ConnectMe")
    opener = build_opener(HTTPSHandler(context=_trust(errand.get("ca_file") or None)))
    with opener.open(request, timeout=PATIENCE) as answer:
        answer.read(1024)
        date = answer.headers.get("Date")
    return {"skew": round(time.time() - parsedate_to_datetime(date).timestamp(), 1)} if date else {}


def _email(where: Mapping[str, Any], errand: Errand) -> None:
    message = EmailMessage()
    message["From"], message["To"] = where["sender"], ", ".join(where["to"])
    message["Subject"] = errand["subject"].replace("\n", " ")
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=where["domain"])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(errand["body"])
    with _connected(where["url"], errand) as server:
        server.send_message(message)


def _mail_server(url: str, errand: Errand) -> Mapping[str, Any]:
    """No mail is sent."""
    try:
        with _connected(url, errand) as server:
            server.noop()
    except (OSError, smtplib.SMTPException):
        return {"mail": 0.0}
    return {"mail": 1.0}


@contextmanager
def _connected(address: str, errand: Errand) -> Iterator[smtplib.SMTP]:
    """Signed in, where the address has a name.  Raises: OSError, SMTPException."""
    url = urlsplit(address)
    trust = _trust(errand.get("ca_file") or None)
    host, secure = url.hostname or "", url.scheme == "smtps"
    made = (
        smtplib.SMTP_SSL(host, url.port or 465, timeout=PATIENCE, context=trust)
        if secure
        else smtplib.SMTP(host, url.port or 587, timeout=PATIENCE)
    )
    with made as server:
        server.ehlo()
        if not secure and (server.has_extn("starttls") or url.username):
            server.starttls(context=trust)
            server.ehlo()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server


def _certificate(place: str, ca_file: str) -> Mapping[str, Any]:
    """How many days it has left, and whether it is believed: one that has ended is not."""
    host, _, port = place.rpartition(":")
    seen = certificate.look(host.strip("[]"), int(port), time.time(), ca_file=ca_file)
    return {"believed": 0.0} if seen.days is None else {"believed": 1.0, "days": seen.days}


def _trust(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


_SENDERS: Final[dict[str, Callable[[Any, Errand], Mapping[str, Any] | None]]] = {
    "webhook": _webhook,
    "ntfy": _ntfy,
    "email": _email,
}

if __name__ == "__main__":
    json.dump(main(json.load(sys.stdin)), sys.stdout)
