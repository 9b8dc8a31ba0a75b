"""PreviewCard: https://docs.joinmastodon.org/entities/PreviewCard/"""

from federation.origin import Origin
from social.collections import consent
from social.trends import LinkView
from store.tables import Account, Card
from web.api import shapes
from web.api.entities.account import account, moment


def preview_card(it: Card, writer: Account | None, origin: Origin, reader_id: int | None = None) -> shapes.PreviewCard:
    """The picture comes through our proxy: the site does not learn who reads the post.

    writer: of the page, as both say.  reader_id: who is told that a page names him without his leave.
    """
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
        "authors": _authors(it, writer, origin, reader_id),
        "missing_attribution": writer is None and it.creator_id is not None and it.creator_id == reader_id,
    }


def _authors(it: Card, writer: Account | None, origin: Origin, reader_id: int | None) -> list[shapes.PreviewCardAuthor]:
    """The writer as he is to a stranger."""
    if not (it.author_name or it.author_url or writer):
        return []
    by = None if writer is None else account(writer, origin, may_show=consent.verdict(writer, reader_id, None))
    return [{"name": it.author_name, "url": it.author_url, "account": by}]


def trends_link(it: LinkView, origin: Origin) -> shapes.TrendsLink:
    """Trends::Link: https://docs.joinmastodon.org/entities/PreviewCard/#trends-link"""
    history: list[shapes.TagDay] = [
        {"day": str(day.start), "accounts": str(day.accounts), "uses": str(day.uses)} for day in it.history
    ]
    return {**preview_card(it.card, it.writer, origin), "history": history}
