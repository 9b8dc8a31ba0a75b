"""When and where something happens (FEP-8a8e; Mobilizon, Gancio, Gathio)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation.reading import values
from federation.reading.values import JSON

PLACES_LIMIT = 4

_ADDRESS = ("streetAddress", "addressLocality", "addressCountry")
_CANCELLED = ("EventCancelled", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Event:
    """`place` is one line of text; `links` lead to where one takes part from afar."""

    starts: datetime | None
    ends: datetime | None
    place: str
    cancelled: bool = False
    links: tuple[str, ...] = ()


def read_event(doc: JSON) -> Event:
    places = values.several(doc.get("location"), PLACES_LIMIT)
    links = (values.url(one) for one in places if isinstance(one, dict) and "VirtualLocation" in values.types(one))
    return Event(
        starts=values.instant(doc, "startTime"),
        ends=values.instant(doc, "endTime") if doc.get("displayEndTime") is not False else None,
        place=" · ".join(filter(None, map(_place, places))),
        cancelled=any(_says_cancelled(doc.get(field)) for field in ("eventStatus", "ical:status", "status")),
        links=tuple(dict.fromkeys(filter(None, links))),
    )


def _place(found: Any) -> str:
    """Its name and address, which is a line of text or taken apart."""
    if not isinstance(found, dict):
        return values.name({"name": found})
    address = values.one(found.get("address"))
    if isinstance(address, dict):
        lines = [values.name(address, field) for field in _ADDRESS]
    else:
        lines = [values.name({"name": address})]
    return ", ".join(dict.fromkeys(filter(None, (values.name(found), *lines))))


def _says_cancelled(status: object) -> bool:
    return isinstance(status, str) and status.endswith(_CANCELLED)
