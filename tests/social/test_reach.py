"""Whom a limit concerns, and what a list of limits would change."""

from datetime import UTC, datetime

import pytest

from social import moderation
from social.errors import Invalid
from social.moderation import importing, reach
from social.moderation.hosts import PolicyDraft
from social.moderation.reach import Reach
from social.moderation.sanctions import Staff
from tests.people import follow, local, remote, stored

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
async def alice(db):
    """Follows somebody at good.far.test; is followed by her, and by somebody at far.test; each knows the other."""
    alice, near, below = await local(db, "alice"), remote("near", "far.test"), remote("below", "good.far.test")
    for one in (near, below, remote("notfar", "notfar.test")):
        await stored(db, one)
    await db.write(
        lambda tx: [follow(tx, *pair) for pair in ((alice, below), (below, alice), (near, alice), (near, below))]
    )
    return alice


async def test_a_name_stands_for_what_is_below_but_for_what_is_said_of_that_itself(db, alice):
    far, good = PolicyDraft("*.FAR.test", "block"), PolicyDraft("good.far.test", "allow")
    assert await db.read(reach.of, [far]) == {"far.test": Reach(("far.test", "good.far.test"), 2, 2, 1)}
    assert (await db.read(reach.of, [far, good]))["far.test"] == Reach(("far.test",), 1, 1, 0)
    await db.write(moderation.set_draft, good, NOW)
    assert (await db.read(reach.of, [far]))["far.test"] == Reach(("far.test",), 1, 1, 0)
    assert await db.read(reach.of, [PolicyDraft("new.test", "block")]) == {"new.test": Reach()}
    with pytest.raises(Invalid):
        await db.read(reach.of, [PolicyDraft("<b>", "block")])


async def test_a_list_tells_new_from_changed_and_cuts_only_what_is_not_cut_yet(db, alice):
    await db.write(
        moderation.set_policies, [PolicyDraft("old.test", "block", "x", "ours"), PolicyDraft("a.test", "limit")], NOW
    )
    drafts = moderation.parse_csv(
        "domain,severity\nfar.test,suspend\nold.test,suspend\na.test,silence\nours.test,suspend"
    ).drafts
    found = await db.read(importing.plan, ["ours.test"], drafts)
    assert [one.host for one in found.new] == ["far.test"]
    assert [(old.comment, new.comment, new.private_comment) for old, new in found.changed] == [("x", "", "ours")]
    assert (found.same, found.reach["far.test"].follows, list(found.reach)) == (1, 3, ["far.test"])
    by = Staff(alice, "admin")
    assert await db.write(lambda tx: importing.carry_out(tx, by, ["ours.test"], drafts, NOW, all_=False)) == 1
    assert await db.write(lambda tx: importing.carry_out(tx, by, ["ours.test"], drafts, NOW, all_=True)) == 1
    assert await db.write(lambda tx: importing.carry_out(tx, by, ["ours.test"], drafts, NOW, all_=True)) == 0


async def test_what_moderators_note_for_themselves_stays_when_a_list_is_taken(db):
    await db.write(moderation.set_draft, PolicyDraft("old.test", "limit", "x", "ours"), NOW)
    drafts = moderation.parse_csv("domain,severity\nold.test,suspend\n").drafts
    assert await db.write(importing.take, drafts, NOW) == 1
    [kept] = await db.read(moderation.policies)
    assert (kept.level, kept.comment, kept.private_comment) == ("block", "", "ours")
