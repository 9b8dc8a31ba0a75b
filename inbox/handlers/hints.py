"""What somebody says of things that are not his: looked at where they come from, if anybody here may care.

Relays, inbox forwarding (ActivityPub 7.1.2), groups that announce activities (FEP-1b12) and owners of conversations who
add them (FEP-171b) bring such messages.
"""

from sqlalchemy import Connection

from federation.reading import JSON, POST_KINDS, kinds, types, uri
from federation.reading.values import is_web
from inbox.handlers.inside import inside
from inbox.messages import Here, Hint
from social import accounts, ties, undone
from social.posts import find
from store import jobs
from store.tables import Account


def follow_up(tx: Connection, hint: Hint, here: Here) -> None:
    """Asks the origin of what the message is about."""
    signer = accounts.find_by_uri(tx, hint.signer_uri)
    look(tx, hint.document, here, wanted=signer is not None and ties.is_followed(tx, signer.id))


def passed_on(tx: Connection, actor: Account, inner: JSON, here: Here) -> bool:
    """`actor` announces or adds another activity, which is never believed.  False: it is none."""
    if "object" not in inner or not POST_KINDS.isdisjoint(types(inner)):
        return False
    look(tx, inner, here, wanted=ties.is_followed(tx, actor.id))
    return True


def accepted(tx: Connection, actor: Account, document: JSON, here: Here) -> bool:
    """`actor` lets an answer to his post pass, and tells it to his followers, as GoToSocial does: they may lack it.

    False: it is about something else.
    """
    target = uri(document, "target")
    post = find.find_by_uri(tx, target) if target is not None else None
    if post is None or post.author_id != actor.id:
        return False
    what = uri(document, "object")
    if what is not None and is_web(what):
        ask_for_post(tx, what, here)
    return True


def look(tx: Connection, document: JSON, here: Here, *, wanted: bool) -> None:
    """The same for any activity that is not to be believed.

    wanted: somebody here follows whoever brought it; otherwise only posts that are here, and answers to them, matter.
    """
    names = set(kinds(document))
    if "Undo/Delete" in names:
        restored(tx, inside(document), here)
        return
    what = uri(document, "object")
    if what is None or not is_web(what) or here.origin.is_ours(what):
        return
    if "Create" in names and (wanted or _answers_known(tx, inside(document))):
        ask_for_post(tx, what, here)
    elif "Update" in names and find.find_by_uri(tx, what):
        ask_for_post(tx, what, here, fresh=True)
    elif "Delete" in names and (find.find_by_uri(tx, what) or accounts.find_by_uri(tx, what)):
        jobs.ask(tx, "check_deleted", what, {"uri": what}, here.now)


def restored(tx: Connection, deletion: JSON, here: Here) -> None:
    """It was deleted too hastily, as people of Lemmy and their moderators may: its own server has it again, or not."""
    what = uri(deletion, "object")
    if what is not None and not here.origin.is_ours(what) and undone.is_buried(tx, what):
        jobs.ask(tx, "fetch_restored", what, {"uri": what}, here.now)


def ask_for_post(tx: Connection, what: str, here: Here, *, fresh: bool = False) -> None:
    """fresh: also when it is here already."""
    if not here.origin.is_ours(what):
        jobs.ask(tx, "fetch_post", what, {"uri": what, "depth": 0, "fresh": fresh}, here.now)


def _answers_known(tx: Connection, note: JSON) -> bool:
    parent = uri(note, "inReplyTo")
    return parent is not None and find.find_by_uri(tx, parent) is not None
