"""Quotes between our own people, and what others claim about theirs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from federation.reading import PUBLIC, QuoteAuthorization
from social import blocks, domains, quotes, quoting, views
from social.errors import Invalid, NotAllowed, NotFound
from social.pages import Page
from social.posts import delete, drafts, edit, find
from social.posts.drafts import Draft
from store.tables import jobs, notifications
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.mail import mailed, types
from tests.social.said import arrive, note, say


async def seen(db, post, viewer):
    return await db.read(views.post, post.id, viewer.id if viewer else None)


async def state(db, post, viewer=None):
    return (await seen(db, post, viewer)).quote.state


async def told(db):
    return await db.read(
        lambda tx: [(row.kind, row.account_id, row.post_id) for row in tx.execute(select(notifications))]
    )


async def count(db, post):
    return (await db.read(find.by_id, post.id)).quotes_count


@pytest.fixture
async def people(db):
    return await local(db, "alice"), await local(db, "bob")


async def test_what_may_not_be_quoted_is_not(db, origin, people):
    alice, bob = people
    nobody = await say(db, origin, alice, "mine", quote_policy="nobody")
    followers = await say(db, origin, alice, "ours", quote_policy="followers")
    private = await say(db, origin, alice, "private", visibility="private")
    await db.write(follow, bob, alice)
    for post in (nobody, private):
        with pytest.raises(NotAllowed):
            await say(db, origin, bob, "look", quoted_id=post.id)
    assert await state(db, await say(db, origin, bob, "look", quoted_id=followers.id)) == "accepted"
    carol = await local(db, "carol")
    with pytest.raises(NotAllowed):
        await say(db, origin, carol, "look", quoted_id=followers.id)
    with pytest.raises(NotFound):
        await say(db, origin, carol, "look", quoted_id=private.id)


def test_a_quote_has_no_poll_and_a_policy_has_a_name():
    with pytest.raises(Invalid):
        quoting.checked("everybody")
    poll = drafts.PollDraft(("a", "b"), NOW + timedelta(hours=1))
    with pytest.raises(Invalid):
        drafts.check(Draft("x", quoted_id=1, poll=poll), NOW)


async def test_a_post_of_ours_is_quoted_at_once_and_its_author_hears_of_it(db, origin, people):
    alice, bob = people
    quoted = await say(db, origin, alice)
    quoting_post = await say(db, origin, bob, "", quoted_id=quoted.id)
    view = await seen(db, quoting_post, alice)
    assert (view.quote.state, view.quote.post.parts.post.id) == ("accepted", quoted.id)
    assert await count(db, quoted) == 1
    assert ("quote", alice.id, quoting_post.id) in await told(db)
    assert await db.read(quotes.page, alice.id, quoted.id, Page(limit=20)) == [quoting_post.id]
    with pytest.raises(NotFound):
        await db.read(quotes.page, bob.id, quoted.id, Page(limit=20))


async def test_the_author_may_change_his_mind(db, origin, people):
    alice, bob = people
    quoted = await say(db, origin, alice)
    one = await say(db, origin, bob, "look", quoted_id=quoted.id)
    with pytest.raises(NotFound):
        await db.write(quotes.revoke, bob.id, quoted.id, one.id, NOW)
    await db.write(quotes.revoke, alice.id, quoted.id, one.id, NOW)
    assert await state(db, one, bob) == "revoked"
    assert await count(db, quoted) == 0
    with pytest.raises(NotFound):
        await db.write(quotes.revoke, alice.id, quoted.id, one.id, NOW)


async def test_a_quote_shows_nothing_that_its_reader_may_not_see(db, origin, people):
    alice, bob = people
    own = await say(db, origin, alice, "mine", visibility="private")
    again = await say(db, origin, alice, "look", quoted_id=own.id, visibility="public")
    assert again.visibility == "private"
    public = await say(db, origin, alice)
    one = await say(db, origin, bob, "look", quoted_id=public.id)
    carol = await local(db, "carol")
    assert await state(db, one, carol) == "accepted"
    await db.write(blocks.block, alice.id, carol.id, NOW)
    view = await seen(db, one, carol)
    assert (view.quote.state, view.quote.post) == ("unauthorized", None)
    await db.write(blocks.unblock, alice.id, carol.id, NOW)
    await db.write(blocks.block, carol.id, alice.id, NOW)
    assert await state(db, one, carol) == "blocked_account"
    await db.write(delete.delete, alice.id, public.id, NOW)
    assert await state(db, one, bob) == "deleted"


async def test_a_quote_that_goes_counts_no_more_and_an_edit_is_told_to_who_quotes(db, origin, people):
    alice, bob = people
    quoted = await say(db, origin, alice)
    one = await say(db, origin, bob, "look", quoted_id=quoted.id)
    await db.write(edit.edit, origin, alice.id, quoted.id, Draft("changed"), NOW + timedelta(minutes=1))
    assert ("quoted_update", bob.id, one.id) in await told(db)
    await db.write(delete.delete, bob.id, one.id, NOW)
    assert await count(db, quoted) == 0


async def test_what_a_quote_quotes_is_not_shown_deeper(db, origin, people):
    alice, bob = people
    first = await say(db, origin, alice)
    second = await say(db, origin, bob, "look", quoted_id=first.id)
    third = await say(db, origin, alice, "look at that", quoted_id=second.id)
    view = await seen(db, third, bob)
    inner = view.quote.post
    assert (inner.quote.state, inner.quote.post, inner.quote.quoted_id) == ("accepted", None, first.id)


# ---- others


async def test_the_author_elsewhere_is_asked_and_his_answer_counts(db, origin, people):
    alice, _ = people
    bob, eve = remote("bob"), remote("eve")
    await stored(db, bob, eve)
    await db.write(follow, bob, alice)
    policy = {"canQuote": {"automaticApproval": [PUBLIC], "manualApproval": []}}
    [quoted] = await arrive(db, (bob, note(bob, interaction_policy=policy)))
    one = await say(db, origin, alice, "look", quoted_id=quoted.id)
    assert await state(db, one, alice) == "pending"
    [(asked, hosts)] = [letter for letter in await mailed(db) if letter[0]["type"] == "QuoteRequest"]
    assert (asked["object"], asked["instrument"]["id"], hosts) == (quoted.uri, one.uri, {"far.test"})
    approval = f"{bob.uri}/approvals/1"
    with pytest.raises(NotFound):
        await db.write(quotes.receive_answer, eve, asked["id"], one.uri, approval, NOW)
    await db.write(quotes.receive_answer, bob, asked["id"], None, "https://elsewhere.test/approvals/1", NOW)
    assert await state(db, one, alice) == "pending"
    await db.write(quotes.receive_answer, bob, asked["id"], None, approval, NOW)
    assert await state(db, one, alice) == "accepted"
    assert (await mailed(db))[-1][0]["object"]["quoteAuthorization"] == approval
    await db.write(quotes.receive_revocation, eve, approval, NOW)
    assert await state(db, one, alice) == "accepted"
    await db.write(quotes.receive_revocation, bob, approval, NOW)
    assert await state(db, one, alice) == "revoked"
    assert "quoteAuthorization" not in (await mailed(db))[-1][0]["object"]


async def test_the_author_elsewhere_may_refuse(db, origin, people):
    alice, _ = people
    bob = remote("bob")
    await stored(db, bob)
    policy = {"canQuote": {"automaticApproval": [], "manualApproval": [PUBLIC]}}
    [quoted] = await arrive(db, (bob, note(bob, interaction_policy=policy)))
    one = await say(db, origin, alice, "look", quoted_id=quoted.id)
    await db.write(quotes.receive_answer, bob, None, one.uri, None, NOW)
    assert await state(db, one, alice) == "rejected"


async def test_others_ask_and_are_answered_by_the_policy(db, origin, people):
    alice, _ = people
    bob = remote("bob")
    await stored(db, bob)
    open_ = await say(db, origin, alice)
    closed = await say(db, origin, alice, "mine", quote_policy="nobody")
    assert await db.write(quotes.receive_request, bob, f"{bob.uri}/q/1", open_.uri, f"{bob.uri}/posts/1", NOW)
    assert not await db.write(quotes.receive_request, bob, f"{bob.uri}/q/2", closed.uri, f"{bob.uri}/posts/2", NOW)
    accept, reject = [one for one, _ in await mailed(db) if one["type"] in ("Accept", "Reject")]
    assert accept["object"]["instrument"] == f"{bob.uri}/posts/1"
    assert accept["result"].startswith(f"{alice.uri}/quote_authorizations/")
    assert (reject["type"], reject["object"]["id"]) == ("Reject", f"{bob.uri}/q/2")
    with pytest.raises(NotFound):
        await db.write(quotes.receive_request, bob, "x", open_.uri, "https://elsewhere.test/1", NOW)
    with pytest.raises(NotFound):
        await db.write(quotes.receive_request, bob, "x", f"{alice.uri}/posts/1", f"{bob.uri}/posts/1", NOW)


async def test_who_wants_nothing_of_a_domain_is_not_quoted_there(db, origin, people):
    alice, _ = people
    bob = remote("bob")
    await stored(db, bob)
    quoted = await say(db, origin, alice)
    await db.write(domains.block, origin, alice.id, bob.domain, NOW)
    assert not await db.write(quotes.receive_request, bob, f"{bob.uri}/q/1", quoted.uri, f"{bob.uri}/posts/1", NOW)
    assert [one["type"] for one, _ in await mailed(db)][-1] == "Reject"


async def test_a_quote_of_ours_counts_with_our_approval_alone(db, origin, people):
    alice, _ = people
    bob = remote("bob")
    await stored(db, bob)
    quoted = await say(db, origin, alice)
    [without] = await arrive(db, (bob, note(bob, quote=quoted.uri)))
    assert await state(db, without) == "pending"
    uri = f"{bob.uri}/posts/with"
    await db.write(quotes.receive_request, bob, f"{bob.uri}/q/1", quoted.uri, uri, NOW)
    approval = [one for one, _ in await mailed(db) if one["type"] == "Accept"][-1]["result"]
    [other] = await arrive(db, (bob, note(bob, quote=quoted.uri, quote_authorization=approval)))
    assert await state(db, other) == "pending"  # it is for another post
    [with_] = await arrive(db, (bob, note(bob, id=uri, quote=quoted.uri, quote_authorization=approval)))
    assert await state(db, with_, alice) == "accepted"
    assert ("quote", alice.id, with_.id) in await told(db)
    await db.write(quotes.revoke, alice.id, quoted.id, with_.id, NOW)
    gone = (await mailed(db))[-1][0]
    assert (gone["type"], gone["object"]["type"], gone["object"]["id"]) == ("Delete", "QuoteAuthorization", approval)
    with pytest.raises(NotFound):
        await db.read(quotes.approval, approval)
    assert not await db.write(quotes.receive_request, bob, f"{bob.uri}/q/2", quoted.uri, uri, NOW)


async def test_what_says_no_policy_is_quoted_by_others_as_they_please(db, origin):
    bob, eve = remote("bob"), remote("eve", "bad.test")
    await stored(db, bob, eve)
    [free] = await arrive(db, (bob, note(bob)))
    [legacy] = await arrive(db, (eve, note(eve, quote=free.uri)))
    assert await state(db, legacy) == "accepted"
    policy = {"canQuote": {"automaticApproval": [PUBLIC], "manualApproval": []}}
    [strict] = await arrive(db, (bob, note(bob, interaction_policy=policy)))
    [claims] = await arrive(db, (eve, note(eve, quote=strict.uri, quote_authorization=f"{bob.uri}/a/1")))
    assert await state(db, claims) == "pending"
    claim = await db.read(quotes.claim_of, claims.id)
    said = QuoteAuthorization(bob.uri, claims.uri, strict.uri)
    for wrong in (
        None,
        replace(said, author=eve.uri),
        replace(said, quoting=legacy.uri),
        replace(said, quoted=free.uri),
    ):
        assert not await db.write(quotes.verified, claim, strict.id, wrong, NOW)
        assert await state(db, claims) == "pending"
    elsewhere = replace(claim, approval="https://bad.test/a/1")
    assert not await db.write(quotes.verified, elsewhere, strict.id, said, NOW)
    assert await db.write(quotes.verified, claim, strict.id, said, NOW)
    assert await state(db, claims) == "accepted"


async def test_what_is_quoted_is_fetched_for_those_whom_somebody_follows(db, origin, people):
    alice, _ = people
    bob, eve = remote("bob"), remote("eve", "bad.test")
    await stored(db, bob, eve)
    await db.write(follow, alice, bob)
    for author in (bob, eve):
        await arrive(db, (author, note(author, quote="https://third.test/posts/1")))
    asked = await db.read(
        lambda tx: tx.scalar(select(func.count()).select_from(jobs).where(jobs.c.kind == quotes.VERIFY))
    )
    assert asked == 1


async def test_an_edit_may_bring_the_approval_or_take_the_quote_away(db, origin, people):
    alice, _ = people
    bob = remote("bob")
    await stored(db, bob)
    quoted = await say(db, origin, alice)
    said = note(bob, quote=quoted.uri)
    [post] = await arrive(db, (bob, said))
    await db.write(quotes.receive_request, bob, f"{bob.uri}/q/1", quoted.uri, post.uri, NOW)
    assert await state(db, post) == "accepted"
    await db.write(edit.receive_edit, bob, replace(said, quote=None, updated=NOW), NOW)
    assert (await seen(db, post, None)).quote is None
    assert await count(db, quoted) == 0


async def test_who_may_quote_can_be_changed_and_is_told(db, origin, people):
    alice, bob = people
    await stored(db, far := remote("carol"))
    await db.write(follow, far, alice)
    post = await say(db, origin, alice)
    assert (await seen(db, post, bob)).may_quote == "automatic"
    await db.write(quotes.set_policy, alice.id, post.id, "followers", NOW)
    assert (await seen(db, post, bob)).may_quote == "denied"
    assert (await seen(db, post, alice)).may_quote == "automatic"
    assert (await types(db))[-1] == "Update"
    policy = (await mailed(db))[-1][0]["object"]["interactionPolicy"]
    assert policy == {"canQuote": {"automaticApproval": [f"{alice.uri}/followers"], "manualApproval": []}}
    await db.write(follow, bob, alice)
    assert (await seen(db, post, bob)).may_quote == "automatic"
