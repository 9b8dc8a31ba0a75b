"""Making, changing and leaving collections on pages.  Refusals first."""

from datetime import UTC, datetime

import pytest

from federation.origin import Origin
from social import accounts
from social.accounts import ProfileChanges
from social.collections import curate, views
from social.collections.curate import Draft
from social.errors import NotAllowed, NotFound
from tests.people import OURS, local, remote, stored
from tests.web import browsing

ORIGIN = Origin("ours.test", OURS)


@pytest.fixture
def remotes():
    return browsing.Elsewhere()


@pytest.fixture
async def people(sqlite_db, aiohttp_client, remotes):
    """alice, who looks; bob and carol, who may be recommended."""
    browser = await browsing.opened(sqlite_db, aiohttp_client, remote=remotes)
    found = [await browsing.person(sqlite_db, ORIGIN, name) for name in ("alice", "bob", "carol")]
    await browser.sign_in("alice")
    return browser, *found


async def made(db, owner, name, *members):
    ids = [one.id for one in members]
    return await db.write(curate.create, ORIGIN, owner.id, Draft(name), ids, datetime.now(UTC))


async def names(db, owner, view):
    found = await db.read(views.with_people, view.collection.id, owner.id)
    return [one.username for one in found.members]


@pytest.mark.parametrize("path", ["/collections", "/collections/1/edit"])
async def test_who_is_not_signed_in_is_led_to_the_door(sqlite_db, aiohttp_client, path):
    browser = await browsing.opened(sqlite_db, aiohttp_client)
    await browser.get(path)
    assert browser.location.startswith("/login?next=")


async def test_another_s_collection_is_not_changed(sqlite_db, people):
    browser, alice, bob, carol = people
    it = await made(sqlite_db, bob, "his own", carol)
    here, item = f"/collections/{it.collection.id}", it.items[0].id
    await browser.get("/collections")
    for path in ("/edit", "/add", "/arrange", "/delete", f"/items/{item}/remove", f"/items/{item}/revoke"):
        await browser.send(here + path, ("item[]", str(item)), ("place[]", "1"), name="mine", handle="alice")
        assert browser.status == 403, path
        await browser.send(f"/collections/7{path}", name="mine", handle="alice")
        assert browser.status == 404, path
        await browser.post(here + path, {"csrf": "wrong"})
        assert browser.status == 403, path
    await browser.get(f"{here}/edit")
    assert browser.status == 403
    assert await names(sqlite_db, bob, it) == ["carol"]
    assert alice.id


async def test_what_is_wrong_is_said_and_what_was_typed_stays(sqlite_db, people, remotes):
    browser, alice, bob, _ = people
    shy = await browsing.person(sqlite_db, ORIGIN, "shy")
    changes = ProfileChanges(discoverable=False)
    await sqlite_db.write(accounts.update_profile, ORIGIN, shy.id, changes, datetime.now(UTC))
    it = await made(sqlite_db, alice, "Mine", bob)
    here = f"/collections/{it.collection.id}"
    await browser.get("/collections")
    await browser.send("/collections", name="x" * 41)
    assert (browser.status, "The name is too long" in browser.text, "x" * 41 in browser.page) == (422, True, True)
    await browser.send(f"{here}/edit", name="", description="<b>", tag="two words", discoverable="1")
    assert browser.status == 422
    assert "The name can't be blank, the hashtag is no hashtag that can be used" in browser.text
    assert ("&lt;b&gt;" in browser.page, 'value="two words"' in browser.page) == (True, True)
    for handle, says in (
        ("nobody", "Nobody is called that"),
        (shy.username, "cannot be added to collections"),
        ("bob", "has already been taken"),
        ("<x>@far.test", "Nobody is called that"),
    ):
        await browser.send(f"{here}/add", handle=handle)
        assert (browser.status, says in browser.text) == (422, True), handle
    assert remotes.known == {}
    await browser.send(f"{here}/arrange", ("item[]", "no"), ("place[]", "x"), ("item[]", "7"), ("place[]", "-1"))
    assert await names(sqlite_db, alice, it) == ["bob"]


async def test_a_collection_is_made_filled_ordered_changed_and_deleted(sqlite_db, people, remotes):
    browser, alice, bob, carol = people
    far = remote("dora", feature_policy={"automatic": [], "manual": ["public"]})
    await stored(sqlite_db, far)
    remotes.known["dora@elsewhere.test"] = far
    await browser.get("/collections")
    await browser.send("/collections", name="Good <people>")
    here = browser.location.removesuffix("/edit")
    assert here.startswith("/collections/")
    await browser.get(f"{here}/edit")
    assert "Nobody yet" in browser.text
    for handle in ("@bob", "carol@ours.test", "dora@elsewhere.test"):
        await browser.send(f"{here}/add", handle=handle)
        assert browser.location == f"{here}/edit?done=added", handle
    await browser.get(browser.location)
    assert "was asked" in browser.text
    (view,) = await sqlite_db.read(views.of_account, alice.id, alice.id, 9)
    items = {item.account_id: str(item.id) for item in view.items}
    places = [("item[]", items[bob.id]), ("place[]", "1"), ("item[]", items[carol.id]), ("place[]", "1"),
              ("item[]", items[far.id]), ("place[]", "3")]  # fmt: skip
    await browser.send(f"{here}/arrange", *places)
    assert await names(sqlite_db, alice, view) == ["carol", "bob", "dora"]
    await browser.send(f"{here}/items/{items[bob.id]}/remove", back=f"{here}/edit")
    assert (browser.location, await names(sqlite_db, alice, view)) == (f"{here}/edit", ["carol", "dora"])
    await browser.send(f"{here}/edit", name="Better people", description="a & b", tag="#good", language="en")
    assert browser.location == here
    await browser.get(here)
    assert ("Better people" in browser.text, "a & b" in browser.text, "#good" in browser.text) == (True, True, True)
    await browser.get("/collections")
    assert "2 accounts · not on your profile" in browser.text
    await browser.send(f"{here}/delete")
    assert (browser.location, await sqlite_db.read(views.of_account, alice.id, alice.id, 9)) == ("/collections", [])


async def test_who_is_in_one_sees_it_and_leaves_it(sqlite_db, people):
    browser, alice, bob, _ = people
    it = await made(sqlite_db, bob, "his friends", alice)
    await browser.get("/collections")
    assert "You are in these his friends of bob" in browser.text
    await browser.send(f"/collections/{it.collection.id}/items/{it.items[0].id}/revoke")
    assert (browser.location, await names(sqlite_db, bob, it)) == ("/collections", [])
    await browser.get("/collections")
    assert "his friends" not in browser.text


async def test_the_order_is_changed_once_and_by_its_owner_alone(db):
    alice, bob, carol = [await local(db, name, discoverable=True) for name in ("alice", "bob", "carol")]
    view = await made(db, alice, "Mine", bob, carol)
    first, second = (item.id for item in view.items)
    now = datetime.now(UTC)
    with pytest.raises(NotAllowed):
        await db.write(curate.arrange, bob.id, view.collection.id, [second, first], now)
    with pytest.raises(NotFound):
        await db.write(curate.arrange, alice.id, 7, [second, first], now)
    await db.write(curate.arrange, alice.id, view.collection.id, [second, 7, second], now)
    assert await names(db, alice, view) == ["carol", "bob"]
