"""What two processes do to the same rows of PostgreSQL at the same moment, with nothing left to chance.

Of each pair, the one unit is stopped before each of its statements in turn, and before its COMMIT; the other runs until
it is done or waits for a lock; then the one goes on.  Then the other way round.  Whatever the moment: each does what it
should or says something that people can be told, no counter is wrong, and what the pair promises holds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, TypeAlias

import pyotp
import pytest
from sqlalchemy import Connection, func, insert, select, update

from connectme.errands import _gone, _send_results
from federation.origin import Origin
from federation.reading import Actor, Note, Option, Poll
from ops.integrity import counts
from social import (
    accounts,
    blocks,
    boosts,
    follows,
    imports,
    links,
    lists,
    moderation,
    pins,
    polls,
    purge,
    quotes,
    reactions,
    scheduled,
    second_factor,
    sessions,
    signups,
    users,
)
from social.collections import curate
from social.media import uploads
from social.moderation.reports import Complaint
from social.posts import delete, edit, publish, receive
from social.posts.drafts import Draft, PollDraft
from social.secrets import sha256
from store.ids import new_id
from store.tables import (
    Account,
    Job,
    Post,
    activities,
    blank_media,
    collection_items,
    collections,
    import_rows,
    media,
    poll_votes,
    posts,
    recovery_codes,
    scheduled_posts,
)
from store.tables import blocks as block_rows
from store.tables import follows as follow_rows
from store.tables import jobs as job_rows
from store.tables import lists as list_rows
from store.tables import pins as pin_rows
from store.tables import polls as poll_rows
from store.tables import quotes as quote_rows
from store.tables import reactions as reaction_rows
from tests.conftest import NOW
from tests.interleaved import Two, is_clean
from tests.people import add, ours, remote
from tests.social.said import note

pytestmark = pytest.mark.slow

ORIGIN = Origin("ours.test", "https://ours.test")
LATER = NOW + timedelta(minutes=1)
END = NOW + timedelta(hours=1)
_numbers = count(1)

Work: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Scene:
    """alice and anna are ours, bob and eve of other servers.  said: alice's; heard: bob's; asked: a poll of alice's;
    quoting: anna's, of what alice said."""

    alice: Account
    anna: Account
    bob: Account
    eve: Account
    said: Post
    heard: Post
    told: Note
    asked: Post
    quoting: Post


def scene(tx: Connection) -> Scene:
    n = next(_numbers)
    alice, anna = (ours(f"{name}{n}", username=name) for name in ("alice", "anna"))  # by which keys are made
    bob, eve = remote(f"bob{n}", username="bob"), remote(f"eve{n}", "bad.test", username="eve")
    add(tx, alice, anna, bob, eve)
    told = note(bob, poll=Poll(multiple=False, options=(Option("yes", 3), Option("no", 1)), expires=END, voters=4))
    heard = receive.receive(tx, bob, told, NOW)
    assert heard is not None
    said = write(tx, alice)
    asked = write(tx, alice, poll=PollDraft(("yes", "no"), END))
    quoting = write(tx, anna, quoted_id=said.id)
    return Scene(alice, anna, bob, eve, said, heard, told, asked, quoting)


def write(tx: Connection, author: Account, text: str = "hello", **more: Any) -> Post:
    return publish.publish(tx, ORIGIN, author.id, Draft(text, **more), NOW)


# ---- the pairs: what has to be there before; what happens at the same moment; what must hold afterwards


@dataclass(frozen=True, slots=True)
class Pair:
    name: str
    one: Callable[[Scene], Work]
    other: Callable[[Scene], Work]
    before: Callable[[Connection, Scene], Any] = lambda tx, it: None
    holds: Callable[[Connection, Scene], object] = lambda tx, it: True


def changed(it: Scene, html: str = "<p>changed</p>", **more: Any) -> Note:
    return replace(it.told, html=html, updated=LATER, **more)


def edit_heard(it: Scene) -> Work:
    return edit.receive_edit, (it.bob, changed(it), LATER)


