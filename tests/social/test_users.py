"""Logins, sessions, programs and tokens: who is let in, and who no longer."""

from datetime import timedelta

import pytest

from social import accounts, apps, passwords, secrets, sessions, users
from social.errors import Invalid, NotAllowed, NotFound
from social.events import AccessEnded
from store.tables import sessions as sessions_table
from store.tables import tokens
from store.tables import users as users_table
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.said import rows


async def start(db, account, cookie=b"cookie", now=NOW, **more):
    return await db.write(sessions.start_session, account.id, cookie, "csrf", "Browser", now, **more)


async def program(db, scopes="read write"):
    return await db.write(
        apps.create_app, "Client", "client", secrets.sha256("secret"), ["https://client.test/cb"], scopes, NOW
    )


async def token(db, account, name="token", scopes="read"):
    app = await db.read(apps.by_client_id, "client") or await program(db)
    who = None if account is None else account.id
    return await db.write(apps.issue_token, app.id, who, scopes, secrets.sha256(name), NOW)


async def test_who_signs_in_while_the_password_is_changed_stays_outside(db):
    """To compare it takes a tenth of a second, in which somebody may shut others out."""
    alice = await local(db, "alice")
    compared = (await db.read(users.by_account, alice.id)).password
    await start(db, alice, b"before", password=compared)
    await db.write(users.set_password, alice.id, "new", NOW)
    with pytest.raises(NotAllowed):
        await start(db, alice, b"after", password=compared)
    assert await db.read(sessions.of, alice.id) == []


# Passwords and secrets


def test_a_wrong_password_fits_nothing():
    hashed = passwords.hash_password("correct horse")
    assert passwords.verify(hashed, "correct horse")
    for wrong in ("Correct horse", "", "correct horse ", "x" * 5000, "\ud800"):
        assert not passwords.verify(hashed, wrong)
    for no_hash in ("", "plain", "$argon2id$v=19$broken"):
        assert not passwords.verify(no_hash, "correct horse")
    assert not passwords.verify(passwords.NOBODY, "correct horse")
    assert "m=19456,t=2,p=1" in hashed


def test_a_password_is_neither_short_nor_endless():
    for wrong in ("", "seven77", "x" * 257, "correct horse \ud800"):
        with pytest.raises(Invalid):
            passwords.hash_password(wrong)


def test_secrets_are_long_and_kept_hashed():
    first, second = secrets.new_token(), secrets.new_token()
    assert first != second
    assert len(first) == 43
    assert len(secrets.sha256(first)) == 32
    assert secrets.sha256("\ud800")


# Signing in


