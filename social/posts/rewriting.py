"""Changes a post that is here: the old text becomes history, the new one takes its place.  For edit.py."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from outbox import parts
from outbox.parts import Parts
from social import cards, fulltext, notifications, quotes
from social import media as files
from social.cards import Linking
from social.collections import tagging
from social.events import Edited
from social.notifications import Row
from social.posts import storing
from social.posts.storing import Fresh, Mention
from store.events import announce
from store.ids import new_id
from store.rows import many
from store.tables import Edit, edits, media, mentions, poll_votes, polls, post_tags, posts, users
from store.tables.base import Id

MOST_EDITS: Final = 100  # texts that are kept of one post; who edits more often has no history of the rest

_POST = bindparam("post", type_=Id)
_HOW_OFTEN = select(func.count()).select_from(edits).where(edits.c.post_id == _POST)
_KEEP = insert(edits)
_HISTORY = select(edits).where(edits.c.post_id == _POST).order_by(edits.c.id)
_SILENCE = update(mentions).where(mentions.c.post_id == _POST).values(silent=True)
_NAME = (
    update(mentions)
    .where(mentions.c.post_id == _POST, mentions.c.account_id.in_(bindparam("ids", expanding=True, type_=Id)))
    .values(silent=False)
)
_NO_TAGS = delete(post_tags).where(post_tags.c.post_id == _POST)
_NO_MEDIA = delete(media).where(media.c.post_id == _POST)
_NO_VOTES = delete(poll_votes).where(poll_votes.c.post_id == _POST)
_NO_POLL = delete(polls).where(polls.c.post_id == _POST)
_BOOSTERS: Select[Any] = (
    select(posts.c.author_id).join(users, users.c.account_id == posts.c.author_id).where(posts.c.boost_of_id == _POST)
)


@dataclass(frozen=True, slots=True)
class Change:
    """`words`: columns of the row.  `media` and `poll`: None where they stay as they are; or the poll ends."""

    words: Mapping[str, Any]
    mentions: Sequence[Mention]
    tags: Mapping[str, str]
    media: Sequence[Mapping[str, Any]] | None
    poll: Mapping[str, Any] | None
    ends_poll: bool = False


def rewrite(tx: Connection, old: Parts, change: Change, at: datetime, now: datetime) -> Parts:
    """The post after `change`.  at: when its author made it.

    Who was mentioned may still see it; who is mentioned now and was not, is told, and so are those of ours who
    boosted it.
    """
    post = old.post
    keep(tx, old)
    _update(tx, post.id, {**change.words, "edited_at": at})
    tx.execute(_SILENCE, {"post": post.id})
    if named := [mention.account_id for mention in change.mentions if not mention.silent]:
        tx.execute(_NAME, {"post": post.id, "ids": named})
    tx.execute(_NO_TAGS, {"post": post.id})
    if change.media is not None:
        files.orphan(tx, [post.id])
        tx.execute(_NO_MEDIA, {"post": post.id})
    if change.poll is not None or change.ends_poll:
        tx.execute(_NO_POLL, {"post": post.id})  # whoever votes just now holds it, and his vote goes, too
        tx.execute(_NO_VOTES, {"post": post.id})
    storing.insert_belongings(
        tx,
        [Fresh(old.author, {"id": post.id, "visibility": post.visibility}, mentions=change.mentions, tags=change.tags,
               media=change.media or (), poll=change.poll)],
    )  # fmt: skip
    if change.words["html"] != post.html:
        linking = Linking(post.id, change.words["html"], post.visibility)
        cards.relink(tx, linking, now)
        tagging.retag(tx, linking)
    _tell(tx, old, change, now)
    fulltext.ask(tx, [post.id])
    announce(tx, Edited(post.id, post.author_id))
    return parts.load(tx, [post.id])[post.id]


def keep(tx: Connection, old: Parts) -> None:
    """What the post said until now."""
    if (tx.scalar(_HOW_OFTEN, {"post": old.post.id}) or 0) < MOST_EDITS:
        row = snapshot(old)
        tx.execute(_KEEP, {column.name: getattr(row, column.name) for column in edits.c})


def snapshot(old: Parts) -> Edit:
    post = old.post
    return Edit(
        id=new_id(),
        post_id=post.id,
        title=post.title,
        summary=post.summary,
        html=post.html,
        sensitive=post.sensitive,
        media=[asdict(item) for item in old.media],
        poll=None if old.poll is None else {"options": [option["title"] for option in old.poll.options]},
        at=post.edited_at or post.published,
        emojis=post.emojis,
    )


def texts(tx: Connection, post_id: int) -> list[Edit]:
    """What was kept of it, oldest first."""
    return many(tx, _HISTORY, Edit, post=post_id)


def _update(tx: Connection, post_id: int, values: Mapping[str, Any]) -> None:
    tx.execute(
        update(posts).where(posts.c.id == _POST).values({**values, "version": posts.c.version + 1}), {"post": post_id}
    )


def _tell(tx: Connection, old: Parts, change: Change, now: datetime) -> None:
    post = old.post
    knew = {one.id for one in old.mentions if not one.silent}
    rows: list[Row] = [
        (mention.account_id, "mention", post.author_id, post.id)
        for mention in change.mentions
        if mention.tell and not mention.silent and mention.account_id not in knew
    ]
    rows += [(booster, "update", post.author_id, post.id) for booster in tx.scalars(_BOOSTERS, {"post": post.id})]
    if post.quotes_count:
        rows += [(who, "quoted_update", post.author_id, quoting) for who, quoting in quotes.quoters(tx, post.id)]
    notifications.notify_many(tx, rows, now)