def new_options(it: Scene) -> Work:
    options = (Option("perhaps", 0), Option("never", 0))
    return edit.receive_edit, (it.bob, changed(it, poll=Poll(multiple=False, options=options, expires=END)), LATER)


def delete_heard(it: Scene) -> Work:
    return delete.receive_delete, (it.bob, it.heard.uri, LATER)


def gone(it: Scene) -> Work:
    return _certainly_gone, (it.heard.uri, LATER)


def _certainly_gone(tx: Connection, address: str, now: Any) -> None:
    _gone(tx, address, now, certain=True)


def edit_said(it: Scene, text: str = "changed") -> Work:
    return edit.edit, (ORIGIN, it.alice.id, it.said.id, Draft(text), LATER)


def edit_asked(it: Scene) -> Work:
    return edit.edit, (ORIGIN, it.alice.id, it.asked.id, Draft("?", poll=PollDraft(("a", "b"), END)), LATER)


def delete_said(it: Scene) -> Work:
    return delete.delete, (it.alice.id, it.said.id, LATER)


def delete_asked(it: Scene) -> Work:
    return delete.delete, (it.alice.id, it.asked.id, LATER)


def delete_quoting(it: Scene) -> Work:
    return delete.delete, (it.anna.id, it.quoting.id, LATER)


def like(it: Scene) -> Work:
    return reactions.like, (it.anna.id, it.heard.id, LATER)


def unlike(it: Scene) -> Work:
    return reactions.unlike, (it.anna.id, it.heard.id, LATER)


def likes(tx: Connection, it: Scene) -> None:
    reactions.like(tx, it.anna.id, it.heard.id, NOW)


def like_of_theirs(it: Scene) -> Work:
    return reactions.receive_like, (it.eve, it.said.uri, f"{it.eve.uri}/likes/1", LATER)


def react(it: Scene, emoji: str = "🎉") -> Work:
    return reactions.react, (it.anna.id, it.heard.id, emoji, LATER)


def seven_reactions(tx: Connection, it: Scene) -> None:
    for emoji in "😀😁😂🙂😊😉😍":
        reactions.react(tx, it.anna.id, it.heard.id, emoji, NOW)


def boost(it: Scene) -> Work:
    return boosts.boost, (it.anna.id, it.heard.id, LATER)


def unboost(it: Scene) -> Work:
    return boosts.unboost, (it.anna.id, it.heard.id, LATER)


def boosted(tx: Connection, it: Scene) -> None:
    boosts.boost(tx, it.anna.id, it.heard.id, NOW)


def announce(it: Scene) -> Work:
    return boosts.receive_announce, (it.eve, f"{it.eve.uri}/boosts/1", it.said.id, LATER, "public", LATER)


def unannounce(it: Scene) -> Work:
    return boosts.receive_unannounce, (it.eve, it.said.uri, f"{it.eve.uri}/boosts/1", LATER)


def announced(tx: Connection, it: Scene) -> None:
    boosts.receive_announce(tx, it.eve, f"{it.eve.uri}/boosts/1", it.said.id, NOW, "public", NOW)


def reply(it: Scene) -> Work:
    return publish.publish, (ORIGIN, it.anna.id, Draft("yes", reply_to_id=it.heard.id), LATER)


def reply_of_theirs(it: Scene) -> Work:
    return receive.receive, (it.eve, note(it.eve, in_reply_to=it.said.uri), LATER)


def vote(it: Scene, choice: int = 0) -> Work:
    return polls.vote, (it.anna.id, it.asked.id, [choice], LATER)


def vote_on_theirs(it: Scene) -> Work:
    return polls.vote, (it.anna.id, it.heard.id, [0], LATER)


def vote_of_theirs(it: Scene, title: str = "yes") -> Work:
    ballot = note(it.eve, "", title=title, in_reply_to=it.asked.uri, to=(it.alice.uri,), cc=())
    return polls.receive_vote, (it.eve, ballot, LATER)


