"""What a person chose: how her posts start, beside what `user` has columns for, and how she likes to read.

Kept in `user.settings`: what is not there, or is no value any more, is the usual.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from social import quoting, users
from social.errors import Invalid
from store.tables import User
from store.tables import users as users_table
from store.tables.base import Id

MEDIA: Final = ("default", "show_all", "hide_all")  # hidden where sensitive, never, always

_SET = update(users_table).where(users_table.c.account_id == bindparam("whom", type_=Id))


@dataclass(frozen=True, slots=True)
class Preferences:
    """quote_policy: who may quote a new post; expand: are warnings open at once?."""

    quote_policy: str = "public"
    media: str = "default"
    expand: bool = False
    autoplay: bool = False


_USUAL: Final = Preferences()


def of(user: User) -> Preferences:
    known = {field.name: getattr(_USUAL, field.name) for field in fields(Preferences)}
    found = {name: user.settings[name] for name, usual in known.items() if type(user.settings.get(name)) is type(usual)}
    return Preferences(**found)


def change(tx: Connection, account_id: int, values: Mapping[str, Any]) -> Preferences:
    """Those that are not None, by their names.  Raises: Invalid, NotFound."""
    given = {name: value for name, value in values.items() if value is not None}
    if "quote_policy" in given:
        quoting.checked(given["quote_policy"])
    if given.get("media", MEDIA[0]) not in MEDIA:
        raise Invalid(f"Media are shown as one of {', '.join(MEDIA)}")
    user = users.by_account(tx, account_id)
    chosen = Preferences(**{**asdict(of(user)), **given})
    kept = {name: value for name, value in asdict(chosen).items() if value != getattr(_USUAL, name)}
    others = {name: value for name, value in user.settings.items() if name not in asdict(_USUAL)}
    if {**others, **kept} != user.settings:
        tx.execute(_SET.values(settings={**others, **kept}), {"whom": account_id})
    return chosen
