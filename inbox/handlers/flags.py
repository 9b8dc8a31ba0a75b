"""Flag: another server complains of somebody here."""

from sqlalchemy import Connection

from federation.reading import identity, read_flag
from inbox.messages import Here, Verified
from social import moderation
from store.tables import Account


def flag(tx: Connection, actor: Account, message: Verified, here: Here) -> None:
    """The signer is the reporter, most often the server's own actor."""
    said = read_flag(message.document)
    moderation.receive_flag(tx, actor, said.objects, said.content, identity(message.document), here.now)
