"""What our members type, made into HTML as Mastodon makes it; and what can be found in it.

Links are found by linkify-it; mentions and hashtags have the fediverse's own grammar.  A name inside a link
or an e-mail address is no mention.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape
from typing import Literal, NamedTuple, Protocol, TypeAlias

from federation.reading.tags import hashtag, word_length
from social.sanitise import Html

URL_LENGTH = 23  # what any link counts for
LINKED_LIMIT = 10_000  # characters searched for links: linkify-it takes time with the square of them
_SHOWN = 30  # characters of a link

Kind: TypeAlias = Literal["link", "mention", "hashtag"]

_MENTION = re.compile(
    r"(?<![\w/=@])@([A-Za-z0-9_]++(?:[.-]++[A-Za-z0-9_]++)*+)(?:@(\w++(?:[.-]++\w++)*+(?::[0-9]{2,5}(?![\w.]))?))?+(?!\w)"
)
_HASHTAG_SIGN = re.compile("(?<![\\w/=&#\uff03)])[#\uff03]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_BREAK = re.compile(r"\r\n?")
_PARAGRAPHS = re.compile(r"\n(?:[ \t]*+\n)++")
_PREFIX = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MentionTarget:
    """Who is mentioned: the page of the account, `name` or `name@domain`, and the actor's id."""

    url: str
    acct: str
    uri: str


class _Span(NamedTuple):
    start: int
    end: int
    kind: Kind
    value: str  # link: its address; mention: name or name@domain, lower case; hashtag: its name as written


class _Link(Protocol):
    index: int
    last_index: int
    url: str


class _Linker(Protocol):
    def match(self, text: str) -> list[_Link] | None: ...


def find_mentions(text: str) -> list[str]:
    """`name` or `name@domain` of everyone mentioned: lower case, each once, in order."""
    return list(dict.fromkeys(span.value for span in _spans(tidy(text)) if span.kind == "mention"))


def find_hashtags(text: str) -> list[str]:
    """The hashtags as written, without #; each once (as `normalise_tag` sees it), in order."""
    found = (span.value for span in _spans(tidy(text)) if span.kind == "hashtag")
    return list({normalise_tag(name): name for name in reversed(list(found))}.values())[::-1]


