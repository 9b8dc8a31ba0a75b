"""What anybody may read of a person and of a hashtag, for feed readers: RSS 2.0 (rssboard.org/rss-specification).

    /@alice.rss      what alice wrote for everyone: no boosts, no comments on others
    /tags/name.rss   public posts with the hashtag

As on Mastodon; pictures and sounds by Media RSS (https://www.rssboard.org/media-rss).
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social import tagged, timelines
from social.pages import Page
from social.tagged import Asked
from social.text import normalise_tag
from social.views import PostView
from store.tables import Account
from web.keys import CONFIG, DATABASE, ORIGIN
from web.pages import addresses, people
from web.pages.feeds import spelt
from web.pages.frame import TEMPLATES

routes = web.RouteTableDef()

MOST: Final = Page(limit=20)
_NEVER_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@routes.get("/@{name:[^@/]+}.rss")
async def of_person(request: web.Request) -> web.Response:
    """Of people of this server alone.  Raises: NotFound, Gone."""
    account = await people.named(request)
    found = await request.app[DATABASE].read(_written, account)
    title = f"{account.name} (@{account.username}@{request.app[ORIGIN].domain})"
    says = f"Public posts of @{account.username}@{request.app[ORIGIN].domain}"
    return _feed(request, title, says, addresses.of_account(account), found, picture=account.avatar_url)


@routes.get("/tags/{name}.rss")
async def of_tag(request: web.Request) -> web.Response:
    name = normalise_tag(request.match_info["name"].replace("\0", "")[:100])
    found = await request.app[DATABASE].read(tagged.page, None, Asked(name), MOST)
    shown = f"#{spelt(found, name)}"
    return _feed(request, shown, f"Public posts with {shown}", addresses.of_tag(name), found)


def _written(tx: Connection, account: Account) -> list[PostView]:
    return timelines.account_page(tx, None, account.id, MOST, replies=False, boosts=False, direct=False)


def _feed(
    request: web.Request, title: str, says: str, path: str, found: list[PostView], *, picture: str | None = None
) -> web.Response:
    """304 for a reader that has it already."""
    link, config = request.app[ORIGIN].url(path), request.app[CONFIG]
    values = {"title": title, "says": says, "link": link, "picture": picture, "found": found, "moment": moment}
    text = _NEVER_XML.sub("", request.app[TEMPLATES].get_template("feed.rss").render(values, config=config))
    tag = sha256(text.encode()).hexdigest()[:32]
    headers = {
        "ETag": f'"{tag}"',
        "Cache-Control": "public, max-age=60",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "Access-Control-Allow-Origin": "*",
    }
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(text=text, content_type="application/rss+xml", charset="utf-8", headers=headers)


def moment(when: datetime) -> str:
    """As RFC 822 has it, with a year of four digits."""
    return format_datetime(when.astimezone(UTC), usegmt=True)
