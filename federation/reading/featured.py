"""Collections of accounts that somebody recommends, and what those say who are in them (FEP-7aa9)."""

from dataclasses import dataclass
from datetime import datetime

from federation.errors import Malformed
from federation.reading import values
from federation.reading.tags import hashtag
from federation.reading.values import JSON

FEATURED = "FeaturedCollection"
ITEM = "FeaturedItem"
ITEMS_LIMIT = 150  # as the FEP proposes
NAME_LIMIT = 256
SUMMARY_LIMIT = 2_048


@dataclass(frozen=True, slots=True)
class FeaturedItem:
    """`account` is in the collection, and says so at `approval`: ids."""

    id: str
    account: str
    approval: str | None = None


@dataclass(frozen=True, slots=True)
class FeaturedCollection:
    """Texts are bounded, HTML is NOT safe yet.  Items of another host than the collection's were dropped."""

    id: str
    owner: str
    name: str
    summary_html: str = ""
    language: str | None = None
    url: str | None = None
    sensitive: bool = False
    discoverable: bool = False
    tag: str | None = None
    items: tuple[FeaturedItem, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeatureAuthorization:
    """`account` may be in `collection`, says whoever serves this."""

    account: str
    collection: str


def read_featured_collection(doc: JSON) -> FeaturedCollection:
    """Raises: Malformed, also when it is not on its owner's host."""
    if FEATURED not in values.types(doc):
        raise Malformed("type", doc.get("type"))
    uri, owner = values.identity(doc), values.web_uri(doc, "attributedTo")
    if owner is None or not values.same_origin(uri, owner):
        raise Malformed("attributedTo", doc.get("attributedTo"))
    summary, language = values.text_and_language(doc, "summary", SUMMARY_LIMIT)
    items = (_item(found) for found in values.objects(doc.get("orderedItems"), ITEMS_LIMIT))
    return FeaturedCollection(
        id=uri,
        owner=owner,
        name=values.name(doc, most=NAME_LIMIT),
        summary_html=summary,
        language=language,
        url=values.url(doc),
        sensitive=doc.get("sensitive") is True,
        discoverable=doc.get("discoverable") is not False,
        tag=_tag(doc),
        items=tuple(it for it in items if it is not None and values.same_origin(it.id, uri)),
        published=values.instant(doc, "published"),
        updated=values.instant(doc, "updated"),
    )


def read_featured_item(doc: JSON) -> FeaturedItem:
    """Raises: Malformed."""
    found = _item(doc)
    if found is None:
        raise Malformed("featuredObject", doc.get("featuredObject"))
    return found


def read_feature_authorization(doc: JSON) -> FeatureAuthorization:
    """Raises: Malformed."""
    if "FeatureAuthorization" not in values.types(doc):
        raise Malformed("type", doc.get("type"))
    account, collection = values.web_uri(doc, "interactionTarget"), values.web_uri(doc, "interactingObject")
    if account is None or collection is None:
        raise Malformed("interactingObject", doc.get("interactingObject"))
    return FeatureAuthorization(account, collection)


def _item(doc: JSON) -> FeaturedItem | None:
    """None: it is none that can be used."""
    uri, account = values.web_uri(doc, "id"), values.web_uri(doc, "featuredObject")
    if ITEM not in values.types(doc) or uri is None or account is None:
        return None
    return FeaturedItem(uri, account, values.web_uri(doc, "featureAuthorization"))


def _tag(doc: JSON) -> str | None:
    topic = values.one(doc.get("topic"))
    return hashtag(topic.get("name")) if isinstance(topic, dict) else None
