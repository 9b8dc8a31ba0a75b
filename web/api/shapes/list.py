"""Lists, hashtags and markers."""

from typing import NotRequired, TypedDict


class List(TypedDict):
    id: str
    title: str
    replies_policy: str
    exclusive: bool


class TagDay(TypedDict):
    day: str
    accounts: str
    uses: str


class Tag(TypedDict):
    """`following` and `featuring` are told to readers who are signed in."""

    id: str
    name: str
    url: str
    history: list[TagDay]
    following: NotRequired[bool]
    featuring: NotRequired[bool]


class Marker(TypedDict):
    last_read_id: str
    version: int
    updated_at: str | None


class Markers(TypedDict):
    home: NotRequired[Marker]
    notifications: NotRequired[Marker]