def votes_fit(tx: Connection, it: Scene) -> bool:
    """Each vote is for an option that is there, and counted."""
    post = tx.execute(select(poll_rows).where(poll_rows.c.post_id == it.asked.id)).one_or_none()
    kept = select(func.count()).where(poll_votes.c.post_id == it.asked.id)
    return post is None or sum(option["votes"] for option in post.options) == tx.scalar(kept)


def send_results(it: Scene) -> Work:
    return _results, (it.asked.id,)


def _results(tx: Connection, post_id: int) -> None:
    job = tx.execute(select(job_rows).where(job_rows.c.key == f"send_results {post_id}")).one_or_none()
    if job is not None:
        _send_results(tx, Job(*job), LATER)


def voted(tx: Connection, it: Scene) -> None:
    _do(tx, vote_of_theirs(it))


def results_are_told(tx: Connection, it: Scene) -> bool:
    """All votes, or somebody is still asked to."""
    voters = tx.scalar(select(poll_rows.c.voters_count).where(poll_rows.c.post_id == it.asked.id))
    waits = tx.scalar(select(func.count()).where(job_rows.c.key == f"send_results {it.asked.id}"))
    said = tx.scalars(select(activities.c.body).where(activities.c.sender_id == it.alice.id)).all()
    return bool(waits) or any(f'"votersCount":{voters}'.encode() in bytes(body) for body in said)


def quote(it: Scene) -> Work:
    return publish.publish, (ORIGIN, it.alice.id, Draft("look", quoted_id=it.heard.id), LATER)


def quote_said(it: Scene) -> Work:
    return publish.publish, (ORIGIN, it.anna.id, Draft("look", quoted_id=it.said.id), LATER)


def quote_of_theirs(it: Scene) -> Work:
    return receive.receive, (it.eve, note(it.eve, quote=it.heard.uri), LATER)


def ask_to_quote(it: Scene) -> Work:
    quoting = f"{it.eve.uri}/posts/quoting"
    return quotes.receive_request, (it.eve, f"{it.eve.uri}/requests/1", it.said.uri, quoting, LATER)


def post_that_quotes(it: Scene) -> Work:
    told = note(it.eve, id=f"{it.eve.uri}/posts/quoting", quote=it.said.uri)
    return receive.receive, (it.eve, told, LATER)


def revoke_quote(it: Scene) -> Work:
    return quotes.revoke, (it.alice.id, it.said.id, it.quoting.id, LATER)


def policy(it: Scene) -> Work:
    return quotes.set_policy, (it.alice.id, it.said.id, "nobody", LATER)


def quotes_fit(tx: Connection, it: Scene) -> bool:
    for post in (it.said, it.heard):
        counted = tx.scalar(select(posts.c.quotes_count).where(posts.c.id == post.id))
        there = select(func.count()).where(quote_rows.c.quoted_id == post.id, quote_rows.c.state == "accepted")
        if counted is not None and counted != tx.scalar(there):
            return False
    return True


def pin(it: Scene) -> Work:
    return pins.pin, (it.alice.id, it.said.id, LATER)


def pin_asked(it: Scene) -> Work:
    return pins.pin, (it.alice.id, it.asked.id, LATER)


def pinned(number: int, tx: Connection, it: Scene) -> None:
    for _ in range(number):
        pins.pin(tx, it.alice.id, write(tx, it.alice).id, NOW)


def pins_fit(tx: Connection, it: Scene) -> bool:
    return (tx.scalar(select(func.count()).where(pin_rows.c.account_id == it.alice.id)) or 0) <= pins.MOST


def follow_bob(it: Scene) -> Work:
    return follows.ask, (it.anna.id, it.bob.id, LATER)


def follow_alice(it: Scene) -> Work:
    return follows.ask, (it.anna.id, it.alice.id, LATER)


def unfollow_alice(it: Scene) -> Work:
    return follows.unfollow, (it.anna.id, it.alice.id, LATER)


