"""Archives: what one takes along is what comes elsewhere, once, quietly; what is no archive is refused."""

import json
import zipfile
from datetime import timedelta

import pytest

from connectme.archive.bringing import Bringer
from connectme.archive.reading import ANSWER, BOOST, DIRECT, FOREIGN, ODD, POLL, UNDATED, Unreadable, read
from connectme.archive.writing import Writer
from connectme.media.workshop import Workshop
from federation.reading import PUBLIC
from social import accounts, views
from social.posts import publish
from social.posts.drafts import Draft
from store.blobs import Folder
from store.tables import deliveries, home_entries, notifications, posts
from tests.conftest import NOW
from tests.people import add, follow, local, remote
from tests.samples import picture
from tests.social.said import rows

ME = "https://old.test/users/alice"
THEN = NOW - timedelta(days=700)


def packed(tmp_path, outbox, name="archive.zip", **more):
    file = tmp_path / name
    with zipfile.ZipFile(file, "w") as pack:
        pack.writestr("outbox.json", outbox if isinstance(outbox, str) else json.dumps({"orderedItems": outbox}))
        for entry, content in more.items():
            pack.writestr(entry.replace("__", "/").replace("_DOT_", "."), content)
    return file


def said(number, text="words", to=(PUBLIC,), by=ME, **more):
    document = {
        "id": f"{by}/statuses/{number}", "type": "Note", "attributedTo": by, "to": list(to), "cc": [f"{by}/followers"],
        "content": f"<p>{text}</p>", "published": (THEN + timedelta(hours=number)).isoformat(), **more,
    }  # fmt: skip
    return {"type": "Create", "actor": by, "object": document}


@pytest.mark.parametrize("content", [b"", b"PK", b"a tar perhaps" * 99])
def test_what_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Unreadable, match="no ZIP"):
        read(tmp_path / "x", NOW)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="cannot be read"):
        read(tmp_path / "none.zip", NOW)


@pytest.mark.parametrize("outbox", ["", "{", "[]", "3", "[" * 100_000])
def test_an_outbox_that_is_none_is_refused(tmp_path, outbox):
    with pytest.raises(Unreadable, match=r"outbox\.json in it is no"):
        read(packed(tmp_path, outbox), NOW)


def test_a_zip_without_an_outbox_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as pack:
        pack.writestr("photo.jpg", b"x")
    with pytest.raises(Unreadable, match=r"no outbox\.json"):
        read(tmp_path / "x.zip", NOW)


def test_a_damaged_entry_is_refused(tmp_path):
    file = packed(tmp_path, [said(1)])
    content = bytearray(file.read_bytes())
    content[content.index(b"words")] ^= 1
    file.write_bytes(content)
    with pytest.raises(Unreadable, match="damaged"):
        read(file, NOW)


def test_what_is_not_brought_is_counted(tmp_path):
    items = [
        3, "x", {"type": "Create"}, {"type": "Announce", "object": "https://far.test/1"},
        said(1), said(2, inReplyTo="https://far.test/1"), said(3, to=["https://far.test/bob"], cc=[]),
        said(4, oneOf=[{"name": "a"}, {"name": "b"}]), said(5, by="https://old.test/users/eve"),
        said(6, published=None), said(7, published="2999-01-01T00:00:00Z"), said(8, published="1066-01-01T00:00:00Z"),
        {"type": "Create", "object": {"id": "no", "type": "Note"}},
        said(9, inReplyTo=f"{ME}/statuses/1"), said(10, inReplyTo=f"{ME}/statuses/2"),
    ]  # fmt: skip
    found = read(packed(tmp_path, items, actor_DOT_json=json.dumps({"id": ME, "followers": f"{ME}/followers"})), NOW)
    assert [one.of.note.id.rpartition("/")[2] for one in found.posts] == ["1", "9"]
    assert found.posts[1].of.parent_id == found.posts[0].of.id
    assert found.left_out == {ODD: 4, BOOST: 1, ANSWER: 2, DIRECT: 1, POLL: 1, FOREIGN: 1, UNDATED: 3}


async def brought(db, origin, tmp_path, account, file, now=NOW):
    workshop = Workshop(tmp_path / "incoming", Folder(tmp_path / "media"))
    try:
        return await Bringer(db, origin, workshop, account).bring(file, read(file, now), now)
    finally:
        await workshop.close()


