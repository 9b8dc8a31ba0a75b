"""What the author of a post says about one that quotes it (FEP-044f)."""

from dataclasses import dataclass

from federation.errors import Malformed
from federation.reading import values
from federation.reading.values import JSON


@dataclass(frozen=True, slots=True)
class QuoteAuthorization:
    """`author` says that `quoting` may quote `quoted`: ids."""

    author: str
    quoting: str
    quoted: str


def read_quote_authorization(document: JSON) -> QuoteAuthorization:
    """Raises: Malformed."""
    if "QuoteAuthorization" not in values.types(document):
        raise Malformed("type", document.get("type"))
    found = [values.uri(document, field) for field in ("attributedTo", "interactingObject", "interactionTarget")]
    author, quoting, quoted = found
    if author is None or quoting is None or quoted is None:
        raise Malformed("interactingObject", document.get("interactingObject"))
    return QuoteAuthorization(author, quoting, quoted)
