"""Who wants to quote one of ours, and what is answered to ours who want to quote others (FEP-044f)."""

from sqlalchemy import Connection

from federation.errors import Malformed
from federation.reading import JSON, identity, uri
from federation.reading.values import is_web
from inbox.handlers.inside import inside, object_uri
from inbox.messages import Here, Verified
from social import quotes
from store.tables import Account


def request(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """The post that quotes may be inside; it is believed when it comes itself, as any other."""
    quoting = uri(message.document, "instrument")
    if quoting is None or not is_web(quoting):
        raise Malformed("instrument", message.document.get("instrument"))
    request_uri, quoted = identity(message.document), object_uri(message.document)
    quotes.receive_request(tx, actor, request_uri, quoted, quoting, here.now)


def accept(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    approval = uri(message.document, "result")
    if approval is None or not is_web(approval):
        raise Malformed("result", message.document.get("result"))
    quotes.receive_answer(tx, actor, *_asked(message.document), approval, here.now)


def reject(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    quotes.receive_answer(tx, actor, *_asked(message.document), None, here.now)


def _asked(document: JSON) -> tuple[str | None, str | None]:
    """The id of our request, and of the post that it was about."""
    return uri(document, "object"), uri(inside(document), "instrument")
