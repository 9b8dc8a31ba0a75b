"""What a message does to the database: each once, whatever it does written together with the memory of having done it.

Units, for process.  `handle` takes one message; `handle_line` several of one actor, in their order; `create_many` the
new posts of many actors in a fixed number of statements, `follow_many` their Follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sqlalchemy import BindParameter, Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.errors import FederationError, Refused
from federation.reading import Note, identity
from inbox import again, introductions
from inbox.dispatch import dispatch
from inbox.handlers import hints, synchronise
from inbox.handlers.forwarding import forward
from inbox.handlers.proven import proven
from inbox.messages import Here, Hint, Message, Verified
from social import accounts as people
from social import follows
from social.errors import Refusal
from social.follows import Wish
from social.paging import padded
from social.posts.receive import receive_many
from store import events, races
from store.database import TRIES
from store.prepared import Change, Prepared
from store.rows import many
from store.tables import Account, accounts, handled

DUPLICATE, UNKNOWN, HINT = "duplicate", "unknown", "hint"

_REMEMBER = Change(insert(handled).on_conflict_do_nothing(index_elements=["uri"]))
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
_KNOWN = Prepared(select(handled.c.uri).where(handled.c.uri.in_(_URIS)))
_ACTORS = Prepared(select(accounts).where(accounts.c.uri.in_(_URIS)))


class Stranger(Exception):
    """The actor is not stored: his key was known, he is not."""


@dataclass(frozen=True, slots=True)
class Done:
    """`what` is what it is counted as."""

    what: str


Outcome: TypeAlias = Done | Exception


def handle(tx: Connection, message: Message, here: Here) -> Done:
    """Does what `message` says, once.

    Raises: FederationError and Refusal, which are final; Stranger; whatever a bug or the database raises.
    """
    if isinstance(message, Hint):
        by_proof = proven(tx, message, here)
        if by_proof is None:
            hints.follow_up(tx, message, here)
            return Done(HINT)
        message = by_proof
    if not _REMEMBER.run(tx, uri=_key(message), at=here.now) and not again.counts(tx, message):
        return Done(DUPLICATE)
    actor = _checked(_actor(tx, message), message)
    what = dispatch(tx, actor, message, here)
    synchronise.compare(tx, actor, message, here)
    return Done(what or UNKNOWN)


def handle_line(tx: Connection, messages: Sequence[Message], here: Here) -> list[Outcome]:
    """Messages of one actor, each undone alone when it fails.

    Ends with the first that may succeed later, since those behind it must not overtake: the answer may be shorter.
    """
    outcomes: list[Outcome] = []
    told: list[object] = []
    for message in messages:
        outcome = _alone(tx, message, here, told)
        for _ in range(TRIES):  # not the whole line, or nobody would know whose the fault is when it lasts
            if not (isinstance(outcome, Exception) and races.is_outrun(outcome)):
                break
            outcome = _alone(tx, message, here, told)
        outcomes.append(outcome)
        if not is_final(outcome):
            break
    for event in told:
        events.announce(tx, event)
    return outcomes


def _alone(tx: Connection, message: Message, here: Here, told: list[object]) -> Outcome:
    """One of several, undone alone when it fails.  Raises: when the transaction is lost, and all begins anew."""
    tx.exec_driver_sql("SAVEPOINT message")
    try:
        outcome: Outcome = handle(tx, message, here)
        told += events.take(tx)
    except Exception as error:
        if races.is_lost(error):
            raise
        tx.exec_driver_sql("ROLLBACK TO SAVEPOINT message")
        events.take(tx)
        outcome = error
    tx.exec_driver_sql("RELEASE SAVEPOINT message")
    return outcome


def create_many(tx: Connection, creates: Sequence[tuple[Verified, Note]], here: Here) -> list[Outcome]:
    """New posts, of which handlers.posts.plain_note says that they need nothing else."""
    keys = [_key(message) for message, _ in creates]
    seen = {row[0] for row in _KNOWN.rows(tx, uris=padded(keys))}
    uris = padded(list({message.actor_uri for message, _ in creates}))
    actors = {actor.uri: actor for actor in many(tx, _ACTORS, Account, uris=uris)}
    outcomes: list[Outcome] = []
    new: list[_New] = []
    for key, (message, note) in zip(keys, creates, strict=True):
        if key in seen:
            outcomes.append(Done(DUPLICATE))
            continue
        try:
            new.append(_New(key, _checked(actors.get(message.actor_uri), message), message, note))
        except (Stranger, Refused) as error:
            outcomes.append(error)
            continue
        seen.add(key)
        outcomes.append(Done("Create"))
    if new:
        _store(tx, new, here)
    return outcomes


def follow_many(tx: Connection, asked: Sequence[tuple[Verified, str]], here: Here) -> list[Outcome | None]:
    """New followers: Follows of different actors, of which handlers.follows.plain_follow says that they may be many.

    Those that can be let in at once are; None: that message is one for `handle`, which says no and keeps people
    waiting, and answers again those who heard nothing.  Of it nothing is stored here.
    """
    keys = [_key(message) for message, _ in asked]
    seen = {row[0] for row in _KNOWN.rows(tx, uris=padded(keys))}
    met = [message.introduction for message, _ in asked if message.introduction]
    uris = {uri for message, target in asked for uri in (message.actor_uri, target)}
    around = people.Around(tx, uris, [introduction.handle for introduction in met])
    wishes: dict[str, Wish] = {}
    for key, (message, target_uri) in zip(keys, asked, strict=True):
        if key not in seen and (wish := _wish(around, message, target_uri)):
            wishes[key] = wish
        seen.add(key)
    welcome = follows.welcome(tx, list(wishes.values()))
    granted = {key: wish for key, wish in wishes.items() if wish in welcome}
    if granted:
        _REMEMBER.each(tx, [{"uri": key, "at": here.now} for key in granted])
        people.add(tx, [wish.newcomer for wish in granted.values() if wish.newcomer])
        follows.let_in(tx, list(granted.values()), here.now)
    return [Done("Follow") if key in granted else None for key in keys]


def _wish(around: people.Around, message: Verified, target_uri: str) -> Wish | None:
    target = around.get(target_uri)
    if target is None:
        return None
    uri, met = identity(message.document), message.introduction
    if met is not None:
        newcomer = around.newcomer(met.actor, met.handle, met.at)
        return None if newcomer is None else Wish(newcomer.account, target, uri, newcomer)
    follower = around.get(message.actor_uri)
    return None if follower is None or follower.is_local or follower.is_gone else Wish(follower, target, uri)


class _New(NamedTuple):
    key: str
    actor: Account
    message: Verified
    note: Note


def _store(tx: Connection, new: Sequence[_New], here: Here) -> None:
    _REMEMBER.each(tx, [{"uri": one.key, "at": here.now} for one in new])
    receive_many(tx, [(one.actor, one.note) for one in new], here.now)
    for one in new:
        forward(tx, one.message, one.note, here)
    for one in {one.actor.id: one for one in new if one.message.sync}.values():  # what each said last
        synchronise.compare(tx, one.actor, one.message, here)


def is_final(outcome: Outcome) -> bool:
    """Is there nothing to try again?"""
    return isinstance(outcome, Done | FederationError | Refusal)


def _actor(tx: Connection, message: Verified) -> Account | None:
    if message.introduction is None:
        return people.find_by_uri(tx, message.actor_uri)
    return introductions.meet(tx, message.introduction)


def _checked(actor: Account | None, message: Verified) -> Account:
    """Raises: Stranger; Refused, for who is suspended, deleted, or ours: he speaks through another door."""
    if actor is None:
        raise Stranger(message.actor_uri)
    if actor.is_local or actor.is_gone:
        raise Refused(f"{actor.handle} has nothing to say here")
    return actor


def _key(message: Verified) -> str:
    """Under which the activity is remembered.  Nobody can use up the ids of others, not even of his neighbours: an id
    that is not below its actor's own is remembered together with the actor."""
    uri, actor = identity(message.document), message.actor_uri
    return uri if uri.startswith(actor) and uri[len(actor) :][:1] in ("/", "#", "?") else f"{actor} {uri}"
