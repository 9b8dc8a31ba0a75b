"""Who finds which post by its words."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from social import blocks, boosts, fulltext, reactions
from social.posts import delete
from social.posts.drafts import Draft, MediaDraft, PollDraft
from social.posts.edit import edit
from social.words import parse
from store.database import Database
from store.tables import Account, unindexed
from store.tables import accounts as accounts_table
from tests.conftest import NOW
from tests.people import local, remote, stored
from tests.social.said import arrive, note, say


class Finder:
    def __init__(self, db: Database, origin) -> None:
        self.db, self.origin = db, origin

    async def wrote(self, author: Account, text: str, **more) -> int:
        return (await say(self.db, self.origin, author, text, **more)).id

    async def heard(self, author: Account, text: str, **more) -> int:
        [post] = await arrive(self.db, (author, note(author, f"<p>{text}</p>", **more)))
        return post.id

    async def index(self) -> None:
        while await self.db.write(fulltext.work):
            pass

    async def __call__(self, viewer: Account, typed: str, **more) -> list[int]:
        await self.index()
        return await self.db.read(fulltext.find, viewer.id, parse(typed), **{"limit": 20, **more})


@pytest.fixture
async def finder(db, origin):
    return Finder(db, origin)


async def test_nobody_finds_what_he_may_not_see(db, finder):
    alice, bob = await local(db, "alice", indexable=True), await local(db, "bob")
    await finder.wrote(alice, "a secret cat", visibility="direct")
    await finder.wrote(alice, "a private cat", visibility="private")
    unlisted = await finder.wrote(alice, "an unlisted cat", visibility="unlisted")
    assert await finder(bob, "cat") == []
    await db.write(reactions.like, bob.id, unlisted, NOW)
    assert await finder(bob, "cat") == [unlisted]


async def test_only_those_who_let_themselves_be_found_are_found_by_others(db, finder):
    shy, alice = await local(db, "shy"), await local(db, "alice")
    mine = await finder.wrote(shy, "a shy cat")
    assert await finder(alice, "cat") == []
    assert await finder(shy, "cat") == [mine]
    await db.write(lambda tx: tx.execute(update(accounts_table).values(indexable=True)) and None)
    assert await finder(alice, "cat") == [mine]


async def test_who_is_blocked_or_gone_is_not_found(db, finder):
    alice, bob = await local(db, "alice", indexable=True), await local(db, "bob", indexable=True)
    await finder.wrote(alice, "a cat")
    found = await finder.wrote(bob, "a cat")
    await db.write(blocks.block, bob.id, alice.id, NOW)
    assert await finder(bob, "cat") == [found]
    assert found not in await finder(alice, "cat")


async def test_what_is_deleted_or_edited_is_found_no_more(db, finder):
    alice = await local(db, "alice")
    gone, changed = await finder.wrote(alice, "a cat"), await finder.wrote(alice, "another cat")
    assert await finder(alice, "cat") == [changed, gone]
    await db.write(delete.delete, alice.id, gone, NOW)
    await db.write(edit, finder.origin, alice.id, changed, Draft("a dog"), NOW + timedelta(minutes=1))
    assert await finder(alice, "cat") == []
    assert await finder(alice, "dog") == [changed]


async def test_remote_posts_are_found_when_their_author_allows_it_or_one_of_ours_has_to_do_with_them(db, finder):
    alice, bob = await local(db, "alice"), await local(db, "bob")
    open_, shy = remote("open", indexable=True), remote("shy")
    await stored(db, open_, shy)
    public = await finder.heard(open_, "a public cat")
    passing = await finder.heard(shy, "a passing cat")
    boosted = await finder.heard(shy, "a boosted cat")
    await db.write(boosts.boost, alice.id, boosted, NOW)
    assert await finder(alice, "cat") == sorted([public, boosted], reverse=True)
    assert await finder(bob, "cat") == [public]
    await db.write(reactions.like, bob.id, passing, NOW)
    assert passing in await finder(bob, "cat")


async def test_words_phrases_prefixes_and_what_must_not_be_there(db, finder):
    alice = await local(db, "alice")
    one = await finder.wrote(alice, "The grey cat has a conversation with Zoë")
    other = await finder.wrote(alice, "A cat, grey; and conversations #Fediverse", summary="warning")
    assert await finder(alice, "grey cat") == [other, one]
    assert await finder(alice, '"grey cat"') == [one]
    assert await finder(alice, "conversation") == [other, one]
    assert await finder(alice, '"conversation"') == [one]
    assert await finder(alice, "cat -zoe") == [other]
    assert await finder(alice, "warning") == [other]
    assert await finder(alice, "fediverse") == [other]
    assert await finder(alice, "con") == []


async def test_scripts_without_blanks(db, finder):
    alice = await local(db, "alice")
    found = await finder.wrote(alice, "日本語の投稿")
    assert await finder(alice, "日本") == [found]
    assert await finder(alice, "本日") == []


async def test_polls_and_descriptions_are_read_too(db, finder):
    alice = await local(db, "alice")
    poll = await finder.wrote(alice, "which?", poll=PollDraft(("apples", "pears"), NOW + timedelta(hours=1)))
    picture = await finder.wrote(alice, "look", media=(MediaDraft("https://far.test/a.png", description="a heron"),))
    assert await finder(alice, "pears") == [poll]
    assert await finder(alice, "heron") == [picture]
    assert await finder(alice, "has:poll") == [poll]
    assert await finder(alice, "has:image") == [picture]
    assert await finder(alice, "-has:media") == [poll]


async def test_operators_narrow_what_is_found(db, finder):
    alice, bob = await local(db, "alice", indexable=True), await local(db, "bob", indexable=True)
    root = await finder.wrote(alice, "a cat", language="en")
    answer = await finder.wrote(bob, "@alice no cat", reply_to_id=root, language="de-AT", sensitive=True)
    assert await finder(alice, "cat from:bob") == [answer]
    assert await finder(alice, "from:me") == [root]
    assert await finder(alice, "cat is:reply") == [answer]
    assert await finder(alice, "cat -is:sensitive") == [root]
    assert await finder(alice, "cat language:de") == [answer]
    assert await finder(bob, "cat in:library") == [answer]
    assert await finder(bob, "cat after:2100-01-01") == []
    assert await finder(bob, "cat before:2100-01-01") == [answer, root]
    assert await finder(bob, "cat", author_id=alice.id) == [root]
    assert await finder(bob, "cat", below=answer) == [root]
    assert await finder(bob, "cat", limit=1, offset=1) == [root]


async def test_whatever_is_typed_is_a_query_that_both_engines_take(db, finder):
    alice = await local(db, "alice")
    for typed in (
        '"',
        "' OR 1=1 --",
        "cat)",
        "NOT",
        "a:b:*",
        "&|!<->",
        "\\'",
        "NEAR(cat dog)",
        "x" * 5000,
        "\x00cat",
        "-cat",
    ):
        await finder(alice, typed)


async def test_all_that_was_here_before_can_be_indexed(db, finder):
    alice = await local(db, "alice")
    ids = [await finder.wrote(alice, f"cat {number}") for number in range(3)]
    await db.write(lambda tx: tx.execute(unindexed.delete()) and None)
    last = 0
    while (last_ := await db.write(fulltext.reindex, last, 2)) is not None:
        last = last_
    assert await finder(alice, "cat") == ids[::-1]
