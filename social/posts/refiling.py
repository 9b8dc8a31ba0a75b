"""The files of a post of ours change: others, another order, other descriptions.  For edit.py."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, update

from outbox.parts import Parts
from social.errors import Invalid
from social.media import attaching
from social.posts.drafts import Draft, FileChange
from store.tables import Media, media
from store.tables.base import Id

_THIS = (
    media.c.id == bindparam("which", type_=Id),
    media.c.post_id == bindparam("post", type_=Id),
    media.c.account_id == bindparam("me", type_=Id),
)
_DESCRIBE = update(media).where(*_THIS)


def refile(tx: Connection, old: Parts, draft: Draft, now: datetime) -> bool:
    """False: all is as it was.  Raises: Invalid, for files that the author cannot use."""
    mine = {one.id: one for one in old.media if one.account_id == old.author.id}
    changed = False
    if draft.media_ids is not None and list(draft.media_ids) != list(mine):
        attaching.attach(tx, old.author.id, old.post.id, draft.media_ids, now)
        changed = True
    there = mine if draft.media_ids is None else draft.media_ids
    for change in draft.file_changes:
        if change.id not in there:
            raise Invalid(f"Media {change.id} is not part of this post")
        values = _values(change, mine.get(change.id))
        if values:
            which = {"which": change.id, "post": old.post.id, "me": old.author.id}
            tx.execute(_DESCRIBE.values(values), which)
            changed = True
    return changed


def _values(change: FileChange, before: Media | None) -> dict[str, Any]:
    """Only what is new."""
    values: dict[str, Any] = {}
    if change.description is not None and (before is None or before.description != change.description):
        values["description"] = change.description
    if change.focus is not None and (before is None or (before.focus_x, before.focus_y) != change.focus):
        values["focus_x"], values["focus_y"] = change.focus
    return values
