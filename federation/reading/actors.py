"""People, groups and bots, and the keys that speak for them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from federation.errors import Malformed
from federation.reading import media, tags, values
from federation.reading.policies import read_policy
from federation.reading.tags import Emoji
from federation.reading.values import JSON

ACTOR_KINDS = frozenset({"Person", "Group", "Service", "Application", "Organization"})
BIO_LIMIT = 20_000
FIELDS_LIMIT = 16
FIELD_NAME_LIMIT = 255
FIELD_VALUE_LIMIT = 2_000
KEYS_LIMIT = 8
KEY_LIMIT = 8_192  # characters of a PEM: RSA-16384 fits
ALIASES_LIMIT = 32
USERNAME_LIMIT = 255
IMPLEMENTS_LIMIT = 32
DOMAINS_LIMIT = 100

_USERNAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_NOT_IN_USERNAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_WEBFINGER = re.compile(r"(?:acct:)?@?([A-Za-z0-9_.-]{1,255}@[\w.-]{1,253}(?::\d{1,5})?)")
_MULTIBASE = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{20,1000}")


@dataclass(frozen=True, slots=True)
class Image:
    url: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    value_html: str  # not safe yet


@dataclass(frozen=True, slots=True)
class Key:
    """`material` is a PEM, or a Multikey in base58btc (`z…`).  Whether `owner` agrees is for others to ask."""

    id: str
    owner: str
    material: str


@dataclass(frozen=True, slots=True)
class Actor:
    """An account as its origin describes it.  Texts are bounded, HTML is NOT safe yet.

    Page, inbox, outbox and collections are on the actor's own host, keys belong to it; anything else was dropped.
    """

    id: str
    kind: str
    username: str
    inbox: str
    name: str = ""
    summary_html: str = ""
    url: str | None = None
    shared_inbox: str | None = None
    outbox: str | None = None
    followers: str | None = None
    following: str | None = None
    featured: str | None = None
    featured_tags: str | None = None
    moderators: str | None = None  # FEP-1b12, of groups
    locked: bool = False
    discoverable: bool = False
    indexable: bool = False
    memorial: bool = False
    show_media: bool = True  # parts of the profile that programs show
    show_media_replies: bool = True
    show_featured: bool = True
    suspended: bool = False
    avatar: Image | None = None
    header: Image | None = None
    fields: tuple[Field, ...] = ()
    emojis: tuple[Emoji, ...] = ()
    keys: tuple[Key, ...] = ()
    also_known_as: tuple[str, ...] = ()
    moved_to: str | None = None
    published: datetime | None = None
    webfinger: str | None = None  # FEP-2c59: name@domain
    implements: tuple[str, ...] = ()  # FEP-844e
    collections: str | None = None  # FEP-7aa9
    attribution_domains: tuple[str, ...] = ()  # whose pages may name it as their author
    interaction_policy: JSON | None = None


def read_actor(doc: JSON) -> Actor:
    """Any kind of actor.

    Raises: Malformed, when the id is unusable, the type is no actor's, or the inbox is not on the actor's
    host; each other bad field costs only that field.
    """
    uri = values.identity(doc)
    root = values.root_of(uri)
    kind = next((name for name in values.types(doc) if name in ACTOR_KINDS), None)
    if kind is None:
        raise Malformed("type", doc.get("type"))
    inbox = values.uri_on(root, doc, "inbox")
    if inbox is None:
        raise Malformed("inbox", doc.get("inbox"))
    endpoints, page = values.one(doc.get("endpoints")), values.url(doc)
    return Actor(
        id=uri,
        kind=kind,
        username=_username(doc, uri),
        inbox=inbox,
        name=values.name(doc),
        summary_html=_bio(doc),
        url=page if page and values.on_host(root, page) else None,
        shared_inbox=_shared_inbox(doc, endpoints, root),
        outbox=values.uri_on(root, doc, "outbox"),
        followers=values.uri_on(root, doc, "followers"),
        following=values.uri_on(root, doc, "following"),
        featured=values.uri_on(root, doc, "featured"),
        featured_tags=values.uri_on(root, doc, "featuredTags"),
        moderators=values.uri_on(root, doc, "attributedTo") if kind == "Group" else None,
        locked=doc.get("manuallyApprovesFollowers") is True,
        discoverable=doc.get("discoverable") is True,
        indexable=doc.get("indexable") is True,
        memorial=doc.get("memorial") is True,
        show_media=doc.get("showMedia") is not False,
        show_media_replies=doc.get("showRepliesInMedia") is not False,
        show_featured=doc.get("showFeatured") is not False,
        suspended=doc.get("suspended") is True,
        avatar=_image(doc, "icon"),
        header=_image(doc, "image"),
        fields=tuple(_fields(doc)),
        emojis=tags.read_tags(doc).emojis,
        keys=tuple(key for key in read_keys(doc) if key.owner == uri),
        also_known_as=tuple(filter(values.is_web, values.uris(doc, "alsoKnownAs")))[:ALIASES_LIMIT],
        moved_to=values.web_uri(doc, "movedTo"),
        published=values.instant(doc, "published"),
        webfinger=_webfinger(doc),
        implements=tuple(dict.fromkeys(_implements(doc)))[:IMPLEMENTS_LIMIT],
        collections=values.uri_on(root, doc, "featuredCollections"),
        attribution_domains=_domains(doc),
        interaction_policy=read_policy(doc),
    )


def read_keys(doc: JSON) -> tuple[Key, ...]:
    """All public keys of a document: `publicKey`, FEP-521a `assertionMethod`, or the document itself.

    GoToSocial answers for a key id with an actor that has little more than its `publicKey`; others serve the
    bare key.  Keys without material, and keys of another host than the document's, are left out.
    Raises: Malformed, when the document has no id.
    """
    uri = values.identity(doc)
    found = values.objects(doc.get("publicKey"), KEYS_LIMIT)
    found += values.objects(doc.get("assertionMethod"), KEYS_LIMIT)
    if "publicKeyPem" in doc or "publicKeyMultibase" in doc:
        found.append(doc)
    root = values.root_of(uri)
    keys = (_key(key, uri) for key in found)
    return tuple({key.id: key for key in keys if key and values.in_origin(root, key.id)}.values())


def _key(key: JSON, actor: str) -> Key | None:
    key_id = values.web_uri(key, "id")
    owner = values.web_uri(key, "owner") or values.web_uri(key, "controller") or actor
    material = _material(key)
    return Key(key_id, owner, material) if key_id and material else None


def _material(key: JSON) -> str | None:
    multibase = key.get("publicKeyMultibase")
    if isinstance(multibase, str):
        return multibase if _MULTIBASE.fullmatch(multibase) else None
    pem = key.get("publicKeyPem")
    if isinstance(pem, str) and len(pem) <= KEY_LIMIT and pem.isascii():
        return values.clean(pem, KEY_LIMIT).strip() or None
    return None


def _username(doc: JSON, uri: str) -> str:
    """`preferredUsername`, else the end of the id's path, else its host: every account is called something."""
    name = doc.get("preferredUsername")
    if isinstance(name, str) and len(name) <= USERNAME_LIMIT and _USERNAME.fullmatch(name):
        return name
    _, _, rest = uri.partition("://")
    path = re.split(r"[?#]", rest, maxsplit=1)[0].rstrip("/")
    derived = _NOT_IN_USERNAMES.sub("_", path.rpartition("/")[2])[:USERNAME_LIMIT].strip(".-")
    return derived or "unknown"


