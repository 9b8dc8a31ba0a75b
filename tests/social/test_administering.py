"""What pages for staff ask of units: rules and emoji that change, roles that are given, the log in parts."""

from datetime import UTC, datetime

import pytest

from social import emojis, site, users
from social.errors import Invalid, NotAllowed, NotFound
from social.moderation import audit, overview, sanctions
from social.moderation.people import several
from social.moderation.sanctions import Staff
from social.pages import Page
from tests.people import local, remote, stored

NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def test_a_rule_that_is_changed_keeps_its_number_and_its_place(db):
    first, second = [await db.write(site.add_rule, words) for words in ("one", "two")]
    with pytest.raises(NotFound):
        await db.write(site.change_rule, 7, "x", "")
    with pytest.raises(Invalid):
        await db.write(site.change_rule, first.id, " ", "")
    await db.write(site.change_rule, first.id, "won", "more")
    assert [(one.id, one.text, one.hint) for one in await db.read(site.all_rules)] == [
        (first.id, "won", "more"), (second.id, "two", "")]  # fmt: skip
    await db.write(site.drop_rule, first.id)
    with pytest.raises(NotFound):
        await db.write(site.drop_rule, first.id)
    assert [one.text for one in await db.read(site.all_rules)] == ["two"]


async def test_an_emoji_is_put_below_another_heading_or_none(db):
    await db.write(emojis.add, "cat", "file.png", None, "Cats", NOW)
    with pytest.raises(NotFound):
        await db.write(emojis.categorise, "dog", "x")
    with pytest.raises(Invalid):
        await db.write(emojis.categorise, "cat", "x" * 65)
    for said, kept in ((" Pets\0 ", "Pets"), (" ", None)):
        await db.write(emojis.categorise, "cat", said)
        assert [one.category for one in await db.read(emojis.all_of)] == [kept]


async def test_roles_are_given_downwards_by_those_who_run_the_server(db):
    olga, anna, mona, max_ = [await local(db, name) for name in ("olga", "anna", "mona", "max")]
    for one, role in ((olga, "owner"), (anna, "admin"), (mona, "moderator")):
        await db.write(users.set_role, one.id, role, NOW)
    far = remote("dora")
    await stored(db, far)
    for by, role, target, wanted in ((mona, "moderator", max_, "moderator"), (anna, "admin", max_, "admin"),
                                     (anna, "admin", olga, "member"), (olga, "owner", olga, "member"),
                                     (olga, "owner", far, "admin"), (olga, "owner", max_, "owner")):  # fmt: skip
        with pytest.raises(NotAllowed):
            await db.write(sanctions.give_role, Staff(by, role), target.id, wanted, NOW)
    for _ in range(2):  # the second time there is nothing to do
        await db.write(sanctions.give_role, Staff(olga, "owner"), anna.id, "moderator", NOW)
    (found,) = await db.read(several, [anna.id])
    assert (found.user.role, found.account.role) == ("moderator", "moderator")
    assert [(one.action, one.subject) for one in await db.read(audit.newest, 9)] == [("role", "anna")]


async def test_the_log_comes_in_parts_and_the_overview_counts(db):
    who = await local(db, "alice")
    for number in range(3):
        await db.write(audit.note, who, "suspend", "account", str(number), NOW)
    first = await db.read(audit.page, Page(limit=2))
    assert [one.subject for one in first] == ["2", "1"]
    assert [one.subject for one in await db.read(audit.page, Page(limit=2, max_id=first[-1].id))] == ["0"]
    await db.write(site.add_rule, "one")
    found = await db.read(overview.look)
    assert (found.reports, found.pending, found.rules, found.levels) == (0, 0, 1, {})
