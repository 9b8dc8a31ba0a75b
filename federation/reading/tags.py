"""What a document is tagged with: people, topics, pictures of emoji, and the posts that it quotes."""

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from federation.reading import values
from federation.reading.values import JSON

TAGS_LIMIT = 256  # looked at
MENTIONS_LIMIT = 32
HASHTAGS_LIMIT = 32
HASHTAG_LIMIT = 100
EMOJIS_LIMIT = 64

_SHORTCODE = re.compile(r"[A-Za-z0-9_]{1,64}")
_JOINERS = "_·・\u200c\u200d"  # in words of Catalan, Japanese, Persian, …
_QUOTE_REL = "https://misskey-hub.net/ns#_misskey_quote"
_ACTIVITY_TYPES = ("application/activity+json", "application/ld+json")


@dataclass(frozen=True, slots=True)
class Mention:
    href: str
    name: str


@dataclass(frozen=True, slots=True)
class Emoji:
    shortcode: str
    url: str


class Tags(NamedTuple):
    mentions: tuple[Mention, ...] = ()
    hashtags: tuple[str, ...] = ()
    emojis: tuple[Emoji, ...] = ()
    quotes: tuple[str, ...] = ()


NO_TAGS = Tags()


def read_tags(doc: JSON) -> Tags:
    """The `tag` of a document; what cannot be used is left out."""
    found = doc.get("tag")
    if not found:
        return NO_TAGS
    mentions: dict[str, Mention] = {}
    hashtags: dict[str, str] = {}
    emojis: dict[str, Emoji] = {}
    quotes: list[str] = []
    for tag in values.objects(found, TAGS_LIMIT):
        kinds = values.types(tag)
        if "Mention" in kinds:
            if href := values.address(tag.get("href")):
                mentions.setdefault(href, Mention(href, values.name(tag)))
        elif "Hashtag" in kinds:
            if topic := hashtag(tag.get("name")):
                hashtags.setdefault(topic.casefold(), topic)
        elif "Emoji" in kinds:
            if emoji := _emoji(tag):
                emojis.setdefault(emoji.shortcode, emoji)
        elif "Link" in kinds and (quoted := _quoted(tag)):
            quotes.append(quoted)
    return Tags(
        tuple(mentions.values())[:MENTIONS_LIMIT],
        tuple(hashtags.values())[:HASHTAGS_LIMIT],
        tuple(emojis.values())[:EMOJIS_LIMIT],
        tuple(quotes[:1]),
    )


def hashtag(name: object) -> str | None:
    """The name of a topic without its #, or None when it is no word of at most 100 characters.

    A word is made of letters, marks, digits and `_`, and is no mere number.

    >>> hashtag("#Café"), hashtag("#2024"), hashtag("#<b>")
    ('Café', None, None)
    """
    if not isinstance(name, str):
        return None
    name = name.strip().removeprefix("#").removeprefix("\uff03")  # the latter: full width
    if not 0 < len(name) <= HASHTAG_LIMIT or word_length(name) != len(name):
        return None
    return name if any(c.isalpha() or c == "_" for c in name) else None


def word_length(text: str, start: int = 0) -> int:
    """How many characters from `start` on a hashtag could be made of."""
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] in _JOINERS or _is_mark(text[end])):
        end += 1
    return end - start


def _is_mark(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character) in ("Mn", "Mc")


def shortcode(name: object) -> str | None:
    """The name of a custom emoji without its colons; a host behind it (`:blob@far.test:`) is cut off."""
    if not isinstance(name, str):
        return None
    name = name.strip().strip(":").partition("@")[0]
    return name if _SHORTCODE.fullmatch(name) else None


def _emoji(tag: JSON) -> Emoji | None:
    code = shortcode(tag.get("name"))
    icon = values.one(tag.get("icon"))
    picture = values.url(icon) if isinstance(icon, dict) else values.address(icon)
    return Emoji(code, picture) if code and picture else None


def _quoted(tag: JSON) -> str | None:
    """FEP-e232: a Link to an ActivityStreams object that says that it is a quote."""
    media_type = tag.get("mediaType")
    if not isinstance(media_type, str) or not media_type.startswith(_ACTIVITY_TYPES):
        return None
    rel = values.several(tag.get("rel"), values.TYPES_LIMIT)
    return values.address(tag.get("href")) if _QUOTE_REL in rel else None
