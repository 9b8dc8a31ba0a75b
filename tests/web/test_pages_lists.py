"""Lists, followed hashtags and filters on pages.  Refusals first."""

from datetime import UTC, datetime

import pytest

from federation.origin import Origin
from social import boosts, follows, lists, tags
from social.filters import keeping
from social.filters.keeping import Changes, KeywordChange
from tests.people import OURS
from tests.web import browsing
from tests.web.browsing import say

ORIGIN = Origin("ours.test", OURS)


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    """alice, who looks and follows bob; bob, who writes."""
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    alice, bob = [await browsing.person(sqlite_db, ORIGIN, name) for name in ("alice", "bob")]
    await sqlite_db.write(follows.ask, alice.id, bob.id, datetime.now(UTC))
    await browser.sign_in("alice")
    return browser, alice, bob


async def unwanted(db, owner, word, action="warn", *places):
    wishes = Changes(f"no {word}", places or keeping.CONTEXTS, action, keywords=[KeywordChange(None, word)])
    return await db.write(keeping.create, owner.id, wishes)


@pytest.mark.parametrize("path", ["/lists", "/lists/1", "/lists/1/edit", "/settings/filters", "/settings/filters/new"])
async def test_who_is_not_signed_in_is_led_to_the_door(sqlite_db, aiohttp_client, path):
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    await browser.get(path)
    assert browser.location.startswith("/login?next=")


async def test_what_is_another_s_is_not_there(sqlite_db, people):
    browser, _, bob = people
    it = await sqlite_db.write(lists.create, bob.id, "secret")
    kept = await unwanted(sqlite_db, bob, "cat")
    for path in (f"/lists/{it.id}", f"/lists/{it.id}/edit", f"/settings/filters/{kept.filter.id}"):
        await browser.get(path)
        assert (browser.status, "secret" in browser.page) == (404, False), path
    for path in (*(f"/lists/{it.id}/{what}" for what in ("edit", "add", "remove", "delete")),
                 f"/settings/filters/{kept.filter.id}", f"/settings/filters/{kept.filter.id}/delete"):  # fmt: skip
        await browser.send(path, title="mine", words="x", handle="bob", account=str(bob.id))
        assert browser.status == 404, path
    for path in ("/lists", f"/lists/{it.id}/delete", "/settings/filters/new", "/tags/cats/follow"):
        await browser.post(path, {"csrf": "wrong", "title": "x"})
        assert browser.status == 403, path


async def test_a_list_is_made_filled_read_and_deleted(sqlite_db, people):
    browser, alice, bob = people
    carol = await browsing.person(sqlite_db, ORIGIN, "carol")
    await browser.send("/lists", title=" ")
    assert (browser.status, "Title" in browser.text) == (422, True)
    await browser.send("/lists", title="Friends & co")
    here = browser.location.removesuffix("/edit")
    await browser.get(f"{here}/edit")
    for handle, says in (("nobody", "Nobody who is known"), ("carol", "Follow them first")):
        await browser.send(f"{here}/add", handle=handle)
        assert (browser.status, says in browser.text) == (422, True)
    await browser.send(f"{here}/add", handle="@bob")
    await browser.send(f"{here}/add", handle="bob@ours.test")
    assert "in this list already" in browser.text
    await say(sqlite_db, bob, "to be read")
    await browser.get(here)
    assert "to be read" in browser.text
    await browser.send(f"{here}/edit", title="Others", replies_policy="none", exclusive="1")
    await browser.get("/lists")
    assert "Others not in your home feed" in browser.text
    (it,) = await sqlite_db.read(lists.all_of, alice.id)
    assert (it.title, it.replies_policy, it.exclusive) == ("Others", "none", True)
    await browser.send(f"{here}/remove", account=str(bob.id))
    await browser.get(f"{here}/edit")
    assert "Nobody yet" in browser.text
    await browser.send(f"{here}/delete")
    assert (browser.location, await sqlite_db.read(lists.all_of, alice.id)) == ("/lists", [])
    assert carol.id


async def test_a_hashtag_is_followed_and_left(sqlite_db, people):
    browser, alice, bob = people
    await say(sqlite_db, bob, "about #Cats")

    async def following():
        (found,) = await sqlite_db.read(tags.look, ["cats"], alice.id, datetime.now(UTC))
        return found.following

    await browser.get("/tags/Cats")
    assert "Follow #Cats" in browser.text
    await browser.send("/tags/cats/follow", back="/tags/Cats")
    assert (browser.location, await following()) == ("/tags/Cats", True)
    await browser.get("/tags/Cats")
    assert "Unfollow #Cats" in browser.text
    await browser.send("/tags/cats/unfollow")
    assert await following() is False
    await browser.send("/tags/%20/follow")
    assert browser.status == 404