async def test_posts_come_with_dates_threads_and_files_and_nobody_hears_of_it(db, origin, tmp_path):
    alice, carol = await local(db, "alice"), await local(db, "carol")
    bob = remote("bob")
    await db.write(add, bob)
    await db.write(follow, bob, alice)
    await db.write(follow, carol, alice, notify=True)
    items = [
        said(1, 'A <b>bold</b> <script>x()</script> #Cats', tag=[{"type": "Hashtag", "name": "#Cats"}], attachment=[
            {"type": "Document", "url": "/media_attachments/files/1.png", "name": "A pond", "focalPoint": [0.5, -0.5]},
            {"type": "Document", "url": "/bucket/media_attachments/files/1.png"},
            {"type": "Document", "url": "/../../etc/passwd"},
            {"type": "Document", "url": "https://old.test/gone.png"},
            {"type": "Document", "url": "/media_attachments/files/2.png"},
        ]),
        said(2, "a comment", inReplyTo=f"{ME}/statuses/1"),
        said(3, "for followers", to=[f"{ME}/followers"], cc=[], summary="Attention"),
    ]  # fmt: skip
    more = {"media_attachments__files__1_DOT_png": picture("PNG"), "media_attachments__files__2_DOT_png": b"no picture"}
    file = packed(tmp_path, items, **more)
    came = await brought(db, origin, tmp_path, alice, file)
    assert (came.posts, came.here, came.files, came.lost) == (3, 0, 2, 3)
    for table in (deliveries, home_entries, notifications):
        assert await rows(db, table) == []
    first, comment, private = sorted(await rows(db, posts))
    assert (first.published, first.visibility) == (THEN + timedelta(hours=1), "public")
    assert "<script" not in first.html
    assert (comment.reply_to_id, comment.thread_id, first.replies_count) == (first.id, first.id, 1)
    assert (private.visibility, private.summary, private.listed) == ("private", "Attention", False)
    [view] = await db.read(views.posts, [first.id], None)
    assert [(one.kind, one.description, one.focus_x) for one in view.parts.media] == [
        ("image", "A pond", 0.5),
        ("image", "", None),
    ]
    assert [tag.name for tag in view.parts.tags] == ["cats"]
    assert (await db.read(accounts.by_id, alice.id)).posts_count == 3
    again = await brought(db, origin, tmp_path, alice, file)
    assert (again.posts, again.here, again.files) == (0, 3, 0)
    assert len(await rows(db, posts)) == 3


async def test_what_is_taken_along_is_what_comes_elsewhere(db, origin, tmp_path):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    await db.write(follow, alice, bob)
    first = await db.write(publish.publish, origin, alice.id, Draft("Hello #world"), NOW - timedelta(days=2))
    await db.write(publish.publish, origin, alice.id, Draft("and more", reply_to_id=first.id), NOW - timedelta(days=1))
    file = tmp_path / "a.zip"
    written = await Writer(db, origin, Folder(tmp_path / "media"), alice).write(file)
    assert (written.posts, written.files, written.lost) == (2, 0, 0)
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    with zipfile.ZipFile(file) as pack:
        assert pack.read("follows.csv").splitlines()[1].startswith(b"bob@ours.test,")
        assert json.loads(pack.read("actor.json"))["id"] == alice.uri
    came = await brought(db, origin, tmp_path, bob, file)
    assert (came.posts, came.rows) == (2, {"follows": 1})
    of_bob = [one for one in sorted(await rows(db, posts)) if one.author_id == bob.id]
    assert [(one.source, one.published) for one in of_bob] == [
        ("Hello #world", NOW - timedelta(days=2)),
        ("and more", NOW - timedelta(days=1)),
    ]
    assert (await brought(db, origin, tmp_path, alice, file)).here == 2  # her own


async def test_an_archive_is_a_new_file(db, origin, tmp_path):
    alice = await local(db, "alice")
    (tmp_path / "a.zip").write_text("precious")
    with pytest.raises(Exception, match="name a new file"):
        await Writer(db, origin, Folder(tmp_path / "media"), alice).write(tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_text() == "precious"
