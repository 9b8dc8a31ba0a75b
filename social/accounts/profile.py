"""What our people say of themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from federation.origin import Origin
from federation.reading import values as reading
from outbox import documents, enqueue
from social import emojis, text
from social.accounts import find, verification, words
from social.accounts.create import NAME_LIMIT
from social.errors import Invalid, NotAllowed
from social.text import MentionTarget
from store.tables import Account, accounts
from store.tables.base import Id

NOTE_LIMIT: Final = 2_000  # characters
FIELDS_LIMIT: Final = 8
FIELD_NAME_LIMIT: Final = 255
FIELD_VALUE_LIMIT: Final = 2_000
ALT_LIMIT: Final = 1_500
ALIASES_LIMIT: Final = 16
MENTIONS_LIMIT: Final = 16
DOMAINS_LIMIT: Final = 100

_SWITCHES: Final = (
    "locked",
    "discoverable",
    "indexable",
    "hide_collections",
    "show_media",
    "show_media_replies",
    "show_featured",
)
_THIS = accounts.c.id == bindparam("account", type_=Id)


@dataclass(frozen=True, slots=True)
class ProfileChanges:
    """None: stays as it is.  `fields`: (name, value), as typed; `avatar_url` and `header_url`: "" takes them away."""

    display_name: str | None = None
    note: str | None = None
    locked: bool | None = None
    discoverable: bool | None = None
    indexable: bool | None = None
    hide_collections: bool | None = None
    show_media: bool | None = None  # parts of the profile
    show_media_replies: bool | None = None
    show_featured: bool | None = None
    bot: bool | None = None
    fields: Sequence[tuple[str, str]] | None = None
    avatar_url: str | None = None
    avatar_alt: str | None = None
    header_url: str | None = None
    header_alt: str | None = None
    attribution_domains: Sequence[str] | None = None  # whose pages may name this account as their author


def update_profile(tx: Connection, origin: Origin, account_id: int, changes: ProfileChanges, now: datetime) -> Account:
    """One of ours changes his profile; his followers' servers are told.  Raises: Invalid, NotFound, NotAllowed."""
    account = _ours(tx, account_id)
    values = {**_texts(tx, origin, changes), **_looks(changes), **_switches(changes)}
    if "fields" in values:
        values["fields"] = verification.kept(account.fields, values["fields"])
    if changes.attribution_domains is not None:
        values["attribution_domains"] = _domains(changes.attribution_domains)
    if changes.bot is not None and account.kind in ("Person", "Service"):
        values["kind"] = "Service" if changes.bot else "Person"
    shown = replace(account, **values)
    said = [
        shown.display_name,
        shown.note_source,
        *(field[part] for field in shown.fields for part in ("name", "value")),
    ]
    changed = _change(tx, origin, account, {**values, "emojis": emojis.used(tx, origin, said)}, now)
    if changed.fields != account.fields:
        verification.ask(tx, changed, now)
    return changed


def set_aliases(tx: Connection, origin: Origin, account_id: int, uris: Sequence[str], now: datetime) -> Account:
    """The other accounts of the same person, who may move here from there.  Raises: Invalid, NotFound, NotAllowed."""
    account = _ours(tx, account_id)
    aliases = list(dict.fromkeys(uris))
    if len(aliases) > ALIASES_LIMIT or account.uri in aliases or not all(map(reading.is_web, aliases)):
        raise Invalid(f"At most {ALIASES_LIMIT} other accounts, given by their addresses")
    return _change(tx, origin, account, {"also_known_as": aliases}, now)


def tell(tx: Connection, origin: Origin, account: Account, now: datetime) -> None:
    """Sends the profile as it is now."""
    update_document = documents.update_actor(account, find.keys_of(tx, account.id), now, origin.domain)
    enqueue.to_followers(tx, account, update_document, now=now)


def _change(tx: Connection, origin: Origin, account: Account, values: dict[str, Any], now: datetime) -> Account:
    if not any(getattr(account, name) != value for name, value in values.items()):
        return account
    tx.execute(update(accounts).where(_THIS).values(values), {"account": account.id})
    changed = find.by_id(tx, account.id)
    words.change(tx, account, changed)
    tell(tx, origin, changed, now)
    return changed


def _texts(tx: Connection, origin: Origin, changes: ProfileChanges) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if changes.display_name is not None:
        found["display_name"] = _line(changes.display_name, NAME_LIMIT, "A name")
    if changes.note is not None:
        source = text.tidy(changes.note)
        if len(source) > NOTE_LIMIT:
            raise Invalid(f"What you say of yourself has at most {NOTE_LIMIT} characters")
        found["note_source"] = source
        found["note"] = text.render(source, _mentioned(tx, origin, source), origin.tag)
    if changes.fields is not None:
        found["fields"] = [
            {
                "name": _line(name, FIELD_NAME_LIMIT, "The name of a field"),
                "value": _inline(origin, _line(value, FIELD_VALUE_LIMIT, "A field")),
            }
            for name, value in changes.fields
            if name.strip() or value.strip()
        ]
        if len(found["fields"]) > FIELDS_LIMIT:
            raise Invalid(f"A profile has at most {FIELDS_LIMIT} fields")
    return found


def _looks(changes: ProfileChanges) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("avatar", "header"):
        url, alt = getattr(changes, f"{name}_url"), getattr(changes, f"{name}_alt")
        if url is not None:
            if url and not reading.is_web(url):
                raise Invalid("A picture needs an http(s) address")
            found[f"{name}_url"] = url or None
        if alt is not None:
            if len(alt) > ALT_LIMIT:
                raise Invalid(f"A description has at most {ALT_LIMIT} characters")
            found[f"{name}_alt"] = reading.clean(alt).strip()
    return found


def _switches(changes: ProfileChanges) -> dict[str, Any]:
    return {name: getattr(changes, name) for name in _SWITCHES if getattr(changes, name) is not None}


def _domains(names: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(reading.domain(name) for name in names if name.strip()))
    known = [name for name in found if name is not None]
    if len(known) > DOMAINS_LIMIT or len(known) < len(found):
        raise Invalid(f"At most {DOMAINS_LIMIT} domains, like example.org")
    return known


def _line(value: str, most: int, what: str) -> str:
    line = reading.name({"name": value}, most=len(value))
    if len(line) > most:
        raise Invalid(f"{what} has at most {most} characters")
    return line


def _inline(origin: Origin, value: str) -> str:
    """Safe HTML of one line: links and hashtags, no paragraph."""
    return text.render(value, {}, origin.tag).removeprefix("<p>").removesuffix("</p>")


def _mentioned(tx: Connection, origin: Origin, source: str) -> dict[str, MentionTarget]:
    found = {}
    for name in text.find_mentions(source)[:MENTIONS_LIMIT]:
        account = find.find_by_handle(tx, name, origin)
        if account is not None and not account.is_gone:
            found[name] = MentionTarget(account.url, account.acct, account.uri)
    return found


def _ours(tx: Connection, account_id: int) -> Account:
    account = find.by_id(tx, account_id)
    if not account.is_local or account.is_gone:
        raise NotAllowed("That profile cannot be changed")
    return account
