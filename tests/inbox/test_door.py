"""Who is let in, and what the others are told."""

import asyncio
import time
from dataclasses import replace
from email.utils import formatdate

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from federation.actors import Met
from federation.errors import Busy, Gone, Malformed, Unreachable
from federation.keys import load_private, load_public
from federation.reading import Actor, Key, actor_of, identity, uri
from inbox import spool as spooling
from inbox.counts import Counts
from inbox.keys import Windows
from inbox.messages import Hint, Verified
from inbox.routes import LARGEST
from store.tables import HostPolicy, account_keys, accounts, spooled
from tests.conftest import NOW
from tests.inbox.letters import TYPE, activity, create, envelope, key_of
from tests.people import ed25519_pem, local, remote, rsa_pem, stored

BOB, EVE = remote("bob"), remote("eve", "bad.test")


@pytest.fixture
async def people(sqlite_db):
    await stored(sqlite_db, BOB, EVE)


def how_many(tx):
    return tx.scalar(select(func.count()).select_from(spooled))


def away(tx, table):
    tx.exec_driver_sql(f"ALTER TABLE {table} RENAME TO lost_{table}")


def elsewhere(person, pair=rsa_pem, name=None):
    """What its server says of somebody."""
    key_id, pem = f"{person.uri}#main-key", pair(name or person.username)[1]
    actor = Actor(person.uri, "Person", person.username, person.inbox, keys=(Key(key_id, person.uri, pem),))
    return load_public(key_id, person.uri, pem), Met(actor, person.handle)


async def refused(door, spool, status, answer):
    assert answer[0] == status, answer
    assert set(answer[1]) == {"error"}
    assert "\n" not in answer[1]["error"]
    assert await spool.read(how_many) == 0


# Refused.


async def test_what_is_not_signed_is_refused(door, people, spool):
    await refused(door, spool, 401, await door.send({"Host": "ours.test"}, orjson.dumps(create(BOB))))


async def test_a_wrong_signature_is_refused(door, people, spool):
    wrong = load_private(f"{BOB.uri}#main-key", rsa_pem("eve")[0])
    await refused(door, spool, 401, await door.post(wrong, create(BOB)))


async def test_another_body_than_the_signed_one_is_refused(door, people, spool):
    headers, _ = envelope(key_of(BOB), create(BOB, 1))
    await refused(door, spool, 401, await door.send(headers, orjson.dumps(create(BOB, 2))))


@pytest.mark.parametrize("age", [13 * 3600, -2 * 3600])
async def test_a_date_outside_the_window_is_refused(door, people, spool, age):
    await refused(door, spool, 401, await door.post(key_of(BOB), create(BOB), now=time.time() - age))


async def test_a_garbled_date_is_refused(door, people, spool):
    headers, body = envelope(key_of(BOB), create(BOB))
    await refused(door, spool, 401, await door.send({**headers, "Date": "yesterday"}, body))


async def test_another_date_than_the_signed_one_is_refused(door, people, spool):
    headers, body = envelope(key_of(BOB), create(BOB))
    later = formatdate(time.time() + 5, usegmt=True)
    await refused(door, spool, 401, await door.send({**headers, "Date": later}, body))


async def test_a_message_to_another_path_is_refused(door, people, spool):
    headers, body = envelope(key_of(BOB), create(BOB), url="https://ours.test/users/alice/inbox")
    await refused(door, spool, 401, await door.send(headers, body))


async def test_a_message_to_another_host_is_refused(door, people, spool):
    headers, body = envelope(key_of(BOB), create(BOB), url="https://other.test/inbox")
    await refused(door, spool, 401, await door.send(headers, body))


async def test_a_key_that_is_no_address_is_refused(door, people, spool):
    key = replace(key_of(BOB), id="acct:bob@far.test")
    await refused(door, spool, 401, await door.post(key, create(BOB)))
    assert door.elsewhere.asked == []


async def test_a_key_that_nobody_has_is_refused(door, spool):
    await refused(door, spool, 401, await door.post(key_of(BOB), create(BOB)))
    assert door.elsewhere.asked == [f"{BOB.uri}#main-key"]


