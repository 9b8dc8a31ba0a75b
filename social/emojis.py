"""Emoji of this server: which there are, and which of them a text uses."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from federation.origin import Origin
from federation.reading.values import clean
from social.errors import Invalid, NotFound
from social.media.uploads import address
from social.paging import padded
from store.ids import new_id
from store.rows import many, one
from store.tables import CustomEmoji, custom_emojis

MOST_USED: Final = 64  # different ones in one text
CATEGORY_LIMIT: Final = 64

_SHORTCODE = re.compile(r"[A-Za-z0-9_]{2,64}")
_USED = re.compile(r"(?<![A-Za-z0-9_:]):([A-Za-z0-9_]{2,64}):(?![A-Za-z0-9_:])")
_ALL = select(custom_emojis).order_by(custom_emojis.c.category, custom_emojis.c.shortcode)
_BY_NAMES = select(custom_emojis).where(custom_emojis.c.shortcode.in_(bindparam("names", expanding=True)))
_BY_NAME = select(custom_emojis).where(custom_emojis.c.shortcode == bindparam("name"))
_ADD = insert(custom_emojis)
_MOVE = update(custom_emojis).where(custom_emojis.c.shortcode == bindparam("name")).values(category=bindparam("below"))
_REMOVE = delete(custom_emojis).where(custom_emojis.c.shortcode == bindparam("name"))


def all_of(tx: Connection) -> list[CustomEmoji]:
    """By category, then by name."""
    return many(tx, _ALL, CustomEmoji)


def find(tx: Connection, shortcode: str) -> CustomEmoji | None:
    return one(tx, _BY_NAME, CustomEmoji, name=shortcode)


def check(shortcode: str) -> str:
    """The shortcode without colons.  Raises: Invalid."""
    name = shortcode.strip().strip(":")
    if not _SHORTCODE.fullmatch(name):
        raise Invalid("The name of an emoji has 2 to 64 letters, digits and _")
    return name


def add(
    tx: Connection, shortcode: str, file: str, still_file: str | None, category: str | None, now: datetime
) -> CustomEmoji:
    """file: in the store of files already.  Raises: Invalid."""
    name, category = check(shortcode), _category(category or "")
    if find(tx, name) is not None:
        raise Invalid(f"There is an emoji :{name}: already; remove it first")
    made = CustomEmoji(new_id(), name, file, still_file, category, now)
    tx.execute(_ADD, asdict(made))
    return made


def categorise(tx: Connection, shortcode: str, category: str) -> None:
    """From now on it is offered below that heading; empty: below none.  Raises: NotFound, Invalid."""
    if not tx.execute(_MOVE, {"name": shortcode, "below": _category(category)}).rowcount:
        raise NotFound(f"There is no emoji {shortcode}")


def _category(text: str) -> str | None:
    """Raises: Invalid."""
    name = clean(text).strip()
    if len(name) > CATEGORY_LIMIT:
        raise Invalid(f"A category has at most {CATEGORY_LIMIT} characters")
    return name or None


def remove(tx: Connection, shortcode: str) -> list[str]:
    """What says it already shows its name.  Returns: the files to remove.  Raises: NotFound."""
    found = find(tx, shortcode.strip().strip(":"))
    if found is None:
        raise NotFound(f"There is no emoji {shortcode}")
    tx.execute(_REMOVE, {"name": found.shortcode})
    return files([found])


def files(found: Iterable[CustomEmoji]) -> list[str]:
    return [name for it in found for name in (it.file, it.still_file) if name]


def used(tx: Connection, origin: Origin, texts: Iterable[str]) -> list[dict[str, str]]:
    """Those of ours that stand in one of the texts as :name:, as rows keep them.  No query, where there is no such."""
    names = list(dict.fromkeys(name for text in texts if ":" in text for name in _USED.findall(text)))[:MOST_USED]
    if not names:
        return []
    known = {it.shortcode: it for it in many(tx, _BY_NAMES, CustomEmoji, names=padded(names))}
    return [{"shortcode": name, "url": address(origin, known[name].file)} for name in names if name in known]