def unfollow_bob(it: Scene) -> Work:
    return follows.unfollow, (it.anna.id, it.bob.id, LATER)


def followed(tx: Connection, it: Scene) -> None:
    for target in (it.alice, it.bob):
        follows.ask(tx, it.anna.id, target.id, NOW)
    follows.accepted(tx, it.bob, uri=None, follower=it.anna.uri, target=it.bob.uri)
    follows.receive(tx, it.bob, it.anna, f"{it.bob.uri}/follows/1", NOW)


def follow_of_theirs(it: Scene) -> Work:
    return follows.receive, (it.bob, it.anna, f"{it.bob.uri}/follows/1", LATER)


def unfollow_of_theirs(it: Scene) -> Work:
    return follows.undone, (it.bob, it.anna, f"{it.bob.uri}/follows/1", LATER)


def accept_of_theirs(it: Scene) -> Work:
    return _accepted, (it.bob, it.anna)


def _accepted(tx: Connection, by: Account, follower: Account) -> bool:
    return follows.accepted(tx, by, uri=None, follower=follower.uri, target=by.uri)


def asked_bob(tx: Connection, it: Scene) -> None:
    follows.ask(tx, it.anna.id, it.bob.id, NOW)


def forget_bob(it: Scene) -> Work:
    return accounts.forget, (it.bob, LATER)


def leave_alice(it: Scene) -> Work:
    return accounts.delete_local, (it.alice.id, LATER)


def purge_bob(it: Scene) -> Work:
    return purge.step, (it.bob.id,)


def bob_left(tx: Connection, it: Scene) -> None:
    reactions.receive_like(tx, it.bob, it.said.uri, f"{it.bob.uri}/likes/1", NOW)
    boosts.boost(tx, it.anna.id, it.heard.id, NOW)
    accounts.forget(tx, it.bob, NOW)


def unlike_of_bob(it: Scene) -> Work:
    return reactions.receive_unlike, (it.bob, it.said.uri, f"{it.bob.uri}/likes/1", LATER)


def block_bob(it: Scene) -> Work:
    return blocks.block, (it.anna.id, it.bob.id, LATER)


def block_of_theirs(it: Scene) -> Work:
    return blocks.receive_block, (it.bob, it.anna, f"{it.bob.uri}/blocks/1", LATER)


def apart(tx: Connection, it: Scene) -> bool:
    """Who blocks neither follows nor is followed."""
    between = [it.anna.id, it.bob.id]
    if not tx.scalar(select(func.count()).where(block_rows.c.account_id.in_(between))):
        return True
    ties = select(func.count()).where(follow_rows.c.target_id.in_(between), follow_rows.c.follower_id.in_(between))
    return tx.scalar(ties) == 0


def report(it: Scene) -> Work:
    return moderation.report, (it.anna.id, Complaint(it.bob.id, [it.heard.id], "bad", forward=True), LATER)


def list_of(tx: Connection, it: Scene) -> None:
    followed(tx, it)
    values = {"account_id": it.anna.id, "title": "mine", "replies_policy": "list", "exclusive": True}
    tx.execute(insert(list_rows), {"id": it.anna.id, **values})


def put_in_list(it: Scene) -> Work:
    return lists.add_members, (it.anna.id, it.anna.id, [it.alice.id, it.bob.id])


def full_list(tx: Connection, it: Scene) -> None:
    list_of(tx, it)
    _do(tx, put_in_list(it))


def take_from_list(it: Scene) -> Work:
    return lists.remove_members, (it.anna.id, it.anna.id, [it.alice.id])


def end_list(it: Scene) -> Work:
    return lists.remove, (it.anna.id, it.anna.id)


def new_list(it: Scene) -> Work:
    return lists.create, (it.anna.id, "more")


def nearly_all_lists(tx: Connection, it: Scene) -> None:
    values = {"account_id": it.anna.id, "title": "x", "replies_policy": "list", "exclusive": False}
    tx.execute(insert(list_rows), [{"id": new_id(), **values} for _ in range(lists.MOST - 1)])


