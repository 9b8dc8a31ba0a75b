"""Links on profiles that lead back: a page of the web says by rel=me whose it is, and we looked.

Only a field that is nothing but a link counts.  Those of ours are looked at again every week; those of other people
once, when somebody here follows them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape
from typing import Any, Final

from sqlalchemy import Connection, bindparam, exists, select, update

from federation.reading.values import is_web
from social.accounts import find
from store import jobs
from store.tables import Account, accounts, follows
from store.tables.base import Id

VERIFY: Final = "verify_fields"
AGAIN: Final = timedelta(days=7)

# Over HTML of ours (social.sanitise, social.text), which is closed and quoted.  Possessive: linear time.
_LINK: Final = re.compile(r"(?:<p>)?<a ([^>]*+)>(?:[^<]*+(?:<(?!/?a\b)[^<]*+)*+)</a>(?:</p>)?")
_HREF: Final = re.compile(r'href="([^"]*+)"')

_FOLLOWED = select(exists().where(follows.c.target_id == bindparam("whom", type_=Id), follows.c.accepted))
_SET = update(accounts).where(accounts.c.id == bindparam("whom", type_=Id))


@dataclass(frozen=True, slots=True)
class Claim:
    """The value of a field, and the address that it is."""

    value: str
    url: str


def claims(account: Account) -> list[Claim]:
    return [Claim(field["value"], url) for field in account.fields if (url := _address(field["value"]))]


def kept(old: Sequence[Mapping[str, str]], new: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The fields of `new`; those that were verified and did not change still are."""
    verified = {field["value"]: field["verified_at"] for field in old if field.get("verified_at")}
    return [{**field, "verified_at": at} if (at := verified.get(field["value"])) else field for field in new]


def ask(tx: Connection, account: Account, now: datetime) -> None:
    """To look at what is not verified."""
    verified = {field["value"] for field in account.fields if field.get("verified_at")}
    urls = [claim.url for claim in claims(account) if claim.value not in verified]
    if urls:
        what = sha256("\n".join(urls).encode()).hexdigest()[:16]
        jobs.ask(tx, VERIFY, f"{account.id} {what}", {"account_id": account.id}, now)


def ask_if_followed(tx: Connection, account: Account, now: datetime) -> None:
    """The same for somebody of another server, if he matters to us."""
    if claims(account) and tx.scalar(_FOLLOWED, {"whom": account.id}):
        ask(tx, account, now)


def record(tx: Connection, account_id: int, found: Mapping[str, bool], now: datetime) -> None:
    """found: address → does it lead back?  Of what is not in it nothing is known, and it stays as it is."""
    account = find.by_id(tx, account_id)
    if account.is_gone:
        return
    urls = {claim.value: claim.url for claim in claims(account)}
    fields = [_judged(field, found.get(urls.get(field["value"], "")), now) for field in account.fields]
    if fields != account.fields:
        tx.execute(_SET.values(fields=fields), {"whom": account.id})
    if urls and account.is_local:
        due = now + AGAIN
        week = due.astimezone(UTC).strftime("%G-%V")
        jobs.ask(tx, VERIFY, f"{account.id} {week}", {"account_id": account.id}, now, due)


def _judged(field: dict[str, str], leads_back: bool | None, now: datetime) -> dict[str, Any]:
    if leads_back is None or leads_back == bool(field.get("verified_at")):
        return field
    if leads_back:
        return {**field, "verified_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    return {name: value for name, value in field.items() if name != "verified_at"}


def _address(value: str) -> str | None:
    """The address that `value` is, if it is nothing else."""
    link = _LINK.fullmatch(value.strip())
    href = _HREF.search(link[1]) if link else None
    url = unescape(href[1]) if href else ""
    return url if is_web(url) else None