def _bio(doc: JSON) -> str:
    """HTML.  PeerTube sends plain text without saying so; Lemmy's server actor has only `content`."""
    bio = values.text(doc, "summary", BIO_LIMIT) or values.text(doc, "content", BIO_LIMIT)
    return bio.strip().replace("\n", "<br>") if "<" not in bio else bio


def _shared_inbox(doc: JSON, endpoints: object, root: str) -> str | None:
    found = values.uri_on(root, endpoints, "sharedInbox") if isinstance(endpoints, dict) else None
    return found or values.uri_on(root, doc, "sharedInbox")  # Misskey sends it in both places


def _image(doc: JSON, field: str) -> Image | None:
    picture = media.largest(doc, field)
    url = media.picture_url(picture)
    if not url:
        return None
    return Image(url, media.described(picture, 1_500) if isinstance(picture, dict) else "")


def _fields(doc: JSON) -> Iterator[Field]:
    found = [f for f in values.objects(doc.get("attachment"), 64) if "PropertyValue" in values.types(f)]
    for field in found[:FIELDS_LIMIT]:
        name = values.name(field, most=FIELD_NAME_LIMIT)
        value = values.text(field, "value", FIELD_VALUE_LIMIT)
        if name or value:
            yield Field(name, value)


def _domains(doc: JSON) -> tuple[str, ...]:
    said = values.several(doc.get("attributionDomains"), DOMAINS_LIMIT)
    return tuple(dict.fromkeys(name for one in said if (name := values.domain(one))))


def _webfinger(doc: JSON) -> str | None:
    value = doc.get("webfinger")
    found = _WEBFINGER.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else None


def _implements(doc: JSON) -> Iterator[str]:
    """FEP-844e says it of the server's software, which an actor names as its `generator`."""
    for place in (doc, doc.get("generator")):
        if not isinstance(place, dict):
            continue
        for value in values.several(place.get("implements"), IMPLEMENTS_LIMIT):
            uri = value.get("href") or value.get("id") if isinstance(value, dict) else value
            if isinstance(uri, str) and values.is_web(uri):
                yield uri
