"""Collections of other servers, and people of ours in them; the answers to ours (FEP-7aa9)."""

from dataclasses import replace

import pytest

from federation.reading import FeatureAuthorization
from social import blocks
from social.collections import curate, theirs, views
from social.collections.curate import Draft
from social.errors import NotFound
from social.notifications import page as news
from social.pages import Page
from tests.conftest import NOW
from tests.inbox.letters import activity
from tests.inbox.world import BOB, CAROL, EVE, ORIGIN
from tests.people import follow, local, remote, stored
from tests.social.mail import mailed

HERE = f"{BOB.uri}/collections/1"
LIST = f"{BOB.uri}/collections"


def collection(by=BOB, *items, **more):
    uri = more.pop("id", f"{by.uri}/collections/1")
    document = {
        "type": "FeaturedCollection",
        "id": uri,
        "attributedTo": by.uri,
        "name": "Good ones",
        "summary": "<b>very</b><script>x</script>",
        "sensitive": False,
        "discoverable": True,
        "topic": {"type": "Hashtag", "name": "#Good"},
        "totalItems": len(items),
        "orderedItems": list(items),
        "published": "2025-12-01T00:00:00Z",
    }
    return {**document, **more}


def item(account, approval, number=1, at=HERE):
    return {
        "type": "FeaturedItem",
        "id": f"{at}/items/{number}",
        "featuredObject": account.uri,
        "featuredObjectType": "Person",
        "featureAuthorization": approval,
    }


@pytest.fixture
async def ann(world):
    return await local(world.db, "ann", discoverable=True)


@pytest.fixture
async def kept(world, ann):
    """One of Bob's, because Ann follows him."""
    await world.db.write(follow, ann, BOB)
    await world.say(BOB, activity("Add", BOB, collection(), target=LIST))
    return await world.db.read(theirs.find, HERE)


async def sent(world, kind):
    return [one for one, _ in await mailed(world.db) if one["type"] == kind]


def asks(by, account, **more):
    return activity("FeatureRequest", by, account.uri, instrument=HERE, id=f"{by.uri}/feature_requests/1", **more)


async def test_collections_of_strangers_are_not_kept(world, ann):
    await world.say(BOB, activity("Add", BOB, collection(), target=LIST))
    assert await world.db.read(theirs.find, HERE) is None


@pytest.mark.parametrize(
    "wrong",
    [{"attributedTo": CAROL.uri}, {"attributedTo": None}, {"id": "https://bad.test/c/1"}, {"id": 7}, {"type": []}],
)
async def test_nobody_tells_of_the_collections_of_others(world, kept, wrong):
    await world.say(BOB, activity("Update", BOB, collection(name="stolen", **wrong), id=f"{BOB.uri}#{wrong}"))
    await world.say(EVE, activity("Update", EVE, collection(name="stolen")))
    await world.say(CAROL, activity("Update", CAROL, collection(name="stolen")))
    assert (await world.db.read(theirs.find, HERE)).name == "Good ones"
    await world.say(EVE, activity("Remove", EVE, HERE, target=LIST))
    assert await world.db.read(theirs.find, HERE) is not None


async def test_a_collection_is_kept_changed_and_removed(world, kept):
    assert (kept.name, kept.description, kept.tag, kept.local) == ("Good ones", "<b>very</b>", "Good", False)
    await world.say(BOB, activity("Update", BOB, collection(name="Better", discoverable=False)))
    changed = await world.db.read(theirs.find, HERE)
    assert (changed.name, changed.discoverable, changed.id) == ("Better", False, kept.id)
    bob = replace(BOB, collections_uri=LIST)
    await world.db.write(theirs.receive_remove, bob, LIST, HERE)
    assert await world.db.read(theirs.find, HERE) is None


