"""Accounts: who may be called what, who is remembered, and what is left of those who go."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from federation.keys import KeyPair
from federation.reading import Actor, Emoji, Field, Image, Key
from social import accounts, blocks, follows, moderation, purge, reactions, sessions, users
from social.accounts import NewAccount, ProfileChanges
from social.errors import Invalid, NotAllowed, NotFound
from social.posts import receive
from store.tables import INSTANCE_ACTOR_ID, jobs, likes, posts
from store.tables import accounts as accounts_table
from store.tables import follows as follows_table
from store.tables import users as users_table
from tests.conftest import NOW
from tests.people import ed25519_pem, follow, local, remote, rsa_pem, stored
from tests.social.mail import fresh, sent, types
from tests.social.said import how_many, note, post, rows


def pairs(name="someone"):
    private, public = rsa_pem(name)
    private_ed, public_ed = ed25519_pem(name)
    return [KeyPair("rsa", private, public), KeyPair("ed25519", private_ed, public_ed)]


def new(name="alice", email="alice@mail.test", **more):
    return NewAccount(name, email, "hash", **more)


def actor(who="bob", host="far.test", key_of=None, **more):
    uri = f"https://{host}/users/{who}"
    values = {
        "id": uri,
        "kind": "Person",
        "username": who,
        "inbox": f"{uri}/inbox",
        "shared_inbox": f"https://{host}/inbox",
        "followers": f"{uri}/followers",
        "featured": f"{uri}/collections/featured",
        "keys": (Key(f"{uri}#main-key", uri, rsa_pem(key_of or who)[1]),),
    }
    return Actor(**{**values, **more})


# Ours


def test_some_names_cannot_be_had():
    cyrillic = "\u0430lice"
    for name in (
        "",
        "Alice",
        "a b",
        "alice!",
        "a" * 31,
        "älice",
        cyrillic,
        "a@b",
        "admin",
        "connectme.internal",
        "inbox",
    ):
        with pytest.raises(Invalid):
            accounts.check_username(name)
    assert accounts.check_username(" a_1 ") == "a_1"


def test_odd_addresses_are_refused():
    odd = """
        alice @mail.test alice@ alice@mail 'a'@mail.test a@[127.0.0.1] a@mail..test .a@mail.test a@mail.test. a@mail.1
        a.@mail.test a..b@mail.test a@-mail.test a@b@c.test a@mäil.test a(x)@mail.test
    """
    for address in (
        *odd.split(),
        "",
        "a b@mail.test",
        "a@mail.test\n.evil",
        "a" * 65 + "@mail.test",
        "a@" + "b." * 130,
    ):
        with pytest.raises(Invalid):
            users.clean_email(address)
    assert users.clean_email(" Alice.B+c@Mail.Example.TEST ") == "alice.b+c@mail.example.test"


async def test_names_and_addresses_are_had_once(db, origin):
    await db.write(accounts.create_local, origin, new(), pairs(), NOW)
    for other in (new(email="other@mail.test"), new("other", "ALICE@mail.test")):
        with pytest.raises(Invalid):
            await db.write(accounts.create_local, origin, other, pairs(), NOW)
    for role_or_kind in ({"role": "king"}, {"kind": "Application"}):
        with pytest.raises(Invalid):
            await db.write(accounts.create_local, origin, new("x", "x@mail.test", **role_or_kind), pairs(), NOW)
    assert await db.read(how_many, users_table) == 1


async def test_a_new_account_has_its_addresses_and_keys(db, origin):
    wish = new(email=" Alice@Mail.Test ", display_name="Alice\u202e\n", role="owner")
    alice = await db.write(accounts.create_local, origin, wish, pairs(), NOW)
    assert (alice.uri, alice.url) == ("https://ours.test/users/alice", "https://ours.test/@alice")
    assert (alice.inbox, alice.shared_inbox) == (f"{alice.uri}/inbox", "https://ours.test/inbox")
    assert alice.featured_uri == f"{alice.uri}/collections/featured"
    assert (alice.handle, alice.display_name, alice.domain, alice.host) == ("alice", "Alice", None, None)
    keys = await db.read(accounts.keys_of, alice.id)
    assert [(key.id, key.kind) for key in keys] == [
        (f"{alice.uri}#main-key", "rsa"),
        (f"{alice.uri}#ed25519-key", "ed25519"),
    ]
    assert all(key.private for key in keys)
    user = await db.read(users.by_account, alice.id)
    assert (user.email, user.role, user.password) == ("alice@mail.test", "owner", "hash")


async def test_there_is_one_instance_actor(db, origin):
    first = await db.write(accounts.create_instance_actor, origin, pairs("instance"), NOW)
    again = await db.write(accounts.create_instance_actor, origin, pairs("other"), NOW)
    assert first == again
    assert (first.id, first.uri, first.kind) == (INSTANCE_ACTOR_ID, "https://ours.test/actor", "Application")
    assert {key.private for key in await db.read(accounts.keys_of, first.id)} == {p.private for p in pairs("instance")}
    for forbidden in (accounts.suspend, accounts.delete_local):
        with pytest.raises(NotAllowed):
            await db.write(forbidden, first.id, NOW)


# Finding


async def test_what_is_not_there_is_not_found(db):
    for find, what in (
        (accounts.by_id, 7),
        (accounts.by_uri, "https://far.test/nobody"),
        (accounts.by_handle, "nobody@far.test"),
        (accounts.by_handle, "' OR 1=1 --"),
        (accounts.local, "a@b@c"),
        (accounts.local, "\0"),
    ):
        with pytest.raises(NotFound):
            await db.read(find, what)
    assert await db.read(accounts.by_ids, []) == {}


async def test_handles_are_found_however_they_are_written(db, origin):
    alice, bob = await local(db, "alice"), remote("Bob", "xn--bcher-kva.test")
    await stored(db, bob)
    for handle in ("alice", "@Alice", "alice@ours.test", " @alice@OURS.test "):
        assert await db.read(accounts.by_handle, handle, origin) == alice
    for handle in ("bob@bücher.test", "@BOB@xn--bcher-kva.test", "acct:bob@Bücher.test"):
        assert await db.read(accounts.by_handle, handle) == bob
    assert await db.read(accounts.find_by_handle, "alice@ours.test") is None  # nobody said who we are
    with pytest.raises(NotFound):
        await db.read(accounts.local, "bob@xn--bcher-kva.test")


@given(st.text())
def test_any_text_has_a_handle_or_none(text):
    found = accounts.normalise_handle(text)
    assert found is None or accounts.normalise_handle(found) == found


# Remote ones


async def test_nobody_is_remembered_at_our_address(db, origin):
    await db.write(accounts.create_instance_actor, origin, pairs("instance"), NOW)
    alice = await local(db, "alice")
    for forged, handle in (
        (actor("ghost", "ours.test"), "ghost@far.test"),
        (actor("alice", "ours.test", key_of="mallory"), "alice@far.test"),
        (actor(), "bob"),
        (actor(), ""),
        (actor(), "a b@far.test"),
    ):
        with pytest.raises(NotAllowed):
            await db.write(accounts.remember, forged, handle, NOW)
    assert await fresh(db, alice) == alice
    assert {key.public for key in await db.read(accounts.keys_of, alice.id)} == {rsa_pem("alice")[1]}


async def test_each_change_of_an_account_counts(db):
    """What is remembered of it is compared by that alone (outbox/parts.py)."""
    bob = await db.write(accounts.remember, actor(), "bob@far.test", NOW)
    again = await db.write(accounts.remember, actor(name="Bob"), "bob@far.test", NOW)
    await db.write(lambda tx: tx.execute(update(accounts_table).values(locked=True)) and None)
    now = await db.read(accounts.by_id, bob.id)
    assert (bob.version, again.version, now.version) == (1, 2, 3)


async def test_a_profile_is_made_safe_and_kept(db):
    said = actor(
        name="Bob <b>",
        summary_html='<p onclick="x()">hi<script>alert(1)</script></p>',
        fields=(Field("site", '<a href="javascript:x()">x</a><a href="https://bob.test">bob</a>'),),
        emojis=(Emoji("cat", "https://far.test/cat.png"),),
        avatar=Image("https://far.test/bob.png", "me"),
        also_known_as=("https://old.test/bob",),
        locked=True,
    )
    bob = await db.write(accounts.remember, said, "Bob@Far.test", NOW)
    assert (bob.handle, bob.username, bob.domain, bob.host) == ("bob@far.test", "bob", "far.test", "far.test")
    assert bob.note == "<p>hi</p>"
    assert "javascript" not in bob.fields[0]["value"]
    assert "https://bob.test" in bob.fields[0]["value"]
    assert (bob.avatar_url, bob.avatar_alt, bob.locked) == ("https://far.test/bob.png", "me", True)
    assert bob.emojis == [{"shortcode": "cat", "url": "https://far.test/cat.png"}]
    assert (bob.also_known_as, bob.fetched_at) == (["https://old.test/bob"], NOW)
    assert [key.kind for key in await db.read(accounts.keys_of, bob.id)] == ["rsa"]


async def test_a_refresh_keeps_what_is_ours_to_say(db):
    bob = await db.write(accounts.remember, actor(published=NOW - timedelta(days=9)), "bob@far.test", NOW)
    alice = await local(db, "alice")
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    await db.write(accounts.suspend, bob.id, NOW)
    later = NOW + timedelta(hours=1)
    again = await db.write(accounts.remember, actor(name="Robert"), "bob@split.test", later)
    assert (again.id, again.display_name, again.handle, again.host) == (bob.id, "Robert", "bob@split.test", "far.test")
    assert (again.suspended_at, again.created_at, again.fetched_at) == (NOW, NOW - timedelta(days=9), later)


async def test_newcomers_of_a_server_under_a_policy_are_stored_under_it(db):
    await db.write(moderation.set_policy, "far.test", "limit", "", NOW)
    await db.write(moderation.set_draft, moderation.PolicyDraft("bare.test", "noop", reject_media=True), NOW)
    looks = {"avatar": Image("https://far.test/bob.png", "me"), "emojis": (Emoji("cat", "https://far.test/cat.png"),)}
    for host, limited, faceless in (("a.far.test", True, False), ("bare.test", False, True), ("x.test", False, False)):
        met = actor("bob", host, **looks)
        one = await db.write(accounts.remember, met, f"bob@{host}", NOW)
        many = await db.write(_newcomer, replace(met, id=f"{met.id}2"), f"bob2@{host}")
        for found in (one, many):
            assert (found.host_limited, found.avatar_url is None, found.emojis == []) == (limited, faceless, faceless)


def _newcomer(tx, met, handle):
    found = accounts.Around(tx, [met.id], [handle]).newcomer(met, handle, NOW)
    accounts.add(tx, [found])
    return found.account


async def test_remembering_takes_few_statements(db, queries):
    await db.write(accounts.remember, actor(), "bob@far.test", NOW)
    for name, most in (("bob", 4), ("carol", 5)):  # by her words she is found
        queries.clear()
        await db.write(accounts.remember, actor(name), f"{name}@far.test", NOW)
        assert len(queries) <= most


async def test_keys_are_replaced_and_nobody_takes_those_of_another(db):
    bob = await db.write(accounts.remember, actor(), "bob@far.test", NOW)
    rotated = Key(f"{bob.uri}#key-2", bob.uri, ed25519_pem("bob")[1])
    await db.write(accounts.remember, actor(keys=(rotated,)), "bob@far.test", NOW)
    assert [(key.id, key.kind) for key in await db.read(accounts.keys_of, bob.id)] == [(rotated.id, "ed25519")]
    await db.write(accounts.remember, actor(keys=()), "bob@far.test", NOW)  # says nothing of keys
    broken = Key(f"{bob.uri}#key-3", bob.uri, "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----")
    await db.write(accounts.remember, actor(keys=(broken,)), "bob@far.test", NOW)
    thief = Key(rotated.id, "https://far.test/users/eve", rsa_pem("eve")[1])
    eve = await db.write(accounts.remember, actor("eve", keys=(thief,)), "eve@far.test", NOW)
    assert [key.id for key in await db.read(accounts.keys_of, bob.id)] == [rotated.id]
    assert await db.read(accounts.keys_of, eve.id) == []


async def test_a_handle_belongs_to_whom_it_was_checked_for_last(db):
    old = await db.write(accounts.remember, actor(id="https://far.test/old", keys=()), "bob@far.test", NOW)
    new = await db.write(accounts.remember, actor(), "bob@far.test", NOW)
    assert (await db.read(accounts.by_handle, "bob@far.test")).id == new.id
    given_way = await fresh(db, old)
    assert given_way.handle != "bob@far.test"
    assert given_way.fetched_at is None


async def test_the_deleted_come_back_only_by_their_own_server(db):
    bob = await db.write(accounts.remember, actor(), "bob@far.test", NOW)
    assert await db.write(accounts.forget, bob, NOW)
    assert (await db.write(accounts.remember, actor(), "bob@far.test", NOW, served=False)).deleted_at
    assert await db.read(accounts.keys_of, bob.id) == []
    assert (await db.write(accounts.remember, actor(), "bob@far.test", NOW)).deleted_at is None


# Leaving


async def test_nothing_is_left_of_the_forgotten_but_a_tombstone(db):
    alice, bob, carol = await local(db, "alice"), remote("bob"), remote("carol", "third.test")
    await stored(db, bob, carol)
    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    ask = await db.write(follows.ask, alice.id, bob.id, NOW)
    await db.write(follows.accepted, bob, uri=ask.uri)
    await db.write(blocks.receive_block, carol, alice, f"{carol.uri}/block", NOW)
    his = await db.write(receive.receive, bob, note(bob), NOW)
    hers = await db.write(receive.receive, carol, note(carol), NOW)
    answer = await db.write(receive.receive, bob, note(bob, in_reply_to=hers.uri), NOW)
    assert await db.write(reactions.receive_like, bob, hers.uri, f"{bob.uri}#like", NOW)
    assert (await post(db, hers.id)).replies_count == 1

    assert await db.write(accounts.forget, bob, NOW)
    assert not await db.write(accounts.forget, bob, NOW)
    alice = await fresh(db, alice)
    assert (alice.followers_count, alice.following_count) == (0, 0)
    assert await rows(db, follows_table) == []
    assert [job.payload for job in await rows(db, jobs) if job.kind == "purge_account"] == [{"account_id": bob.id}]
    assert await db.write(purge.step, bob.id) is False
    assert {row.id for row in await rows(db, posts)} == {hers.id}
    assert (his.id, answer.id) != (None, None)
    hers = await post(db, hers.id)
    assert (hers.replies_count, hers.likes_count) == (0, 0)
    assert await rows(db, likes) == []
    assert (await fresh(db, bob)).posts_count == 0


async def test_a_purge_spares_those_who_came_back(db):
    bob = await db.write(accounts.remember, actor(), "bob@far.test", NOW)
    await db.write(accounts.forget, bob, NOW)
    bob = await db.write(accounts.remember, actor(), "bob@far.test", NOW)
    await db.write(receive.receive, bob, note(bob), NOW)
    assert await db.write(purge.step, bob.id) is False
    assert await db.read(how_many) == 1


async def test_the_suspended_are_out_and_come_back(db):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(sessions.start_session, alice.id, b"cookie", "csrf", "agent", NOW)
    suspended = await db.write(accounts.suspend, alice.id, NOW)
    assert suspended.suspended_at == NOW
    assert (await db.write(accounts.suspend, alice.id, NOW + timedelta(days=1))).suspended_at == NOW
    assert await db.read(sessions.of, alice.id) == []
    assert (await db.write(accounts.unsuspend, alice.id)).suspended_at is None

    await db.write(follows.receive, bob, alice, f"{bob.uri}/follow/1", NOW)
    await db.write(accounts.suspend, bob.id, NOW)
    assert await types(db) == ["Accept", "Reject"]
    assert (await fresh(db, alice)).followers_count == 0
    assert await rows(db, follows_table) == []


async def test_every_server_that_knows_him_hears_that_he_left(db, origin):
    alice = await db.write(accounts.create_local, origin, new(), pairs("alice"), NOW)
    follower, followed, liked, stranger = (
        remote("follower", "a.test"),
        remote("followed", "b.test"),
        remote("liked", "c.test"),
        remote("stranger", "d.test"),
    )
    second = remote("second", "a.test")
    await stored(db, follower, followed, liked, stranger, second)
    for one in (follower, second):
        await db.write(follow, one, alice)
    await db.write(follow, alice, followed)
    said = await db.write(receive.receive, liked, note(liked), NOW)
    await db.write(reactions.like, alice.id, said.id, NOW)
    with pytest.raises(NotAllowed):
        await db.write(accounts.delete_local, follower.id, NOW)

    assert await db.write(accounts.delete_local, alice.id, NOW)
    assert not await db.write(accounts.delete_local, alice.id, NOW)
    letter = (await sent(db))[-1]
    assert (letter.type, letter.document["object"]) == ("Delete", alice.uri)
    assert letter.inboxes == {f"https://{host}/inbox" for host in ("a.test", "b.test", "c.test")}
    assert await rows(db, users_table) == []
    assert len(await db.read(accounts.keys_of, alice.id)) == 2  # it still signs what it said last
    with pytest.raises(Invalid):
        await db.write(accounts.create_local, origin, new(), pairs(), NOW)
    assert (await db.read(accounts.local, "alice")).is_gone


# Profiles


@pytest.mark.parametrize(
    "changes",
    [
        ProfileChanges(display_name="x" * 101),
        ProfileChanges(note="x" * 2001),
        ProfileChanges(fields=[("a", "b")] * 9),
        ProfileChanges(fields=[("a", "x" * 2001)]),
        ProfileChanges(avatar_url="javascript:alert(1)"),
        ProfileChanges(header_alt="x" * 1501),
    ],
)
async def test_a_profile_has_limits(db, origin, changes):
    alice = await local(db, "alice")
    with pytest.raises(Invalid):
        await db.write(accounts.update_profile, origin, alice.id, changes, NOW)


async def test_nobody_changes_the_profile_of_another_server(db, origin):
    bob = remote("bob")
    await stored(db, bob)
    with pytest.raises(NotAllowed):
        await db.write(accounts.update_profile, origin, bob.id, ProfileChanges(display_name="x"), NOW)


async def test_followers_hear_of_a_new_profile_once(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    await db.write(follow, bob, alice)
    changes = ProfileChanges(
        display_name="Alice A.",
        note="I am <b>me</b>, see https://alice.test and @bob@far.test #cats",
        fields=[("site", "https://alice.test"), ("", "")],
        bot=True,
        locked=True,
        avatar_url="https://ours.test/a.png",
    )
    changed = await db.write(accounts.update_profile, origin, alice.id, changes, NOW)
    again = await db.write(accounts.update_profile, origin, alice.id, changes, NOW)
    assert changed == again
    assert (changed.display_name, changed.kind, changed.locked) == ("Alice A.", "Service", True)
    assert "&lt;b&gt;" in changed.note
    assert 'href="https://far.test/@bob"' in changed.note
    assert 'href="https://ours.test/tags/cats"' in changed.note
    assert [field["name"] for field in changed.fields] == ["site"]
    assert changed.fields[0]["value"].startswith("<a href=")
    letters = await sent(db)
    assert [letter.type for letter in letters] == ["Update"]
    assert letters[0].document["object"]["name"] == "Alice A."
    assert letters[0].inboxes == {"https://far.test/inbox"}


async def test_aliases_are_addresses(db, origin):
    alice = await local(db, "alice")
    for wrong in (["nonsense"], [alice.uri], [f"https://x.test/{n}" for n in range(17)]):
        with pytest.raises(Invalid):
            await db.write(accounts.set_aliases, origin, alice.id, wrong, NOW)
    changed = await db.write(accounts.set_aliases, origin, alice.id, ["https://old.test/a", "https://old.test/a"], NOW)
    assert changed.also_known_as == ["https://old.test/a"]
