"""Announcements and emoji: units on both engines."""

from datetime import timedelta

import pytest

from federation.origin import Origin
from social import announcements, emojis
from social.accounts import ProfileChanges, update_profile
from social.errors import Invalid, NotFound
from social.events import Announced, AnnouncementDeleted, AnnouncementReacted
from social.posts.drafts import Draft, PollDraft
from social.posts.edit import edit
from social.posts.publish import publish
from tests.conftest import NOW
from tests.people import OURS, local
from tests.social.said import later

ORIGIN = Origin("ours.test", OURS)
FILE = f"{'a' * 32}.png"


async def told(db, text="hello #all", **more):
    return await db.write(lambda tx: announcements.create(tx, ORIGIN, text, NOW, **more))


@pytest.mark.parametrize(
    ("text", "more"),
    [("", {}), (" \n", {}), ("x" * 5_001, {}), ("x", {"starts_at": later(2), "ends_at": later(1)})],
)
async def test_what_can_be_no_announcement_is_refused(sqlite_db, text, more):
    with pytest.raises(Invalid):
        await told(sqlite_db, text, **more)


async def test_members_see_it_until_it_ends(db):
    alice = await local(db, "alice")
    over, lasts = await told(db, ends_at=NOW), await told(db, ends_at=later(60))
    day = await told(db, ends_at=NOW - timedelta(hours=23), all_day=True)
    await told(db, ends_at=NOW - timedelta(hours=24), all_day=True)
    assert (over.all_day, day.all_day, (await told(db, all_day=True)).all_day) == (False, True, False)
    shown = [view.announcement.id for view in await db.read(announcements.active, alice.id, NOW)]
    assert shown[:2] == [lasts.id, day.id]
    assert over.id not in shown
    with pytest.raises(NotFound):
        await db.write(announcements.dismiss, alice.id, over.id, NOW)
    with pytest.raises(NotFound):
        await db.write(announcements.react, alice.id, over.id, "👍", NOW)
    assert await db.read(announcements.for_all, over.id, NOW) is None


async def test_who_puts_it_away_sees_it_no_more_on_pages(db):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    it = await told(db)
    for _ in range(2):
        await db.write(announcements.dismiss, alice.id, it.id, NOW)
    assert await db.read(announcements.unread, alice.id, NOW) == []
    assert [view.announcement for view in await db.read(announcements.unread, bob.id, NOW)] == [it]
    assert [view.read for view in await db.read(announcements.active, alice.id, NOW)] == [True]
    assert [view.read for view in await db.read(announcements.active, bob.id, NOW)] == [False]


async def test_reactions_are_counted_once_for_each(db):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    await db.write(emojis.add, "blobcat", FILE, None, None, NOW)
    it = await told(db)
    heard = []
    db.listeners.append(heard.append)
    for who, name in ((alice, "👍"), (alice, "👍"), (bob, "👍"), (bob, "blobcat")):
        await db.write(announcements.react, who.id, it.id, name, NOW)
    (view,) = await db.read(announcements.active, alice.id, NOW)
    assert [(one.name, one.count, one.me) for one in view.reactions] == [("blobcat", 1, False), ("👍", 2, True)]
    assert [one.emoji.file if one.emoji else None for one in view.reactions] == [FILE, None]
    assert heard == [AnnouncementReacted(it.id, *what) for what in (("👍", 1), ("👍", 2), ("blobcat", 1))]
    await db.write(announcements.unreact, bob.id, it.id, "👍", NOW)
    assert heard[-1] == AnnouncementReacted(it.id, "👍", 1)
    with pytest.raises(NotFound):
        await db.write(announcements.unreact, bob.id, it.id, "👍", NOW)


@pytest.mark.parametrize("name", ["", "x", "blobcat", "あ", "👍👍👍", "👍 ", "1", "a" * 5_000, "\u200d"])
async def test_what_is_no_emoji_is_no_reaction(sqlite_db, name):
    alice, it = await local(sqlite_db, "alice"), await told(sqlite_db)
    with pytest.raises(Invalid):
        await sqlite_db.write(announcements.react, alice.id, it.id, name, NOW)


async def test_there_are_eight_different_reactions_at_most(sqlite_db):
    alice, bob, it = await local(sqlite_db, "alice"), await local(sqlite_db, "bob"), await told(sqlite_db)
    for name in ("👍", "❤️", "👩‍👩‍👧", "🇨🇭", "1️⃣", "👋🏽", "☕", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"):
        await sqlite_db.write(announcements.react, alice.id, it.id, name, NOW)
    with pytest.raises(Invalid):
        await sqlite_db.write(announcements.react, bob.id, it.id, "🤔", NOW)
    await sqlite_db.write(announcements.react, bob.id, it.id, "👍", NOW)


async def test_what_is_deleted_is_told(sqlite_db):
    heard = []
    sqlite_db.listeners.append(heard.append)
    it = await told(sqlite_db)
    await sqlite_db.write(announcements.remove, it.id)
    assert heard == [Announced(it.id), AnnouncementDeleted(it.id)]
    with pytest.raises(NotFound):
        await sqlite_db.write(announcements.remove, it.id)


@pytest.mark.parametrize("name", ["", "x", "a b", "é" * 3, "x" * 65, ":a:b:"])
async def test_an_emoji_has_a_name_of_letters(sqlite_db, name):
    with pytest.raises(Invalid):
        await sqlite_db.write(emojis.add, name, FILE, None, None, NOW)


async def test_emoji_are_kept_by_name_and_category(db):
    for name, category in (("zz", None), ("bb", "Cats"), ("aa", "Cats")):
        await db.write(emojis.add, f":{name}:", FILE, FILE, category, NOW)
    with pytest.raises(Invalid):
        await db.write(emojis.add, "aa", FILE, None, None, NOW)
    cats = [it.shortcode for it in await db.read(emojis.all_of) if it.category]
    assert cats == ["aa", "bb"]
    assert await db.write(emojis.remove, ":aa:") == [FILE, FILE]
    with pytest.raises(NotFound):
        await db.write(emojis.remove, "aa")


async def test_texts_take_along_the_emoji_that_they_use(db, queries):
    await db.write(emojis.add, "blobcat", FILE, None, None, NOW)
    alice = await local(db, "alice")
    one = [{"shortcode": "blobcat", "url": f"{OURS}/media/{FILE}"}]

    def used(tx, *texts):
        return emojis.used(tx, ORIGIN, texts)

    for text in (":blobcat:", "x\n(:blobcat:)", ":blobcat: :blobcat: :other:"):
        assert await db.read(used, text) == one, text
    queries.clear()
    for text in ("blobcat", "x:blobcat:y", ":blobcat", "12:30:45", ":a:"):
        assert await db.read(used, text) == [], text
    assert queries == []
    post = await db.write(publish, ORIGIN, alice.id, Draft("hi :blobcat:"), NOW)
    assert post.emojis == one
    poll = PollDraft((":blobcat:", "no"), later(3_600))
    asked = await db.write(publish, ORIGIN, alice.id, Draft("which?", poll=poll), NOW)
    assert asked.emojis == one
    assert (await db.write(edit, ORIGIN, alice.id, asked.id, Draft("which one?"), NOW)).emojis == one
    assert (await db.write(edit, ORIGIN, alice.id, post.id, Draft("hi"), NOW)).emojis is None
    named = await db.write(update_profile, ORIGIN, alice.id, ProfileChanges(display_name="A :blobcat:"), NOW)
    assert named.emojis == one
    assert (await db.write(update_profile, ORIGIN, alice.id, ProfileChanges(display_name="A"), NOW)).emojis == []
