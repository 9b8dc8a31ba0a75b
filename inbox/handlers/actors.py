"""Update and Move of actors."""

from sqlalchemy import Connection

from federation.errors import Forged
from federation.reading import ACTOR_KINDS, read_actor, read_move, types
from inbox.handlers.inside import inside
from inbox.messages import Here, Verified
from social import accounts
from store import jobs
from store.tables import Account


def update(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """The actor says what he is now, his keys included.  A new name must be asked for where names are given."""
    document = inside(message.document)
    if ACTOR_KINDS.isdisjoint(types(document)) or "inbox" not in document:
        ask_again(tx, actor, here)
        return
    said = read_actor(document)
    if said.id != actor.uri:
        raise Forged(f"{actor.uri} says to be {said.id}")
    if said.username.lower() != actor.username.lower():
        ask_again(tx, actor, here)
        return
    accounts.remember(tx, said, actor.acct, here.now, served=False)


def move(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """Believed when the new account names the old one (security rule 18): somebody has to look there."""
    said = read_move(message.document)
    if said.object != actor.uri or said.target == actor.uri:
        raise Forged(f"{actor.uri} moves {said.object}")
    jobs.ask(tx, "verify_move", actor.uri, {"actor": actor.uri, "target": said.target}, here.now)


def ask_again(tx: Connection, actor: Account, here: Here) -> None:
    jobs.ask(tx, "fetch_account", actor.uri, {"uri": actor.uri, "fresh": True}, here.now)
