"""The keys of our people and of the server, and the names they are known by: what no other server can give back."""

from typing import Any, Final

from sqlalchemy import Connection, select

from ops import identity
from social import instance, push
from store.tables import account_keys

FORMAT: Final = 1
_KEYS = select(account_keys.c.id, account_keys.c.kind, account_keys.c.private).where(
    account_keys.c.private.is_not(None)
)


def look(tx: Connection) -> dict[str, Any]:
    facts = {name: instance.fact(tx, name) for name in (identity.DOMAIN, identity.BASE_URL, identity.INSTANCE)}
    keys = [{"id": row.id, "kind": row.kind, "private": row.private} for row in tx.execute(_KEYS)]
    return {"format": FORMAT, **facts, "web_push": push.key(tx), "keys": keys}
