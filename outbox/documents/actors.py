"""Accounts of ours, as documents."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any

from federation import keys as material
from federation import signatures, vocabulary
from federation.reading import PUBLIC
from outbox.documents.collections import collections_of
from outbox.documents.posts import emojis, followers_of
from store.tables import Account, AccountKey

_KINDS: dict[str, type[vocabulary.Actor]] = {
    "Person": vocabulary.Person,
    "Service": vocabulary.Service,
    "Group": vocabulary.Group,
    "Organization": vocabulary.Organization,
    "Application": vocabulary.Application,
}
_IMPLEMENTS = (
    vocabulary.Capability(signatures.RFC9421, "RFC-9421: HTTP Message Signatures"),
    vocabulary.Capability(signatures.ED25519, "RFC-9421 signatures using the Ed25519 algorithm"),
)


def actor(account: Account, keys: Iterable[AccountKey], domain: str = "") -> vocabulary.Actor:
    """The actor document: what others know of an account of ours.

    keys:   the newest of RSA is `publicKey`, all others are Multikeys (FEP-521a).
    domain: what our handles end in; with it the document says its own handle (FEP-2c59).
    Raises: ValueError, when there is no RSA key: no Mastodon could ever hear this account.
    """
    return _KINDS.get(account.kind, vocabulary.Person)(
        **_common(account, keys, domain), generator=vocabulary.Generator(implements=_IMPLEMENTS)
    )


def instance_actor(account: Account, keys: Iterable[AccountKey], domain: str = "") -> vocabulary.Application:
    """The server itself.  Says what it understands (FEP-844e)."""
    return vocabulary.Application(**_common(account, keys, domain), implements=_IMPLEMENTS)


def update_actor(account: Account, keys: Iterable[AccountKey], now: datetime, domain: str = "") -> vocabulary.Update:
    """Tells everybody that the profile or the keys changed."""
    return vocabulary.Update(
        id=f"{account.uri}#updates/{int(now.timestamp() * 1000)}",
        actor=account.uri,
        updated=now,
        to=(PUBLIC,),
        object=actor(account, keys, domain),
    )


def delete_actor(account: Account) -> vocabulary.Delete:
    return vocabulary.Delete(id=f"{account.uri}#delete", actor=account.uri, to=(PUBLIC,), object=account.uri)


def _common(account: Account, keys: Iterable[AccountKey], domain: str) -> dict[str, Any]:
    return {
        "id": account.uri,
        "preferred_username": account.username,
        "name": account.display_name or account.username,
        "summary": account.note,
        "url": account.url,
        "inbox": account.inbox,
        "outbox": account.outbox or f"{account.uri}/outbox",
        "followers": account.followers_uri,
        "following": account.following_uri,
        "featured": account.featured_uri,
        "featured_tags": f"{account.uri}/collections/tags" if account.featured_uri else None,
        "featured_collections": collections_of(account) if account.featured_uri else None,
        "interaction_policy": (
            vocabulary.InteractionPolicy(can_feature=_may_show(account)) if account.featured_uri else None
        ),
        "attribution_domains": tuple(account.attribution_domains),
        "endpoints": vocabulary.Endpoints(account.shared_inbox) if account.shared_inbox else None,
        "manually_approves_followers": account.locked,
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "show_media": account.show_media,
        "show_replies_in_media": account.show_media_replies,
        "show_featured": account.show_featured,
        "suspended": account.suspended_at is not None,
        "also_known_as": tuple(account.also_known_as),
        "moved_to": account.moved_to,
        "webfinger": f"{account.username}@{domain}" if domain else None,
        "published": datetime.combine(account.created_at.astimezone(UTC).date(), time(), UTC),  # the day is enough
        **_keys(account, keys),
        **_looks(account),
    }


def _may_show(account: Account) -> vocabulary.Approval:
    """Who may show it in a collection (FEP-7aa9): as social/collections/consent.py says it of accounts of ours."""
    if not account.discoverable:
        return vocabulary.Approval(automatic_approval=(account.uri,))  # nobody else
    return vocabulary.Approval(automatic_approval=(followers_of(account) if account.locked else PUBLIC,))


def _looks(account: Account) -> dict[str, Any]:
    return {
        "icon": _image(account.avatar_url, account.avatar_alt),
        "image": _image(account.header_url, account.header_alt),
        "attachment": tuple([vocabulary.PropertyValue(name=f["name"], value=f["value"]) for f in account.fields]),
        "tag": emojis(account.emojis),
    }


def _image(url: str | None, alt: str) -> vocabulary.Image | None:
    return vocabulary.Image(url=url, name=alt or None) if url else None


def _keys(account: Account, keys: Iterable[AccountKey]) -> dict[str, Any]:
    newest_first = sorted(keys, key=lambda key: key.created_at, reverse=True)
    main = next((key for key in newest_first if key.kind == "rsa"), None)
    if main is None:
        raise ValueError(f"{account.uri} has no RSA key")
    return {
        "public_key": vocabulary.PublicKey(main.id, account.uri, main.public),
        "assertion_method": tuple(
            [
                vocabulary.Multikey(
                    id=key.id, controller=account.uri, public_key_multibase=material.multikey(key.public)
                )
                for key in newest_first
                if key is not main
            ]
        ),
    }