def lists_fit(tx: Connection, it: Scene) -> bool:
    return (tx.scalar(select(func.count()).where(list_rows.c.account_id == it.anna.id)) or 0) <= lists.MOST


def new_collection(it: Scene) -> Work:
    return curate.create, (ORIGIN, it.alice.id, curate.Draft("mine"), [], LATER)


def nearly_all_collections(tx: Connection, it: Scene) -> None:
    for _ in range(curate.MOST - 1):
        curate.create(tx, ORIGIN, it.alice.id, curate.Draft("mine"), [], NOW)


def collections_fit(tx: Connection, it: Scene) -> bool:
    return (tx.scalar(select(func.count()).where(collections.c.account_id == it.alice.id)) or 0) <= curate.MOST


def collection(tx: Connection, it: Scene) -> None:
    made = curate.create(tx, ORIGIN, it.alice.id, curate.Draft("mine"), [], NOW)
    _made[it.alice.id] = made.collection.id


_made: dict[int, int] = {}


def put_in_collection(it: Scene) -> Work:
    return curate.add, (it.alice.id, _made[it.alice.id], it.anna.id, LATER)


def block_alice(it: Scene) -> Work:
    return blocks.block, (it.anna.id, it.alice.id, LATER)


def not_shown(tx: Connection, it: Scene) -> bool:
    if not tx.scalar(select(func.count()).where(block_rows.c.account_id == it.anna.id)):
        return True
    return not tx.scalar(select(func.count()).where(collection_items.c.account_id == it.anna.id))


def picture(tx: Connection, it: Scene) -> None:
    values = blank_media(id=it.alice.id, kind="image", url="https://ours.test/media/a", account_id=it.alice.id)
    tx.execute(insert(media), values)


def post_picture(it: Scene) -> Work:
    return publish.publish, (ORIGIN, it.alice.id, Draft("see", media_ids=(it.alice.id,)), LATER)


def discard_picture(it: Scene) -> Work:
    return uploads.discard, (it.alice.id, it.alice.id)


def pictures_fit(tx: Connection, it: Scene) -> bool:
    """Who said it shows a picture, shows it: of two, one was told that it cannot be had."""
    seen = select(func.count()).where(posts.c.author_id == it.alice.id, posts.c.source == "see")
    shown = select(func.count()).where(media.c.post_id.is_not(None), media.c.account_id == it.alice.id)
    return tx.scalar(seen) == tx.scalar(shown)


def prepare_import(it: Scene) -> Work:
    return partial(imports.prepare, overwrite=False), (it.alice.id, "follows")


def brought(tx: Connection, it: Scene, *, begun: bool = False) -> None:
    made = imports.prepare(tx, it.alice.id, "follows", overwrite=False)
    line = imports.read(it.bob.handle.encode(), "follows", ORIGIN, it.alice.handle)
    imports.add(tx, made, line, NOW)
    if begun:
        imports.complete(tx, made, 1)
        imports.begin(tx, it.alice.id, "follows", NOW)


def more_rows(it: Scene) -> Work:
    line = imports.read(it.eve.handle.encode(), "follows", ORIGIN, it.alice.handle)[0]._replace(number=2)

    def add_to_it(tx: Connection) -> None:
        if made := imports.find(tx, it.alice.id, "follows"):
            imports.add(tx, made, [line], NOW)

    return add_to_it, ()


def do_row(it: Scene) -> Work:
    def do(tx: Connection) -> None:
        made = imports.get(tx, it.alice.id, "follows")
        _, rows = imports.due_rows(tx, made.id, LATER) or (made, [])
        for row in rows:
            imports.do(tx, ORIGIN, made, row, it.bob.id, LATER)

    return do, ()


def stop_import(it: Scene) -> Work:
    return imports.stop, (it.alice.id, "follows", LATER)


