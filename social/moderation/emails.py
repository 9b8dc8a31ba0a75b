"""Addresses with which nobody may sign up: those of blocked domains, and single ones, of which only a hash is kept."""

import re
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from federation import hosts
from social.errors import Invalid, NotFound
from social.moderation import audit
from social.moderation.hosts import clean_host
from social.moderation.sanctions import Staff
from social.pages import Page
from social.paging import Paged, padded
from store.ids import new_id
from store.rows import many, one
from store.tables import EmailBlock, EmailDomainBlock, email_blocks, email_domain_blocks
from store.tables.base import Id

T = TypeVar("T")
TAKEN: Final = "Validation failed: it is blocked already"
_HASH = re.compile("[0-9a-f]{64}")
_ID = bindparam("id_", type_=Id)
_TABLES: Final[dict[type[Any], Any]] = {EmailBlock: email_blocks, EmailDomainBlock: email_domain_blocks}
_DOMAIN_BLOCKED = (
    select(email_domain_blocks.c.id)
    .where(email_domain_blocks.c.domain.in_(bindparam("names", expanding=True)))
    .limit(1)
)
_BY_HASH = select(email_blocks).where(email_blocks.c.hash == bindparam("hash_"))


def is_blocked(tx: Connection, address: str) -> bool:
    """May nobody sign up with it?"""
    domain = address.rpartition("@")[2].lower()
    if tx.execute(_DOMAIN_BLOCKED, {"names": padded(list(hosts.upwards(domain)))}).first() is not None:
        return True
    return bool(matching(tx, address))


def matching(tx: Connection, address: str) -> list[EmailBlock]:
    return many(tx, _BY_HASH, EmailBlock, hash_=hash_of(address))


def hash_of(address: str) -> str:
    """Of what two spellings of an address have in common: without dots, and what follows a plus sign.

    >>> hash_of("Jo.Doe+spam@mail.test") == hash_of("jodoe@mail.test")
    True
    """
    name, _, domain = address.strip().lower().rpartition("@")
    return sha256(f"{name.partition('+')[0].replace('.', '')}@{domain}".encode()).hexdigest()


def page(tx: Connection, kind: type[T], part: Page) -> list[T]:
    """The newest first."""
    table = _TABLES[kind]
    return [kind(*row) for row in Paged(select(*table.c), table.c.id).rows(tx, part)]


def by_id(tx: Connection, kind: type[T], number: int) -> T:
    """Raises: NotFound."""
    table = _TABLES[kind]
    if found := one(tx, select(*table.c).where(table.c.id == _ID), kind, id_=number):
        return found
    raise NotFound("Record not found")


def block_domain(tx: Connection, by: Staff, domain: str, now: datetime) -> EmailDomainBlock:
    """Raises: Invalid."""
    made = EmailDomainBlock(new_id(), clean_host(domain.strip().removeprefix("@")), now)
    _add(tx, by, made, made.domain, now)
    return made


def block(tx: Connection, by: Staff, hashed: str, now: datetime) -> EmailBlock:
    """Raises: Invalid."""
    if not _HASH.fullmatch(hashed):
        raise Invalid("canonical_email_hash should be a SHA-256 in hexadecimal")
    made = EmailBlock(new_id(), hashed, now)
    _add(tx, by, made, hashed, now)
    return made


def unblock(tx: Connection, by: Staff, kind: type[Any], number: int, now: datetime) -> None:
    """Raises: NotFound."""
    it, table = by_id(tx, kind, number), _TABLES[kind]
    tx.execute(delete(table).where(table.c.id == _ID), {"id_": number})
    audit.note(tx, by.account, "unblock", table.name, _named(it), now)


def _add(tx: Connection, by: Staff, made: Any, name: str, now: datetime) -> None:
    table = _TABLES[type(made)]
    try:
        with tx.begin_nested():
            tx.execute(insert(table), asdict(made))
    except IntegrityError as error:
        raise Invalid(TAKEN) from error
    audit.note(tx, by.account, "block", table.name, name, now)


def _named(it: EmailBlock | EmailDomainBlock) -> str:
    return it.hash if isinstance(it, EmailBlock) else it.domain