async def test_who_is_blocked_is_refused_before_any_key_is_fetched(door, spool):
    door.rules.replace([HostPolicy("far.test", "block", "", NOW)])
    await refused(door, spool, 403, await door.post(key_of(BOB), create(BOB)))
    assert door.elsewhere.asked == []


async def test_the_relay_of_a_blocked_host_is_refused(door, people, spool):
    door.rules.replace([HostPolicy("bad.test", "block", "", NOW)])
    await refused(door, spool, 403, await door.post(key_of(EVE), create(BOB)))


async def test_with_a_list_of_friends_strangers_are_refused(door, people, spool):
    door.rules._mode = "allowlist"
    door.rules.replace([HostPolicy("test", "allow", "", NOW), HostPolicy("bad.test", "block", "", NOW)])
    await refused(door, spool, 403, await door.post(key_of(EVE), create(EVE)))
    assert (await door.post(key_of(BOB), create(BOB)))[0] == 202


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b'"x"',
        b'{"id": "https://far.test/1"}',
        b'{"actor": "https://far.test/users/bob"}',
        b'{"id": "urn:1", "actor": "https://far.test/users/bob"}',
        b'{"id": {}, "actor": []}',
        b'{"id": "https://far.test/1", "actor": ["https://far.test/users/bob", "https://bad.test/users/eve"]}',
        b'{"id": "https://far.test/1", "id": "https://far.test/2", "actor": "https://far.test/users/bob"}',
        b'{"id": "https://far.test/1", "actor": "https://far.test/users/bob", "x": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"id": "https://far.test/1", "actor": "https://far.test/users/bob", "x": 1' + b"0" * 5000 + b"}",
        b"\xff\xfe\x00",
    ],
)
async def test_what_is_no_activity_is_refused(door, people, spool, document):
    await refused(door, spool, 400, await door.post(key_of(BOB), document))


@pytest.mark.parametrize("kind", ["text/html", "application/json", "multipart/form-data; boundary=x", ""])
async def test_other_types_are_refused(door, people, spool, kind):
    headers, body = envelope(key_of(BOB), create(BOB))
    await refused(door, spool, 415, await door.send({**headers, "Content-Type": kind}, body))


async def test_compressed_bodies_are_refused(door, people, spool):
    headers, body = envelope(key_of(BOB), create(BOB))
    answer = await door.send({**headers, "Content-Encoding": "gzip"}, body)
    assert answer[0] in (400, 415)
    assert await spool.read(how_many) == 0


async def test_what_is_too_large_is_refused(door, people, spool):
    body = orjson.dumps(create(BOB, content="x" * LARGEST))
    await refused(door, spool, 413, await door.post(key_of(BOB), body))


async def test_what_is_too_large_and_does_not_say_so_is_refused(door, people, spool):
    async def endless():
        for _ in range(LARGEST // 65536 + 2):
            yield b" " * 65536

    async with door.http.post("/inbox", data=endless(), headers={"Content-Type": TYPE}) as answer:
        await refused(door, spool, 413, (answer.status, await answer.json()))


@pytest.mark.parametrize(
    "rest",
    [
        "Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: x\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    ],
)
async def test_broken_http_is_a_bad_request(door, rest):
    reader, writer = await asyncio.open_connection(door.http.host, door.http.port)
    writer.write(f"POST /inbox HTTP/1.1\r\nHost: ours.test\r\nContent-Type: {TYPE}\r\n{rest}".encode())
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    assert status in (b"400", b"401")


async def test_a_name_that_nobody_has_is_not_found(door, people, spool):
    await refused(door, spool, 404, await door.post(key_of(BOB), create(BOB), path="/users/nobody/inbox"))


async def test_who_left_is_gone(door, people, spool, sqlite_db):
    alice = await local(sqlite_db, "alice")
    change = update(accounts).where(accounts.c.id == alice.id).values(deleted_at=NOW)
    await sqlite_db.write(lambda tx: tx.execute(change).rowcount)
    await refused(door, spool, 410, await door.post(key_of(BOB), create(BOB), path="/users/alice/inbox"))


async def test_when_the_spool_is_full_others_are_asked_to_come_again(door, people, spool):
    door.receiver._appender._limit = 1
    headers, body = envelope(key_of(BOB), create(BOB))
    async with door.http.post("/inbox", headers=headers, data=body) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
        assert set(await answer.json()) == {"error"}
    door.receiver._appender._limit = spooling.LIMIT
    assert (await door.post(key_of(BOB), create(BOB)))[0] == 202


async def test_refusals_are_counted_by_reason(door, people):
    await door.send({"Host": "ours.test"}, orjson.dumps(create(BOB)))
    await door.send({"Host": "ours.test"}, b"{}")
    assert door.counts.take() == {"refused/signature": 1, "refused/malformed": 1}


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
        max_size=5,
    )
)
def test_any_json_has_an_id_and_an_actor_or_is_malformed(document):
    document.setdefault("actor", document.get("id"))
    for read in (identity, actor_of):
        try:
            assert isinstance(read(document), str)
        except Malformed:
            continue
    uri(document, "object")


