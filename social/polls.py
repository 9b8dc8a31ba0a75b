"""Polls: voting, counting, and their end.

A poll of ours is counted from its votes and nothing else (security row 31); one from elsewhere as its origin says, with
our own votes added until the origin knows them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading import Note
from federation.reading import Poll as Asked
from outbox import documents, enqueue, parts
from social import accounts, notifications
from social.errors import Invalid, NotFound
from social.events import Edited
from social.notifications import Row
from social.posts import find, receive, sending
from store import jobs
from store.events import announce
from store.ids import new_id
from store.rows import many, one
from store.tables import Account, Poll, Post, poll_votes, polls, posts
from store.tables import accounts as accounts_table
from store.tables.base import Id, Instant

RESULTS: Final = timedelta(minutes=3)  # after a vote, until other servers are told: once for all votes until then
CLOSED_AT_ONCE: Final = 100

_POST = bindparam("post", type_=Id)
_FIND = select(polls).where(polls.c.post_id == _POST)
_HOLD = select(posts.c.id).where(posts.c.id == _POST).with_for_update(key_share=True)
_LOCK = _FIND.with_for_update()  # two votes of one person for one option each, at the same moment
_CHOSEN = select(poll_votes.c.option).where(
    poll_votes.c.post_id == _POST, poll_votes.c.account_id == bindparam("voter", type_=Id)
)
_VOTE = insert(poll_votes).on_conflict_do_nothing()
_COUNTS: Select[Any] = (
    select(poll_votes.c.option, func.count()).where(poll_votes.c.post_id == _POST).group_by(poll_votes.c.option)
)
_VOTERS = select(func.count(poll_votes.c.account_id.distinct())).where(poll_votes.c.post_id == _POST)
_SET = update(polls).where(polls.c.post_id == _POST).values(
    options=bindparam("counted"), voters_count=bindparam("voters"), expires_at=bindparam("ends")
)  # fmt: skip
_CHANGED = update(posts).where(posts.c.id == _POST).values(version=posts.c.version + 1)
_DUE = (
    select(polls)
    .where(polls.c.closed_at.is_(None), polls.c.expires_at <= bindparam("now", type_=Instant))
    .order_by(polls.c.expires_at)
    .limit(CLOSED_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_CLOSE = update(polls).where(polls.c.post_id == _POST, polls.c.closed_at.is_(None)).values(closed_at=bindparam("at"))
_OUR_VOTERS = (
    select(poll_votes.c.account_id)
    .join(accounts_table, accounts_table.c.id == poll_votes.c.account_id)
    .where(poll_votes.c.post_id == _POST, accounts_table.c.host.is_(None))
    .distinct()
)


def vote(
    tx: Connection,
    account_id: int,
    post_id: int,
    choices: Sequence[int],
    now: datetime,
) -> Poll:
    """One of ours votes; a poll from elsewhere gets the votes by mail.

    Raises: NotFound, when there is no poll that he may see; Invalid, for what cannot be voted.
    """
    post, voter = find.visible(tx, post_id, account_id), accounts.by_id(tx, account_id)
    poll = _lock(tx, post.id)
    if poll is None:
        raise NotFound("No such poll", why=str(post_id))
    chosen = sorted(set(choices))
    _check(tx, poll, post, voter, chosen, now)
    votes = {option: f"{voter.uri}#votes/{new_id()}" for option in chosen}
    _keep(tx, poll.post_id, ((voter.id, option, uri) for option, uri in votes.items()))
    if post.local:
        _count(tx, poll, now)
        return _again(tx, poll)
    _add(tx, poll, chosen)
    author = accounts.by_id(tx, post.author_id)
    for option, uri in votes.items():
        document = documents.vote(voter, uri, poll.options[option]["title"], post.uri, author.uri)
        enqueue.to_accounts(tx, voter, document, [author.id], now=now)
    return _again(tx, poll)


def _check(tx: Connection, poll: Poll, post: Post, voter: Account, chosen: Sequence[int], now: datetime) -> None:
    if poll.is_over(now):
        raise Invalid("The poll has already ended")
    if post.author_id == voter.id:
        raise Invalid("Nobody votes in his own poll")
    if not chosen or not all(0 <= option < len(poll.options) for option in chosen):
        raise Invalid("The chosen vote option does not exist")
    if len(chosen) > 1 and not poll.multiple:
        raise Invalid("Only one option can be chosen")
    if _chosen(tx, poll.post_id, voter.id):
        raise Invalid("You have already voted on this poll")


def receive_vote(tx: Connection, voter: Account, note: Note, now: datetime) -> bool:
    """A vote from elsewhere for an option of a poll of ours.

    False, and nothing happens, when there is no such poll or option, the voter may not see it, it is over, he
    has voted already (where he may choose one), or for that option (where he may choose many).
    """
    post = find.find_by_uri(tx, note.in_reply_to) if note.in_reply_to else None
    if post is None or not post.local or post.author_id == voter.id or voter.is_gone:
        return False
    try:
        find.visible(tx, post.id, voter.id)
    except NotFound:
        return False
    poll = _lock(tx, post.id)
    if poll is None or poll.is_over(now):
        return False
    option = next((number for number, one in enumerate(poll.options) if one["title"] == note.title), None)
    before = _chosen(tx, post.id, voter.id)
    if option is None or option in before or (before and not poll.multiple):
        return False
    _keep(tx, post.id, [(voter.id, option, note.id)])
    _count(tx, poll, now)
    return True


def refresh(tx: Connection, poll: Poll, asked: Asked) -> None:
    """The counts of a poll from elsewhere, as its origin says; it has the same options."""
    counted = [{"title": option.title, "votes": option.votes} for option in asked.options]
    ends, voters = receive.poll_end(asked), receive.voters(asked)
    voters = poll.voters_count if voters is None else voters
    if (counted, voters, ends) != (poll.options, poll.voters_count, poll.expires_at):
        _set(tx, poll, counted, voters, ends)


def send_results(tx: Connection, post_id: int, now: datetime) -> None:
    """Tells other servers how a poll of ours stands (job `send_results`, asked for by a vote)."""
    _lock(tx, post_id)  # who votes just now is told, too
    loaded = parts.load(tx, [post_id]).get(post_id)
    if loaded is not None and loaded.post.local and loaded.poll is not None and not loaded.author.is_gone:
        sending.changed(tx, loaded, documents.update(loaded, now), now)


def close_due(tx: Connection, now: datetime) -> int:
    """Ends the polls whose time has come, 100 at most: tells the author and the voters of ours, and, of polls of ours,
    other servers.  Returns how many there were."""
    due = many(tx, _DUE, Poll, now=now)
    rows: list[Row] = []
    for poll in due:
        tx.execute(_CLOSE, {"post": poll.post_id, "at": now})
        tx.execute(_CHANGED, {"post": poll.post_id})
        post = find.by_id(tx, poll.post_id)
        concerned = {*tx.scalars(_OUR_VOTERS, {"post": post.id}), *([post.author_id] if post.local else ())}
        rows += [(who, "poll", post.author_id, post.id) for who in sorted(concerned)]
        announce(tx, Edited(post.id, post.author_id))
        if post.local:
            send_results(tx, post.id, now)
    notifications.notify_many(tx, rows, now)
    return len(due)


def _lock(tx: Connection, post_id: int) -> Poll | None:
    tx.execute(_HOLD, {"post": post_id})  # before its poll, in the order of who edits or deletes it
    return one(tx, _LOCK, Poll, post=post_id)


def _again(tx: Connection, poll: Poll) -> Poll:
    return one(tx, _FIND, Poll, post=poll.post_id) or poll


def _chosen(tx: Connection, post_id: int, voter_id: int) -> set[int]:
    return set(tx.scalars(_CHOSEN, {"post": post_id, "voter": voter_id}))


def _keep(tx: Connection, post_id: int, votes: Iterable[tuple[int, int, str]]) -> None:
    tx.execute(
        _VOTE,
        [{"post_id": post_id, "account_id": who, "option": option, "uri": uri} for who, option, uri in votes],
    )


def _count(tx: Connection, poll: Poll, now: datetime) -> None:
    """A poll of ours, from its votes."""
    counts: dict[int, int] = {row[0]: row[1] for row in tx.execute(_COUNTS, {"post": poll.post_id})}
    options = [{**option, "votes": counts.get(number, 0)} for number, option in enumerate(poll.options)]
    _set(tx, poll, options, tx.scalar(_VOTERS, {"post": poll.post_id}) or 0, poll.expires_at)
    jobs.ask(tx, "send_results", str(poll.post_id), {"post_id": poll.post_id}, now, now + RESULTS)


def _add(tx: Connection, poll: Poll, chosen: Sequence[int]) -> None:
    options = [{**option, "votes": option["votes"] + (number in chosen)} for number, option in enumerate(poll.options)]
    _set(tx, poll, options, poll.voters_count + 1, poll.expires_at)


def _set(tx: Connection, poll: Poll, options: list[dict[str, Any]], voters: int, ends: datetime | None) -> None:
    tx.execute(_SET, {"post": poll.post_id, "counted": options, "voters": voters, "ends": ends})
    tx.execute(_CHANGED, {"post": poll.post_id})
    author_id = find.by_id(tx, poll.post_id).author_id
    announce(tx, Edited(poll.post_id, author_id))
