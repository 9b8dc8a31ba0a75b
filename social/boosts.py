"""Boosts: a post without words that points at another; its uri is the id of its Announce.

One per person and post.  Only what is public or unlisted can be boosted, by its author also what his followers see,
to the same audience (security row 37); a boost of what stays here stays here.
What a blocked or suspended author wrote does not come back by a boost.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading import same_origin
from outbox import documents, enqueue, parts
from social import accounts, fulltext, notifications, ties, timelines, undone
from social.errors import NotAllowed, NotFound
from social.events import Posted
from social.posts import delete, find, storing
from social.visibility import OPEN, VISIBILITIES, narrower
from store import jobs
from store.events import announce
from store.ids import new_id
from store.rows import one
from store.tables import Account, Post, blank_post, posts
from store.tables.base import Id

FETCH: Final = "fetch_announced"

_ORIGINAL, _AUTHOR = bindparam("original", type_=Id), bindparam("author", type_=Id)
_ADD = insert(posts).on_conflict_do_nothing()
_FIND = select(posts).where(posts.c.boost_of_id == _ORIGINAL, posts.c.author_id == _AUTHOR)
_COUNT = (
    update(posts)
    .where(posts.c.id == _ORIGINAL)
    .values(boosts_count=posts.c.boosts_count + 1, version=posts.c.version + 1)
)


def boost(tx: Connection, account_id: int, post_id: int, now: datetime, visibility: str = "public") -> Post:
    """One of ours boosts a post; to boost a boost is to boost what it boosts.  A second time gives the first.

    Raises: NotFound, NotAllowed.
    """
    author, original = accounts.by_id(tx, account_id), find.original(tx, post_id, account_id)
    if not _may(author.id, original) or visibility not in VISIBILITIES or visibility == "direct":
        raise NotAllowed("That post cannot be boosted")
    number = new_id()
    uri = f"{author.uri}/posts/{number}/activity"
    made = _store(
        tx, author, original, _values(number, uri, author, original, narrower(visibility, original.visibility), now)
    )
    if made is None:
        return find_boost(tx, account_id, original.id) or _vanished()
    _finish(tx, made, original, now)
    fulltext.ask(tx, [original.id])  # now he can find it
    if not made.local_only:
        enqueue.to_followers(tx, author, _announce(tx, made, original), also=_elsewhere(original), now=now)
    return made


def unboost(tx: Connection, account_id: int, post_id: int, now: datetime | None = None) -> Post:
    """Gives the post that is no longer boosted.  Raises: NotFound."""
    author, post = accounts.by_id(tx, account_id), find.by_id(tx, post_id)
    original = post if post.boost_of_id is None else find.by_id(tx, post.boost_of_id)
    made = find_boost(tx, account_id, original.id)
    if made is None:
        return find.visible(tx, original.id, account_id)
    if not made.local_only:
        undo = documents.undo(_announce(tx, made, original))
        enqueue.to_followers(tx, author, undo, also=_elsewhere(original), now=now)
    delete.remove(tx, [made])
    return find.by_id(tx, original.id)


def find_boost(tx: Connection, account_id: int, post_id: int) -> Post | None:
    """The boost of a post by that account."""
    return one(tx, _FIND, Post, original=post_id, author=account_id)


def receive_announce(
    tx: Connection,
    booster: Account,
    uri: str,
    post_id: int,
    published: datetime | None,
    visibility: str,
    now: datetime,
) -> Post | None:
    """The remote `booster` boosts a post that we have, with the Announce `uri`.

    None: it did so before, took it back, may not, or the post is by somebody who is gone or blocks it.
    """
    if booster.is_local or booster.is_gone or not same_origin(uri, booster.uri):
        return None
    try:
        original = find.original(tx, post_id, booster.id)
        author = accounts.by_id(tx, original.author_id)
    except NotFound:
        return None
    if author.is_gone or not _may(booster.id, original) or ties.are_apart(tx, author.id, booster.id):
        return None
    if undone.take(tx, uri, booster.uri):
        return None
    moment = min(published or now, now)
    number = new_id(int(moment.timestamp() * 1000))
    values = _values(number, uri, booster, original, narrower(visibility, original.visibility), moment)
    made = _store(tx, booster, original, values)
    if made is not None:
        _finish(tx, made, original, now)
    return made


def receive_announce_of(
    tx: Connection,
    booster: Account,
    uri: str,
    post_uri: str,
    published: datetime | None,
    visibility: str,
    now: datetime,
) -> Post | None:
    """The same for a post by its uri.  One that we do not have is fetched if somebody here follows `booster`: the job
    `fetch_announced` ends by calling `finish`."""
    known = find.find_by_uri(tx, post_uri)
    if known is not None:
        return receive_announce(tx, booster, uri, known.id, published, visibility, now)
    if booster.is_gone or not same_origin(uri, booster.uri) or undone.take(tx, uri, booster.uri):
        return None
    if ties.is_followed(tx, booster.id):
        payload = {
            "uri": post_uri,
            "booster": booster.uri,
            "announce": uri,
            "published": None if published is None else published.isoformat(),
            "visibility": visibility,
        }
        # The key names the Announce: two people boost the same unknown post, and both boosts count.
        jobs.ask(tx, FETCH, uri, payload, now)
    return None


def finish(tx: Connection, post_id: int, payload: Mapping[str, Any], now: datetime) -> Post | None:
    """The boost for which the job `fetch_announced`, with that payload, brought a post."""
    booster = accounts.find_by_uri(tx, payload["booster"])
    if booster is None:
        return None
    published = None if payload["published"] is None else datetime.fromisoformat(payload["published"])
    return receive_announce(tx, booster, payload["announce"], post_id, published, payload["visibility"], now)


def receive_unannounce(tx: Connection, booster: Account, post_uri: str | None, uri: str | None, now: datetime) -> bool:
    """`booster` takes an Announce back: the one with that `uri`, else the one of that post.

    False: there is none yet; it will not count when it comes.
    """
    made = find.find_by_uri(tx, uri) if uri else None
    if made is None and post_uri and (original := find.find_by_uri(tx, post_uri)):
        made = find_boost(tx, booster.id, original.id)
    if made is not None and made.author_id == booster.id and made.boost_of_id is not None:
        delete.remove(tx, [made])
        return True
    if made is None:
        undone.bury(tx, uri, booster.uri, now)
    return False


def _may(booster_id: int, original: Post) -> bool:
    return original.visibility in OPEN or (original.visibility == "private" and original.author_id == booster_id)


def _values(
    number: int, uri: str, author: Account, original: Post, visibility: str, published: datetime
) -> dict[str, Any]:
    return blank_post(
        id=number,
        uri=uri,
        author_id=author.id,
        local=author.is_local,
        kind="Announce",
        visibility=visibility,
        published=published,
        thread_id=number,
        local_only=original.local_only,
        boost_of_id=original.id,
    )


def _store(tx: Connection, author: Account, original: Post, values: dict[str, Any]) -> Post | None:
    """None: he boosted it before."""
    if find_boost(tx, author.id, original.id) is not None or not tx.execute(_ADD, values).rowcount:
        return None
    return Post(**values)


def _finish(tx: Connection, made: Post, original: Post, now: datetime) -> None:
    tx.execute(_COUNT, {"original": original.id})
    if made.visibility != "direct":
        storing.count_posts(tx, {made.author_id: [made.published]})
    timelines.push_boost(tx, made.id)
    if made.published > now - storing.NEWS:
        notifications.notify(tx, original.author_id, "reblog", made.author_id, original.id, now)
    announce(tx, Posted(made.id, made.author_id))


def _announce(tx: Connection, made: Post, original: Post) -> Any:
    return documents.announce(parts.load(tx, [made.id])[made.id], accounts.by_id(tx, original.author_id).uri)


def _elsewhere(original: Post) -> list[int]:
    return [] if original.local else [original.author_id]


def _vanished() -> Post:
    raise NotFound("No such post")
