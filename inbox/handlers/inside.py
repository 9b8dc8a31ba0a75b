"""What an activity has inside: common to several handlers."""

from collections.abc import Mapping

from federation.errors import Forged, Malformed
from federation.reading import JSON, actor_of, uri
from federation.reading.values import is_web, one
from store.tables import Account


def inside(document: JSON) -> JSON:
    """The one object that is embedded; {} when there is only an id, or nothing."""
    found = one(document.get("object"))
    return found if isinstance(found, Mapping) else {}


def object_uri(document: JSON) -> str:
    """The id of the object.  Raises: Malformed, when it has none."""
    found = uri(document, "object")
    if found is None or not is_web(found):
        raise Malformed("object", document.get("object"))
    return found


def taken_back(document: JSON, actor: Account) -> JSON:
    """The activity inside an Undo.  Raises: Forged, when it was somebody else's."""
    inner = inside(document)
    if "actor" in inner and actor_of(inner) != actor.uri:
        raise Forged(f"{actor.uri} takes back what {actor_of(inner)} did")
    return inner
