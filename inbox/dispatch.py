"""Every activity that we understand, and the function that handles it."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from sqlalchemy import Connection

from federation import reading
from inbox.handlers import actors, blocks, boosts, collections, flags, follows, posts, quotes, reactions, undo
from inbox.messages import Here, Verified
from store.tables import Account

Handler: TypeAlias = Callable[[Connection, Account, Verified, Here], None]

# The most exact name counts: an Undo of a Follow is "Undo/Follow", then "Undo".  FEDERATION.md says the same in prose.
HANDLERS: Final[Mapping[str, Handler]] = {
    "Create": posts.create,
    "Update": posts.update,
    "Delete": posts.delete,
    "Follow": follows.follow,
    "Accept": collections.accept,
    "Accept/Follow": follows.accept,
    "Reject": collections.reject,
    "Reject/Follow": follows.reject,
    "QuoteRequest": quotes.request,
    "Accept/QuoteRequest": quotes.accept,
    "Reject/QuoteRequest": quotes.reject,
    "FeatureRequest": collections.request,
    "Accept/FeatureRequest": collections.accept,
    "Reject/FeatureRequest": collections.reject,
    "Delete/FeatureAuthorization": collections.withdraw,
    "Add/FeaturedCollection": collections.told,
    "Update/FeaturedCollection": collections.told,
    "Add/FeaturedItem": collections.add_item,
    "Undo": undo.by_id,
    "Undo/Delete": posts.restore,
    "Undo/Follow": follows.undo_follow,
    "Undo/Like": reactions.undo,
    "Undo/EmojiReact": reactions.undo,
    "Undo/Dislike": reactions.undo,
    "Undo/Announce": boosts.undo,
    "Undo/Block": blocks.undo,
    "Like": reactions.like,
    "EmojiReact": reactions.react,
    "Dislike": reactions.dislike,
    "Announce": boosts.announce,
    "Block": blocks.block,
    "Flag": flags.flag,
    "Move": actors.move,
    "Add": collections.add,
    "Remove": collections.remove,
}


def dispatch(tx: Connection, actor: Account, message: Verified, here: Here) -> str | None:
    """Runs the handler in the caller's transaction.  The name of what was understood; None: it means nothing to us."""
    for kind in reading.kinds(message.document):
        if handler := HANDLERS.get(kind):
            handler(tx, actor, message, here)
            return kind
    return None
