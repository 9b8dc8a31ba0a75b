"""Limits on servers: what they hide, what they end, and what comes back; lists of them; reports."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social import accounts, follows, moderation
from social.errors import Invalid, NotFound
from social.moderation import Complaint, PolicyDraft
from social.posts import find, publish, receive
from social.posts.drafts import Draft
from store.tables import HostPolicy, deliveries, host_policies
from store.tables import follows as follows_table
from store.tables import reports as reports_table
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.mail import fresh, sent
from tests.social.said import note, post, rows


async def set_(db, host, level="block", comment="", now=NOW):
    return await db.write(moderation.set_policy, host, level, comment, now)


# Which servers


@pytest.mark.parametrize(
    "host",
    ["", " ", "a b", "far.test/x", "https://far.test", "far..test", "*", "a.*.test", "x" * 300, "[::1", "é.\ud800"],
)
def test_some_texts_are_no_host(host):
    with pytest.raises(Invalid):
        moderation.clean_host(host)


@given(st.text())
def test_any_text_is_a_host_or_refused(text):
    try:
        found = moderation.clean_host(text)
    except Invalid:
        return
    assert moderation.clean_host(found) == found
    assert found.isascii()


async def test_a_level_is_one_of_four(db):
    for wrong in ("suspend", "", "BLOCK"):
        with pytest.raises(Invalid):
            await set_(db, "far.test", wrong)
    with pytest.raises(Invalid):
        await db.write(
            moderation.set_policies, [PolicyDraft("good.test", "block"), PolicyDraft("bad test", "block")], NOW
        )
    assert await db.read(moderation.policies) == []


async def test_the_nearest_policy_counts(db):
    await set_(db, "Far.Test.", "block")
    await set_(db, "good.far.test", "allow")
    await set_(db, "*.bücher.test", "limit")
    await set_(db, "127.0.0.1:8001", "limit")
    levels = {
        "far.test": "block",
        "FAR.test": "block",
        "far.test:8443": "block",
        "a.b.far.test": "block",
        "good.far.test": "allow",
        "very.good.far.test": "allow",
        "a.xn--bcher-kva.test": "limit",
        "127.0.0.1:8001": "limit",
    }
    nothing = ["notfar.test", "test", "", "[::1]:8000", "127.0.0.1:8002"]
    assert await db.read(moderation.levels, [*levels, *nothing]) == levels
    assert await db.write(moderation.unset_policy, "far.test")
    assert not await db.write(moderation.unset_policy, "far.test")
    assert await db.read(moderation.levels, ["far.test"]) == {}


# What a block does


async def test_a_blocked_server_is_cut_off(db, origin):
    alice, carol = await local(db, "alice"), await local(db, "carol")
    bob, dora, eve = remote("bob"), remote("dora", "sub.far.test:8443"), remote("eve", "other.test")
    await stored(db, bob, dora, eve)
    for one in (bob, dora, eve):
        await db.write(follows.receive, one, alice, f"{one.uri}/follow", NOW)
        asked = await db.write(follows.ask, alice.id, one.id, NOW)
        await db.write(follows.accepted, one, uri=asked.uri)
    await db.write(follows.ask, carol.id, alice.id, NOW)
    await db.write(follows.ask, carol.id, bob.id, NOW)  # not accepted
    said = await db.write(receive.receive, bob, note(bob), NOW)
    other = await db.write(receive.receive, eve, note(eve), NOW)
    await set_(db, "far.test")

    alice = await fresh(db, alice)
    assert (alice.followers_count, alice.following_count) == (2, 1)
    assert (await fresh(db, carol)).following_count == 1
    found = await fresh(db, bob)
    assert (found.followers_count, found.following_count, found.suspended_at) == (0, 0, NOW)
    left = {(row.follower_id, row.target_id) for row in await rows(db, follows_table)}
    assert left == {(eve.id, alice.id), (alice.id, eve.id), (carol.id, alice.id)}
    assert {row.host for row in await rows(db, deliveries)} == {"other.test"}
    with pytest.raises(NotFound):
        await db.read(find.visible, said.id, alice.id)
    await db.read(find.visible, other.id, alice.id)
    await db.write(publish.publish, origin, alice.id, Draft("@bob@far.test hello"), NOW)
    assert {row.host for row in await rows(db, deliveries)} == {"other.test"}


async def test_lifting_a_block_brings_back_these_and_no_others(db):
    bob, spammer, below = remote("bob"), remote("spammer"), remote("below", "sub.far.test")
    await stored(db, bob, spammer, below)
    await db.write(accounts.suspend, spammer.id, NOW - timedelta(days=1))
    first = await set_(db, "far.test")
    again = await set_(db, "far.test", comment="spam", now=NOW + timedelta(days=1))
    assert (again.created_at, again.comment) == (first.created_at, "spam")
    await set_(db, "sub.far.test", now=NOW + timedelta(days=2))
    await db.write(moderation.unset_policy, "far.test")
    assert (await fresh(db, bob)).suspended_at is None
    assert (await fresh(db, spammer)).suspended_at == NOW - timedelta(days=1)
    assert (await fresh(db, below)).suspended_at == NOW + timedelta(days=2)
    await db.write(moderation.unset_policy, "sub.far.test")
    assert (await fresh(db, below)).suspended_at is None


async def test_an_exception_below_a_blocked_server(db):
    bob, below = remote("bob"), remote("below", "good.far.test")
    await stored(db, bob, below)
    await db.write(
        moderation.set_policies, [PolicyDraft("far.test", "block"), PolicyDraft("good.far.test", "allow")], NOW
    )
    assert (await fresh(db, bob)).suspended_at == NOW
    assert (await fresh(db, below)).suspended_at is None
    await db.write(moderation.unset_policy, "good.far.test")
    assert (await fresh(db, below)).suspended_at == NOW
    await set_(db, "good.far.test", "allow")
    assert (await fresh(db, below)).suspended_at is None


async def test_a_limited_server_leaves_the_public_feeds(db):
    bob, eve = remote("bob"), remote("eve", "other.test")
    await stored(db, bob, eve)
    said = await db.write(receive.receive, bob, note(bob), NOW)
    other = await db.write(receive.receive, eve, note(eve), NOW)
    await set_(db, "far.test", "limit")
    assert not (await post(db, said.id)).listed
    assert (await post(db, other.id)).listed
    await db.read(find.visible, said.id, None)


# Lists


def test_a_list_that_is_none_is_refused():
    with pytest.raises(Invalid):
        moderation.parse_csv("x" * 5_000_001)


def test_what_cannot_be_used_costs_its_line():
    parsed = moderation.parse_csv(
        "\ufeff#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n"
        'far.test,suspend,TRUE,FALSE,"spam, and worse",FALSE\n'
        "*.quiet.test,silence,,,,\n"
        "Bücher.test,limit\n"
        "ex**ple.test,suspend,,,hidden,TRUE\n"
        "media.test,noop,TRUE,,,\n"
        "not a host,suspend\n"
        ",suspend\n"
        "\n"
        "far.test,silence,,,twice,\n"
    )
    assert parsed.drafts == (
        PolicyDraft("far.test", "limit", "twice"),
        PolicyDraft("quiet.test", "limit", ""),
        PolicyDraft("xn--bcher-kva.test", "limit", ""),
        PolicyDraft("media.test", "noop", reject_media=True),
    )
    assert [reason.partition(":")[0] for reason in parsed.skipped] == ["line 5", "line 7"]


def test_a_plain_list_of_names_is_to_be_blocked():
    parsed = moderation.parse_csv("# my list\nfar.test\nother.test\nbad name\n")
    assert parsed.drafts == (PolicyDraft("far.test", "block"), PolicyDraft("other.test", "block"))
    assert len(parsed.skipped) == 1
    assert moderation.parse_csv("").drafts == ()


@given(st.text())
def test_any_text_is_read_as_a_list_or_refused(text):
    with suppress(Invalid):
        moderation.parse_csv(text)


def test_a_list_is_written_as_it_is_read():
    kept = [
        HostPolicy("a.test", "block", 'spam, "really"', NOW),
        HostPolicy("b.test", "limit", "", NOW),
        HostPolicy("c.test", "allow", "", NOW),
        HostPolicy("d.test", "noop", "", NOW, reject_media=True, reject_reports=True, obfuscate=True),
    ]
    written = moderation.format_csv(kept)
    assert written.splitlines()[0] == "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate"
    assert [PolicyDraft.of(one) for one in kept] == list(moderation.parse_csv(written).drafts)
    assert "'=1+1" in moderation.format_csv([HostPolicy("d.test", "block", "=1+1", NOW)])


async def test_a_list_is_taken_at_once(db, queries):
    bob = remote("bob")
    await stored(db, bob)
    drafts = [PolicyDraft("far.test", "block"), *(PolicyDraft(f"h{n}.test", "block") for n in range(300))]
    queries.clear()
    assert await db.write(moderation.set_policies, drafts, NOW) == 301
    assert len(queries) < 15
    assert await db.write(moderation.set_policies, drafts, NOW + timedelta(days=1)) == 0
    assert (await fresh(db, bob)).suspended_at == NOW
    assert len(await rows(db, host_policies)) == 301


# Reports


async def test_a_report_that_concerns_nobody_here_is_not_kept(db, origin):
    bob, eve = remote("bob"), remote("eve")
    await stored(db, bob, eve)
    instance = await db.write(accounts.create_instance_actor, origin, [], NOW)
    theirs = await db.write(receive.receive, eve, note(eve), NOW)
    alice = await local(db, "alice")
    for uris, uri in (
        ([], f"{bob.uri}#flag"),
        ([eve.uri, theirs.uri], f"{bob.uri}#flag"),
        ([instance.uri], f"{bob.uri}#flag"),
        ([alice.uri], "https://other.test/flag"),
    ):
        assert await db.write(moderation.receive_flag, bob, uris, "bad", uri, NOW) is None
    assert await rows(db, reports_table) == []


async def test_a_report_is_kept_once_with_its_signer(db, origin):
    alice, carol, bob = await local(db, "alice"), await local(db, "carol"), remote("bob")
    await stored(db, bob)
    hers = await db.write(publish.publish, origin, alice.id, Draft("hello"), NOW)
    other = await db.write(publish.publish, origin, carol.id, Draft("hello"), NOW)
    uris = [hers.uri, "https://far.test/x", alice.uri, other.uri]
    made = await db.write(moderation.receive_flag, bob, uris, "bad\0 " + "x" * 9999, f"{bob.uri}#flag", NOW)
    assert (made.reporter_id, made.target_id, made.post_uris) == (bob.id, alice.id, [hers.uri])
    assert len(made.comment) <= 5000
    assert "\0" not in made.comment
    assert await db.write(moderation.receive_flag, bob, uris, "bad", f"{bob.uri}#flag", NOW) is None
    posts_only = await db.write(moderation.receive_flag, bob, [other.uri], "", f"{bob.uri}#flag2", NOW)
    assert posts_only.target_id == carol.id
    assert [one.id for one in await db.read(moderation.open_reports)] == [made.id, posts_only.id]
    assert (await db.write(moderation.resolve, made.id, NOW)).resolved_at == NOW
    assert (await db.write(moderation.resolve, made.id, NOW + timedelta(days=1))).resolved_at == NOW
    assert [one.id for one in await db.read(moderation.open_reports)] == [posts_only.id]
    with pytest.raises(NotFound):
        await db.write(moderation.resolve, 4711, NOW)


async def test_our_reports_are_passed_on_without_a_name(db, origin):
    alice, bob, eve = await local(db, "alice"), remote("bob"), remote("eve")
    await stored(db, bob, eve)
    instance = await db.write(accounts.create_instance_actor, origin, [], NOW)
    his = await db.write(receive.receive, bob, note(bob), NOW)
    hers = await db.write(receive.receive, eve, note(eve), NOW)
    for wrong in (alice.id, instance.id):
        with pytest.raises(Invalid):
            await db.write(moderation.report, alice.id, Complaint(wrong), NOW)
    for missing in (Complaint(4711), Complaint(bob.id, [his.id, hers.id])):
        with pytest.raises(NotFound):
            await db.write(moderation.report, alice.id, missing, NOW)
    quiet = await db.write(moderation.report, alice.id, Complaint(bob.id, comment="bad"), NOW)
    assert (quiet.forwarded, await sent(db)) == (False, [])
    told = await db.write(moderation.report, alice.id, Complaint(bob.id, [his.id], "bad", forward=True), NOW)
    assert told.forwarded
    assert told.post_uris == [his.uri]
    (letter,) = await sent(db)
    assert (letter.type, letter.document["actor"], letter.inboxes) == ("Flag", instance.uri, {bob.inbox})
    assert letter.document["object"] == [bob.uri, his.uri]
    assert alice.uri not in str(letter.document)
    assert quiet.reporter_id == alice.id


async def test_a_post_that_the_reporter_may_not_see_is_not_named_to_its_server(db, origin):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    secret = await db.write(receive.receive, bob, note(bob, to=(bob.followers_uri,), cc=()), NOW)
    with pytest.raises(NotFound):
        await db.write(moderation.report, alice.id, Complaint(bob.id, [secret.id], forward=True), NOW)
    assert await db.read(moderation.open_reports) == []


async def test_whom_the_posts_answer_may_be_told_too_where_it_is_asked_for(db, origin):
    alice, bob, eve = await local(db, "alice"), remote("bob"), remote("eve", "bad.test")
    await stored(db, bob, eve)
    await db.write(accounts.create_instance_actor, origin, [], NOW)
    first = await db.write(receive.receive, bob, note(bob), NOW)
    answer = await db.write(receive.receive, eve, note(eve, in_reply_to=first.uri), NOW)
    both = Complaint(eve.id, [answer.id], forward=True, forward_to=["BAD.test", "far.test", "third.test"])
    assert (await db.write(moderation.report, alice.id, both, NOW)).forwarded
    (letter,) = await sent(db)
    assert letter.inboxes == {bob.shared_inbox, eve.shared_inbox}
    neither = Complaint(eve.id, [answer.id], forward=True, forward_to=["third.test"])
    assert not (await db.write(moderation.report, alice.id, neither, NOW)).forwarded
