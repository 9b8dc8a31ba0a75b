"""Inbox forwarding (ActivityPub 7.1.2): answers to our people reach their followers, who may not know the answerer."""

from sqlalchemy import Connection

from federation.reading import Note, host_of, uris
from inbox.messages import Here, Verified
from outbox import enqueue
from social import accounts, domains, visibility
from social.posts import find
from store.tables import Post


def forward(tx: Connection, message: Verified, note: Note, here: Here) -> bool:
    """Passes on what answers a post of ours, if it is addressed to the followers of its author.  False: it is not."""
    parent = note.in_reply_to
    if parent is None or not here.origin.is_ours(parent):
        return False
    addressed = {*note.to, *note.cc, *_addressed(message)}
    if not any(here.origin.is_ours(one) for one in addressed):
        return False
    return _pass_on(tx, message, find.find_by_uri(tx, parent), addressed, here)


def forward_delete(tx: Connection, message: Verified, what: str, here: Here) -> None:
    """The same for the end of such an answer; called while it is still here."""
    addressed = set(_addressed(message))
    if not any(here.origin.is_ours(one) for one in addressed):
        return
    answer = find.find_by_uri(tx, what)
    if answer is not None and answer.reply_to_id is not None:
        _pass_on(tx, message, find.by_id(tx, answer.reply_to_id), addressed, here)


def _pass_on(tx: Connection, message: Verified, parent: Post | None, addressed: set[str], here: Here) -> bool:
    if parent is None or not parent.local:
        return False
    author = accounts.by_id(tx, parent.author_id)
    if author.followers_uri not in addressed or not _sees(tx, message.actor_uri, parent):
        return False
    enqueue.forward(tx, author.id, message.body, except_host=host_of(message.actor_uri), now=here.now)
    return True


def _sees(tx: Connection, actor_uri: str, parent: Post) -> bool:
    """Whom its author blocks, or for whom it is not, does not speak to his followers in his name."""
    actor = accounts.by_uri(tx, actor_uri)
    sees = visibility.may_see(parent, actor.id, visibility.facts(tx, parent, actor.id))
    return sees and not domains.shuns(tx, parent.author_id, actor)


def _addressed(message: Verified) -> list[str]:
    return [one for field in ("to", "cc", "audience") for one in uris(message.document, field)]
