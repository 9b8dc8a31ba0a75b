import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from outbox.backoff import GIVE_UP
from outbox.mail import LEASE, LETTERS, Talk, claim, next_due, renew
from outbox.outcomes import STUCK, heard_from, record
from store.tables import Host, account_keys, deliveries, hosts, jobs
from tests.conftest import NOW
from tests.outbox.rows import ALICE, LATER, count, far, followed, host, say


async def outcome(db, now=LATER, **found):
    """Claims the mail of one host, and records that all its letters had this outcome."""
    [mail] = await db.write(claim, now, 1, 1)
    talk = Talk(mail, **{name: list(mail.letters) if value is all else value for name, value in found.items()})
    await db.write(record, [talk], now)
    return mail


async def test_nothing_is_claimed_of_nothing(db):
    assert await db.write(claim, LATER, 10, 10) == []
    assert await db.read(next_due) is None
    assert await db.write(record, [], LATER) == 0
    assert await db.write(heard_from, [], NOW) is False
    assert await db.write(heard_from, ["never.seen"], NOW) is False


async def test_a_claim_has_all_that_is_needed_to_send(db):
    await db.write(followed, far(1))
    await say(db)
    assert await db.read(next_due) == NOW
    [mail] = await db.write(claim, NOW, 10)
    assert (mail.host, mail.failures, mail.scheme) == ("far.test", 0, None)
    [letter] = mail.letters
    assert (letter.inbox, letter.synchronisation) == ("https://far.test/inbox", "")
    assert (letter.activity.sender_id, letter.activity.created_at) == (ALICE.id, NOW)
    assert letter.activity.key.id == f"{ALICE.uri}#main-key"
    assert "PRIVATE" in letter.activity.key.pem
    assert "PRIVATE" not in repr(mail)


async def test_a_sender_without_a_key_is_no_error_here(db):
    await db.write(followed, far(1))
    await say(db)
    await db.write(lambda tx: tx.execute(delete(account_keys)) and None)
    [mail] = await db.write(claim, NOW, 10)
    assert mail.letters[0].activity.key is None


async def test_a_leased_host_is_nobody_elses_until_the_lease_ends(db):
    await db.write(followed, far(1))
    await say(db)
    first = await db.write(claim, NOW, 10)
    assert await db.write(claim, NOW + LEASE / 2, 10) == []
    await say(db, 2)
    assert await db.write(claim, NOW + LEASE / 2, 10) == []
    await db.write(renew, ["far.test"], NOW + LEASE / 2)
    assert await db.write(claim, NOW + LEASE, 10) == []
    [again] = await db.write(claim, NOW + 2 * LEASE, 10)  # the worker died
    assert again.letters[0] == first[0].letters[0]
    assert len(again.letters) == 2


async def test_claims_at_the_same_time_share_nothing(db):
    await db.write(followed, *(far(n, f"h{n}.test") for n in range(20)))
    await say(db)
    claims = await asyncio.gather(*(db.write(claim, NOW, 5) for _ in range(6)))
    names = [mail.host for found in claims for mail in found]
    assert len(names) == len(set(names))
    rest = await db.write(claim, NOW, 100)
    assert sorted(names + [mail.host for mail in rest]) == sorted(f"h{n}.test" for n in range(20))


async def test_a_claim_has_a_few_letters_and_the_rest_is_due_at_once(db):
    await db.write(followed, far(1))
    for n in range(LETTERS + 2):
        await say(db, n)
    first = await outcome(db, accepted=all)
    assert len(first.letters) == LETTERS
    assert first.letters == tuple(sorted(first.letters, key=lambda letter: letter.activity.id))
    assert len((await outcome(db, accepted=all)).letters) == 2
    after = await db.read(host, "far.test")
    assert (after.due, after.failures, after.succeeded_at) == (None, 0, LATER)


async def test_mail_that_is_queued_during_a_talk_is_not_forgotten(db):
    await db.write(followed, far(1))
    await say(db)
    [mail] = await db.write(claim, NOW, 1)
    await say(db, 2)
    await db.write(record, [Talk(mail, accepted=list(mail.letters))], NOW)
    [mail] = await db.write(claim, NOW, 1)
    assert b"#2" in mail.letters[0].activity.body


async def test_a_silent_host_waits_with_all_its_mail_and_new_mail_does_not_shorten_the_wait(db):
    await db.write(followed, far(1))
    await say(db)
    await outcome(db, silent=True, error="took too long")
    silent = await db.read(host, "far.test")
    assert (silent.failures, silent.failing_since, silent.last_error) == (1, LATER, "took too long")
    assert LATER + timedelta(seconds=30) <= silent.due <= LATER + timedelta(minutes=1)
    await say(db, 2)
    assert await db.read(host, "far.test") == silent
    assert await db.write(claim, silent.due, 10, 0) == []  # it has places of its own
    assert await db.read(count, deliveries) == 2
    await outcome(db, now=silent.due, silent=True)
    assert (await db.read(host, "far.test")).failures == 2
    assert (await db.read(host, "far.test")).failing_since == LATER


async def test_a_host_that_says_when_is_not_tried_earlier(db):
    await db.write(followed, far(1))
    await say(db)
    await outcome(db, silent=True, retry_after=7200.0)
    assert (await db.read(host, "far.test")).due == LATER + timedelta(hours=2)