def row_fits(tx: Connection, it: Scene) -> bool:
    """It was done, or it is still there and says that it was not."""
    asked = select(func.count()).where(follow_rows.c.follower_id == it.alice.id, follow_rows.c.target_id == it.bob.id)
    made = imports.get(tx, it.alice.id, "follows")
    left = select(func.count()).where(import_rows.c.import_id == made.id)
    return (tx.scalar(asked) or 0) + (tx.scalar(left) or 0) == 1


def reactions_fit(tx: Connection, it: Scene) -> bool:
    mine = select(func.count()).where(reaction_rows.c.account_id == it.anna.id)
    return (tx.scalar(mine) or 0) <= reactions.MOST


def new_password(it: Scene, password: str = "one") -> Work:
    return signups.new_password, (sha256(it.alice.handle), password, LATER)


def forgotten(tx: Connection, it: Scene) -> None:
    links.add(tx, it.alice.id, links.PASSWORD, sha256(it.alice.handle), NOW, f"{it.alice.handle}@mail.test")


def change_password(it: Scene) -> Work:
    return users.set_password, (it.alice.id, "new", LATER)


def sign_in(it: Scene) -> Work:
    return _signed_in, (it.alice.id, sha256(it.alice.handle))


def _signed_in(tx: Connection, account_id: int, cookie: bytes) -> None:
    was = "no hash: nobody signs in with this"
    sessions.start_session(tx, account_id, cookie, "csrf", "", LATER, password=was)


def nobody_is_in(tx: Connection, it: Scene) -> bool:
    """With the old password."""
    return sessions.of(tx, it.alice.id) == [] or users.by_account(tx, it.alice.id).password != "new"


def turn_on_codes(it: Scene) -> Work:
    secret = "A" * 32
    return second_factor.turn_on, (it.alice.id, secret, pyotp.TOTP(secret).at(LATER), b"here", LATER)


def codes_fit(tx: Connection, it: Scene) -> bool:
    kept = select(func.count()).where(recovery_codes.c.account_id == it.alice.id)
    return tx.scalar(kept) in (0, second_factor.CODES)


def sign_up(it: Scene) -> Work:
    new = accounts.NewAccount(f"new{it.alice.handle}", f"new{it.alice.handle}@mail.test", "hash")
    return accounts.create_local, (ORIGIN, new, [], LATER)


def meet(it: Scene, server: str = "far.test") -> Work:
    """Two actors of one handle: of before and after a server was made anew."""
    base = f"https://{server}/users/dora{it.alice.handle}"
    actor = Actor(base, "Person", f"dora{it.alice.handle}", f"{base}/inbox")
    return accounts.remember, (actor, f"dora{it.alice.handle}@far.test", LATER)


def publish_planned(it: Scene) -> Work:
    return scheduled.publish_due, (ORIGIN, it.alice.id, LATER)


def cancel_planned(it: Scene) -> Work:
    return scheduled.cancel, (it.alice.id, it.alice.id)


def planned(tx: Connection, it: Scene) -> None:
    made = scheduled.schedule(tx, it.alice.id, Draft("planned"), NOW + timedelta(minutes=10), NOW)
    values = {"id": it.alice.id, "scheduled_at": NOW}
    tx.execute(update(scheduled_posts).where(scheduled_posts.c.id == made.id).values(values))


def planned_once(tx: Connection, it: Scene) -> bool:
    there = select(func.count()).where(posts.c.author_id == it.alice.id, posts.c.source == "planned")
    return (tx.scalar(there) or 0) <= 1


