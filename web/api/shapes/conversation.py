"""Direct posts, by conversation."""

from typing import TypedDict

from web.api.shapes.account import Account
from web.api.shapes.status import Status


class Conversation(TypedDict):
    id: str
    unread: bool
    accounts: list[Account]
    last_status: Status | None
