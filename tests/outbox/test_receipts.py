"""Did a post arrive?  All it was for have it, but for those who wait, refused, or were given up."""

from datetime import timedelta

from outbox import enqueue, fetches, queue, receipts
from outbox.mail import Talk, claim
from outbox.outcomes import record
from tests.conftest import NOW
from tests.outbox.rows import ALICE, LATER, add_post, far, followed, hello, host, post

A, B, C, D = "a.test", "b.test", "c.test", "d.test"


def sent(tx, *, to=(A, B, C, D)):
    followed(tx, *(far(number, name) for number, name in enumerate(to, 1)))
    mine = post(ALICE)
    add_post(tx, mine)
    enqueue.to_followers(tx, ALICE, hello(number=1), now=NOW, post_id=mine.id)
    return mine.id


def talked(tx, how, now=LATER):
    """how(talk), for each host that is due."""
    for mail in claim(tx, now, 99, 99):
        talk = Talk(mail)
        how(talk)
        record(tx, [talk], now)


async def told(db, post_id):
    found = await db.read(receipts.of, post_id)
    return found.arrived, [one.host for one in found.waiting], {one.host: one.why for one in found.refused}


async def test_what_was_sent_to_nobody_has_no_receipt(db):
    assert await told(db, 1) == (0, [], {})

    def unit(tx):
        followed(tx)
        mine = post(ALICE)
        add_post(tx, mine)
        enqueue.to_followers(tx, ALICE, hello(number=1), now=NOW, post_id=mine.id)
        return mine.id

    assert await told(db, await db.write(unit)) == (0, [], {})


async def test_all_have_it_but_those_who_wait_or_refused(db):
    post_id = await db.write(sent)
    assert await told(db, post_id) == (0, [A, B, C, D], {})

    def how(talk):
        match talk.mail.host:
            case "a.test":
                talk.accepted += talk.mail.letters
            case "b.test":
                talk.refused += talk.mail.letters
                talk.error = "403 Forbidden"
            case "c.test":
                talk.gone += talk.mail.letters
            case _:
                talk.silent, talk.error = True, "connection refused"

    await db.write(talked, how)
    assert await told(db, post_id) == (1, [D], {B: "403 Forbidden", C: "the inbox is no more"})
    [waiting] = (await db.read(receipts.of, post_id)).waiting
    assert (waiting.failing_since, waiting.last_error) == (LATER, "connection refused")


async def test_who_fetched_a_post_and_refuses_its_edit_is_no_part_of_its_receipt(db):
    post_id = await db.write(sent)

    def accept(talk):
        talk.accepted += talk.mail.letters

    await db.write(talked, accept)
    await db.write(fetches.add, "e.test", "https://e.test/inbox", [post_id], NOW)
    await db.write(enqueue.to_inboxes_of_post, ALICE, hello(number=2), post_id, now=NOW)
    assert await told(db, post_id) == (4, [], {})

    def refuse(talk):
        talk.refused += talk.mail.letters
        talk.error = "403 Forbidden"

    await db.write(talked, refuse)
    assert await told(db, post_id) == (4, [], {})


async def test_who_is_given_up_and_what_is_dropped_did_not_get_it(db):
    post_id = await db.write(sent)

    def silent(talk):
        talk.silent, talk.error = True, "timeout"

    await db.write(talked, silent)
    assert await db.write(queue.drop, A) == 1
    much_later = (await db.read(host, B)).failing_since + timedelta(days=31)

    def only_b_is_silent(talk):
        if talk.mail.host == B:
            silent(talk)
        else:
            talk.accepted += talk.mail.letters

    await db.write(talked, only_b_is_silent, much_later)
    dropped = "dropped by who runs this server"
    assert await told(db, post_id) == (2, [], {A: dropped, B: "silent for 30 days: timeout"})


async def test_all_that_is_dropped_did_not_arrive(db):
    post_id = await db.write(sent)
    assert await db.write(queue.drop, None) == 4
    assert (await told(db, post_id))[0] == 0
    assert len((await told(db, post_id))[2]) == 4
