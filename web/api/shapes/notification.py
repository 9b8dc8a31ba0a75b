"""What somebody should know."""

from typing import NotRequired, TypedDict

from web.api.shapes.account import Account
from web.api.shapes.status import Status


class Notification(TypedDict):
    id: str
    type: str
    group_key: str
    created_at: str | None
    account: Account
    status: NotRequired[Status]