async def test_nobody_signs_in_who_may_not(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    for unknown in ("", "nobody", "nobody@mail.test", bob.handle, "' OR 1=1", "a\0b", "\ud800"):
        assert await db.read(users.sign_in_facts, unknown) is None
    for login in ("alice", "@Alice", "alice@mail.test", " ALICE@mail.test "):
        assert (await db.read(users.sign_in_facts, login)).account_id == alice.id
    assert (await db.read(users.sign_in_facts, "alice")).barred == ""
    await db.write(accounts.suspend, alice.id, NOW)
    assert "suspended" in (await db.read(users.sign_in_facts, "alice")).barred


async def test_the_unconfirmed_and_unapproved_wait(db, origin):
    wish = accounts.NewAccount("carol", "carol@mail.test", "hash", confirmed=False, approved=False)
    carol = await db.write(accounts.create_local, origin, wish, [], NOW)
    assert "confirm" in (await db.read(users.sign_in_facts, "carol")).barred
    await db.write(users.confirm, carol.id, NOW)
    assert "moderator" in (await db.read(users.sign_in_facts, "carol")).barred
    await db.write(users.approve, carol.id, NOW)
    await db.write(users.confirm, carol.id, NOW + timedelta(days=1))
    assert (await db.read(users.sign_in_facts, "carol")).barred == ""
    assert (await db.read(users.by_account, carol.id)).confirmed_at == NOW


# Sessions


async def test_an_unknown_or_old_cookie_is_nobody(db):
    alice = await local(db, "alice")
    await start(db, alice)
    assert await db.read(sessions.session, b"other", NOW) is None
    found = await db.read(sessions.session, b"cookie", NOW + timedelta(days=29))
    assert (found.account.id, found.user.email, found.session.agent) == (alice.id, "alice@mail.test", "Browser")
    assert await db.read(sessions.session, b"cookie", NOW + timedelta(days=30)) is None
    await db.write(sessions.seen, found, NOW + timedelta(days=29))
    assert await db.read(sessions.session, b"cookie", NOW + timedelta(days=30))
    assert not sessions.is_fresh(found, NOW + timedelta(hours=2))
    assert await db.write(sessions.prune, NOW + timedelta(days=80)) == 1


async def test_signing_in_ends_the_session_that_was_there(db):
    alice, mallory = await local(db, "alice"), await local(db, "mallory")
    await start(db, mallory, b"planted")
    await start(db, alice, b"new", replaces=b"planted")
    assert await db.read(sessions.session, b"planted", NOW) is None
    assert (await db.read(sessions.session, b"new", NOW)).account.id == alice.id


async def test_a_session_of_the_suspended_is_over(db):
    alice = await local(db, "alice")
    await start(db, alice)
    await db.write(accounts.suspend, alice.id, NOW)
    await db.write(accounts.unsuspend, alice.id)
    assert await db.read(sessions.session, b"cookie", NOW) is None


async def test_nobody_ends_the_session_of_another(db):
    alice, mallory = await local(db, "alice"), await local(db, "mallory")
    for cookie in (b"one", b"two"):
        await start(db, alice, cookie)
    assert not await db.write(sessions.end_own, mallory.id, b"one")
    assert await db.write(sessions.end_others, alice.id, b"one") == 1
    assert [one.hash for one in await db.read(sessions.of, alice.id)] == [b"one"]
    assert await db.write(sessions.end_own, alice.id, b"one")
    await start(db, alice, b"three")
    await db.write(sessions.end_session, b"three")
    assert await rows(db, sessions_table) == []


async def test_a_browser_may_call_itself_what_is_no_text(db):
    alice = await local(db, "alice")
    await db.write(sessions.start_session, alice.id, b"one", "csrf", "Br\udcffow\0ser", NOW)
    assert (await db.read(sessions.of, alice.id))[0].agent == "Browser"


async def test_a_person_has_a_bounded_number_of_sessions(db):
    alice = await local(db, "alice")

    def many(tx):
        for number in range(sessions.AT_MOST + 5):
            moment = NOW + timedelta(minutes=number)
            sessions.start_session(tx, alice.id, bytes([number]), "csrf", "x" * 999, moment)

    await db.write(many)
    kept = await db.read(sessions.of, alice.id)
    assert len(kept) == sessions.AT_MOST
    assert kept[0].hash == bytes([sessions.AT_MOST + 4])
    assert len(kept[0].agent) == sessions.AGENT_LIMIT


@pytest.mark.parametrize("change", ["password", "role"])
async def test_a_new_password_or_role_throws_everybody_out(db, change):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    for one, cookie in ((alice, b"a"), (bob, b"b")):
        await start(db, one, cookie)
        await token(db, one, one.username)
    if change == "password":
        await db.write(users.set_password, alice.id, "new hash", NOW)
        assert (await db.read(users.by_account, alice.id)).password == "new hash"
    else:
        await db.write(users.set_role, alice.id, "admin", NOW)
        assert (await db.read(users.by_account, alice.id)).role == "admin"
    assert await db.read(sessions.session, b"a", NOW) is None
    assert await db.read(apps.token, secrets.sha256("alice")) is None
    assert await db.read(sessions.session, b"b", NOW)
    assert await db.read(apps.token, secrets.sha256("bob"))


async def test_nothing_is_changed_for_nobody(db):
    bob = remote("bob")
    await stored(db, bob)
    for change in (
        (users.set_password, bob.id, "hash", NOW),
        (users.set_role, bob.id, "owner", NOW),
        (users.confirm, bob.id, NOW),
        (users.set_defaults, bob.id, "public", False, None),
        (users.set_email, bob.id, "bob@mail.test", NOW),
    ):
        with pytest.raises(NotFound):
            await db.write(*change)
    with pytest.raises(NotFound):
        await db.read(users.by_account, bob.id)


async def test_roles_defaults_and_addresses_are_checked(db):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    for wrong in (
        (users.set_role, alice.id, "king", NOW),
        (users.set_defaults, alice.id, "everybody", False, None),
        (users.set_email, alice.id, "nonsense", NOW),
        (users.set_email, alice.id, "BOB@mail.test", NOW),
    ):
        with pytest.raises(Invalid):
            await db.write(*wrong)
    await db.write(users.set_email, alice.id, "New@mail.test", NOW)
    await db.write(users.set_defaults, alice.id, "private", True, "de")
    found = await db.read(users.by_account, alice.id)
    assert (found.email, found.default_visibility, found.default_sensitive) == ("new@mail.test", "private", True)
    assert [user.account_id for user in await db.read(users.everybody)] == [alice.id, bob.id]
    assert len(await rows(db, users_table)) == 2


# Programs


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 256},
        {"redirect_uris": []},
        {"redirect_uris": ["https://x.test"] * 17},
        {"redirect_uris": ["https://x.test/" + "x" * 2048]},
        {"scopes": "x" * 1001},
    ],
)
async def test_a_program_says_who_it_is_in_few_words(db, wrong):
    good = {"name": "Client", "redirect_uris": ["https://client.test"], "scopes": "read"}
    with pytest.raises(Invalid):
        await db.write(lambda tx: apps.create_app(tx, client_id="c", secret_hash=b"", now=NOW, **{**good, **wrong}))


