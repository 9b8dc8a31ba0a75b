"""What was found."""

from typing import TypedDict

from web.api.shapes.account import Account
from web.api.shapes.collection import Collection
from web.api.shapes.list import Tag
from web.api.shapes.status import Status


class Search(TypedDict):
    """`collections`: the one whose address was looked for."""

    accounts: list[Account]
    statuses: list[Status]
    hashtags: list[Tag]
    collections: list[Collection]


class SearchV1(TypedDict):
    """As it was before hashtags had a history."""

    accounts: list[Account]
    statuses: list[Status]
    hashtags: list[str]
