"""The JSON-LD contexts of the documents we send: frozen, and never fetched.

Every term that is not in ActivityStreams 2.0 itself is defined inline, so that a reader with a JSON-LD
processor needs no document beyond the two that all of them carry.
"""

from typing import Any, Final

ACTIVITY_STREAMS: Final = "https://www.w3.org/ns/activitystreams"
SECURITY: Final = "https://w3id.org/security/v1"
DATA_INTEGRITY: Final = "https://w3id.org/security/data-integrity/v1"  # v2 forbids others to define Multikey


def _uri(term: str) -> dict[str, str]:
    return {"@id": term, "@type": "@id"}


_POST_TERMS: Final[dict[str, Any]] = {
    "ostatus": "http://ostatus.org#",
    "toot": "http://joinmastodon.org/ns#",
    "misskey": "https://misskey-hub.net/ns#",
    "fedibird": "http://fedibird.com/ns#",
    "gts": "https://gotosocial.org/ns#",
    "conversation": "ostatus:conversation",
    "sensitive": "as:sensitive",
    "Hashtag": "as:Hashtag",
    "Emoji": "toot:Emoji",
    "blurhash": "toot:blurhash",
    "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
    "votersCount": "toot:votersCount",
    "quote": _uri("https://w3id.org/fep/044f#quote"),
    "quoteAuthorization": _uri("https://w3id.org/fep/044f#quoteAuthorization"),
    "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
    "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
    "interactingObject": _uri("gts:interactingObject"),
    "interactionTarget": _uri("gts:interactionTarget"),
    "quoteUri": "fedibird:quoteUri",
    "_misskey_quote": "misskey:_misskey_quote",
    "interactionPolicy": _uri("gts:interactionPolicy"),
    "canQuote": _uri("gts:canQuote"),
    "canReply": _uri("gts:canReply"),
    "canLike": _uri("gts:canLike"),
    "canAnnounce": _uri("gts:canAnnounce"),
    "automaticApproval": _uri("gts:automaticApproval"),
    "manualApproval": _uri("gts:manualApproval"),
}

_ACTOR_TERMS: Final[dict[str, Any]] = {
    "toot": "http://joinmastodon.org/ns#",
    "schema": "http://schema.org#",
    "lemmy": "https://join-lemmy.org/ns#",
    "Hashtag": "as:Hashtag",
    "Emoji": "toot:Emoji",
    "PropertyValue": "schema:PropertyValue",
    "value": "schema:value",
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "alsoKnownAs": _uri("as:alsoKnownAs"),
    "movedTo": _uri("as:movedTo"),
    "featured": _uri("toot:featured"),
    "featuredTags": _uri("toot:featuredTags"),
    "attributionDomains": {"@id": "toot:attributionDomains", "@type": "@id"},
    "gts": "https://gotosocial.org/ns#",
    "featuredCollections": _uri("https://w3id.org/fep/7aa9#featuredCollections"),
    "interactionPolicy": _uri("gts:interactionPolicy"),
    "canFeature": _uri("https://w3id.org/fep/7aa9#canFeature"),
    "automaticApproval": _uri("gts:automaticApproval"),
    "manualApproval": _uri("gts:manualApproval"),
    "discoverable": "toot:discoverable",
    "indexable": "toot:indexable",
    "memorial": "toot:memorial",
    "showMedia": "toot:showMedia",
    "showRepliesInMedia": "toot:showRepliesInMedia",
    "showFeatured": "toot:showFeatured",
    "suspended": "toot:suspended",
    "blurhash": "toot:blurhash",
    "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
    "postingRestrictedToMods": "lemmy:postingRestrictedToMods",
    "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
    "implements": {"@id": "https://w3id.org/fep/844e/implements", "@type": "@id", "@container": "@list"},
    "Multikey": "https://w3id.org/security#Multikey",
    "assertionMethod": {"@id": "https://w3id.org/security#assertionMethod", "@type": "@id", "@container": "@set"},
    "controller": _uri("https://w3id.org/security#controller"),
    "publicKeyMultibase": {
        "@id": "https://w3id.org/security#publicKeyMultibase",
        "@type": "https://w3id.org/security#multibase",
    },
}

_COLLECTION_TERMS: Final[dict[str, Any]] = {
    **{
        name: f"https://w3id.org/fep/7aa9#{name}"
        for name in (
            "FeaturedCollection",
            "FeaturedItem",
            "FeatureRequest",
            "FeatureAuthorization",
            "featuredObjectType",
        )
    },
    **{name: _uri(f"https://w3id.org/fep/7aa9#{name}") for name in ("featuredObject", "featureAuthorization", "topic")},
}

PLAIN: Final[list[Any]] = [ACTIVITY_STREAMS]
POST: Final[list[Any]] = [ACTIVITY_STREAMS, _POST_TERMS]
ACTOR: Final[list[Any]] = [ACTIVITY_STREAMS, SECURITY, _ACTOR_TERMS]
FULL: Final[list[Any]] = [
    ACTIVITY_STREAMS,
    SECURITY,
    {**_ACTOR_TERMS, **_POST_TERMS, **_COLLECTION_TERMS, "EmojiReact": "http://litepub.social/ns#EmojiReact"},
]

_WITH_PROOF: Final = {
    id(context): [ACTIVITY_STREAMS, DATA_INTEGRITY, *context[1:]] for context in (PLAIN, POST, ACTOR, FULL)
}


def with_proof(context: list[Any]) -> list[Any]:
    """One of those above, for a document that carries a proof (FEP-8b32).  The same list each time."""
    return _WITH_PROOF[id(context)]
