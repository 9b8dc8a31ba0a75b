"""What those who run the server say on it, on pages: rules, texts, announcements, emoji, hashtags.  Refusals first."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import Connection, update

from federation.reading.page import Preview
from social import announcements, cards, emojis, reactions, site, trends, users
from social.errors import NotFound
from social.moderation import audit, hashtags
from store.tables import accounts
from tests.people import OURS, remote, stored
from tests.samples import picture
from tests.web import browsing
from web import keys


class Cache:
    """Has what is put into `files`, by its address."""

    def __init__(self):
        self.files = {}

    async def get(self, url):
        if url not in self.files:
            raise NotFound("There is no picture")
        return self.files[url]


@pytest.fixture
async def admin(sqlite_db, aiohttp_client):
    """alice, an admin who looks; the network; the cache of files."""
    network, cache = browsing.Elsewhere(), Cache()
    app = browsing.app(sqlite_db, browsing.ORIGIN, network)
    app[keys.PROXY] = cache
    browser = browsing.Browser(await aiohttp_client(TestServer(app)))
    alice = await browsing.person(sqlite_db, browsing.ORIGIN, "alice")
    await sqlite_db.write(users.set_role, alice.id, "admin", datetime.now(UTC))
    await browser.sign_in("alice")
    await browser.get("/admin/site")
    return browser, network, cache


async def noted(db):
    return [f"{one.action} {one.kind} {one.subject}" for one in await db.read(audit.newest, 20)]


async def add_emoji(browser, name, file, category=""):
    form = aiohttp.FormData({"csrf": browser.csrf, "name": name, "category": category})
    if file is not None:
        form.add_field("picture", file, filename="x.png", content_type="image/png")
    await browser.post("/admin/emoji", form, Origin=OURS, Sec_Fetch_Site="same-origin")


async def test_moderators_and_forged_forms_do_none_of_it(sqlite_db, admin, aiohttp_client):
    browser, *_ = admin
    posts = ("site/rules", "site/rules/7/remove", "site/texts/about", "announcements", "announcements/7/remove",
             "emoji", "emoji/cat/remove", "emoji/seen")  # fmt: skip
    for path in posts:
        await browser.post(f"/admin/{path}", {"csrf": "wrong", "text": "x", "source": "x"})
        assert browser.status == 403, path
    bob = await browsing.person(sqlite_db, browsing.ORIGIN, "bob")
    await sqlite_db.write(users.set_role, bob.id, "moderator", datetime.now(UTC))
    his = await browsing.opened(sqlite_db, aiohttp_client)
    await his.get("/admin/site")
    assert his.location.startswith("/login?next=")
    await his.sign_in("bob")
    for path in ("site", "announcements", "emoji", "emoji/seen?where=x", "log"):
        await his.get(f"/admin/{path}")
        assert his.status == 403, path
    await his.get("/admin/hashtags")
    assert (his.status, "/admin/emoji" in his.page) == (200, False)
    for path in posts:
        await his.send(f"/admin/{path}", text="x", source="x")
        assert his.status == 403, path
    assert await noted(sqlite_db) == []


async def test_a_rule_is_added_changed_and_removed(sqlite_db, admin):
    browser, *_ = admin
    await browser.send("/admin/site/rules", text=" ", hint="<why>")
    assert (browser.status, "&lt;why&gt;" in browser.page) == (422, True)
    for path in ("7/remove", "7/change"):
        await browser.send(f"/admin/site/rules/{path}", text="x")
        assert browser.status == 404
    await browser.send("/admin/site/rules", text="Be <kind>", hint="always")
    (rule,) = await sqlite_db.read(site.all_rules)
    await browser.send(f"/admin/site/rules/{rule.id}/change", text="", hint="")
    assert browser.status == 422
    await browser.send(f"/admin/site/rules/{rule.id}/change", text="Be good", hint="")
    await browser.get("/admin/site")
    assert "Be good" in browser.text
    (rule,) = await sqlite_db.read(site.all_rules)
    assert (rule.text, rule.hint, rule.position) == ("Be good", "", 1)
    await browser.send(f"/admin/site/rules/{rule.id}/remove")
    assert await sqlite_db.read(site.all_rules) == []
    assert await noted(sqlite_db) == ["remove rule Be good", "change rule Be good", "add rule Be <kind>"]


async def test_texts_are_said_and_said_no_more(sqlite_db, admin):
    browser, *_ = admin
    await browser.send("/admin/site/texts/terms", source="<i>x", effective="soon")
    assert (browser.status, "&lt;i&gt;x" in browser.page) == (422, True)
    await browser.send("/admin/site/texts/other", source="x")
    assert browser.status == 404
    await browser.send("/admin/site/texts/about", source="We are few.")
    await browser.send("/admin/site/texts/terms", source="Terms", effective="2027-01-01")
    assert "We are few." in await browser.get("/admin/site")
    assert [(one.name, one.effective) for one in await sqlite_db.read(site.all_texts)] == [
        ("about", ""), ("terms", "2027-01-01")]  # fmt: skip
    for name, day in (("about", ""), ("terms", "2027-01-01"), ("privacy", "")):
        await browser.send(f"/admin/site/texts/{name}", source=" ", effective=day)
        assert browser.location == f"/admin/site#{name}"
    assert await sqlite_db.read(site.all_texts) == []
    assert (await noted(sqlite_db))[0] == "remove text terms 2027-01-01"


async def test_members_are_told_and_told_no_more(sqlite_db, admin):
    browser, *_ = admin
    for text, starts, ends in ((" ", "", ""), ("<b>x", "soon", ""), ("x", "2027-01-02T10:00", "2027-01-01T10:00")):
        await browser.send("/admin/announcements", text=text, starts=starts, ends=ends)
        assert (browser.status, await sqlite_db.read(announcements.all_of)) == (422, []), text
    await browser.send("/admin/announcements", text="We meet", starts="2027-01-01T10:00", ends="", all_day="1")
    (made,) = await sqlite_db.read(announcements.all_of)
    assert (made.starts_at, made.all_day) == (datetime(2027, 1, 1, 10, tzinfo=UTC), True)
    assert "We meet" in await browser.get("/admin/announcements")
    await browser.send("/admin/announcements/7/remove")
    assert browser.status == 404
    await browser.send(f"/admin/announcements/{made.id}/remove")
    assert await sqlite_db.read(announcements.all_of) == []
    assert await noted(sqlite_db) == [f"{act} announcement {made.id}" for act in ("remove", "create")]


async def test_an_emoji_is_added_put_elsewhere_and_deleted(sqlite_db, admin):
    browser, *_ = admin
    for name, file in (("cat", None), ("c", picture("PNG", 8, 8)), ("cat", b"<svg onload=x>"), ("cat", b"no picture")):
        await add_emoji(browser, name, file)
        assert browser.status == 422, (name, file)
    await add_emoji(browser, "cat", b"x" * (300 << 10))
    assert browser.status == 413
    await add_emoji(browser, "dot", picture("PNG", 8, 8))
    await add_emoji(browser, ":cat:", picture("PNG", 8, 8), "Cats")
    assert browser.location == "/admin/emoji"
    assert "Without a category" in await browser.get("/admin/emoji")
    await browser.send("/admin/emoji/dot/remove")
    await add_emoji(browser, "cat", picture("PNG", 8, 8))
    assert (browser.status, "There is an emoji :cat: already" in browser.text) == (422, True)
    await browser.send("/admin/emoji/cat/category", category="x" * 65)
    assert browser.status == 422
    await browser.send("/admin/emoji/cat/category", category="<Pets>")
    assert "&lt;Pets&gt;" in await browser.get("/admin/emoji")
    for act in ("remove", "category"):
        await browser.send(f"/admin/emoji/dog/{act}", category="x")
        assert browser.status == 404
    await browser.send("/admin/emoji/cat/remove")
    assert await sqlite_db.read(emojis.all_of) == []
    assert await noted(sqlite_db) == [
        f"{said} emoji {name}"
        for said, name in (("remove", "cat"), ("change", "cat"), ("remove", "dot"), ("add", "cat"), ("add", "dot"))
    ]


async def test_an_emoji_of_somebody_elsewhere_is_copied(sqlite_db, admin, tmp_path):
    browser, network, cache = admin
    await browser.get("/admin/emoji/seen?where=@nobody@far.test")
    assert browser.status == 422
    url = "https://far.test/blob.png"
    far = remote("dora", emojis=[{"shortcode": "blob", "url": url}])
    await stored(sqlite_db, far)
    network.known["@dora@far.test"] = far
    await browser.get("/admin/emoji/seen?where=@dora@far.test")
    assert ":blob:" in browser.text
    for code in ("blob", "other"):  # the first cannot be fetched, the second is not there
        await browser.send("/admin/emoji/seen", where="@dora@far.test", shortcode=code)
        assert (browser.status, await sqlite_db.read(emojis.all_of)) == (422, [])
    cache.files[url] = tmp_path / "blob.png"
    cache.files[url].write_bytes(picture("PNG", 8, 8))
    await browser.send("/admin/emoji/seen", where="@dora@far.test", shortcode="blob")
    assert [one.shortcode for one in await sqlite_db.read(emojis.all_of)] == ["blob"]
    assert cache.files[url].exists()
    assert "There is one of that name" in await browser.get(browser.location)


async def test_a_hashtag_is_judged(sqlite_db, admin):
    browser, *_ = admin
    await browser.send("/admin/hashtags/7")
    assert browser.status == 404
    (alice,) = await sqlite_db.read(users.everybody)
    await sqlite_db.write(browsing.publish.publish, browsing.ORIGIN, alice.account_id, browsing.Draft("#Spam"),
                          datetime.now(UTC))  # fmt: skip
    for query in ("", "?q=%23nothing", "?q=%20%23"):
        await browser.get(f"/admin/hashtags{query}")
        assert (browser.status, "#Spam" in browser.text) == (200, False), query
    for query in ("?show=all", "?q=%23SPAM"):
        await browser.get(f"/admin/hashtags{query}")
        assert all(words in browser.text for words in ("#Spam", "not looked at yet")), query
    (it,) = await sqlite_db.read(hashtags.look, ["spam"], datetime.now(UTC))
    await browser.send(f"/admin/hashtags/{it.view.id}", usable="1", back="/admin/hashtags?show=all")
    (it,) = await sqlite_db.read(hashtags.look, ["spam"], datetime.now(UTC))
    assert (it.trendable, it.listable, it.usable, it.requires_review) == (False, False, True, False)
    assert await noted(sqlite_db) == ["reject listable hashtag spam", "reject trendable hashtag spam"]


async def test_a_hashtag_is_spelt_as_moderators_want(sqlite_db, admin):
    browser, *_ = admin
    (alice,) = await sqlite_db.read(users.everybody)
    await sqlite_db.write(browsing.publish.publish, browsing.ORIGIN, alice.account_id, browsing.Draft("#blackcats"),
                          datetime.now(UTC))  # fmt: skip
    (it,) = await sqlite_db.read(hashtags.look, ["blackcats"], datetime.now(UTC))
    await browser.send(f"/admin/hashtags/{it.view.id}", shown="<Dogs>")
    assert (browser.status, "#<Dogs> is another hashtag" in browser.text) == (422, True)
    assert await noted(sqlite_db) == []
    for shown in ("#BlackCats", "BlackCats", ""):
        await browser.send(f"/admin/hashtags/{it.view.id}", shown=shown, trendable="1", listable="1", usable="1")
        (it,) = await sqlite_db.read(hashtags.look, ["blackcats"], datetime.now(UTC))
        assert (browser.status, it.view.shown) == (303, "BlackCats")
    assert (await noted(sqlite_db)).count("change spelling of hashtag blackcats") == 1
    assert 'value="BlackCats"' in await browser.get("/admin/hashtags?show=all")


async def test_posts_and_links_that_trend_are_judged(sqlite_db, admin, aiohttp_client):
    browser, *_ = admin
    some = [await browsing.person(sqlite_db, browsing.ORIGIN, name) for name in ("bob", "carol", "dan")]
    await sqlite_db.write(Connection.execute, update(accounts).values(discoverable=True))
    posts = [await browsing.say(sqlite_db, one, "Look: https://news.test/a") for one in some]
    for one in some:
        await sqlite_db.write(reactions.like, one.id, posts[0].id, datetime.now(UTC))
    (alice,) = [one for one in await sqlite_db.read(users.everybody) if one.role == "admin"]
    await sqlite_db.write(reactions.like, alice.account_id, posts[0].id, datetime.now(UTC))
    card = posts[0].card_id
    await sqlite_db.write(cards.fetched, card, Preview(kind="link", title="<News>"), datetime.now(UTC))
    assert "Nothing trends now" in await browser.get("/admin/trends")
    await sqlite_db.write(trends.compute, datetime.now(UTC) + timedelta(seconds=1))
    his = await browsing.opened(sqlite_db, aiohttp_client)
    await his.sign_in("bob")
    await his.get("/admin/trends")
    assert his.status == 403
    places = (f"/admin/trends/posts/{posts[0].id}", f"/admin/trends/links/{card}")
    for place in places:
        await his.send(f"{place}/approve")
        assert his.status == 403
    for place in ("/admin/trends/posts/7", "/admin/trends/links/7", f"/admin/trends/posts/{posts[1].id}"):
        await browser.send(f"{place}/approve")
        assert browser.status == 404, place
    assert await noted(sqlite_db) == []
    for tab, place, shown in (("", places[0], "not looked at yet"), ("links", places[1], "&lt;News&gt;")):
        here = f"/admin/trends?show={tab}"
        assert shown in await browser.get(here)
        for verdict, says in (("reject", "may not trend"), ("approve", "may trend")):
            await browser.send(f"{place}/{verdict}", back=here)
            assert browser.location == here
            assert f">{says}</span>" in await browser.get(here)
    assert await noted(sqlite_db) == [
        "approve trending link https://news.test/a", "reject trending link https://news.test/a",
        f"approve trending post {posts[0].id}", f"reject trending post {posts[0].id}",
    ]  # fmt: skip


async def test_the_log_is_read_in_parts(sqlite_db, admin):
    browser, *_ = admin
    await browser.get("/admin/log")
    assert "Nothing yet" in browser.text
    for number in range(42):
        await browser.send("/admin/site/rules", text=f"rule-{number:02}-")
    await browser.get("/admin/log")
    assert ("rule-02-" in browser.text, "rule-01-" in browser.text) == (True, False)
    (last,) = (await sqlite_db.read(audit.newest, 40))[-1:]
    await browser.get(f"/admin/log?max_id={last.id}")
    assert ("rule-02-" in browser.text, "rule-01-" in browser.text) == (False, True)
