"""The documents we send.  Strict: a field that mypy accepts is a field that Mastodon reads.

Fields left at their defaults are not sent.  Moments are sent in UTC to the second, as Mastodon does; each
struct cuts its own when it is made.  `encode` and `to_json` put the JSON-LD context in front; nothing inside
a document carries one.  (ActivityPub, ActivityStreams 2.0, and the FEPs named.)
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, TypeAlias

import msgspec
from msgspec.structs import force_setattr

from federation import contexts

Uris: TypeAlias = tuple[str, ...]


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="type"):
    """What everything we say has in common."""

    context_: ClassVar[list[Any]] = contexts.PLAIN
    moments_: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for field in self.moments_:
            moment: datetime | None = getattr(self, field)
            if moment is not None and (moment.microsecond or moment.tzinfo is not UTC):
                force_setattr(self, field, to_the_second(moment))


def to_the_second(moment: datetime) -> datetime:
    """In UTC.  Raises: ValueError, when `moment` says no zone."""
    if moment.tzinfo is None:
        raise ValueError("naive datetime")
    return moment.astimezone(UTC).replace(microsecond=0)


# What posts and actors are made of


class Mention(Document, frozen=True, kw_only=True, tag="Mention"):
    href: str  # the actor's id
    name: str  # @name@host


class Hashtag(Document, frozen=True, kw_only=True, tag="Hashtag"):
    href: str
    name: str  # with #


class Link(Document, frozen=True, kw_only=True, tag="Link", omit_defaults=False):
    """FEP-e232: a quote, to those who do not know FEP-044f."""

    href: str
    media_type: str = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
    rel: str = "https://misskey-hub.net/ns#_misskey_quote"
    name: str  # RE: address


class Image(Document, frozen=True, kw_only=True, tag="Image"):
    url: str
    media_type: str | None = None
    name: str | None = None  # alt text
    blurhash: str | None = None
    focal_point: tuple[float, float] | None = None
    width: int | None = None
    height: int | None = None


class Attachment(Document, frozen=True, kw_only=True, tag="Document"):
    """A picture, film or sound of a post."""

    url: str
    media_type: str
    name: str | None = None  # alt text
    blurhash: str | None = None
    focal_point: tuple[float, float] | None = None
    width: int | None = None
    height: int | None = None
    icon: Image | None = None  # a film's preview


class Emoji(Document, frozen=True, kw_only=True, tag="Emoji"):
    """FEP-9098."""

    moments_ = ("updated",)

    id: str | None = None
    name: str  # :shortcode:
    icon: Image
    updated: datetime | None = None


class PropertyValue(Document, frozen=True, kw_only=True, tag="PropertyValue"):
    """A field of a profile (FEP-fb2a)."""

    name: str
    value: str  # HTML


class Source(msgspec.Struct, frozen=True, rename="camel"):
    content: str
    media_type: str = "text/plain"


class Approval(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whose interaction is approved by itself, and whose after asking: actors, collections, or PUBLIC."""

    automatic_approval: Uris = ()
    manual_approval: Uris = ()


class InteractionPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """GoToSocial's; FEP-044f uses its canQuote."""

    can_quote: Approval | None = None
    can_reply: Approval | None = None
    can_like: Approval | None = None
    can_announce: Approval | None = None
    can_feature: Approval | None = None  # FEP-7aa9, of an actor


Tag: TypeAlias = Mention | Hashtag | Emoji | Link


# Collections


class _Collection(Document, frozen=True, kw_only=True):
    context_ = contexts.FULL

    id: str | None = None
    total_items: int | None = None
    first: "str | CollectionPage | OrderedCollectionPage | None" = None
    last: str | None = None
    attributed_to: str | None = None


class Collection(_Collection, frozen=True, kw_only=True, tag="Collection"):
    items: "tuple[Item, ...] | None" = None


class OrderedCollection(_Collection, frozen=True, kw_only=True, tag="OrderedCollection"):
    ordered_items: "tuple[Item, ...] | None" = None


class CollectionPage(Document, frozen=True, kw_only=True, tag="CollectionPage"):
    context_ = contexts.FULL

    id: str | None = None
    part_of: str
    next: str | None = None
    prev: str | None = None
    items: "tuple[Item, ...]"


class OrderedCollectionPage(Document, frozen=True, kw_only=True, tag="OrderedCollectionPage"):
    context_ = contexts.FULL

    id: str | None = None
    part_of: str
    next: str | None = None
    prev: str | None = None
    total_items: int | None = None
    ordered_items: "tuple[Item, ...]"


# Actors


