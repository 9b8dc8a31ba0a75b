"""Collections, and pages of them."""

from dataclasses import dataclass
from typing import Any

from federation.errors import Malformed
from federation.reading import values
from federation.reading.values import JSON

COLLECTION_KINDS = frozenset({"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"})
ITEMS_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Collection:
    """`first` may be embedded: read it with `read_collection` again.  Items may be ids or objects."""

    id: str | None  # None: embedded, as Mastodon's first page of replies
    kind: str
    total: int | None = None
    first: str | JSON | None = None
    next: str | None = None
    items: tuple[str | JSON, ...] = ()
    part_of: str | None = None
    attributed_to: str | None = None

    @property
    def is_page(self) -> bool:
        return self.kind.endswith("Page")


def read_collection(doc: JSON, most: int = ITEMS_LIMIT) -> Collection:
    """A collection or a page, with at most so many items.  Raises: Malformed, when it is of no such type."""
    kind = next((name for name in values.types(doc) if name in COLLECTION_KINDS), None)
    if kind is None:
        raise Malformed("type", doc.get("type"))
    first = values.one(doc.get("first"))
    found = doc.get("orderedItems")
    return Collection(
        id=values.web_uri(doc, "id"),
        kind=kind,
        total=values.integer(doc, "totalItems"),
        first=first if isinstance(first, dict) else values.web_uri(doc, "first"),
        next=values.web_uri(doc, "next"),
        items=tuple(filter(_is_item, values.several(doc.get("items") if found is None else found, most))),
        part_of=values.web_uri(doc, "partOf"),
        attributed_to=values.web_uri(doc, "attributedTo"),
    )


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and 0 < len(value) <= values.URI_LIMIT)
