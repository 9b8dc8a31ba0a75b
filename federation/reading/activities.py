"""What was done: the frame that all activities share, and the few with more to say."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from federation.errors import Malformed
from federation.reading import tags, values
from federation.reading.values import JSON

OBJECTS_LIMIT = 256
REACTION_LIMIT = 32  # code points of one emoji, joined of many

# An emoji has none of these: letters, spaces, ASCII signs (digits, # and * begin keycaps).
_LESSER_EMOJI = "\u203c\u2049\u20e3\u2139\u3030\u303d"  # ‼ ⁉, keycaps, information (a letter, to Unicode), 〰 〽
CARRIERS = frozenset({"Create", "Announce", "Update", "Add"})
CARRIED_IN = 3  # one inside the other
INCOMPLETE = frozenset({"FeatureRequest", "Add", "Remove"})  # as some send them: `completed`
_NO_EMOJI = re.compile(r"[^\W\d_\u2139]|[\s!-\")+-/:-@\[-`{-~]")


@dataclass(frozen=True, slots=True)
class Activity:
    """`object_id` is None when the object has no id; `object` when it is given only by id."""

    id: str
    kinds: tuple[str, ...]  # most exact first
    actor: str
    object_id: str | None = None
    object: JSON | None = None
    objects: tuple[str, ...] = ()  # the ids, where there are several
    target: str | None = None
    origin: str | None = None
    instrument: str | None = None
    result: str | None = None  # of an Accept: the approval
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    audience: str | None = None
    content: str = ""
    summary: str = ""
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """`content` is one emoji, or `:shortcode:` with the address of its picture in `emoji_url`."""

    content: str
    emoji_url: str | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    objects: tuple[str, ...]
    content: str


@dataclass(frozen=True, slots=True)
class Move:
    object: str
    target: str


def read_activity(doc: JSON) -> Activity:
    """Any activity.  Raises: Malformed, when id, type or actor cannot be used."""
    kinds = values.kinds(doc)
    if not kinds:
        raise Malformed("type", doc.get("type"))
    inner = doc.get("object")
    first = values.several(inner, 1)
    objects = tuple(values.uris(doc, "object")[:OBJECTS_LIMIT])
    return Activity(
        id=values.identity(doc),
        kinds=tuple(kinds),
        actor=values.actor_of(doc),
        object_id=objects[0] if objects else None,
        object=first[0] if first and isinstance(first[0], dict) else None,
        objects=objects,
        target=values.uri(doc, "target"),
        origin=values.uri(doc, "origin"),
        instrument=values.uri(doc, "instrument"),
        result=values.uri(doc, "result"),
        to=tuple(values.uris(doc, "to")),
        cc=tuple(values.uris(doc, "cc")),
        audience=values.web_uri(doc, "audience"),
        content=values.text(doc, "content"),
        summary=values.text(doc, "summary"),
        published=values.instant(doc, "published"),
    )


def carried(doc: JSON) -> str | None:
    """The id of what an activity brings, through those inside it: groups announce a Create (FEP-1b12), owners of
    conversations add one (FEP-171b).  Of what is no activity its own id; None: nothing, or nothing with an id.
    """
    for _ in range(CARRIED_IN):
        if "object" not in doc:
            return values.web_uri(doc, "id")
        if CARRIERS.isdisjoint(values.types(doc)):
            return None
        inner = values.one(doc["object"])
        if not isinstance(inner, dict):
            return values.web_uri(doc, "object")
        doc = inner
    return None


def completed(doc: JSON, signer: str, body: bytes) -> JSON:
    """The activity with what Mastodon 4.6 leaves out of those of collections (FEP-7aa9).

    Its FeatureRequest names no actor: that is who signed it.  Its Add and Remove have no id: two are the same when
    every byte is.
    """
    names = values.types(doc)
    if "FeatureRequest" in names and "actor" not in doc:
        doc = {**doc, "actor": signer}
    if "id" not in doc and "target" in doc and not {"Add", "Remove"}.isdisjoint(names):
        doc = {**doc, "id": f"{signer}#{hashlib.sha256(body).hexdigest()}"}
    return doc


def read_reaction(doc: JSON) -> Reaction | None:
    """The emoji of an EmojiReact, or of a Like with content (FEP-c0e0); None: a plain like, or no emoji."""
    found = doc.get("content")
    if not isinstance(found, str):
        found = doc.get("_misskey_reaction")
    content = found.strip() if isinstance(found, str) else ""
    if content.startswith(":"):
        code = tags.shortcode(content)
        known = (emoji for emoji in tags.read_tags(doc).emojis if emoji.shortcode == code)
        emoji = next(known, None)
        return Reaction(f":{code}:", emoji.url) if emoji else None
    if not 0 < len(content) <= REACTION_LIMIT or content != values.clean(content):
        return None
    return Reaction(content) if _is_emoji(content) else None


def _is_emoji(content: str) -> bool:
    pictures = (c in _LESSER_EMOJI or unicodedata.category(c) in ("So", "Sm") for c in content if not c.isascii())
    return any(pictures) and not _NO_EMOJI.search(content)


def read_flag(doc: JSON) -> Flag:
    """A report: ids of an account and of posts, in any order.  Lemmy puts the reason into `summary`.

    Raises: Malformed, when it names nothing.
    """
    objects = tuple(dict.fromkeys(uri for uri in values.uris(doc, "object") if values.is_web(uri)))
    if not objects:
        raise Malformed("object", doc.get("object"))
    return Flag(objects[:OBJECTS_LIMIT], values.text(doc, "content") or values.text(doc, "summary"))


def read_move(doc: JSON) -> Move:
    """Raises: Malformed, when either end is missing."""
    ends = values.web_uri(doc, "object"), values.web_uri(doc, "target")
    if ends[0] is None or ends[1] is None:
        raise Malformed("target", doc.get("target"))
    return Move(ends[0], ends[1])
