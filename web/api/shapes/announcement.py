"""What the staff says to all members."""

from typing import NotRequired, TypedDict

from web.api.shapes.account import CustomEmoji
from web.api.shapes.collection import StatusTag
from web.api.shapes.status import Status, StatusMention


class Reaction(TypedDict):
    """`url` and `static_url`: of an emoji of this server; `me` is left out where it is told to all."""

    name: str
    count: int
    me: NotRequired[bool]
    url: NotRequired[str]
    static_url: NotRequired[str]


class Announcement(TypedDict):
    id: str
    content: str
    starts_at: str | None
    ends_at: str | None
    all_day: bool
    published_at: str | None
    updated_at: str | None
    read: NotRequired[bool]
    mentions: list[StatusMention]
    statuses: list[Status]
    tags: list[StatusTag]
    emojis: list[CustomEmoji]
    reactions: list[Reaction]
