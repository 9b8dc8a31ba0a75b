"""Collections of accounts."""

from typing import TypedDict

from web.api.shapes.account import Account


class StatusTag(TypedDict):
    name: str
    url: str


class CollectionItem(TypedDict):
    """state: pending or accepted."""

    id: str
    account_id: str
    state: str
    created_at: str | None


class Collection(TypedDict):
    """`description` is HTML; `name` is not."""

    id: str
    account_id: str
    uri: str
    url: str
    name: str
    description: str
    language: str | None
    local: bool
    sensitive: bool
    discoverable: bool
    tag: StatusTag | None
    item_count: int
    items: list[CollectionItem]
    created_at: str | None
    updated_at: str | None


class WrappedCollection(TypedDict):
    collection: Collection


class WrappedCollectionItem(TypedDict):
    collection_item: CollectionItem


class Collections(TypedDict):
    collections: list[Collection]


class CollectionWithAccounts(TypedDict):
    """accounts: its owner, then those in it."""

    accounts: list[Account]
    collection: Collection
