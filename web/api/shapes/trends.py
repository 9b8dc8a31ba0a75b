"""What trends."""

from web.api.shapes.list import TagDay
from web.api.shapes.status import PreviewCard


class TrendsLink(PreviewCard):
    history: list[TagDay]
