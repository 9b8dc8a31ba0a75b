"""The bytes of what our people say: with a proof by their Ed25519 key, once for all its receivers (FEP-8b32)."""

import logging
from datetime import datetime
from functools import lru_cache

import orjson
from sqlalchemy import Connection, bindparam, select

from federation import contexts, proofs, vocabulary
from federation.errors import Malformed
from federation.keys import load_private
from federation.reading import PUBLIC
from store.prepared import Prepared
from store.tables import Account, account_keys
from store.tables.base import Id

log = logging.getLogger(__name__)

KEYS_KEPT = 512  # of some 300 bytes each

_KEY = Prepared(
    select(account_keys.c.id, account_keys.c.private)
    .where(
        account_keys.c.account_id == bindparam("account", type_=Id),
        account_keys.c.kind == "ed25519",
        account_keys.c.private.is_not(None),
    )
    .order_by(account_keys.c.created_at.desc())
    .limit(1)
)
# For one reader, who checks the signature of the request: nobody passes them on.
_ANSWERS = (vocabulary.Accept, vocabulary.Reject)
_load = lru_cache(KEYS_KEPT)(load_private)  # another PEM under the same id is another entry


def written(tx: Connection, sender: Account, document: vocabulary.Activity, now: datetime) -> bytes:
    """`document` as it is sent, with a proof if `sender` is its actor and has a key for that."""
    if document.actor != sender.uri or is_confidential(document) or isinstance(document, _ANSWERS):
        return vocabulary.encode(document)
    key = _KEY.rows(tx, account=sender.id)
    if not key:
        return vocabulary.encode(document)
    said = {**vocabulary.to_json(document), "@context": contexts.with_proof(document.context_)}
    try:
        return orjson.dumps(proofs.sign(said, _load(*key[0]), now))
    except Malformed as error:  # a post is worth more than its proof
        log.warning("%s is sent without proof: %s", document.id, error)
        return vocabulary.encode(document)


def is_confidential(document: vocabulary.Activity) -> bool:
    """Are there words in it that are not for everybody?

    Whoever got them could prove with a proof, to anybody and for ever, that they were said (FEP-8b32, privacy).
    """
    if not isinstance(document, vocabulary.Create | vocabulary.Update | vocabulary.Flag):
        return False
    return PUBLIC not in (*document.to, *document.cc)