async def test_who_is_in_it_is_asked_at_his_own_server(world, kept):
    stamp = f"{EVE.uri}/stamps/1"
    await world.say(BOB, activity("Update", BOB, collection(BOB, item(EVE, stamp))))
    assert ("verify_collection", "") in await world.jobs()
    (waits,) = await world.db.read(theirs.waiting, kept.id)
    assert (await world.db.read(views.one, kept.id, None)).items == ()
    await world.db.write(theirs.verified, waits, EVE, FeatureAuthorization(EVE.uri, HERE))
    assert [one.account_id for one in (await world.db.read(views.one, kept.id, None)).items] == [EVE.id]
    await world.say(CAROL, activity("Delete", CAROL, {"type": "FeatureAuthorization", "id": stamp}))
    assert len((await world.db.read(views.one, kept.id, None)).items) == 1  # not hers to take back
    await world.say(EVE, activity("Delete", EVE, {"type": "FeatureAuthorization", "id": stamp}))
    assert (await world.db.read(views.one, kept.id, None)).items == ()
    await world.say(BOB, activity("Update", BOB, collection(BOB, item(EVE, stamp)), id=f"{BOB.uri}#again"))
    assert await world.db.read(theirs.waiting, kept.id) == []


@pytest.mark.parametrize(
    "said", [FeatureAuthorization(EVE.uri, "https://far.test/other"), FeatureAuthorization(CAROL.uri, HERE)]
)
async def test_an_approval_of_something_else_is_none(world, kept, said):
    await world.say(BOB, activity("Update", BOB, collection(BOB, item(EVE, f"{EVE.uri}/stamps/1"))))
    (waits,) = await world.db.read(theirs.waiting, kept.id)
    await world.db.write(theirs.verified, waits, EVE, said)
    assert (await world.db.read(views.one, kept.id, None)).items == ()


async def test_who_names_the_approval_of_another_first_does_not_keep_it(world, kept, ann):
    await world.db.write(follow, ann, EVE)
    there, stamp = f"{EVE.uri}/collections/1", f"{CAROL.uri}/stamps/1"
    thief = collection(EVE, item(CAROL, stamp, at=there))
    await world.say(EVE, activity("Add", EVE, thief, target=f"{EVE.uri}/collections"))
    (waits,) = await world.db.read(theirs.waiting, (await world.db.read(theirs.find, there)).id)
    await world.db.write(theirs.verified, waits, CAROL, FeatureAuthorization(CAROL.uri, HERE))
    await world.say(BOB, activity("Update", BOB, collection(BOB, item(CAROL, stamp))))
    (waits,) = await world.db.read(theirs.waiting, kept.id)
    await world.db.write(theirs.verified, waits, CAROL, FeatureAuthorization(CAROL.uri, HERE))
    assert [one.account_id for one in (await world.db.read(views.one, kept.id, None)).items] == [CAROL.id]


async def test_an_approval_on_another_host_is_not_even_asked_for(world, kept, ann):
    theft = item(ann, f"{ann.uri}/feature_authorizations/1", 2)
    await world.say(BOB, activity("Update", BOB, collection(BOB, item(EVE, "https://far.test/stamps/1"), theft)))
    assert await world.db.read(theirs.waiting, kept.id) == []
    assert (await world.db.read(views.one, kept.id, ann.id)).items == ()


@pytest.mark.parametrize("how", ["hidden", "locked", "blocked"])
async def test_who_does_not_agree_is_not_shown(world, kept, how):
    more = {"hidden": {"discoverable": False}, "locked": {"locked": True}}.get(how, {})
    shy = await local(world.db, "shy", **{"discoverable": True, **more})
    if how == "blocked":
        await world.db.write(blocks.block, shy.id, BOB.id, NOW)
    await world.say(BOB, asks(BOB, shy))
    (answer,) = await sent(world, "Reject")
    assert answer["object"]["id"] == f"{BOB.uri}/feature_requests/1"
    assert await world.db.read(views.with_account, shy.id, 10) == []


async def test_one_of_ours_is_shown_told_and_takes_himself_out(world, kept, ann):
    await world.say(EVE, asks(EVE, ann))  # in a collection that is not hers
    assert await sent(world, "Accept") == []
    asked = asks(BOB, ann)
    del asked["actor"]  # as Mastodon sends it
    await world.say(BOB, asked)
    (answer,) = await sent(world, "Accept")
    approval = answer["result"]
    assert approval.startswith(f"{ann.uri}/feature_authorizations/")
    assert await world.db.read(theirs.approved, ann.id, approval, None) == HERE
    added = activity("Add", BOB, item(ann, approval), target=HERE)
    del added["id"]
    await world.say(BOB, added)
    (shown,) = await world.db.read(views.with_account, ann.id, 10)
    assert [(one.account_id, one.uri) for one in shown.items] == [(ann.id, f"{HERE}/items/1")]
    assert [one.notification.kind for one in await world.db.read(news, ann.id, Page())] == ["added_to_collection"]
    await world.say(BOB, activity("Update", BOB, collection(BOB, item(ann, approval), name="Other")))
    assert (await world.db.read(news, ann.id, Page()))[0].notification.kind == "collection_update"
    await world.db.write(curate.revoke, ann.id, kept.id, shown.items[0].id, NOW)
    (gone,) = await sent(world, "Delete")
    assert (gone["object"]["type"], gone["object"]["id"]) == ("FeatureAuthorization", approval)
    await world.say(BOB, activity("Update", BOB, collection(BOB, item(ann, approval)), id=f"{BOB.uri}#3"))
    assert (await world.db.read(views.one, kept.id, ann.id)).items == ()


