"""Uploads: whose they are, when a post may have them, and when nobody needs them any more."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from outbox import documents, parts
from social import media as files
from social.errors import Invalid
from social.posts import delete, edit
from social.posts.drafts import Draft, MediaDraft
from store.ids import new_id
from store.tables import Media, blank_media, media
from tests.conftest import NOW
from tests.people import local
from tests.social.said import say


async def upload(db, owner, **more):
    """A file of `owner` that no post has."""
    row = {
        "id": new_id(),
        "kind": "image",
        "url": "https://ours.test/media/a.jpg",
        "account_id": owner.id,
        "file": "a.jpg",
        "keep_until": NOW + files.FREE,
        **more,
    }
    await db.write(lambda tx: tx.execute(insert(media), blank_media(**row)) and None)
    return row["id"]


async def rows(db):
    return {row[0]: Media(*row) for row in await db.read(lambda tx: tx.execute(select(media)).all())}


async def test_a_post_cannot_have_what_is_not_the_authors(db, origin):
    alice, mallory = await local(db, "alice"), await local(db, "mallory")
    post, hers = await say(db, origin, mallory), await upload(db, alice)
    for ids in ([hers], [1], [hers, 1]):
        with pytest.raises(Invalid, match="not found"):
            await db.write(files.attach, mallory.id, post.id, ids, NOW)
    assert (await rows(db))[hers].post_id is None


async def test_a_post_cannot_have_what_is_not_ready_failed_is_too_much_or_is_gone(db, origin):
    alice = await local(db, "alice")
    post = await say(db, origin, alice)
    slow, broken = await upload(db, alice, state="processing"), await upload(db, alice, state="failed")
    old = await upload(db, alice, keep_until=NOW)
    many = [await upload(db, alice) for _ in range(5)]
    film = await upload(db, alice, kind="video")
    refused = {
        "processed": [slow],
        "could not be": [broken],
        "not found": [old],
        "at most 4": many,
        "one film": [many[0], film],
    }
    for says, ids in refused.items():
        with pytest.raises(Invalid, match=says):
            await db.write(files.attach, alice.id, post.id, ids, NOW)
    assert all(row.post_id is None for row in (await rows(db)).values())


async def test_another_post_has_it_already(db, origin):
    alice = await local(db, "alice")
    one, two, picture = await say(db, origin, alice), await say(db, origin, alice), await upload(db, alice)
    await db.write(files.attach, alice.id, one.id, [picture], NOW)
    with pytest.raises(Invalid, match="another post"):
        await db.write(files.attach, alice.id, two.id, [picture], NOW)
    await db.write(files.attach, alice.id, one.id, [picture], NOW)
    assert (await rows(db))[picture].post_id == one.id


async def test_files_are_in_the_order_that_was_asked_for_and_an_edit_frees_the_others(db, origin):
    alice = await local(db, "alice")
    post = await say(db, origin, alice)
    one, two, three = [await upload(db, alice) for _ in range(3)]
    await db.write(files.attach, alice.id, post.id, [three, one, one], NOW)
    loaded = (await db.read(parts.load, [post.id]))[post.id]
    assert [item.id for item in loaded.media] == [three, one]
    assert all(item.keep_until is None for item in loaded.media)
    await db.write(files.attach, alice.id, post.id, [two, three], NOW)
    loaded = (await db.read(parts.load, [post.id]))[post.id]
    assert [item.id for item in loaded.media] == [two, three]
    freed = (await rows(db))[one]
    assert (freed.post_id, freed.keep_until) == (None, NOW + files.FREE)
    await db.write(files.attach, alice.id, post.id, [], NOW)
    assert (await db.read(parts.load, [post.id]))[post.id].media == ()


async def test_what_waits_for_a_scheduled_post_is_kept_until_then(db, origin):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    picture, later = await upload(db, alice), NOW + timedelta(days=30)
    with pytest.raises(Invalid):
        await db.write(files.hold, bob.id, [picture], later, NOW)
    await db.write(files.hold, alice.id, [picture], later, NOW)
    assert (await rows(db))[picture].keep_until == later + files.FREE


async def test_who_deletes_a_post_may_use_its_files_again(db, origin):
    alice = await local(db, "alice")
    post, picture = await say(db, origin, alice), await upload(db, alice)
    await db.write(files.attach, alice.id, post.id, [picture], NOW)
    await db.write(delete.delete, alice.id, post.id, NOW)
    assert (await rows(db))[picture].keep_until == NOW + files.FREE
    again = await say(db, origin, alice)
    await db.write(files.attach, alice.id, again.id, [picture], NOW)


async def test_the_files_of_an_account_that_is_removed_are_due_at_once(db, origin):
    alice = await local(db, "alice")
    post, picture = await say(db, origin, alice), await upload(db, alice)
    await db.write(files.attach, alice.id, post.id, [picture], NOW)
    await db.write(delete.remove_some, alice.id)
    assert (await rows(db))[picture].keep_until == files.GONE


async def test_an_edit_with_other_media_loses_no_track_of_uploads(db, origin):
    alice = await local(db, "alice")
    post, picture = await say(db, origin, alice), await upload(db, alice)
    await db.write(files.attach, alice.id, post.id, [picture], NOW)
    draft = Draft("hello", media=(MediaDraft("https://elsewhere.test/b.png"),))
    await db.write(edit.edit, origin, alice.id, post.id, draft, NOW)
    loaded = (await db.read(parts.load, [post.id]))[post.id]
    assert [item.url for item in loaded.media] == ["https://elsewhere.test/b.png"]
    assert (await rows(db))[picture].keep_until == files.GONE


async def test_others_are_told_all_about_a_file(db, origin):
    alice = await local(db, "alice")
    post = await say(db, origin, alice)
    told = {"description": "a cat", "width": 640, "height": 480, "blurhash": "LKO2?U%2Tw=w]~RBVZRi};RPxuwH"}
    picture = await upload(db, alice, media_type="image/jpeg", focus_x=0.5, focus_y=-1.0, **told)
    await db.write(files.attach, alice.id, post.id, [picture], NOW)
    [said] = documents.note((await db.read(parts.load, [post.id]))[post.id]).attachment
    assert (said.media_type, said.name, said.width, said.height) == ("image/jpeg", "a cat", 640, 480)
    assert (said.blurhash, said.focal_point) == (told["blurhash"], (0.5, -1.0))
