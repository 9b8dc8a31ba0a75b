"""A post for the pages of others: https://oembed.com/"""

from typing import TypedDict


class OEmbed(TypedDict):
    type: str
    version: str
    title: str
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    cache_age: int
    html: str
    width: int
    height: int | None