async def test_after_a_month_of_silence_its_mail_is_dropped(db):
    await db.write(followed, far(1), far(2, "up.test"))
    await say(db)
    mail = await db.write(claim, LATER, 2)
    long_ago = LATER - GIVE_UP
    await db.write(lambda tx: tx.execute(update(hosts).values(failing_since=long_ago, failures=60)) and None)
    talks = [Talk(one, silent=True) if one.host == "far.test" else Talk(one, accepted=[*one.letters]) for one in mail]
    assert await db.write(record, talks, LATER) == 1
    assert await db.read(count, deliveries) == 0
    after = await db.read(host, "far.test")
    assert after.due is not None
    assert await db.write(claim, after.due, 0, 10) == []
    assert (await db.read(host, "far.test")).due is None


@pytest.mark.parametrize("outcome_", ["accepted", "refused"])
async def test_what_is_done_is_done(db, outcome_):
    await db.write(followed, far(1))
    await say(db)
    await outcome(db, **{outcome_: all})
    assert await db.read(count, deliveries) == 0


async def test_a_host_that_answers_again_is_well(db):
    await db.write(followed, far(1))
    await say(db)
    await outcome(db, silent=True, error="x")
    later = LATER + timedelta(days=1)
    await outcome(db, now=later, accepted=all, scheme="rfc9421")
    assert await db.read(host, "far.test") == Host("far.test", 0, None, None, "rfc9421", None, later, None, None)
    await say(db, 2)
    assert (await outcome(db, now=later, accepted=all)).scheme == "rfc9421"
    assert (await db.read(host, "far.test")).scheme == "rfc9421"


async def test_a_talk_that_did_not_come_about_changes_nothing_but_the_lease(db):
    await db.write(followed, far(1))
    await say(db)
    await outcome(db, silent=True, error="x")
    silent = await db.read(host, "far.test")
    await outcome(db, now=silent.due)
    assert await db.read(host, "far.test") == silent


async def test_who_is_not_known_any_more_is_no_error(db):
    await db.write(followed, far(1))
    await say(db)
    [mail] = await db.write(claim, NOW, 1)
    await db.write(lambda tx: tx.execute(delete(hosts)) and None)
    assert await db.write(record, [Talk(mail, silent=True)], NOW) == 0


async def test_an_inbox_that_is_no_more_gets_nothing_more_and_its_owner_is_looked_for(db):
    gone, there = far(1, shared_inbox=None), far(2, shared_inbox=None)
    await db.write(followed, gone, there)
    await say(db)
    await say(db, 2)
    [mail] = await db.write(claim, NOW, 1)
    to_gone = [letter for letter in mail.letters if letter.inbox == gone.inbox]
    assert len(mail.letters) == 4
    await db.write(record, [Talk(mail, gone=to_gone[:1], error="410")], NOW)
    assert await db.read(lambda tx: set(tx.scalars(select(deliveries.c.inbox)))) == {there.inbox}
    [(kind, payload)] = await db.read(lambda tx: [tuple(r) for r in tx.execute(select(jobs.c.kind, jobs.c.payload))])
    assert (kind, payload) == ("check_deleted", {"uri": gone.uri})


async def test_what_a_host_cannot_take_waits_a_little(db):
    await db.write(followed, far(1))
    await say(db)
    await say(db, 2)
    [mail] = await db.write(claim, LATER, 1)
    await db.write(record, [Talk(mail, accepted=[mail.letters[1]], stuck={1: "500"}, error="500")], LATER)
    after = await db.read(host, "far.test")
    assert (after.due, after.failures, after.last_error) == (LATER + STUCK, 0, "500")
    assert await db.read(count, deliveries) == 1


async def test_who_contacts_us_is_tried_again_at_once(db):
    await db.write(followed, far(1, "a.test"), far(2, "b.test"))
    await say(db)
    mail = await db.write(claim, LATER, 2)
    await db.write(record, [Talk(one, silent=True) for one in mail], LATER)
    assert await db.write(heard_from, ["a.test", "c.test"], LATER) is True
    assert [one.host for one in await db.write(claim, LATER, 10, 10)] == ["a.test"]
    heard = await db.read(host, "a.test")
    assert (heard.failures, heard.failing_since, heard.heard_at) == (0, None, LATER)
    assert (await db.read(host, "b.test")).failures == 1


async def test_who_is_heard_all_the_time_costs_one_look(db, queries):
    await db.write(followed, far(1))
    await say(db)
    assert await db.write(heard_from, ["far.test"], NOW) is False
    queries.clear()
    assert await db.write(heard_from, ["far.test"], NOW + timedelta(minutes=5)) is False
    assert len(queries) == 1
    due = (await db.read(host, "far.test")).due
    await db.write(heard_from, ["far.test"], NOW + timedelta(hours=5))
    after = await db.read(host, "far.test")
    assert (after.due, after.heard_at) == (due, NOW + timedelta(hours=5))


async def test_statements_of_a_claim_and_a_record_do_not_grow_with_the_hosts(db, queries):
    await db.write(followed, *(far(n, f"h{n}.test") for n in range(30)))
    await say(db)
    counts = []
    for most in (1, 29):
        queries.clear()
        mail = await db.write(claim, NOW, most)
        await db.write(record, [Talk(one, accepted=list(one.letters), scheme="cavage") for one in mail], NOW)
        counts.append(len(queries))
    assert len(set(counts)) == 1
