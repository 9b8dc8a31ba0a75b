"""Words, as posts are found by them; and what people type into the box of the search.

Both engines get the same words, made here: lower case, without accents, a character of a script that sets no blanks
(Chinese, Japanese, Thai, …) being a word of its own.  So a search finds the same on SQLite as on PostgreSQL.

    cats "grey cat" -dogs from:@alice has:media is:reply before:2026-02-01 language:en in:library

A word of four letters or more finds what begins with it; words in quotation marks are found as they stand.
Source of the operators: https://docs.joinmastodon.org/user/network/#search-operators (and Mastodon's own help)
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, TypeAlias

LONGEST_WORD: Final = 64  # characters; the rest is cut, on both sides
MOST_WORDS: Final = 10_000  # of one post
MOST_TERMS: Final = 16  # of one search
SHORTEST_PREFIX: Final = 4

Has: TypeAlias = Literal["media", "image", "video", "audio", "poll", "link"]
Is: TypeAlias = Literal["reply", "sensitive"]
In: TypeAlias = Literal["all", "library", "public"]

_HAS: Final[dict[str, Has]] = {
    "media": "media",
    "image": "image",
    "video": "video",
    "audio": "audio",
    "poll": "poll",
    "link": "link",
    "embed": "link",
}
_IS: Final[dict[str, Is]] = {"reply": "reply", "sensitive": "sensitive"}
_IN: Final[dict[str, In]] = {"all": "all", "library": "library", "public": "public"}
# Where no blanks are between words: Thai, Lao, Myanmar, Khmer, kana, Han, Hangul is spaced and stays whole.
_ALONE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
)
_WORD = re.compile(r"[^\W_]+")
_TERM = re.compile(r'(-?)(?:([a-z]+):)?("[^"]*"?|\S+)', re.IGNORECASE)


def words(text: str) -> list[str]:
    """
    >>> words("Café №5, 日本 & _so_ on")
    ['cafe', 'no5', '日', '本', 'so', 'on']
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    if folded.isascii():
        return [word[:LONGEST_WORD] for word in _WORD.findall(folded)][:MOST_WORDS]
    plain = "".join(character for character in folded if unicodedata.category(character) != "Mn")
    spaced = _ALONE.sub(r" \g<0> ", unicodedata.normalize("NFC", plain))
    return [word[:LONGEST_WORD] for word in _WORD.findall(spaced)][:MOST_WORDS]


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand together.  prefix: the last may go on.  wanted: False for what must not be there."""

    words: tuple[str, ...]
    prefix: bool = False
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for.  by: handles (`me` for oneself); since and until: Unix milliseconds."""

    terms: tuple[Term, ...] = ()
    by: tuple[str, ...] = ()
    has: tuple[tuple[Has, bool], ...] = ()
    kinds: tuple[tuple[Is, bool], ...] = ()
    language: str | None = None
    since: int | None = None
    until: int | None = None
    within: In = "all"

    @property
    def has_words(self) -> bool:
        return any(term.wanted for term in self.terms)

    @property
    def is_empty(self) -> bool:
        return self == Query()


@dataclass(slots=True)
class _Reading:
    terms: list[Term] = field(default_factory=list)
    by: list[str] = field(default_factory=list)
    has: list[tuple[Has, bool]] = field(default_factory=list)
    kinds: list[tuple[Is, bool]] = field(default_factory=list)
    language: str | None = None
    since: int | None = None
    until: int | None = None
    within: In = "all"


def parse(typed: str) -> Query:
    """What `typed` asks for; an operator that is not one, or makes no sense, is a word like others.  Never fails."""
    found = _Reading()
    for minus, operator, value in list(_terms(typed))[:MOST_TERMS]:
        if not (operator and _apply(found, operator, value.strip('"'), wanted=not minus)):
            said = value if not operator else f"{operator} {value}"
            _add_words(found, said, wanted=not minus)
    return Query(
        tuple(found.terms),
        tuple(found.by),
        tuple(found.has),
        tuple(found.kinds),
        found.language,
        found.since,
        found.until,
        found.within,
    )


def _terms(typed: str) -> Iterator[tuple[str, str, str]]:
    for match in _TERM.finditer(typed):
        yield match[1], (match[2] or "").lower(), match[3]


def _add_words(found: _Reading, said: str, *, wanted: bool) -> None:
    together = tuple(words(said))
    if together:
        last = together[-1]
        prefix = not said.startswith('"') and len(last) >= SHORTEST_PREFIX
        found.terms.append(Term(together, prefix, wanted))


def _apply(found: _Reading, operator: str, value: str, *, wanted: bool) -> bool:
    """False: it is none."""
    if operator == "from" and value and wanted:
        found.by.append(value.removeprefix("@").lower())
    elif operator == "has" and value.lower() in _HAS:
        found.has.append((_HAS[value.lower()], wanted))
    elif operator == "is" and value.lower() in _IS:
        found.kinds.append((_IS[value.lower()], wanted))
    elif operator == "language" and re.fullmatch(r"[a-zA-Z]{2,3}", value) and wanted:
        found.language = value.lower()
    elif operator == "in" and value.lower() in _IN and wanted:
        found.within = _IN[value.lower()]
    else:
        return _apply_day(found, operator, value, wanted=wanted)
    return True


def _apply_day(found: _Reading, operator: str, value: str, *, wanted: bool) -> bool:
    """Days are those of UTC; `before:` and `after:` leave their own day out, as Mastodon does."""
    if operator not in ("before", "after", "during") or not wanted:
        return False
    try:
        day = date.fromisoformat(value)
        start, end = _milliseconds(day), _milliseconds(day + timedelta(days=1))
    except (ValueError, OverflowError):
        return False
    if operator in ("after", "during"):
        begins = end if operator == "after" else start
        found.since = begins if found.since is None else max(found.since, begins)
    if operator in ("before", "during"):
        ends = start if operator == "before" else end
        found.until = ends if found.until is None else min(found.until, ends)
    return True


def _milliseconds(day: date) -> int:
    return max(0, int(datetime.combine(day, time(), UTC).timestamp() * 1000))
