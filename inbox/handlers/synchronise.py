"""FEP-8fcf: a server tells us whom of ours it counts among the followers of an actor; we look whether that is so."""

from sqlalchemy import Connection

from federation.reading import same_origin
from inbox.messages import Here, Verified
from outbox import synchronisation
from store import jobs
from store.tables import Account


def compare(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """Asks for a look at their list when it differs from ours.  What is not understood is no error."""
    if message.sync is None:
        return
    told = synchronisation.parse(message.sync)
    if told is None or told.collection_id != actor.followers_uri or not same_origin(told.url, actor.uri):
        return
    if synchronisation.local_digest(tx, actor.id) != told.digest:
        jobs.ask(tx, "synchronise_followers", actor.uri, {"actor": actor.uri, "url": told.url}, here.now)
