"""To whom what is said about a post goes: never further than the post itself (security row 39).

One that is `local_only` goes nowhere.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from federation.vocabulary import Activity, Delete
from outbox import documents, enqueue
from outbox.enqueue import Said
from outbox.parts import Parts
from social.visibility import OPEN


def new(tx: Connection, parts: Parts, now: datetime) -> None:
    """A new post: to followers, who is mentioned, and who is answered, as far as its visibility lets."""
    if parts.post.local_only:
        return
    people, document = [one.id for one in parts.mentions], partial(documents.create, parts)
    if parts.post.visibility not in OPEN:
        _closed(tx, parts, document, people, now, post_id=parts.post.id)
        return
    if parts.parent_author_id is not None:
        people.append(parts.parent_author_id)
    enqueue.to_followers(tx, parts.author, document, also=people, now=now, post_id=parts.post.id)


def changed(tx: Connection, parts: Parts, document: Activity, now: datetime) -> None:
    """An edit, results, or the end of it: to those, and wherever somebody is known to have got it on his own."""
    if parts.post.local_only:
        return
    if parts.post.visibility in OPEN:
        enqueue.to_inboxes_of_post(tx, parts.author, document, parts.post.id, now=now)
    else:
        # Who fetched it was allowed to, and may not be any more: he hears of its end, and of no new words.
        fetched = parts.post.id if isinstance(document, Delete) else None
        _closed(tx, parts, document, [one.id for one in parts.mentions], now, fetched=fetched)


def _closed(
    tx: Connection,
    parts: Parts,
    document: Said,
    people: list[int],
    now: datetime,
    *,
    post_id: int | None = None,
    fetched: int | None = None,
) -> None:
    author = parts.author
    if parts.post.visibility == "private":
        enqueue.to_followers(
            tx, author, document, also=people, synchronise=True, now=now, post_id=post_id, fetched=fetched
        )
    else:
        enqueue.to_accounts(tx, author, document, people, now=now, post_id=post_id, fetched=fetched)
