"""Tables that people bring along: what cannot be read first, then what becomes of each row."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.origin import Origin
from social import blocks, domains, follows, imports, lists, marks, mutes
from social.errors import Invalid, NotFound
from social.imports.reading import MOST, Line, guarded
from social.pages import Page
from social.posts.drafts import Draft
from social.posts.publish import publish
from tests.conftest import NOW
from tests.people import follow as followed
from tests.people import local, remote, stored

ORIGIN = Origin("ours.test", "https://ours.test")


def read(text: str | bytes, kind: str = "follows") -> list[Line]:
    return imports.read(text.encode() if isinstance(text, str) else text, kind, ORIGIN, "alice")


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (b"", "follows", "nothing in that file"),
        (b"\n , \n", "follows", "nothing in that file"),
        (b"Account address,Show boosts\n", "follows", "nothing in that file"),
        ("bob@far.test".encode("utf-16"), "follows", "UTF-8"),
        ("böb@far.test".encode("latin-1"), "follows", "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "follows", "UTF-8"),
        (b"bob@far\0.test", "follows", "UTF-8"),
        (b'"bob@far.test', "follows", "no table"),
        (b'"bob"@far.test', "follows", "no table"),
        (b"a" * 200_000, "follows", "no table"),
        (b"Account address,Hide notifications\nbob@far.test,true\n", "follows", "another one of your tables"),
        (b"Account address,Show boosts\nbob@far.test,true\n", "mutes", "another one of your tables"),
        (b"#domain\nfar.test\n", "blocks", "another one of your tables"),
        (b"List name\nFriends\n", "lists", "Account address"),
        (b"bob@far.test\n" * (MOST + 1), "follows", "more than 20,000"),
    ],
)
def test_a_file_of_which_nothing_can_be_used(data, kind, says):
    with pytest.raises(Invalid, match=says):
        read(data, kind)


@pytest.mark.parametrize(
    ("row", "kind", "why"),
    [
        ("nobody at all", "follows", "no address of a person"),
        ('"=HYPERLINK(""http://evil.test"")"', "follows", "no address of a person"),
        ("a@b@c", "blocks", "no address of a person"),
        ("@Alice@ours.test", "follows", "That is you"),
        ("alice", "blocks", "That is you"),
        ("not a host", "domain_blocks", "no host name"),
        ("javascript:alert(1)", "bookmarks", "no address of a post"),
        (",bob@far.test", "lists", "name of a list"),
        ("Friends,bob@@", "lists", "no address of a person"),
        ("a" * 5_000, "follows", "no address of a person"),
    ],
)
def test_a_row_that_is_no_good_says_why_and_keeps_no_other(row, kind, why):
    good = {"domain_blocks": "far.test", "bookmarks": "https://far.test/1", "lists": "Friends,bob@far.test"}
    bad, fine = read(f"{row}\n{good.get(kind, 'bob@far.test')}\n", kind)
    assert (bad.key, why in (bad.why or "")) == (None, True), bad.why
    assert (fine.why, fine.key is not None, fine.number) == (None, True, 2)


def test_rows_are_read_as_mastodon_writes_them():
    text = (
        '\ufeffAccount address,Show boosts,Notify on new posts,Languages,New\r\n@Bob@Far.Test,true,false,"en, de",x\r\n'
    )
    [line] = read(text)
    assert (line.number, line.key, line.host) == (2, "bob@far.test", "far.test")
    assert line.said == {
        "Account address": "@Bob@Far.Test", "Show boosts": "true", "Notify on new posts": "false", "Languages": "en, de"
    }  # fmt: skip
    assert [line.key for line in read("carol\ncarol@ours.test\nCarol@OURS.test", "blocks")] == ["carol", None, None]
    assert read("carol\ncarol", "blocks")[1].why == "It is there twice: line 1 counts"
    assert [line.key for line in read('"Good, old",bob@far.test\nMe,alice\nMore,bob@far.test', "lists")] == [
        "bob@far.test Good, old", "alice Me", "bob@far.test More"
    ]  # fmt: skip
    [ours, far] = read("https://ours.test/users/bob/posts/1\nhttps://far.test/1", "bookmarks")
    assert (ours.host, far.host) == ("", "far.test")


@given(st.text(max_size=50))
def test_what_we_write_is_no_formula_and_is_read_as_it_was(title):
    cell = guarded(title)
    assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
    if title == title.strip() and len(title) > 0 and title[0] != "'" and not set(title) & {"\0", "\r", "\n", '"'}:
        [line] = read(f'List name,Account address\n"{cell}",bob@far.test\n', "lists")
        assert line.said["List name"] == title


@given(st.binary(max_size=200), st.sampled_from(imports.KINDS))
def test_whatever_a_file_is_it_is_rows_or_refused(data, kind):
    try:
        lines = read(data, kind)
    except Invalid:
        return
    assert all((line.key is None) != (line.why is None) for line in lines)


async def brought(db, who, kind, text, *, overwrite=False, now=NOW):
    """Brought, agreed to, and what can be done without asking anybody: everybody is known."""
    lines = read(text, kind)
    it = await db.write(imports.prepare, who.id, kind, overwrite=overwrite)
    await db.write(imports.add, it, lines, now)
    await db.write(imports.complete, it, len(lines))
    await db.write(imports.begin, who.id, kind, now)
    return await db.read(imports.get, who.id, kind)


async def done(db, it, targets):
    """targets: key → id."""
    while not it.cleared and await db.write(imports.clear, it, NOW):
        pass
    while (found := await db.read(imports.due_rows, it.id, NOW)) and found[1]:
        for row in found[1]:
            try:
                await db.write(imports.do, ORIGIN, it, row, targets.get(row.key, 0), NOW)
            except (Invalid, NotFound) as error:
                await db.write(imports.fail, row, str(error))
    return await db.write(imports.rest, it.id, NOW)


async def cast(db):
    alice = await local(db, "alice")
    people = [remote(name) for name in ("bob", "carol", "dan")]
    await stored(db, *people)
    return alice, *people


async def test_only_its_owner_finds_it_and_only_what_begins_is_done(db):
    alice, eve = await local(db, "alice"), await local(db, "eve")
    it = await db.write(imports.prepare, alice.id, "follows", overwrite=False)
    with pytest.raises(NotFound):
        await db.read(imports.get, alice.id, "follows")  # it is not all here
    await db.write(imports.add, it, read("bob@far.test"), NOW)
    await db.write(imports.complete, it, 1)
    for unit in (imports.begin, imports.stop):
        with pytest.raises(NotFound):
            await db.write(unit, eve.id, "follows", NOW)
    assert await db.read(imports.due_rows, it.id, NOW) is None
    with pytest.raises(Invalid):
        await db.write(imports.prepare, alice.id, "secrets", overwrite=False)
    await db.write(imports.begin, alice.id, "follows", NOW)
    for unit in (lambda tx: imports.prepare(tx, alice.id, "follows", overwrite=True),
                 lambda tx: imports.forget(tx, alice.id, "follows")):  # fmt: skip
        with pytest.raises(Invalid, match="stop it"):
            await db.write(unit)


async def test_of_two_files_that_come_at_once_the_second_counts(db):
    alice = await local(db, "alice")
    first = await db.write(imports.prepare, alice.id, "follows", overwrite=False)
    second = await db.write(imports.prepare, alice.id, "follows", overwrite=False)
    with pytest.raises(Invalid, match="another file"):
        await db.write(imports.add, first, read("bob@far.test"), NOW)
    await db.write(imports.complete, first, 1)
    await db.write(imports.add, second, read("bob@far.test"), NOW)
    await db.write(imports.complete, second, 1)
    assert await db.read(imports.of_account, alice.id) == [await db.read(imports.get, alice.id, "follows")]


async def test_follows_say_how_and_what_a_file_does_not_say_stays(db):
    alice, bob, carol, dan = await cast(db)
    await db.write(follows.ask, alice.id, bob.id, NOW, show_boosts=False, notify=True, languages=["fr"])
    text = 'Account address,Show boosts,Notify on new posts,Languages\ncarol@far.test,false,true,"en, de"\n'
    it = await brought(db, alice, "follows", text + "dan@far.test,,,\nx@far.test,true,true,klingon!\n")
    assert await done(db, it, {"carol@far.test": carol.id, "dan@far.test": dan.id, "x@far.test": bob.id}) is None
    said = await db.read(follows.relationship, alice.id, [bob.id, carol.id, dan.id])
    assert (said[carol.id].show_boosts, said[carol.id].notify, said[carol.id].languages) == (False, True, ("en", "de"))
    assert (said[dan.id].show_boosts, said[dan.id].notify, said[dan.id].languages) == (True, False, None)
    assert (said[bob.id].show_boosts, said[bob.id].notify, said[bob.id].languages) == (False, True, ("fr",))
    stands = await db.read(imports.progress, it, NOW)
    assert (stands.done, stands.failed, stands.waiting) == (2, 1, 0)
    [row] = await db.read(imports.failures, it)
    assert (row.line, row.why) == (4, "Languages are codes like en or pt-BR, with commas between")
    it = await brought(db, alice, "follows", "bob@far.test\n")
    await done(db, it, {"bob@far.test": bob.id})
    said = await db.read(follows.relationship, alice.id, [bob.id])
    assert (said[bob.id].show_boosts, said[bob.id].notify, said[bob.id].languages) == (False, True, ("fr",))


async def test_mutes_blocks_servers_bookmarks_and_lists(db):
    alice, bob, carol, dan = await cast(db)
    text = "Account address,Hide notifications\nbob@far.test,false\ncarol@far.test,true\n"
    keys = {"bob@far.test": bob.id, "carol@far.test": carol.id, "dan@far.test": dan.id}
    await done(db, await brought(db, alice, "mutes", text), keys)
    await done(db, await brought(db, alice, "blocks", "carol@far.test\n"), keys)
    await done(db, await brought(db, alice, "domain_blocks", "Bad.test\nours.test\n"), keys)
    said = await db.read(follows.relationship, alice.id, [bob.id, carol.id])
    assert (said[bob.id].muting, said[bob.id].muting_notifications) == (True, False)
    assert (said[carol.id].muting_notifications, said[carol.id].blocking) == (True, True)
    post = await db.write(publish, ORIGIN, alice.id, Draft("worth keeping"), NOW)
    await done(db, await brought(db, alice, "bookmarks", post.uri), {post.uri: post.id})
    text = "Friends,bob@far.test\nFriends,dan@far.test\nMe,alice\n"
    lines = {"bob@far.test Friends": bob.id, "dan@far.test Friends": dan.id, "alice Me": alice.id}
    await done(db, await brought(db, alice, "lists", text), lines)
    await done(db, await brought(db, alice, "lists", text), lines)  # again: nothing new
    friends, me = await db.read(lists.all_of, alice.id)
    assert (friends.title, me.title) == ("Friends", "Me")
    assert await table(db, alice) == {
        "domain_blocks": ["bad.test"], "bookmarks": [post.uri], "Friends": ["bob", "dan"], "Me": ["alice"]
    }  # fmt: skip
    assert (await db.read(follows.relationship, alice.id, [dan.id]))[dan.id].requested


async def table(db, who):
    """What is there now."""

    def found(tx):
        kept = marks.bookmarks_page(tx, who.id, Page())[1]
        return {
            "domain_blocks": [name for _, name in domains.page(tx, who.id, Page())],
            "bookmarks": [view.parts.post.uri for view in kept],
            **{
                it.title: sorted(one.account.username for one in lists.members_page(tx, who.id, it.id, Page()))
                for it in lists.all_of(tx, who.id)
            },
        }

    return await db.read(found)


async def test_what_is_not_in_the_file_ends_where_that_was_wished_and_what_came_later_stays(db):
    alice, bob, carol, dan = await cast(db)
    ids = {one.handle: one.id for one in (bob, carol, dan)}

    def before(tx):
        for one in (bob, carol):
            followed(tx, alice, one)
            mutes.mute(tx, alice.id, one.id, NOW)
        for name in ("bad.test", "worse.test"):
            domains.block(tx, ORIGIN, alice.id, name, NOW)
        kept = [publish(tx, ORIGIN, alice.id, Draft(f"post {number}"), NOW) for number in range(2)]
        for post in kept:
            marks.bookmark(tx, alice.id, post.id, NOW)
        friends, old = (lists.create(tx, alice.id, title) for title in ("Friends", "Old"))
        lists.add_members(tx, alice.id, friends.id, [bob.id, carol.id])
        lists.add_members(tx, alice.id, old.id, [bob.id])
        return kept

    kept = await db.write(before)
    await done(db, await brought(db, alice, "lists", "Friends,bob@far.test", overwrite=True),
               {"bob@far.test Friends": bob.id})  # fmt: skip
    await done(db, await brought(db, alice, "domain_blocks", "bad.test", overwrite=True), {})
    await done(db, await brought(db, alice, "bookmarks", kept[0].uri, overwrite=True), {kept[0].uri: kept[0].id})
    await done(db, await brought(db, alice, "mutes", "bob@far.test", overwrite=True), ids)
    it = await brought(db, alice, "follows", "bob@far.test", overwrite=True)
    await db.write(followed, alice, dan)  # after the file
    await done(db, it, ids)
    assert await table(db, alice) == {
        "domain_blocks": ["bad.test"], "bookmarks": [kept[0].uri], "Friends": ["bob"]
    }  # fmt: skip
    said = await db.read(follows.relationship, alice.id, list(ids.values()))
    assert [said[number].following for number in ids.values()] == [True, False, True]
    assert [said[number].muting for number in ids.values()] == [True, False, False]
    await db.write(blocks.block, alice.id, carol.id, NOW)
    await done(db, await brought(db, alice, "blocks", "bob@far.test", overwrite=True), ids)
    said = await db.read(follows.relationship, alice.id, list(ids.values()))
    assert [said[number].blocking for number in ids.values()] == [True, False, False]


async def test_what_is_stopped_stays_undone_and_is_forgotten_in_the_end(db):
    alice, bob, *_ = await cast(db)
    it = await brought(db, alice, "follows", "bob@far.test")
    _, [row] = await db.read(imports.due_rows, it.id, NOW)
    await db.write(imports.stop, alice.id, "follows", NOW)
    await db.write(imports.do, ORIGIN, it, row, bob.id, NOW)  # it was under way
    assert not (await db.read(follows.relationship, alice.id, [bob.id]))[bob.id].requested
    assert await db.read(imports.due_rows, it.id, NOW) is None
    [row] = await db.read(imports.failures, it)
    assert row.why == "It was stopped before"
    await db.write(imports.tend, NOW + timedelta(days=6))
    assert len(await db.read(imports.of_account, alice.id)) == 1
    await db.write(imports.tend, NOW + timedelta(days=8))
    assert await db.read(imports.of_account, alice.id) == []
