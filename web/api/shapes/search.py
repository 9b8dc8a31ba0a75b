"""What was found."""

from typing import Any, TypedDict

from web.api.shapes.account import Account
from web.api.shapes.status import Status


class Search(TypedDict):
    accounts: list[Account]
    statuses: list[Status]
    hashtags: list[Any]
