"""Which streams there are, and who may open them.  What Mastodon says in refusals, clients may look for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from social.apps import Bearer
from social.text import normalise_tag
from web import scopes
from web.params import as_id

PUBLIC: Final = ("public", "public:local", "public:remote")
MEDIA: Final = tuple(f"{name}:media" for name in PUBLIC)
TAGGED: Final = ("hashtag", "hashtag:local")
OPEN: Final = frozenset((*PUBLIC, *MEDIA, *TAGGED))  # the same for everybody, but for whom he blocks
LONGEST: Final = 500  # characters of a tag


class Channel(NamedTuple):
    """What is listened to.  of: the tag, or the id of the list or of the person whose stream it is."""

    name: str
    of: str | int = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """`shown` is what the client called it, with which each message comes back."""

    channel: Channel
    shown: tuple[str, ...]


class Unavailable(Exception):
    """A stream that there is not, or not for this one."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status = status


def choose(bearer: Bearer, name: str, asked: Mapping[str, str]) -> Subscription:
    """The stream `name`; asked: `tag` or `list`.  Whether a list is his is for the caller to know.

    Raises: Unavailable.
    """
    check(bearer, name)
    if name in TAGGED:
        tag = asked.get("tag", "")[:LONGEST]
        if not tag:
            raise Unavailable(400, "Missing tag name parameter")
        return Subscription(Channel(name, normalise_tag(tag.removeprefix("#"))), (name, tag))
    if name == "list":
        if not asked.get("list"):
            raise Unavailable(400, "Missing list name parameter")
        number = as_id(asked["list"])
        if number is None:
            raise Unavailable(401, "Not authorized to stream this list")
        return Subscription(Channel(name, number), (name, asked["list"]))
    if name in OPEN:
        return Subscription(Channel(name), (name,))
    return Subscription(Channel(name, bearer.token.account_id or 0), (name,))


def check(bearer: Bearer, name: str) -> None:
    """Raises: Unavailable."""
    if name in OPEN:
        return
    if name not in ("user", "user:notification", "list", "direct"):
        raise Unavailable(400, "Unknown stream type")
    needed = "read:notifications" if name == "user:notification" else "read:statuses"
    if not scopes.allows(bearer.token.scopes, needed):
        raise Unavailable(401, "Access token does not have the required scopes")


def may_be_notified(bearer: Bearer) -> bool:
    """`user` brings notifications only to programs that may read them."""
    return scopes.allows(bearer.token.scopes, "read:notifications")