PAIRS = [
    Pair("an edit and a deletion elsewhere", edit_heard, delete_heard),
    Pair("an edit elsewhere and a job that finds it gone", edit_heard, gone),
    Pair("a deletion elsewhere and a job that finds it gone", delete_heard, gone, likes),
    Pair("an edit and a deletion of ours", edit_said, delete_said),
    Pair("two deletions of ours", delete_said, delete_said),
    Pair("two edits of ours", edit_said, partial(edit_said, text="other")),
    Pair("two edits elsewhere", edit_heard, new_options),
    Pair("a like and a deletion", like, delete_heard),
    Pair("a like from elsewhere and a deletion", like_of_theirs, delete_said),
    Pair("two likes", like, like),
    Pair("a like and its end", unlike, like, likes),
    Pair("two ends of a like", unlike, unlike, likes),
    Pair("the end of a like and a deletion", unlike, delete_heard, likes),
    Pair("a reaction and a deletion", react, delete_heard),
    Pair("two reactions, one too many", react, partial(react, emoji="❤️"), seven_reactions, reactions_fit),
    Pair("a boost and a deletion", boost, delete_heard),
    Pair("two boosts", boost, boost),
    Pair("two ends of a boost", unboost, unboost, boosted),
    Pair("the end of a boost and a deletion", unboost, delete_heard, boosted),
    Pair("an Announce and a deletion", announce, delete_said),
    Pair("two ends of an Announce", unannounce, unannounce, announced),
    Pair("the end of an Announce and a deletion", unannounce, delete_said, announced),
    Pair("a boost and the end of another", boost, unboost, boosted),
    Pair("an answer and a deletion", reply, delete_heard),
    Pair("an answer from elsewhere and a deletion", reply_of_theirs, delete_said),
    Pair("a vote and a deletion", vote, delete_asked),
    Pair("a vote and other options", vote, edit_asked, holds=votes_fit),
    Pair("two votes of one", vote, partial(vote, choice=1), holds=votes_fit),
    Pair("a vote and one from elsewhere", vote, vote_of_theirs, holds=votes_fit),
    Pair("a vote and the telling of results", vote, send_results, voted, results_are_told),
    Pair("a vote from elsewhere and a deletion", vote_of_theirs, delete_asked),
    Pair("a vote elsewhere and a deletion", vote_on_theirs, delete_heard),
    Pair("a vote elsewhere and other options", vote_on_theirs, new_options),
    Pair("a quote and a deletion", quote, delete_heard, holds=quotes_fit),
    Pair("a quote and the deletion of what it quotes", quote_said, delete_said, holds=quotes_fit),
    Pair("a quote elsewhere and the deletion of what it quotes", quote_of_theirs, delete_heard, holds=quotes_fit),
    Pair("two revocations of a quote", revoke_quote, revoke_quote, holds=quotes_fit),
    Pair("a revocation and the deletion of what quotes", revoke_quote, delete_quoting, holds=quotes_fit),
    Pair("a revocation and the deletion of what is quoted", revoke_quote, delete_said, holds=quotes_fit),
    Pair("a request to quote and its post", ask_to_quote, post_that_quotes, holds=quotes_fit),
    Pair("a request to quote and a deletion", ask_to_quote, delete_said),
    Pair("two requests to quote", ask_to_quote, ask_to_quote, lambda tx, it: _do(tx, post_that_quotes(it)), quotes_fit),
    Pair("a new policy and a deletion", policy, delete_said),
    Pair("a pin and a deletion", pin, delete_said),
    Pair("two pins, one too many", pin, pin_asked, partial(pinned, pins.MOST - 1), pins_fit),
    Pair("a follow and the end of the account", follow_bob, forget_bob),
    Pair("a follow of one of ours who leaves", follow_alice, leave_alice),
    Pair("a Follow from an account that goes", follow_of_theirs, forget_bob),
    Pair("the end of a follow and of the account", unfollow_bob, forget_bob, followed),
    Pair("the end of a follow of one who leaves", unfollow_alice, leave_alice, followed),
    Pair("an Undo of a Follow and the end of the account", unfollow_of_theirs, forget_bob, followed),
    Pair("two follows", follow_alice, follow_alice),
    Pair("two ends of a follow", unfollow_alice, unfollow_alice, followed),
    Pair("an Accept and an end of a follow", accept_of_theirs, unfollow_bob, asked_bob),
    Pair("two ends of an account", forget_bob, forget_bob, followed),
    Pair("what is left of the deleted, twice", purge_bob, purge_bob, bob_left),
    Pair("what is left of the deleted, and the end of a like", purge_bob, unlike_of_bob, bob_left),
    Pair("what is left of the deleted, and a boost", purge_bob, boost, bob_left),
    Pair("a block and a follow", block_bob, follow_bob, holds=apart),
    Pair("a block and a Follow from there", block_bob, follow_of_theirs, holds=apart),
    Pair("a Block from there and a follow", block_of_theirs, follow_bob, holds=apart),
    Pair("a block and a Block from there", block_bob, block_of_theirs, followed, apart),
    Pair("two blocks", block_bob, block_bob, followed, apart),
    Pair("a report and a deletion", report, delete_heard),
    Pair("a report and the end of the account", report, forget_bob),
    Pair("a member for a list, and the end of the follow", put_in_list, unfollow_alice, list_of),
    Pair("two members for a list", put_in_list, put_in_list, list_of),
    Pair("a member for a list that goes", put_in_list, end_list, list_of),
    Pair("a member that leaves a list, and its end", take_from_list, end_list, full_list),
    Pair("two lists, one too many", new_list, new_list, nearly_all_lists, lists_fit),
    Pair("two collections, one too many", new_collection, new_collection, nearly_all_collections, collections_fit),
    Pair("two members for a collection", put_in_collection, put_in_collection, collection),
    Pair("a member for a collection, who blocks", put_in_collection, block_alice, collection, not_shown),
    Pair("a picture for two posts", post_picture, post_picture, picture, pictures_fit),
    Pair("a letter for two passwords", new_password, partial(new_password, password="other"), forgotten),
    Pair("a sign-in and a new password", sign_in, change_password, holds=nobody_is_in),
    Pair("codes that are turned on twice", turn_on_codes, turn_on_codes, holds=codes_fit),
    Pair("two people of one name", sign_up, sign_up),
    Pair("one actor, met twice", meet, meet),
    Pair("two actors of one handle", meet, partial(meet, server="new.far.test")),
    Pair("a file that is brought twice", prepare_import, prepare_import),
    Pair("rows of a file, and another file", more_rows, prepare_import, brought),
    Pair("a row of a file that is stopped", do_row, stop_import, partial(brought, begun=True), row_fits),
    Pair("a planned post, twice", publish_planned, publish_planned, planned, planned_once),
    Pair("a planned post that is cancelled", publish_planned, cancel_planned, planned, planned_once),
    Pair("a picture for a post, and nobody's any more", post_picture, discard_picture, picture, pictures_fit),
]


