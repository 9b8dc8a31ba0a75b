"""PreviewCard: https://docs.joinmastodon.org/entities/PreviewCard/"""

from federation.origin import Origin
from social.trends import LinkView
from store.tables import Card
from web.api import shapes
from web.api.entities.account import moment


def preview_card(it: Card, origin: Origin) -> shapes.PreviewCard:
    """The picture comes through our proxy: the site does not learn who reads the post."""
    return {
        "url": it.url,
        "title": it.title,
        "description": it.description,
        "language": it.language,
        "type": it.kind,
        "author_name": it.author_name,
        "author_url": it.author_url,
        "provider_name": it.provider_name,
        "provider_url": it.provider_url,
        "html": "",
        "width": it.width,
        "height": it.height,
        "image": origin.proxied(it.image_url) if it.image_url else None,
        "image_description": it.image_description,
        "embed_url": origin.proxied(it.embed_url) if it.embed_url else "",
        "blurhash": None,
        "published_at": moment(it.published_at),
        "authors": [{"name": it.author_name, "url": it.author_url, "account": None}] if it.author_name else [],
    }


def trends_link(it: LinkView, origin: Origin) -> shapes.TrendsLink:
    """Trends::Link: https://docs.joinmastodon.org/entities/PreviewCard/#trends-link"""
    history: list[shapes.TagDay] = [
        {"day": str(day.start), "accounts": str(day.accounts), "uses": str(day.uses)} for day in it.history
    ]
    return {**preview_card(it.card, origin), "history": history}