# Let in.


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
@pytest.mark.parametrize(
    "kind", [TYPE, 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"', "application/ld+json"]
)
async def test_an_honest_message_is_on_disk_before_it_is_answered(door, people, spool, scheme, kind):
    headers, body = envelope(key_of(BOB), create(BOB), scheme=scheme)
    headers["Content-Type"] = kind if scheme == "rfc9421" and kind == TYPE else headers["Content-Type"]
    assert await door.send(headers, body) == (202, None)
    [kept] = await spool.read(spooling.waiting, 10)
    assert kept.message == Verified(BOB.uri, create(BOB), body)


async def test_a_personal_inbox_remembers_whose_it_is_and_what_was_said_of_followers(door, people, spool, sqlite_db):
    await local(sqlite_db, "alice")
    url = "https://ours.test/users/alice/inbox"
    said = {"Collection-Synchronization": "some"}
    headers, body = envelope(key_of(BOB), create(BOB), url=url, also=said)
    await door.send(headers, body, "/users/alice/inbox")
    unsigned, other = envelope(key_of(BOB), create(BOB, 2), url=url)
    await door.send({**unsigned, **said}, other, "/users/alice/inbox")
    kept = await spool.read(spooling.waiting, 10)
    assert [(one.message.recipient, one.message.sync) for one in kept] == [("alice", "some"), ("alice", None)]


async def test_the_signature_may_be_of_another_actor_but_then_it_is_a_hint(door, people, spool):
    assert (await door.post(key_of(EVE), create(BOB)))[0] == 202
    [kept] = await spool.read(spooling.waiting, 10)
    assert kept.message == Hint(EVE.uri, create(BOB), orjson.dumps(create(BOB)))


async def test_a_neighbour_on_the_same_host_is_somebody_else(door, spool, sqlite_db):
    neighbour = remote("mallory")
    await stored(sqlite_db, BOB, neighbour)
    await door.post(key_of(neighbour), create(BOB))
    [kept] = await spool.read(spooling.waiting, 10)
    assert isinstance(kept.message, Hint)


async def test_unknown_types_are_accepted(door, people):
    assert (await door.post(key_of(BOB), activity("Blub", BOB, "https://far.test/x")))[0] == 202


async def test_a_goodbye_of_somebody_unknown_is_dropped_before_any_key_is_fetched(door, spool):
    assert await door.post(key_of(BOB), activity("Delete", BOB, BOB.uri)) == (202, None)
    assert door.elsewhere.asked == []
    assert await spool.read(how_many) == 0


async def test_a_goodbye_of_somebody_known_is_kept_when_it_is_signed_well(door, people, spool):
    wrong = load_private(f"{BOB.uri}#main-key", rsa_pem("eve")[0])
    assert (await door.post(wrong, activity("Delete", BOB, BOB.uri)))[0] == 401
    assert (await door.post(key_of(BOB), activity("Delete", BOB, BOB.uri)))[0] == 202
    assert await spool.read(how_many) == 1


# Keys.


async def test_a_new_key_is_fetched_once_and_kept_with_its_owner_beside_the_message(door, spool):
    door.elsewhere.keys[f"{BOB.uri}#main-key"] = elsewhere(BOB)
    assert [(await door.post(key_of(BOB), create(BOB, n)))[0] for n in range(3)] == [202, 202, 202]
    assert door.elsewhere.asked == [f"{BOB.uri}#main-key"]
    met = [kept.message.introduction for kept in await spool.read(spooling.waiting, 10)]
    assert (met[0].handle, met[0].actor.id, met[1:]) == ("bob@far.test", BOB.uri, [None, None])
    assert (await spool.read(spooling.key, f"{BOB.uri}#main-key")).owner == BOB.uri


async def test_a_forged_message_leaves_nothing_of_the_key_that_was_fetched_for_it(door, spool, sqlite_db):
    door.elsewhere.keys[f"{BOB.uri}#main-key"] = elsewhere(BOB)
    forged = load_private(f"{BOB.uri}#main-key", rsa_pem("eve")[0])
    assert [(await door.post(forged, create(BOB, n)))[0] for n in range(3)] == [401, 401, 401]
    assert len(door.elsewhere.asked) == 1
    assert await spool.read(spooling.key, f"{BOB.uri}#main-key") is None
    assert await sqlite_db.read(lambda tx: tx.scalar(select(accounts.c.id).where(accounts.c.uri == BOB.uri))) is None
    assert (await door.post(key_of(BOB), create(BOB)))[0] == 202


async def test_a_key_that_is_served_by_ourselves_opens_nothing(door, spool):
    alice = replace(BOB, uri="https://ours.test/users/alice")
    door.elsewhere.keys[f"{alice.uri}#main-key"] = elsewhere(alice)
    assert (await door.post(key_of(alice), create(alice)))[0] == 401
    assert await spool.read(how_many) == 0


async def test_while_the_database_is_away_known_keys_and_new_ones_do(door, people, spool, sqlite_db):
    await door.post(key_of(BOB), create(BOB, 1))
    for table in ("account", "account_key"):
        await sqlite_db.write(away, table)
    carol = remote("carol", "third.test")
    door.elsewhere.keys[f"{carol.uri}#main-key"] = elsewhere(carol)
    door.clock[0] = 3600.0  # what is in memory is looked up again
    assert (await door.post(key_of(BOB), create(BOB, 2)))[0] == 202
    assert (await door.post(key_of(carol), create(carol)))[0] == 202
    assert await spool.read(how_many) == 3


async def test_while_the_database_is_away_unknown_keys_are_a_matter_for_later(door, people, spool, sqlite_db):
    """401 would be final for most, and 202 for a goodbye that was dropped would be a lie."""
    sqlite_db.shut = "away"
    goodbye = {"id": f"{BOB.uri}#gone", "type": "Delete", "actor": BOB.uri, "object": BOB.uri}
    for trouble in (Unreachable("far.test", "silent"), Gone("404"), Busy("far.test", "answered 503")):
        door.elsewhere.keys[f"{BOB.uri}#main-key"] = trouble
        door.clock[0] += 120.0
        await refused(door, spool, 503, await door.post(key_of(BOB), create(BOB)))
        await refused(door, spool, 503, await door.post(key_of(BOB), goodbye))
    headers, body = envelope(key_of(BOB), create(BOB))
    async with door.http.post("/inbox", headers=headers, data=body) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    counted = door.counts.take()
    assert counted["refused/unchecked"] == counted["missed"] == 7
    sqlite_db.shut = ""
    assert (await door.post(key_of(BOB), create(BOB)))[0] == 202


async def test_while_the_database_is_away_a_wrong_signature_is_still_wrong(door, people, spool, sqlite_db):
    assert (await door.post(key_of(BOB), create(BOB)))[0] == 202
    sqlite_db.shut = "away"
    door.clock[0] = 3600.0
    forger = load_private(f"{BOB.uri}#main-key", rsa_pem("forger")[0])
    assert (await door.post(forger, create(BOB, 2)))[0] == 401
    assert await spool.read(how_many) == 1


async def test_a_flood_of_unknown_keys_fills_no_spool_and_is_no_outage(door, spool, sqlite_db):
    """With the database there it is the trouble of others; with it away nothing unchecked is kept either."""
    strangers = [remote(f"x{number}", "flood.test") for number in range(20)]
    for person in strangers:
        door.elsewhere.keys[f"{person.uri}#main-key"] = Busy("flood.test", "answered 500")
        assert (await door.post(key_of(person), create(person)))[0] == 503
    assert "missed" not in door.counts.take()
    asked = len(door.elsewhere.asked)
    sqlite_db.shut = "away"
    for person in strangers * 3:
        assert (await door.post(key_of(person), create(person)))[0] == 503
    assert len(door.elsewhere.asked) == asked  # each sender's share is used up
    assert await spool.read(how_many) == 0


async def test_a_replaced_key_is_fetched_again(door, people):
    door.elsewhere.keys[f"{BOB.uri}#main-key"] = elsewhere(BOB, name="bob the second")
    new = load_private(f"{BOB.uri}#main-key", rsa_pem("bob the second")[0])
    assert (await door.post(new, create(BOB)))[0] == 202
    assert (await door.post(key_of(BOB), create(BOB, 2)))[0] == 401


async def test_a_replaced_key_may_be_of_another_kind(door, people):
    door.elsewhere.keys[f"{BOB.uri}#main-key"] = elsewhere(BOB, ed25519_pem)
    assert (await door.post(key_of(BOB, "ed25519"), create(BOB)))[0] == 202


async def test_forgeries_make_us_fetch_a_key_once_in_five_minutes_and_do_not_silence_their_victim(door, people):
    forged = load_private(f"{BOB.uri}#main-key", rsa_pem("eve")[0])
    headers, body = envelope(forged, create(BOB))
    for _ in range(5):
        assert (await door.send({**headers, "X-From": "203.0.113.66"}, body))[0] == 401
    assert len(door.elsewhere.asked) == 1
    door.elsewhere.keys[f"{BOB.uri}#main-key"] = elsewhere(BOB, name="bob the second")
    new = load_private(f"{BOB.uri}#main-key", rsa_pem("bob the second")[0])
    assert (await door.post(new, create(BOB)))[0] == 202


async def test_an_unreachable_key_is_not_asked_for_again_at_once_by_the_same_sender(door):
    await door.post(key_of(BOB), create(BOB))
    await door.post(key_of(BOB), create(BOB))
    assert len(door.elsewhere.asked) == 1
    door.elsewhere.keys[f"{BOB.uri}#main-key"] = elsewhere(BOB)
    headers, body = envelope(key_of(BOB), create(BOB))
    assert (await door.send({**headers, "X-From": "203.0.113.66"}, body))[0] == 202


async def test_one_host_cannot_make_us_fetch_without_end(door):
    door.receiver._keys._fetched = Windows(60.0, 5, time.time)
    for n in range(10):
        await door.post(replace(key_of(BOB), id=f"{BOB.uri}/{n}"), create(BOB))
    assert len(door.elsewhere.asked) == 5


async def test_many_messages_of_one_new_actor_cause_one_fetch(door):
    door.receiver._keys._fetched = Windows(60.0, 1, time.time)
    door.elsewhere.keys[f"{BOB.uri}#main-key"] = elsewhere(BOB)
    answers = await asyncio.gather(*(door.post(key_of(BOB), create(BOB, n)) for n in range(5)))
    assert [status for status, _ in answers] == [202] * 5
    assert len(door.elsewhere.asked) == 1


def test_windows_open_again_and_forget_the_longest_unused():
    now = [100.0]
    windows = Windows(10.0, 2, lambda: now[0], keys=2)
    assert [windows.use("a") for _ in range(3)] == [True, True, False]
    now[0] += 10
    assert windows.use("a")
    assert windows.use("b")
    assert windows.use("c")
    assert len(windows._used) == 2


async def test_the_key_of_somebody_who_is_gone_is_no_key(door, people, sqlite_db):
    door.elsewhere.keys[f"{BOB.uri}#main-key"] = Gone("410")
    await sqlite_db.write(lambda tx: tx.execute(delete(account_keys)).rowcount)
    assert (await door.post(key_of(BOB), create(BOB)))[0] == 401


async def test_keys_of_our_own_people_open_nothing(door, spool, sqlite_db):
    alice = await local(sqlite_db, "alice")
    assert (await door.post(key_of(alice), create(replace(alice, host="ours.test"))))[0] == 401
    assert await spool.read(how_many) == 0


def test_the_counts_of_nothing_are_nothing():
    assert Counts().take() == {}