async def test_one_request_is_not_for_two(world, kept, ann):
    other = await local(world.db, "other", discoverable=True)
    await world.say(BOB, asks(BOB, ann))
    uri = f"{BOB.uri}/feature_requests/1"
    with pytest.raises(NotFound):
        await world.db.write(theirs.receive_request, BOB, uri, HERE, other.uri, NOW)
    assert await world.db.read(views.with_account, other.id, 10) == []


async def test_a_request_for_an_unknown_collection_waits_for_it(world, ann):
    await world.say(BOB, asks(BOB, ann))
    assert (await world.jobs())[-1] == ("fetch_collection", HERE)
    assert await sent(world, "Accept") == []


async def test_ours_show_others_who_answer(world, ann):
    eve = remote("adam", "bad.test", feature_policy={"automatic": ["public"], "manual": []})
    await stored(world.db, eve)
    await world.db.write(follow, BOB, ann)
    made = await world.db.write(curate.create, ORIGIN, ann.id, Draft("Friends"), [eve.id], NOW)
    it, (waits,) = made.collection, made.items
    assert waits.state == "pending"
    (added,), (asked,) = await sent(world, "Add"), await sent(world, "FeatureRequest")
    assert (added["object"]["type"], added["object"]["orderedItems"]) == ("FeaturedCollection", [])
    assert (asked["object"], asked["instrument"]) == (eve.uri, it.uri)
    for by, result in ((CAROL, f"{CAROL.uri}/s/1"), (eve, f"{CAROL.uri}/s/1")):
        await world.say(by, activity("Accept", by, asked["id"], id=f"{by.uri}#{result}", result=result))
        assert (await world.db.read(views.one, it.id, None)).items == ()
    await world.say(eve, activity("Accept", eve, asked["id"], result=f"{eve.uri}/s/1"))
    assert [one.state for one in (await world.db.read(views.one, it.id, None)).items] == ["accepted"]
    put = (await sent(world, "Add"))[-1]
    assert (put["target"], put["object"]["featureAuthorization"]) == (it.uri, f"{eve.uri}/s/1")
    await world.say(eve, activity("Delete", eve, {"type": "FeatureAuthorization", "id": f"{eve.uri}/s/1"}))
    (out,) = await sent(world, "Remove")
    assert (out["object"], out["target"]) == (waits.uri, it.uri)
    assert (await world.db.read(views.one, it.id, ann.id)).items == ()


async def test_who_claims_an_approval_beforehand_keeps_nobody_from_giving_it(world, kept, ann):
    adam = remote("adam", "bad.test", feature_policy={"automatic": ["public"], "manual": []})
    await stored(world.db, adam)
    await world.say(BOB, activity("Update", BOB, collection(BOB, item(adam, f"{adam.uri}/s/1"))))
    made = await world.db.write(curate.create, ORIGIN, ann.id, Draft("Friends"), [adam.id], NOW)
    (asked,) = await sent(world, "FeatureRequest")
    await world.say(adam, activity("Accept", adam, asked["id"], result=f"{adam.uri}/s/1"))
    assert [one.state for one in (await world.db.read(views.one, made.collection.id, None)).items] == ["accepted"]


async def test_who_says_no_is_not_shown(world, ann):
    eve = remote("adam", "bad.test", feature_policy={"automatic": [], "manual": ["public"]})
    await stored(world.db, eve)
    made = await world.db.write(curate.create, ORIGIN, ann.id, Draft("Friends"), [eve.id], NOW)
    (asked,) = await sent(world, "FeatureRequest")
    await world.say(eve, activity("Reject", eve, asked))
    assert (await world.db.read(views.one, made.collection.id, ann.id)).items == ()