async def test_a_filter_is_made_changed_and_deleted(sqlite_db, people):
    browser, alice, _ = people
    await browser.send("/settings/filters/new", ("places[]", "home"), words="cat", action="explode")
    assert browser.status == 422
    await browser.send("/settings/filters/new", words="cat")
    assert (browser.status, ">cat<" in browser.page) == (422, True)  # what was typed stays
    assert "Choose where it holds" in browser.text
    await browser.send(
        "/settings/filters/new",
        ("places[]", "home"),
        words="cat\n\n dog <b> \ncat",
        whole="1",
        action="hide",
        lasts="3600",
    )
    assert browser.location == "/settings/filters"
    (kept,) = await sqlite_db.read(keeping.all_of, alice.id)
    assert [(one.keyword, one.whole_word) for one in kept.keywords] == [("cat", True), ("dog <b>", True)]
    assert (kept.filter.title, kept.filter.contexts, kept.filter.action) == ("cat", ["home"], "hide")
    assert kept.filter.expires_at is not None
    await browser.get("/settings/filters")
    assert "cat, dog <b> Do not show them at all · Home and lists · until" in browser.text
    here = f"/settings/filters/{kept.filter.id}"
    await browser.get(here)
    assert "dog &lt;b&gt;</textarea>" in browser.page
    await browser.send(here, ("places[]", "public"), title="T", words="bird\ncat", action="warn", lasts="keep")
    (new,) = await sqlite_db.read(keeping.all_of, alice.id)
    assert [(one.keyword, one.whole_word) for one in new.keywords] == [("cat", False), ("bird", False)]
    assert (new.filter.title, new.filter.contexts, new.filter.expires_at) == ("T", ["public"], kept.filter.expires_at)
    await browser.send(f"{here}/delete")
    assert await sqlite_db.read(keeping.all_of, alice.id) == ()


async def test_filtered_posts_are_folded_or_not_there(sqlite_db, people):
    browser, alice, bob = people
    carol = await browsing.person(sqlite_db, ORIGIN, "carol")
    cat, _, own, dog = [
        await say(sqlite_db, who, text)
        for who, text in ((bob, "a cat"), (bob, "a dog"), (alice, "my cat"), (carol, "another dog"))
    ]
    answer = await say(sqlite_db, bob, "@alice cat? no!", reply_to_id=own.id)
    await say(sqlite_db, bob, "on the other hand", reply_to_id=answer.id)
    await sqlite_db.write(boosts.boost, bob.id, dog.id, datetime.now(UTC))
    await unwanted(sqlite_db, alice, "cat", "hide", "home", "thread", "notifications")
    await unwanted(sqlite_db, alice, "dog", "warn")
    await browser.get("/home")
    assert ("a cat" in browser.text, "my cat" in browser.text) == (False, True)
    assert browser.page.count("Filtered: <bdi>no dog</bdi>") == 2
    await browser.get("/local")
    assert "a cat" in browser.text
    await browser.get("/notifications")
    assert "cat? no!" not in browser.text
    await browser.get(f"/@bob/{cat.id}")
    assert "a cat" in browser.text  # he asked for it
    await browser.get(f"/@alice/{own.id}")
    assert ("cat? no!" in browser.text, "one of your filters hides" in browser.text) == (False, True)
    assert "on the other hand" in browser.text


async def test_quoted_posts_are_filtered_too(sqlite_db, people):
    browser, alice, bob = people
    carol = await browsing.person(sqlite_db, ORIGIN, "carol")
    for word in ("cat", "dog"):
        quoted = await say(sqlite_db, carol, f"my {word}")
        await say(sqlite_db, bob, f"look at this, {number_of(word)}", quoted_id=quoted.id)
    await unwanted(sqlite_db, alice, "cat", "hide")
    await unwanted(sqlite_db, alice, "dog", "warn")
    await browser.get("/home")
    assert ("my cat" in browser.text, "one of your filters hides is quoted" in browser.text) == (False, True)
    assert browser.page.count("Filtered: <bdi>no dog</bdi>") == 1


def number_of(word):
    return "first" if word == "cat" else "second"
