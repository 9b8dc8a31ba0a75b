"""What somebody passes on, with a proof by who said it (FEP-8b32): then it need not be asked for again.

Only a key counts that the actor's own document lists, so the actor is known here (security rules 2 and 10).
"""

from typing import Final

from sqlalchemy import Connection, bindparam, select

from federation import proofs
from federation.errors import Forged, Malformed
from federation.keys import PublicKey, load_public
from federation.reading import actor_of, uri
from inbox.messages import Here, Hint, Verified
from store.tables import account_keys, accounts

LARGEST: Final = 64 << 10  # bytes; more take longer to bring into order than to ask for

_KEY = (
    select(account_keys.c.public)
    .join(accounts, accounts.c.id == account_keys.c.account_id)
    .where(
        account_keys.c.id == bindparam("method"),
        account_keys.c.kind == "ed25519",
        accounts.c.uri == bindparam("actor"),
        accounts.c.host.is_not(None),  # we do not hear from ourselves
    )
)


def proven(tx: Connection, hint: Hint, here: Here) -> Verified | None:
    """The same as if its actor had sent it; None: it stays a hint."""
    document = hint.document
    if "proof" not in document or len(hint.body) > LARGEST:
        return None
    try:
        actor = actor_of(document)
        if uri(document, "object") == actor:
            return None  # new keys, a move, an end: these he has to say himself
        return Verified(actor, document, hint.body) if _holds(tx, hint, actor, here) else None
    except (Forged, Malformed):
        return None


def _holds(tx: Connection, hint: Hint, actor: str, here: Here) -> bool:
    """Raises: Forged, Malformed."""
    for proof in proofs.parse(hint.document):
        if key := _key(tx, proof.method, actor):
            proofs.verify(hint.document, proof, key, here.now)
            return True
    return False


def _key(tx: Connection, method: str, actor: str) -> PublicKey | None:
    material = tx.scalar(_KEY, {"method": method, "actor": actor})
    return None if material is None else load_public(method, actor, material)
