import asyncio

import pytest

from outbox.mail import LEASE, Mail
from outbox.window import PATIENCE, SLOW, WARM, Window


def mail(name, failures=0):
    return Mail(name, failures, None, ())


@pytest.fixture
async def task():
    made = asyncio.create_task(asyncio.sleep(0))
    yield made
    await made


def test_an_empty_window_has_room_and_nothing_else():
    window = Window(8, 16)
    assert window.room() == (8, 2)
    assert window.has_room
    assert window.wants_mail
    assert (window.leases(1e9), window.expired(1e9), window.close(), list(window.later(0, patient=False))) == ([],) * 4


def test_a_full_window_has_no_room_until_talks_are_slow_or_end(task):
    window = Window(8, 16)
    for n in range(8):
        window.begin(mail(f"h{n}"), task, 100.0)
    assert not window.has_room
    assert window.room() == (0, 2)
    window.grow_old(100.0 + SLOW)
    assert window.room() == (0, 2)
    window.grow_old(100.1 + SLOW)
    assert window.room() == (6, 2)  # of 16 places, 8 are taken and 2 kept for hosts that were silent
    window.end("h0", 102.0, accepted=False)
    assert window.room() == (7, 2)


def test_the_places_are_limited_whoever_is_slow(task):
    window = Window(8, 16)
    for n in range(16):
        window.begin(mail(f"h{n}"), task, 100.0)
    window.grow_old(200.0)
    assert (window.has_room, window.room()) == (False, (0, 0))


def test_silent_hosts_take_no_more_than_their_share(task):
    window = Window(8, 16)
    for n in range(2):
        window.begin(mail(f"h{n}", failures=1), task, 100.0)
    assert window.room() == (8, 0)
    window.end("h0", 100.0, accepted=True)
    assert window.room() == (8, 1)


def test_who_took_mail_lately_comes_first(task):
    window, warm, cold = Window(8, 16), mail("warm"), mail("cold")
    window.begin(warm, task, 100.0)
    window.end("warm", 100.0, accepted=True)
    assert window.sort([cold, warm], 101.0) == [warm]
    assert list(window.later(101.0, patient=True)) == []
    assert list(window.later(101.1 + PATIENCE, patient=True)) == [cold]
    assert window.sort([warm], 101.0 + WARM) == []
    assert list(window.later(101.0 + WARM, patient=False)) == [warm]


def test_who_refused_it_is_no_longer_first(task):
    window, one = Window(8, 16), mail("one")
    for accepted in (True, False):
        window.begin(one, task, 100.0)
        window.end("one", 100.0, accepted=accepted)
    assert window.sort([one], 100.0) == []


def test_those_who_wait_are_given_back_before_their_lease_ends():
    window, one, two = Window(8, 16), mail("one"), mail("two")
    assert window.sort([one], 100.0) == []
    assert window.sort([two], 105.0) == []
    assert window.expired(100.0 + LEASE.total_seconds() / 2) == []
    assert window.expired(100.1 + LEASE.total_seconds() / 2) == [one]
    assert window.close() == [two]


def test_many_who_wait_stop_further_claims_and_are_served():
    window = Window(4, 16)
    waiting = [mail(f"h{n}") for n in range(4)]
    window.sort(waiting, 100.0)
    assert not window.wants_mail
    assert next(iter(window.later(100.0, patient=True))) == waiting[0]


def test_a_long_talk_keeps_its_lease(task):
    window, quarter = Window(8, 16), LEASE.total_seconds() / 4
    window.begin(mail("h"), task, 100.0)
    assert window.leases(100.0 + quarter) == []
    assert window.leases(100.1 + quarter) == ["h"]
    assert window.leases(100.2 + quarter) == []
