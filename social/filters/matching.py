"""Which filters a post meets: a pure function of its words.

Filters are told to clients whatever their contexts, and no list leaves a post out, as Mastodon does: a client shows the
same post in several places, and knows in which it is.  `action` is for our own pages.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from outbox.parts import Parts
from social.filters.loading import Kept
from social.sanitise import plain
from store.tables import Filter, FilterKeyword

MOST: Final = 2_000  # posts whose words are kept

_texts: dict[int, tuple[Parts, str]] = {}


@dataclass(frozen=True, slots=True)
class Match:
    """`keywords` as their owner wrote them, `posts` by their ids."""

    filter: Filter
    keywords: tuple[str, ...] = ()
    posts: tuple[int, ...] = ()


def matches(filters: Sequence[Kept], post: Parts, ids: Iterable[int], now: datetime) -> list[Match]:
    """The filters that `post` meets.  ids: of it, and of the boost through which it is shown."""
    active = [kept for kept in filters if kept.filter.expires_at is None or kept.filter.expires_at > now]
    if not active:
        return []
    text, shown = _text(post), {*ids}
    found = []
    for kept in active:
        words = _find(text, kept.keywords)
        chosen = tuple(one.post_id for one in kept.posts if one.post_id in shown)
        if words or chosen:
            found.append(Match(kept.filter, words, chosen))
    return found


def action(found: Iterable[Match], context: str) -> str:
    """What becomes of the post in that context: the strongest of hide, warn and blur; or nothing.

    >>> action([], "home")
    ''
    """
    wanted = {match.filter.action for match in found if context in match.filter.contexts}
    return next((one for one in ("hide", "warn", "blur") if one in wanted), "")


def words_of(post: Parts) -> str:
    """All that a person could read in it: title, warning, text, options and descriptions."""
    it = post.post
    pieces = [it.title, it.summary, plain(it.html)]
    if post.poll is not None:
        pieces += [option["title"] for option in post.poll.options]
    pieces += [one.description for one in post.media]
    return "\n\n".join(filter(None, pieces))


def _text(post: Parts) -> str:
    """Its folded words.  Kept with the very Parts that they were made of, so never stale (see outbox.parts.recall)."""
    found = _texts.get(post.post.id)
    if found is not None and found[0] is post:
        return found[1]
    made = folded(words_of(post))
    _texts.pop(post.post.id, None)
    if len(_texts) >= MOST:  # the older half goes
        for old in list(_texts)[: MOST // 2]:
            del _texts[old]
    _texts[post.post.id] = (post, made)
    return made


def folded(text: str) -> str:
    """What two spellings have in common, in any script.

    >>> folded("ＣＡＦÉ") == folded("cafe\\u0301")
    True
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


_keyword = lru_cache(maxsize=8_192)(folded)


def _find(text: str, keywords: tuple[FilterKeyword, ...]) -> tuple[str, ...]:
    """One search for each, which takes as long as the text is (str.find): no expression that could go back."""
    return tuple(dict.fromkeys(one.keyword for one in keywords if _has(text, one)))


def _has(text: str, one: FilterKeyword) -> bool:
    word = _keyword(one.keyword)
    if not one.whole_word:
        return word in text
    begins, ends = _in_word(word[:1]), _in_word(word[-1:])
    return any(
        not (begins and _in_word(text[at - 1 : at]) and at > 0)
        and not (ends and _in_word(text[at + len(word) : at + len(word) + 1]))
        for at in _places(text, word)
    )


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
