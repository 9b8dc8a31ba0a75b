import asyncio
from collections import defaultdict
from datetime import timedelta

import pytest

from federation.client import Answer
from federation.errors import Malformed, Refused, Unreachable
from outbox.mail import Activity, Letter, Mail, Talk
from outbox.talk import MUCH, SENDERS, STUCK_FOR, Verdict, judge, talk
from tests.conftest import NOW

INBOX = "https://far.test/inbox"
OTHER = "https://far.test/users/bob/inbox"


def letter(number, sender=1, inbox=INBOX, at=NOW):
    return Letter(Activity(number, sender, b"{}", at, None), inbox)


def mail(*letters):
    return Mail("far.test", 0, "cavage", letters)


def answer(status, reason="", retry_after=None, scheme="cavage"):
    return Answer(status, retry_after, scheme, reason)


async def told(of, answers, **more):
    """What a host heard, and the talk; its answers are given by the id of the activity, else 202."""
    heard = []

    async def send(one, scheme):
        heard.append(one.activity.id)
        found = answers.get(one.activity.id, answer(202))
        if isinstance(found, Exception):
            raise found
        return found

    outcome = Talk(of)
    await talk(of, send, outcome, NOW, **more)
    return heard, outcome


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((400, 402, 403, 405, 406, 413, 415, 422, 451), Verdict.REFUSED),
        ((404, 410), Verdict.GONE),
        ((401, 500, 501, 505, 520, 599), Verdict.STUCK),
        ((100, 301, 302, 308, 408, 429, 502, 503, 504), Verdict.SILENT),
        ((200, 201, 202, 204), Verdict.ACCEPTED),
    ],
)
def test_what_a_status_means(statuses, verdict):
    assert {judge(status) for status in statuses} == {verdict}


@pytest.mark.parametrize("status", [429, 503, 302])
async def test_a_busy_host_hears_no_more(status):
    heard, outcome = await told(mail(letter(1), letter(2), letter(3)), {2: answer(status, "busy", 60.0)})
    assert heard == [1, 2]
    assert (outcome.silent, outcome.error, outcome.retry_after) == (True, f"{status} busy", 60.0)
    assert [one.activity.id for one in outcome.accepted] == [1]


async def test_a_host_out_of_reach_hears_no_more():
    heard, outcome = await told(mail(letter(1), letter(2)), {1: Unreachable("far.test", "took too long")})
    assert (heard, outcome.silent, outcome.error) == ([1], True, "took too long")
    assert not outcome.accepted


async def test_what_we_may_not_or_cannot_send_is_final():
    heard, outcome = await told(mail(letter(1), letter(2)), {1: Refused("blocked"), 2: Malformed("key", "x")})
    assert (heard, len(outcome.refused), outcome.silent) == ([1, 2], 2, False)


async def test_a_bug_loses_no_mail_and_does_not_send_for_ever(caplog):
    heard, outcome = await told(mail(letter(1), letter(2)), {1: KeyError("bug")})
    assert (heard, outcome.silent, outcome.refused) == ([1], True, [])
    assert "KeyError" in outcome.error
    assert "bug" in caplog.text


async def test_what_they_do_not_want_is_final_and_the_rest_goes_on():
    heard, outcome = await told(mail(letter(1), letter(2)), {1: answer(403)})
    assert (heard, len(outcome.refused), len(outcome.accepted), outcome.silent) == ([1, 2], 1, 1, False)


async def test_an_inbox_that_is_no_more_is_not_written_to_again():
    heard, outcome = await told(mail(letter(1), letter(2), letter(3, inbox=OTHER)), {1: answer(410)})
    assert heard == [1, 3]
    assert [one.inbox for one in outcome.gone] == [INBOX]


@pytest.mark.parametrize("status", [401, 500])
async def test_a_stuck_letter_holds_back_its_sender_alone(status):
    heard, outcome = await told(mail(letter(1, 1), letter(2, 1), letter(3, 2)), {1: answer(status)})
    assert heard == [1, 3]
    assert (list(outcome.stuck), outcome.silent) == ([1], False)


async def test_a_host_that_takes_nothing_is_left_alone():
    heard, outcome = await told(mail(letter(1, 1), letter(2, 2)), {1: answer(401), 2: answer(500)})
    assert (heard, outcome.silent) == ([1, 2], True)


async def test_a_letter_that_was_stuck_for_days_is_given_up_so_that_others_may_pass():
    old = NOW - STUCK_FOR - timedelta(seconds=1)
    heard, outcome = await told(mail(letter(1, at=old), letter(2)), {1: answer(500)})
    assert (heard, len(outcome.refused), outcome.stuck) == ([1, 2], 1, {})


async def test_a_long_talk_stops_and_the_rest_waits():
    heard, outcome = await told(mail(letter(1)), {}, ends=0.0)
    assert (heard, outcome.silent, outcome.accepted) == ([], False, [])


async def test_the_scheme_that_was_accepted_is_used_for_the_next():
    tried = []

    async def send(one, scheme):
        tried.append(scheme)
        return answer(202, scheme="rfc9421")

    outcome = Talk(mail(letter(1), letter(2)))
    await talk(outcome.mail, send, outcome, NOW)
    assert (tried, outcome.scheme) == (["cavage", "rfc9421"], "rfc9421")


async def test_many_senders_are_heard_at_the_same_time_each_in_order():
    letters = [letter(n, sender=n % 6) for n in range(MUCH * 3)]
    together, most, heard = 0, 0, defaultdict(list)

    async def send(one, scheme):
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(0)
        together -= 1
        heard[one.activity.sender_id].append(one.activity.id)
        return answer(202)

    outcome = Talk(mail(*letters))
    await talk(outcome.mail, send, outcome, NOW)
    assert most == SENDERS
    assert len(outcome.accepted) == len(letters)
    assert all(ids == sorted(ids) for ids in heard.values())


async def test_a_cancelled_talk_knows_what_had_arrived():
    hangs = asyncio.Event()

    async def send(one, scheme):
        if one.activity.id == 2:
            hangs.set()
            await asyncio.Event().wait()
        return answer(202)

    outcome = Talk(mail(letter(1), letter(2)))
    task = asyncio.create_task(talk(outcome.mail, send, outcome, NOW))
    await hangs.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one.activity.id for one in outcome.accepted] == [1]
