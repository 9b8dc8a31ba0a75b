"""Collections of accounts: what is in them, and asking to show somebody (FEP-7aa9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from federation import vocabulary
from federation.reading import PUBLIC
from outbox.documents.posts import followers_of
from store.tables import Account, Collection, CollectionItem


@dataclass(frozen=True, slots=True)
class Shown:
    """One who is in a collection.  kind: of the account."""

    item: CollectionItem
    kind: str


def collections_of(account: Account) -> str:
    """Where an account of ours lists them."""
    return f"{account.uri}/featured_collections"


def collection(owner: Account, it: Collection, shown: Sequence[Shown], topic_url: str) -> vocabulary.FeaturedCollection:
    """shown: those who agreed.  topic_url: of the page of its hashtag, if it has one."""
    return vocabulary.FeaturedCollection(
        id=it.uri,
        attributed_to=owner.uri,
        name=it.name,
        summary=None if it.language else it.description,
        summary_map={it.language: it.description} if it.language else None,
        url=it.url,
        sensitive=it.sensitive,
        discoverable=it.discoverable,
        topic=vocabulary.Hashtag(href=topic_url, name=f"#{it.tag}") if it.tag else None,
        total_items=len(shown),
        ordered_items=tuple(item(one) for one in shown),
        published=it.created_at,
        updated=it.updated_at,
    )


def item(shown: Shown) -> vocabulary.FeaturedItem:
    it = shown.item
    return vocabulary.FeaturedItem(
        id=it.uri or "",
        featured_object=it.account_uri,
        featured_object_type=shown.kind,
        feature_authorization=it.approval,
    )


def add_collection(owner: Account, document: vocabulary.FeaturedCollection) -> vocabulary.Add:
    return _add(owner, document.id, document, collections_of(owner))


def update_collection(owner: Account, document: vocabulary.FeaturedCollection, now: datetime) -> vocabulary.Update:
    return vocabulary.Update(
        id=f"{document.id}#updates/{int(now.timestamp() * 1000)}",
        actor=owner.uri,
        to=(PUBLIC,),
        cc=(followers_of(owner),),
        updated=now,
        object=document,
    )


def remove_collection(owner: Account, uri: str) -> vocabulary.Remove:
    return _remove(owner, uri, collections_of(owner))


def add_item(owner: Account, it: Collection, shown: Shown) -> vocabulary.Add:
    return _add(owner, shown.item.uri or "", item(shown), it.uri)


def remove_item(owner: Account, it: Collection, item_uri: str) -> vocabulary.Remove:
    return _remove(owner, item_uri, it.uri)


def _add(
    owner: Account, uri: str, what: vocabulary.FeaturedCollection | vocabulary.FeaturedItem, target: str
) -> vocabulary.Add:
    """uri: of `what`."""
    cc = (followers_of(owner),)
    return vocabulary.Add(id=f"{uri}#add", actor=owner.uri, to=(PUBLIC,), cc=cc, object=what, target=target)


def _remove(owner: Account, uri: str, target: str) -> vocabulary.Remove:
    cc = (followers_of(owner),)
    return vocabulary.Remove(id=f"{uri}#remove", actor=owner.uri, to=(PUBLIC,), cc=cc, object=uri, target=target)


def feature_request(owner: Account, uri: str, collection_uri: str, account_uri: str) -> vocabulary.FeatureRequest:
    """May that account be in that collection?"""
    return vocabulary.FeatureRequest(
        id=uri, actor=owner.uri, to=(account_uri,), object=account_uri, instrument=collection_uri
    )


def feature_authorization(account: Account, uri: str, collection_uri: str) -> vocabulary.FeatureAuthorization:
    return vocabulary.FeatureAuthorization(id=uri, interacting_object=collection_uri, interaction_target=account.uri)


def withdraw(account: Account, approved: vocabulary.FeatureAuthorization, owner_uri: str) -> vocabulary.Withdraw:
    """The account no longer wants to be shown there."""
    return vocabulary.Withdraw(
        id=f"{approved.id}#delete", actor=account.uri, to=(PUBLIC,), cc=(owner_uri,), object=approved
    )