def normalise_tag(name: str) -> str:
    """What two spellings of a hashtag have in common (FEP-eb48).

    >>> normalise_tag("#ＣＡＦÉ")
    'café'
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded).removeprefix("#")


def render(text: str, mentions: Mapping[str, MentionTarget], tag_url: Callable[[str], str]) -> Html:
    """Safe HTML of a local text: paragraphs, links, hashtags, and mentions of those that `mentions` knows.

    `mentions` is keyed as `find_mentions` names them; who is not in it stays text.  `tag_url` gets a
    normalised name.
    """
    text = tidy(text)
    spans = _spans(text)
    known = {span.value: mentions[span.value] for span in spans if span.value in mentions}
    pieces: list[str] = []
    done = 0
    for span in spans:
        written = text[span.start : span.end]
        pieces.append(escape(text[done : span.start], quote=False))
        if span.kind == "link":
            pieces.append(_link(span.value, written))
        elif span.kind == "hashtag":
            pieces.append(_hashtag(span.value, tag_url(normalise_tag(span.value))))
        else:
            pieces.append(_mention(span.value, known) or escape(written, quote=False))
        done = span.end
    pieces.append(escape(text[done:], quote=False))
    paragraphs = _PARAGRAPHS.split("".join(pieces))
    return Html("".join(f"<p>{p.replace(chr(10), '<br>')}</p>" for p in paragraphs if p))


def length(text: str) -> int:
    """How long a text is to its author: in visible characters, any link 23, a remote mention only `@name`."""
    text = tidy(text, strip=False)
    total, done = 0, 0
    for span in _spans(text):
        if span.kind == "hashtag":
            continue
        total += _visible(text[done : span.start])
        total += URL_LENGTH if span.kind == "link" else 1 + len(span.value.partition("@")[0])
        done = span.end
    return total + _visible(text[done:])


def tidy(text: str, *, strip: bool = True) -> str:
    """Newlines made one kind, control characters and lone surrogates removed."""
    text = _CONTROLS.sub("", _LINE_BREAK.sub("\n", text))
    return text.strip() if strip else text


@lru_cache(4)
def _spans(text: str) -> tuple[_Span, ...]:
    """What is more than text, in order, nothing inside another.

    Kept for a moment: of one post its mentions, its hashtags, its length and its HTML are asked one after the other.
    """
    found = list(_links(text))
    if "@" in text:
        found += _mentions(text)
    if "#" in text or "\uff03" in text:
        found += _hashtags(text)
    spans: list[_Span] = []
    for span in sorted(found, key=lambda span: (span.start, span.kind != "link")):
        if not spans or span.start >= spans[-1].end:
            spans.append(span)
    return tuple(spans)


def _links(text: str) -> Iterator[_Span]:
    if "://" not in text:
        return
    for link in _linker().match(text[:LINKED_LIMIT]) or ():
        if _PREFIX.match(link.url):
            yield _Span(link.index, link.last_index, "link", link.url)


@cache
def _linker() -> _Linker:
    # Late, for it compiles large patterns, and many posts have no link.
    from linkify_it import LinkifyIt  # type: ignore[import-untyped]  # noqa: PLC0415

    linker = LinkifyIt({}, {"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    for schema in ("ftp:", "//", "mailto:"):
        linker.add(schema, None)
    return linker  # type: ignore[no-any-return]


def _mentions(text: str) -> Iterator[_Span]:
    for found in _MENTION.finditer(text):
        name, domain = found.groups()
        yield _Span(found.start(), found.end(), "mention", f"{name}@{domain}".lower() if domain else name.lower())


def _hashtags(text: str) -> Iterator[_Span]:
    for sign in _HASHTAG_SIGN.finditer(text):
        end = sign.end() + word_length(text, sign.end())
        if name := hashtag(text[sign.end() : end]):
            yield _Span(sign.start(), end, "hashtag", name)


def _link(url: str, written: str) -> str:
    """As Mastodon does: shown without the scheme and cut to 30 characters, but whole when copied."""
    prefix = _PREFIX.match(written)
    start = prefix.end() if prefix else 0
    opening = '<span class="ellipsis">' if len(written) > start + _SHOWN else "<span>"
    head, shown, tail = written[:start], written[start : start + _SHOWN], written[start + _SHOWN :]
    return (
        f'<a href="{escape(url)}" translate="no" target="_blank" rel="nofollow noopener noreferrer">'
        f'<span class="invisible">{escape(head, quote=False)}</span>'
        f"{opening}{escape(shown, quote=False)}</span>"
        f'<span class="invisible">{escape(tail, quote=False)}</span></a>'
    )


def _mention(key: str, known: Mapping[str, MentionTarget]) -> str | None:
    """With the domain only where two of the same name are mentioned."""
    target = known.get(key)
    if target is None:
        return None
    name = target.acct.partition("@")[0]
    same = {other.acct for other in known.values() if other.acct.partition("@")[0].lower() == name.lower()}
    shown = target.acct if len(same) > 1 else name
    return (
        f'<span class="h-card" translate="no"><a href="{escape(target.url)}" class="u-url mention">'
        f"@<span>{escape(shown, quote=False)}</span></a></span>"
    )


def _hashtag(name: str, url: str) -> str:
    return f'<a href="{escape(url)}" class="mention hashtag" rel="tag">#<span>{escape(name, quote=False)}</span></a>'


def _visible(text: str) -> int:
    """User-perceived characters, near enough: marks, joined emoji, skin tones and flags count as one."""
    if text.isascii():
        return len(text)
    total, joined, flag = 0, False, False
    for character in unicodedata.normalize("NFC", text):
        if "\U0001f1e6" <= character <= "\U0001f1ff":  # two letters make a flag
            total, flag = total + (not flag), not flag
            continue
        flag = False
        if character == "\u200d":
            joined = True
        elif not (_extends(character) or (joined and not character.isalnum())):
            total += 1
        joined = character == "\u200d"
    return total


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )
