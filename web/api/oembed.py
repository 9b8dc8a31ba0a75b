"""oEmbed: https://docs.joinmastodon.org/methods/oembed/"""

import re
from html import escape
from typing import Final

from aiohttp import web

from federation.origin import Origin
from social import views
from social.errors import NotFound
from social.views import PostView
from web import auth
from web.api import shapes
from web.api.answers import answer
from web.api.spec import spec
from web.keys import CONFIG, DATABASE, ORIGIN
from web.params import as_id, of_query

routes = web.RouteTableDef()

WIDTH: Final = 400
WIDEST: Final = 10_000
CACHED: Final = 86_400  # seconds
_PLACE = re.compile(r"/(?:@[\w.-]{1,64}|users/[\w.-]{1,64}/posts)/([0-9]{1,19})/?")


@routes.get("/api/oembed")
@spec(answers=shapes.OEmbed, query={"url": str, "maxwidth": int, "maxheight": int})
@auth.public
async def get_oembed(request: web.Request) -> web.Response:
    """For posts of ours that anybody may see."""
    asked, origin = of_query(request), request.app[ORIGIN]
    number = _post_id(asked.text("url"), origin)
    view = None if number is None else await request.app[DATABASE].read(views.post, number, None)
    if view is None or view.boost_of is not None or not view.parts.post.local:
        raise NotFound("Record not found")
    width, height = asked.number("maxwidth") or WIDTH, asked.number("maxheight")
    return answer(_oembed(view, origin, request.app[CONFIG].title, max(1, min(width, WIDEST)), height))


def _post_id(url: str, origin: Origin) -> int | None:
    path = url.removeprefix(origin.base_url)
    match = _PLACE.fullmatch(path) if path != url else None
    return None if match is None else as_id(match[1])


def _oembed(view: PostView, origin: Origin, title: str, width: int, height: int | None) -> shapes.OEmbed:
    """The post in a quotation, without a script: who embeds it trusts us no more than he must."""
    post, author = view.parts.post, view.parts.author
    url, name = escape(post.url or post.uri), escape(author.name, quote=False)
    said = escape(post.summary, quote=False) if post.summary or post.sensitive or author.sensitized_at else post.html
    return {
        "type": "rich",
        "version": "1.0",
        "title": f"{author.name} (@{author.username}@{origin.domain})",
        "author_name": author.name,
        "author_url": author.url,
        "provider_name": title or origin.domain,
        "provider_url": f"{origin.base_url}/",
        "cache_age": CACHED,
        "html": (
            f'<blockquote cite="{url}">{said}<footer>{name} '
            f'<a href="{url}" target="_blank" rel="noopener">@{author.username}@{escape(origin.domain)}</a>'
            "</footer></blockquote>"
        ),
        "width": width,
        "height": height if height is not None and height > 0 else None,
    }