class PublicKey(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    owner: str
    public_key_pem: str


class Multikey(Document, frozen=True, kw_only=True, tag="Multikey"):
    """FEP-521a."""

    id: str
    controller: str
    public_key_multibase: str


class Endpoints(msgspec.Struct, frozen=True, rename="camel"):
    shared_inbox: str


class Capability(msgspec.Struct, frozen=True):
    """FEP-844e: something that this server implements."""

    href: str
    name: str


class Generator(Document, frozen=True, kw_only=True, tag="Application"):
    """FEP-844e: the software behind an actor."""

    implements: tuple[Capability, ...] = ()


class _Actor(Document, frozen=True, kw_only=True):
    context_ = contexts.ACTOR
    moments_ = ("published", "updated")

    id: str
    preferred_username: str
    name: str
    inbox: str
    outbox: str
    url: str
    manually_approves_followers: bool
    discoverable: bool
    public_key: PublicKey
    assertion_method: tuple[Multikey, ...] = ()
    summary: str = ""  # HTML
    followers: str | None = None
    following: str | None = None
    featured: str | None = None
    featured_tags: str | None = None
    endpoints: Endpoints | None = None
    indexable: bool = False
    memorial: bool = False
    show_media: bool = True
    show_replies_in_media: bool = True
    show_featured: bool = True
    suspended: bool = False
    icon: Image | None = None
    image: Image | None = None
    attachment: tuple[PropertyValue, ...] = ()
    tag: tuple[Tag, ...] = ()
    also_known_as: Uris = ()
    moved_to: str | None = None
    attribution_domains: tuple[str, ...] = ()  # whose pages may name it as their author
    webfinger: str | None = None  # FEP-2c59: name@domain
    published: datetime | None = None
    updated: datetime | None = None
    generator: Generator | None = None
    implements: tuple[Capability, ...] = ()
    featured_collections: str | None = None  # FEP-7aa9
    interaction_policy: InteractionPolicy | None = None


class Person(_Actor, frozen=True, kw_only=True, tag="Person"):
    pass


class Service(_Actor, frozen=True, kw_only=True, tag="Service"):
    pass


class Group(_Actor, frozen=True, kw_only=True, tag="Group"):
    attributed_to: str | None = None  # FEP-1b12: the collection of moderators
    posting_restricted_to_mods: bool = False


class Organization(_Actor, frozen=True, kw_only=True, tag="Organization"):
    pass


class Application(_Actor, frozen=True, kw_only=True, tag="Application"):
    pass


Actor: TypeAlias = Person | Service | Group | Organization | Application


# Posts


class _Post(Document, frozen=True, kw_only=True):
    context_ = contexts.POST
    moments_: ClassVar[tuple[str, ...]] = ("published", "updated")

    id: str
    attributed_to: str
    content: str  # HTML
    published: datetime
    to: Uris
    cc: Uris = ()
    updated: datetime | None = None
    url: str | None = None
    content_map: dict[str, str] | None = None
    source: Source | None = None
    summary: str | None = None  # the content warning
    sensitive: bool = False
    in_reply_to: str | None = None
    context: str | None = None
    conversation: str | None = None
    tag: tuple[Tag, ...] = ()
    attachment: tuple[Attachment, ...] = ()
    replies: str | Collection | OrderedCollection | None = None
    likes: str | Collection | OrderedCollection | None = None
    shares: str | Collection | OrderedCollection | None = None
    audience: str | None = None
    quote: str | None = None  # FEP-044f
    quote_authorization: str | None = None
    quote_uri: str | None = None
    misskey_quote: str | None = msgspec.field(default=None, name="_misskey_quote")
    interaction_policy: InteractionPolicy | None = None


class Note(_Post, frozen=True, kw_only=True, tag="Note"):
    pass


class Option(Document, frozen=True, kw_only=True, tag="Note"):
    """One answer of a poll; its votes are the `totalItems` of its replies."""

    name: str
    replies: Collection


class Question(_Post, frozen=True, kw_only=True, tag="Question"):
    """A poll: one of `one_of` (pick one) and `any_of` (pick several) is given (FEP-9967)."""

    moments_ = ("published", "updated", "end_time", "closed")

    one_of: tuple[Option, ...] = ()
    any_of: tuple[Option, ...] = ()
    voters_count: int | None = None
    end_time: datetime | None = None
    closed: datetime | None = None


class Vote(Document, frozen=True, kw_only=True, tag="Note"):
    """Goes inside a Create, to the poll's author alone."""

    id: str
    attributed_to: str
    name: str  # exactly the title of the option
    in_reply_to: str
    to: Uris


class Tombstone(Document, frozen=True, kw_only=True, tag="Tombstone"):
    moments_ = ("deleted",)

    id: str
    former_type: str | None = None
    deleted: datetime | None = None


Post: TypeAlias = Note | Question


# Collections of accounts (FEP-7aa9)


class FeaturedItem(Document, frozen=True, kw_only=True, tag="FeaturedItem"):
    id: str
    featured_object: str
    featured_object_type: str
    feature_authorization: str | None = None


class FeaturedCollection(Document, frozen=True, kw_only=True, tag="FeaturedCollection"):
    """Mastodon wants both flags to be said, also when they are false."""

    context_ = contexts.FULL
    moments_ = ("published", "updated")

    id: str
    attributed_to: str
    name: str
    summary: str | None = None  # HTML
    summary_map: dict[str, str] | None = None
    url: str
    sensitive: bool
    discoverable: bool
    topic: Hashtag | None = None
    total_items: int
    ordered_items: tuple[FeaturedItem, ...]
    published: datetime
    updated: datetime


class FeatureAuthorization(Document, frozen=True, kw_only=True, tag="FeatureAuthorization"):
    """`interaction_target`, an account, agrees to be in `interacting_object`."""

    context_ = contexts.FULL

    id: str
    interacting_object: str
    interaction_target: str


# Activities


class _Activity(Document, frozen=True, kw_only=True):
    id: str
    actor: str
    to: Uris = ()
    cc: Uris = ()


class Create(_Activity, frozen=True, kw_only=True, tag="Create"):
    context_ = contexts.POST
    moments_ = ("published",)

    published: datetime | None = None
    object: Note | Question | Vote


class Update(_Activity, frozen=True, kw_only=True, tag="Update"):
    context_ = contexts.FULL
    moments_ = ("updated",)

    updated: datetime | None = None
    object: Note | Question | Person | Service | Group | Organization | Application | FeaturedCollection


class QuoteAuthorization(Document, frozen=True, kw_only=True, tag="QuoteAuthorization"):
    """FEP-044f: `interacting_object` may quote `interaction_target`, says the author of that one."""

    context_ = contexts.POST

    id: str
    attributed_to: str
    interacting_object: str
    interaction_target: str


class Delete(_Activity, frozen=True, kw_only=True, tag="Delete"):
    """`object` is the Tombstone of a post, an approval that is taken back, or the id of an actor."""

    context_ = contexts.POST

    object: Tombstone | QuoteAuthorization | str


class Withdraw(_Activity, frozen=True, kw_only=True, tag="Delete"):
    """FEP-7aa9: an account takes back what it agreed to."""

    context_ = contexts.FULL

    object: FeatureAuthorization


class Follow(_Activity, frozen=True, kw_only=True, tag="Follow"):
    object: str


class QuoteRequest(_Activity, frozen=True, kw_only=True, tag="QuoteRequest"):
    """FEP-044f: may `instrument` (our post) quote `object`?"""

    context_ = contexts.POST

    object: str
    instrument: str | Note | Question


class FeatureRequest(_Activity, frozen=True, kw_only=True, tag="FeatureRequest"):
    """FEP-7aa9: may `object`, an account, be in `instrument`, our collection?"""

    context_ = contexts.FULL

    object: str
    instrument: str


class Accept(_Activity, frozen=True, kw_only=True, tag="Accept"):
    """Embeds what it accepts: Takahe wants the Follow with its actor and object."""

    object: Follow | QuoteRequest | FeatureRequest | str
    result: str | None = None  # the approval


class Reject(_Activity, frozen=True, kw_only=True, tag="Reject"):
    object: Follow | QuoteRequest | FeatureRequest | str


class Like(_Activity, frozen=True, kw_only=True, tag="Like"):
    object: str


class EmojiReact(_Activity, frozen=True, kw_only=True, tag="EmojiReact"):
    """FEP-c0e0: `content` is one emoji, or `:shortcode:` with the Emoji in `tag`."""

    context_ = contexts.FULL

    object: str
    content: str
    tag: tuple[Emoji, ...] = ()


class Announce(_Activity, frozen=True, kw_only=True, tag="Announce"):
    moments_ = ("published",)

    published: datetime | None = None
    object: str


class Block(_Activity, frozen=True, kw_only=True, tag="Block"):
    object: str


class Flag(_Activity, frozen=True, kw_only=True, tag="Flag"):
    object: Uris  # the account, then posts
    content: str = ""


class Add(_Activity, frozen=True, kw_only=True, tag="Add"):
    context_ = contexts.FULL

    object: str | Hashtag | FeaturedCollection | FeaturedItem
    target: str


class Remove(_Activity, frozen=True, kw_only=True, tag="Remove"):
    context_ = contexts.FULL

    object: str | Hashtag
    target: str


class Move(_Activity, frozen=True, kw_only=True, tag="Move"):
    object: str
    target: str


class Undo(_Activity, frozen=True, kw_only=True, tag="Undo"):
    context_ = contexts.FULL

    object: Follow | Like | EmojiReact | Announce | Block | str


Activity: TypeAlias = (
    Create | Update | Delete | Follow | Accept | Reject | Undo | Like | EmojiReact | Announce
    | Block | Flag | Add | Remove | Move | QuoteRequest | FeatureRequest | Withdraw
)  # fmt: skip

# What a collection of ours may hold, beside ids.
Item: TypeAlias = str | Note | Question | Create | Announce | Hashtag | FeaturedCollection

_CONTEXT_FIRST = {id(context): b'{"@context":' + msgspec.json.encode(context) + b","
                  for context in (contexts.PLAIN, contexts.POST, contexts.ACTOR, contexts.FULL)}  # fmt: skip
_encode = msgspec.json.Encoder().encode


def encode(document: Document) -> bytes:
    """The bytes to send: `document` with its context."""
    return _CONTEXT_FIRST[id(document.context_)] + _encode(document)[1:]


def to_json(document: Document) -> dict[str, Any]:
    """The same as a dict, as a receiver would parse it."""
    return {"@context": document.context_, **msgspec.json.decode(_encode(document))}
