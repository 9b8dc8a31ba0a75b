"""Codes by time: which open the door, and that none does twice."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from social import apps, links, second_factor, sessions, users
from social.errors import Invalid
from store.database import Database
from store.tables import recovery_codes
from tests.interleaved import Two
from tests.people import local
from tests.social.test_users import token

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HERE = b"this browser"


async def turned_on(db: Database, name: str = "alice"):
    account, secret = await local(db, name), second_factor.new_secret()
    made = await db.write(second_factor.turn_on, account.id, secret, pyotp.TOTP(secret).at(NOW), HERE, NOW)
    return account, pyotp.TOTP(secret), made


@pytest.mark.parametrize("code", ["", "000000", "١٢٣٤٥٦", "x" * 1000, "\0"])
async def test_a_wrong_code_opens_nothing(db: Database, code):
    account, totp, _ = await turned_on(db)
    if code == totp.at(NOW + timedelta(seconds=60)):
        return
    assert not await db.write(second_factor.use, account.id, code, NOW + timedelta(seconds=60))


async def test_without_the_right_first_code_it_is_not_turned_on(db: Database):
    account, secret = await local(db, "alice"), second_factor.new_secret()
    for key, code in ((secret, "12345"), ("SHORTSHO", "123456"), ("not base32!", "123456")):
        with pytest.raises(Invalid):
            await db.write(second_factor.turn_on, account.id, key, code, HERE, NOW)
    assert not await db.read(second_factor.is_on, account.id)
    assert not await db.write(second_factor.use, account.id, "123456", NOW)


async def test_no_code_is_good_twice_nor_one_older_than_it(db: Database):
    account, totp, _ = await turned_on(db)
    later = NOW + timedelta(seconds=90)
    assert not await db.write(second_factor.use, account.id, totp.at(NOW), NOW)  # that one turned it on
    assert await db.write(second_factor.use, account.id, totp.at(later), later)
    assert not await db.write(second_factor.use, account.id, totp.at(later), later)
    assert not await db.write(second_factor.use, account.id, totp.at(later - timedelta(seconds=30)), later)
    soon = later + timedelta(seconds=30)  # a clock that is half a minute fast
    assert await db.write(second_factor.use, account.id, f" {totp.at(soon)[:3]} {totp.at(soon)[3:]}", later)
    assert not await db.write(second_factor.use, account.id, totp.at(soon), soon + timedelta(minutes=2))


async def test_a_recovery_code_is_good_once_and_not_after_new_ones(db: Database):
    account, _, made = await turned_on(db)
    assert len(set(made)) == second_factor.CODES
    assert await db.write(second_factor.use, account.id, made[0].upper(), NOW)
    assert not await db.write(second_factor.use, account.id, made[0], NOW)
    other, _, _ = await turned_on(db, "bob")
    assert not await db.write(second_factor.use, other.id, made[1], NOW)
    await db.write(second_factor.renew_codes, account.id, HERE, NOW)
    assert not await db.write(second_factor.use, account.id, made[1], NOW)


async def test_whoever_turns_it_on_or_off_is_signed_out_elsewhere(db: Database):
    account = await local(db, "alice")
    for turn in ("on", "off"):
        await db.write(sessions.start_session, account.id, HERE, "x", "", NOW)
        await db.write(sessions.start_session, account.id, b"another", "x", "", NOW)
        held = await token(db, account, turn)
        if turn == "on":
            secret = second_factor.new_secret()
            await db.write(second_factor.turn_on, account.id, secret, pyotp.TOTP(secret).at(NOW), HERE, NOW)
        else:
            assert await db.write(second_factor.turn_off, account.id, HERE, NOW)
        assert [it.hash for it in await db.read(sessions.of, account.id)] == [HERE]
        assert await db.read(apps.token, held.hash) is None
        await db.write(sessions.end_session, HERE)
    assert not await db.write(second_factor.turn_off, account.id, HERE, NOW)


async def test_a_link_is_good_for_its_purpose_for_a_while_and_once(db: Database):
    account = await local(db, "alice")
    await db.write(links.add, account.id, links.SIGN_IN, b"secret", NOW)
    assert await db.read(links.find, b"secret", links.CONFIRM, NOW) is None
    assert await db.read(links.find, b"secret", links.SIGN_IN, NOW + timedelta(minutes=11)) is None
    link = await db.read(links.find, b"secret", links.SIGN_IN, NOW + timedelta(minutes=9))
    assert link is not None
    assert await db.write(links.end, link)
    assert not await db.write(links.end, link)
    await db.write(links.add, account.id, links.SIGN_IN, b"other", NOW)
    await db.write(users.set_password, account.id, "x", NOW)
    assert await db.read(links.find, b"other", links.SIGN_IN, NOW) is None
    await db.write(links.add, account.id, links.PASSWORD, b"old", NOW)
    assert await db.write(links.prune, NOW + timedelta(days=3)) == 1


async def test_codes_made_twice_at_once_leave_one_set(two: Two):
    account, _, _ = await turned_on(two.here)
    again = (account.id, HERE, NOW)
    for at in range(4):
        await two.meet(second_factor.renew_codes, again, second_factor.renew_codes, again, at=at)
        kept = await two.here.read(lambda tx: tx.execute(select(recovery_codes)).all())
        assert len(kept) == second_factor.CODES
