"""Files become part of a post, wait for one that is scheduled, and become free again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, or_, select, update

from social.errors import Invalid
from social.paging import padded
from store.rows import many
from store.tables import Media, media
from store.tables.base import Id, Instant

MOST: Final = 4  # of one post; clients know no more
FREE: Final = timedelta(days=1)  # a file that no post has is kept so long
GONE: Final = datetime(2000, 1, 1, tzinfo=UTC)  # to be removed at the next round

_ME, _POST = bindparam("me", type_=Id), bindparam("post", type_=Id)
_IDS = bindparam("ids", expanding=True, type_=Id)
_UNTIL = bindparam("until", type_=Instant)
_USABLE = (
    select(media)
    .where(
        media.c.id.in_(_IDS),
        media.c.account_id == _ME,
        or_(media.c.post_id.is_(None), media.c.post_id == _POST),
        or_(media.c.keep_until.is_(None), media.c.keep_until > bindparam("now", type_=Instant)),
    )
    .order_by(media.c.id)
    .with_for_update()  # two posts want it
)
_ATTACH = (
    update(media)
    .where(media.c.id == bindparam("which", type_=Id))
    .values(post_id=_POST, position=bindparam("place"), keep_until=None)
)
_HOLD = update(media).where(media.c.id.in_(_IDS), media.c.account_id == _ME).values(keep_until=_UNTIL)
_FREE = (
    update(media)
    .where(media.c.post_id.in_(_IDS), media.c.account_id.is_not(None))
    .values(post_id=None, position=0, keep_until=_UNTIL)
)
_FREE_OTHERS = _FREE.where(media.c.id.not_in(bindparam("kept", expanding=True, type_=Id)))


def attach(tx: Connection, account_id: int, post_id: int, ids: Sequence[int], now: datetime) -> None:
    """These files, in this order, and no others of his are those of the post.

    What an edit leaves out is kept for a day, as what was never attached.
    Raises: Invalid, saying why they cannot be.
    """
    found = _usable(tx, account_id, post_id, ids, now)
    tx.execute(_FREE_OTHERS, {"ids": [post_id], "kept": padded([one.id for one in found] or [0]), "until": now + FREE})
    if found:
        tx.execute(_ATTACH, [{"which": one.id, "post": post_id, "place": place} for place, one in enumerate(found)])


def hold(tx: Connection, account_id: int, ids: Sequence[int], until: datetime, now: datetime) -> None:
    """Keeps files for a post that is scheduled for `until`.  Raises: Invalid, as `attach` does."""
    if found := _usable(tx, account_id, None, ids, now):
        tx.execute(_HOLD, {"ids": padded([one.id for one in found]), "me": account_id, "until": until + FREE})


def release(tx: Connection, post_ids: Sequence[int], now: datetime) -> None:
    """Their authors may use the files of these posts again, for a day: a post is deleted to be written anew."""
    if post_ids:
        tx.execute(_FREE, {"ids": padded(list(post_ids)), "until": now + FREE})


def orphan(tx: Connection, post_ids: Sequence[int]) -> None:
    """The files of these posts are no longer needed."""
    if post_ids:
        tx.execute(_FREE, {"ids": padded(list(post_ids)), "until": GONE})


def _usable(tx: Connection, account_id: int, post_id: int | None, ids: Sequence[int], now: datetime) -> list[Media]:
    """The files in the order of `ids`.  Raises: Invalid."""
    ids = list(dict.fromkeys(ids))
    if len(ids) > MOST:
        raise Invalid(f"A post has at most {MOST} files")
    if not ids:
        return []
    there = {one.id: one for one in many(tx, _USABLE, Media, ids=padded(ids), me=account_id, post=post_id, now=now)}
    if missing := [str(number) for number in ids if number not in there]:
        raise Invalid(f"Media {', '.join(missing)} not found, or already part of another post")
    found = [there[number] for number in ids]
    if any(one.state == "processing" for one in found):
        raise Invalid("A file is still being processed; please try again in a moment")
    if any(one.state != "done" for one in found):
        raise Invalid("A file could not be processed; please upload it again")
    if len(found) > 1 and any(one.kind in ("video", "audio") for one in found):
        raise Invalid("A post has several pictures, or one film, or one sound")
    return found
