"""One row of an import, as if its owner had pressed the button."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from federation.origin import Origin
from social import blocks, domains, follows, lists, marks, mutes
from social.errors import Invalid
from social.imports import keeping
from social.imports.reading import BELL, BOOSTS, DOMAIN, HIDE, LANGUAGES, NAME
from store.tables import Import, ImportRow

_LANGUAGE: Final = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*")
_NO: Final = frozenset({"false", "f", "0", "off", "no"})


def do(tx: Connection, origin: Origin, it: Import, row: ImportRow, target_id: int, now: datetime) -> None:
    """target_id: the account or post that it names; 0 for a server.  Raises: Refusal, and nothing was done."""
    if keeping.take(tx, row):
        if it.kind == "domain_blocks":
            domains.block(tx, origin, it.account_id, row.said[DOMAIN], now)
        else:
            _DO[it.kind](tx, it.account_id, target_id, row.said, now)


def _follow(tx: Connection, owner_id: int, target_id: int, said: dict[str, str], now: datetime) -> None:
    """What the file does not say stays as it is."""
    old = follows.relationship(tx, owner_id, [target_id])[target_id]
    is_new = not (old.following or old.requested)
    follows.ask(
        tx,
        owner_id,
        target_id,
        now,
        show_boosts=_flag(said, BOOSTS, usual=is_new or old.show_boosts),
        notify=_flag(said, BELL, usual=old.notify),
        languages=_languages(said) if LANGUAGES in said else old.languages,
    )


def _mute(tx: Connection, owner_id: int, target_id: int, said: dict[str, str], now: datetime) -> None:
    old = follows.relationship(tx, owner_id, [target_id])[target_id]
    mutes.mute(tx, owner_id, target_id, now, _flag(said, HIDE, usual=not old.muting or old.muting_notifications))


def _block(tx: Connection, owner_id: int, target_id: int, _: dict[str, str], now: datetime) -> None:
    blocks.block(tx, owner_id, target_id, now)


def _bookmark(tx: Connection, owner_id: int, target_id: int, _: dict[str, str], now: datetime) -> None:
    marks.bookmark(tx, owner_id, target_id, now)


def _enlist(tx: Connection, owner_id: int, target_id: int, said: dict[str, str], now: datetime) -> None:
    """Who is in a list is followed: he is from now on, if he was not."""
    title = said[NAME]
    mine = next((one for one in lists.all_of(tx, owner_id) if one.title == title), None)
    if mine is None:
        mine = lists.create(tx, owner_id, title)
    if target_id != owner_id:
        old = follows.relationship(tx, owner_id, [target_id])[target_id]
        if not (old.following or old.requested):
            follows.ask(tx, owner_id, target_id, now)
    if all(one.id != mine.id for one in lists.with_member(tx, owner_id, target_id)):
        lists.add_members(tx, owner_id, mine.id, [target_id])


_DO: Final[dict[str, Callable[[Connection, int, int, dict[str, str], datetime], None]]] = {
    "follows": _follow,
    "mutes": _mute,
    "blocks": _block,
    "bookmarks": _bookmark,
    "lists": _enlist,
}


def _flag(said: dict[str, str], name: str, *, usual: bool) -> bool:
    text = said.get(name, "").lower()
    return usual if not text else text not in _NO


def _languages(said: dict[str, str]) -> list[str]:
    """Raises: Invalid."""
    found = [code.strip() for code in said[LANGUAGES].split(",") if code.strip()]
    if len(found) > 100 or not all(_LANGUAGE.fullmatch(code) for code in found):
        raise Invalid("Languages are codes like en or pt-BR, with commas between")
    return found