async def test_a_token_speaks_for_whom_it_was_given(db):
    alice = await local(db, "alice")
    assert await db.read(apps.token, secrets.sha256("token")) is None
    await token(db, alice, scopes="write read read")
    found = await db.read(apps.token, secrets.sha256("token"))
    assert (found.account.id, found.user.role, found.app.name) == (alice.id, "member", "Client")
    assert found.scopes == {"read", "write"}
    await token(db, None, "own")
    own = await db.read(apps.token, secrets.sha256("own"))
    assert (own.account, own.user, own.token.account_id) == (None, None, None)


async def test_a_token_ends_when_its_program_says_so_and_no_other(db):
    alice = await local(db, "alice")
    made = await token(db, alice)
    other = await db.write(apps.create_app, "Other", "other", b"", ["urn:x"], "read", NOW)
    heard = []
    db.listeners.append(heard.append)
    assert not await db.write(apps.revoke_token, other.id, made.hash, NOW)
    assert await db.write(apps.revoke_token, made.app_id, made.hash, NOW)
    assert not await db.write(apps.revoke_token, made.app_id, made.hash, NOW)
    assert heard == [AccessEnded(made.account_id)]
    assert await db.read(apps.token, made.hash) is None


async def test_a_person_takes_back_what_he_allowed(db):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    made = await token(db, alice)
    await token(db, bob, "bobs")
    assert [one.app.id for one in await db.read(apps.allowed_by, alice.id)] == [made.app_id]
    assert await db.write(apps.revoke_app, alice.id, made.app_id, NOW) == 1
    assert await db.read(apps.allowed_by, alice.id) == []
    assert await db.read(apps.token, secrets.sha256("bobs"))
    assert await db.read(apps.by_id, made.app_id)


async def test_a_token_of_the_suspended_or_deleted_is_worth_nothing(db):
    alice = await local(db, "alice")
    await token(db, alice)
    await db.write(accounts.suspend, alice.id, NOW)
    assert await db.read(apps.token, secrets.sha256("token")) is None
    await db.write(accounts.unsuspend, alice.id)
    assert await db.read(apps.token, secrets.sha256("token")) is None
    await db.write(accounts.delete_local, alice.id, NOW)
    assert await rows(db, tokens) == []