def _do(tx: Connection, work: Work) -> Any:
    return work[0](tx, *work[1])


def _wrong(tx: Connection) -> dict[str, list[int]]:
    return counts.look(tx, "post", -1).wrong | counts.look(tx, "account", -1).wrong


def _prepared(tx: Connection, pair: Pair) -> Scene:
    it = scene(tx)
    pair.before(tx, it)
    return it


def _turns() -> Iterator[Any]:
    for pair in PAIRS:
        name = pair.name.replace(" ", "-")
        yield pytest.param(pair, id=name)
        if pair.one is not pair.other:
            yield pytest.param(replace(pair, one=pair.other, other=pair.one), id=f"{name}-turned")


@pytest.mark.parametrize("pair", list(_turns()))
async def test_two_at_the_same_moment(two: Two, pair: Pair) -> None:
    found: list[str] = []
    for at in count():
        it = await two.here.write(_prepared, pair)
        outcomes, goes_on = await two.interrupt(*pair.one(it), *pair.other(it), at=at)
        found += [f"{at}: {outcome!r}" for outcome in outcomes if not is_clean(outcome)]
        if wrong := await two.there.read(_wrong):
            found.append(f"{at}: {wrong}")
            await two.there.write(counts.repair, wrong)
        if not await two.there.read(pair.holds, it):
            found.append(f"{at}: it does not hold; {outcomes}")
        if not goes_on:
            break
    assert found == []
