"""Networks whose people may not sign up, wait for a moderator, or get nothing here at all."""

from dataclasses import asdict
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from federation.reading.values import clean
from social.addresses import parse, parse_network
from social.errors import Invalid, NotFound
from social.moderation import audit
from social.moderation.sanctions import Staff
from social.pages import Page
from social.paging import Paged, padded
from store.ids import new_id
from store.rows import many, one
from store.tables import IpBlock, ip_blocks
from store.tables.base import Id, Instant

APPROVAL: Final = "sign_up_requires_approval"
NO_SIGN_UP: Final = "sign_up_block"
NO_ACCESS: Final = "no_access"
SEVERITIES: Final = (APPROVAL, NO_SIGN_UP, NO_ACCESS)
COMMENT_LIMIT: Final = 2_000
LONGEST: Final = 10 * 366 * 86_400  # seconds

_ID = bindparam("id_", type_=Id)
_BY_ID = select(ip_blocks).where(ip_blocks.c.id == _ID)
_PAGE = Paged(select(*ip_blocks.c), ip_blocks.c.id)
_NOW = bindparam("now", type_=Instant)
_HOLDS = or_(ip_blocks.c.expires_at.is_(None), ip_blocks.c.expires_at > _NOW)
_AROUND: Select[Any] = select(ip_blocks.c.severity).where(
    ip_blocks.c.network.in_(bindparam("networks", expanding=True)), _HOLDS
)
_SHUT = select(ip_blocks).where(ip_blocks.c.severity == NO_ACCESS)
_ADD = insert(ip_blocks)
_CHANGE = update(ip_blocks).where(ip_blocks.c.id == _ID)
_REMOVE = delete(ip_blocks).where(ip_blocks.c.id == _ID)
_ALL = select(ip_blocks).order_by(ip_blocks.c.network)
_LIFT = delete(ip_blocks).where(ip_blocks.c.network == bindparam("name"))
_EXPIRED = delete(ip_blocks).where(ip_blocks.c.expires_at <= _NOW)


def page(tx: Connection, part: Page) -> list[IpBlock]:
    """The newest first."""
    return [IpBlock(*row) for row in _PAGE.rows(tx, part)]


def by_id(tx: Connection, number: int) -> IpBlock:
    """Raises: NotFound."""
    if found := one(tx, _BY_ID, IpBlock, id_=number):
        return found
    raise NotFound("Record not found")


def shut(tx: Connection) -> list[IpBlock]:
    """Those of which nobody gets anything; some may be over."""
    return many(tx, _SHUT, IpBlock)


def severities(tx: Connection, ip: str, now: datetime) -> frozenset[str]:
    """What holds for that address at present."""
    where = parse(ip)
    if where is None:
        return frozenset()
    around = [str(ip_network((where.packed, length), strict=False)) for length in range(where.max_prefixlen + 1)]
    return frozenset(tx.scalars(_AROUND, {"networks": padded(around), "now": now}))


def block(
    tx: Connection, by: Staff, network: str, severity: str, comment: str, seconds: int | None, own: str, now: datetime
) -> IpBlock:
    """seconds: how long; None: for good.  own: from where he comes who does it.  Raises: Invalid."""
    made = IpBlock(new_id(), network, severity, comment, now, _until(seconds, now))
    made = _checked(made, own)
    _store(tx, _ADD, asdict(made))
    audit.note(tx, by.account, severity, "ip", made.network, now)
    return made


def change(tx: Connection, by: Staff, it: IpBlock, seconds: int | None, own: str, now: datetime) -> IpBlock:
    """it: as it should be from now on; seconds: None: as long as it says.  Raises: Invalid."""
    until = it.expires_at if seconds is None else _until(seconds, now)
    made = _checked(IpBlock(it.id, it.network, it.severity, it.comment, it.created_at, until), own)
    values = asdict(made)
    _store(tx, _CHANGE.values(**values), {"id_": values.pop("id")})
    audit.note(tx, by.account, made.severity, "ip", made.network, now)
    return made


def unblock(tx: Connection, by: Staff, number: int, now: datetime) -> None:
    """Raises: NotFound."""
    it = by_id(tx, number)
    tx.execute(_REMOVE, {"id_": number})
    audit.note(tx, by.account, "unblock", "ip", it.network, now)


def all_of(tx: Connection) -> list[IpBlock]:
    return many(tx, _ALL, IpBlock)


def lift(tx: Connection, network: str) -> bool:
    """At the console, by nobody in particular.  False: there was none.  Raises: Invalid."""
    return bool(tx.execute(_LIFT, {"name": str(parse_network(network))}).rowcount)


def forget_expired(tx: Connection, now: datetime) -> int:
    return tx.execute(_EXPIRED, {"now": now}).rowcount


def _checked(it: IpBlock, own: str) -> IpBlock:
    """Raises: Invalid, also when it would shut out who makes it."""
    if it.severity not in SEVERITIES:
        raise Invalid(f"severity is one of {', '.join(SEVERITIES)}")
    network, here = parse_network(it.network), parse(own)
    if it.severity == NO_ACCESS and here is not None and here.version == network.version and here in network:
        raise Invalid("That would shut yourself out")
    comment = clean(it.comment, COMMENT_LIMIT).strip()
    return IpBlock(it.id, str(network), it.severity, comment, it.created_at, it.expires_at)


def _until(seconds: int | None, now: datetime) -> datetime | None:
    """Raises: Invalid."""
    if seconds is not None and not 0 <= seconds <= LONGEST:
        raise Invalid("expires_in is a number of seconds, ten years at most")
    return now + timedelta(seconds=seconds) if seconds else None


def _store(tx: Connection, statement: Any, values: dict[str, Any]) -> None:
    try:
        with tx.begin_nested():
            tx.execute(statement, values)
    except IntegrityError as error:
        raise Invalid("Validation failed: there is a block on that network already") from error
