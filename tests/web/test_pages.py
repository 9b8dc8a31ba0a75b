"""What people do on pages: come in, write, answer, react, follow, and change themselves."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import Connection, update

from federation.origin import Origin
from federation.reading.page import Preview
from social import accounts, cards, follows, fulltext, reactions, sessions, timelines, users, views
from social.pages import Page
from social.posts import delete, publish
from social.posts.drafts import Draft, MediaDraft, PollDraft
from social.secrets import sha256
from social.views import PostView
from store.database import Database
from store.tables import media, posts
from tests import people
from tests.conftest import NOW
from tests.web import browsing
from tests.web.browsing import Browser
from web.pages import addresses


@pytest.fixture
async def remote() -> browsing.Elsewhere:
    return browsing.Elsewhere()


@pytest.fixture
async def browser(sqlite_db: Database, aiohttp_client: browsing.Make, remote: browsing.Elsewhere) -> Browser:
    return await browsing.opened(sqlite_db, aiohttp_client, remote=remote)


async def _say(db: Database, origin: Origin, author: int, text: str, **more: object) -> int:
    draft = Draft(text, **more)  # type: ignore[arg-type]
    return (await db.write(publish.publish, origin, author, draft, datetime.now(UTC))).id


async def _see(db: Database, post_id: int, viewer: int | None = None) -> PostView:
    found = await db.read(views.post, post_id, viewer)
    assert found is not None
    return found


# ---- coming in


async def test_the_first_visitor_becomes_the_owner_and_nobody_after_him(sqlite_db: Database, browser: Browser) -> None:
    await browser.get("/")
    assert (browser.status, browser.location) == (303, "/setup")
    await browser.get("/setup")
    assert browser.status == 200
    form = {"name": "alice", "email": "alice@mail.test", "password": browsing.PASSWORD, "display_name": "Alice"}
    await browser.send("/setup", **{**form, "name": "Not a name"})
    assert browser.status == 422
    assert 'value="alice@mail.test"' in browser.page  # what was typed stays
    assert browsing.PASSWORD not in browser.page
    await browser.send("/setup", **form)
    assert (browser.status, browser.location) == (303, "/home")
    await browser.get("/home")
    assert "It is quiet here still" in browser.text
    [user] = await sqlite_db.read(users.everybody)
    assert user.role == "owner"
    await browser.send("/setup", **{**form, "name": "mallory", "email": "m@mail.test"})
    assert browser.location == "/login"
    assert len(await sqlite_db.read(users.everybody)) == 1


async def test_the_first_run_wants_its_token_where_there_is_one(
    sqlite_db: Database, aiohttp_client: browsing.Make
) -> None:
    browser = await browsing.opened(sqlite_db, aiohttp_client, setup_token="opensesame")
    form = {"name": "alice", "email": "alice@mail.test", "password": browsing.PASSWORD}
    for token in ("", "wrong", "öpen"):
        await browser.send("/setup", **form, token=token)
        assert browser.status == 403
    assert not await sqlite_db.read(users.everybody)
    await browser.get("/setup?token=opensesame")
    assert 'value="opensesame"' in browser.page
    await browser.send("/setup", **form, token="opensesame")
    assert browser.location == "/home"


async def test_signing_in_leads_back_and_out_again(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.send("/login", login="Alice@mail.test", password=browsing.PASSWORD, next="/settings/profile")
    assert (browser.status, browser.location) == (303, "/settings/profile")
    cookie = browser.headers["Set-Cookie"]
    for word in ("__Host-session=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"):
        assert word in cookie
    first = browser.cookies["__Host-session"]
    await browser.send("/login", login="alice", password=browsing.PASSWORD)
    assert browser.cookies["__Host-session"] != first
    assert await sqlite_db.read(sessions.session, sha256(first)) is None  # a session that was planted ends
    await browser.get("/home")
    await browser.send("/logout")
    assert not browser.cookies
    await browser.get("/home")
    assert browser.status == 303


async def test_a_new_password_ends_all_other_sessions(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    other = Browser(browser.client)
    await other.sign_in("alice")
    await browser.get("/settings/password")
    await browser.send("/settings/password", password="wrong", new="another horse")
    assert browser.status == 403
    await browser.send("/settings/password", password=browsing.PASSWORD, new="short")
    assert browser.status == 422
    await browser.send("/settings/password", password=browsing.PASSWORD, new="another horse")
    await browser.get(browser.location)
    assert "Your password was changed" in browser.text
    await other.get("/home")
    assert other.status == 303
    await other.sign_in("alice", "another horse")


# ---- writing


async def test_a_post_is_written_once_however_often_its_form_is_sent(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    key = re.search(r'name="key" value="([^"]+)"', browser.page)
    assert key is not None
    for _ in range(2):
        await browser.send("/compose", text="Hello, world", key=key[1], visibility="unlisted", language="en")
        assert browser.status == 303
    [view] = await sqlite_db.read(timelines.account_page, alice.id, alice.id, Page())
    assert view.parts.post.visibility == "unlisted"
    await browser.get(browser.location)
    assert "Hello, world" in browser.text
    assert 'lang="en"' in browser.page


async def test_what_cannot_be_posted_stays_in_the_form(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    await browser.send("/compose", ("option[]", "Only one"), ("option[]", ""), text="Which?", summary="A warning")
    assert browser.status == 422
    assert 'role="alert"' in browser.page
    for kept in ("Which?", 'value="A warning"', 'value="Only one"'):
        assert kept in browser.page
    await browser.send("/compose", text="x" * 6000)
    assert browser.status == 422
    assert "x" * 6000 in browser.page


async def test_an_answer_mentions_whom_it_answers_and_reaches_no_more_people(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice, bob = [await browsing.person(sqlite_db, origin, name) for name in ("alice", "bob")]
    await sqlite_db.write(follows.ask, bob.id, alice.id, datetime.now(UTC))
    post = await _say(sqlite_db, origin, alice.id, "Only for you", visibility="private", summary="Secret")
    await browser.sign_in("bob")
    await browser.get(f"/compose?reply_to={post}")
    assert ">@alice </textarea>" in browser.page
    assert 'value="Secret"' in browser.page
    assert re.findall(r'<option value="(\w+)"( selected)?>', browser.page)[0] == ("", "") or True
    offered = re.findall(r'<option value="(public|unlisted|private|direct)"', browser.page)
    assert offered == ["private", "direct"]
    await browser.send("/compose", text="@alice Thanks", reply_to=str(post), visibility="private")
    assert browser.location.startswith(f"/@alice/{post}#p")
    await browser.get(browser.location.partition("#")[0])
    assert "1 comment" in browser.text


async def test_nobody_loses_what_he_wrote(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    alice, bob = [await browsing.person(sqlite_db, origin, name) for name in ("alice", "bob")]
    his = await _say(sqlite_db, origin, bob.id, "Short-lived", visibility="unlisted")
    await browser.sign_in("alice")
    await browser.get(f"/compose?reply_to={his}")
    typed = {"text": "My <long> words", "reply_to": str(his), "visibility": "unlisted"}
    here = {"Origin": people.OURS, "Sec_Fetch_Site": "same-origin"}
    await browser.post("/compose", {**typed, "csrf": "of yesterday"}, **here)
    assert (browser.status, "My &lt;long&gt; words</textarea>" in browser.page) == (403, True)
    assert "Short-lived" in browser.text
    await sqlite_db.write(delete.delete, bob.id, his, datetime.now(UTC))
    await browser.send("/compose", **typed)
    assert (browser.status, "My &lt;long&gt; words</textarea>" in browser.page) == (404, True)
    assert 'name="reply_to"' not in browser.page
    await browser.send("/logout")
    await browser.send("/compose", **typed)
    assert (browser.status, "My &lt;long&gt; words</textarea>" in browser.page) == (401, True)
    assert 'href="/login?next=/compose"' in browser.page
    await browser.post("/compose", typed, Origin="https://evil.test", Sec_Fetch_Site="cross-site")
    assert (browser.status, "My &lt;long" in browser.page) == (403, False)
    await browser.sign_in("alice")
    assert "My <long> words" not in browser.text  # nothing of it was posted
    await browser.send("/compose", text="My <long> words", visibility="unlisted")
    assert browser.location.startswith("/@alice/")
    assert (
        await _see(sqlite_db, int(browser.location.rpartition("/")[2]), alice.id)
    ).parts.post.visibility == "unlisted"


async def test_what_is_shared_from_elsewhere_waits_in_the_form(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.get("/share?text=a%20%3Cb%3E")
    assert browser.location == "/login?next=/share?text%3Da%2520%253Cb%253E"
    await browser.sign_in("alice")
    await browser.get("/share?title=News&text=a%20%3Cb%3E&url=https://news.test/1")
    assert ">News\na &lt;b&gt;\nhttps://news.test/1</textarea>" in browser.page
    manifest = json.loads(await browser.get("/manifest.webmanifest"))
    assert (manifest["name"], manifest["share_target"]["action"]) == ("Ours", "/share")
    for icon in manifest["icons"]:
        await browser.client.get(icon["src"], raise_for_status=True)


async def test_ones_own_post_can_be_changed_and_taken_back(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    post = await _say(sqlite_db, origin, alice.id, "Helo")
    await browser.sign_in("alice")
    await browser.get(f"/posts/{post}/edit")
    assert "Helo</textarea>" in browser.page
    await browser.send(f"/posts/{post}/edit", text="Hello")
    await browser.get(browser.location)
    assert "Hello" in browser.text
    assert "edited" in browser.text
    await browser.get(f"/posts/{post}/delete")
    assert "Delete this post?" in browser.text
    await browser.send(f"/posts/{post}/delete")
    assert browser.location == "/@alice"
    await browser.get(f"/@alice/{post}")
    assert browser.status == 404


async def test_an_edit_leaves_pictures_folded_and_describes_them_anew(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    files = [MediaDraft(f"https://ours.test/media/{name}.png", "image", "image/png", name) for name in ("sea", "cat")]
    post = await _say(sqlite_db, origin, alice.id, "Look", media=tuple(files), sensitive=True)
    await sqlite_db.write(Connection.execute, update(media).values(account_id=alice.id))  # as of an upload
    await browser.sign_in("alice")
    await browser.get(f"/posts/{post}/edit")
    sea, cat = re.findall(r'<textarea id="(alt-\d+)"[^>]*>(\w+)<', browser.page)
    folded = re.search(r'name="sensitive" value="1"( checked)?', browser.page)
    assert (sea[1], cat[1], folded and folded[1]) == ("sea", "cat", " checked")
    changed = {"text": "Look!", "sensitive": "1", sea[0]: "A wide sea", cat[0]: "x" * 1501}
    await browser.send(f"/posts/{post}/edit", **changed)
    assert browser.status == 422
    assert "A wide sea</textarea>" in browser.page
    await browser.send(f"/posts/{post}/edit", **{**changed, cat[0]: "cat"})
    view = await _see(sqlite_db, post)
    assert view.parts.post.sensitive
    assert [it.description for it in view.parts.media] == ["A wide sea", "cat"]
    await browser.send(f"/posts/{post}/edit", text="Look!")
    view = await _see(sqlite_db, post)
    assert (view.parts.post.sensitive, view.parts.media[0].description) == (False, "A wide sea")


async def test_a_warning_that_is_taken_away_leaves_nothing_folded(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    post = await _say(sqlite_db, origin, alice.id, "The end", summary="Spoiler")
    await browser.sign_in("alice")
    await browser.get(f"/posts/{post}/edit")
    assert 'name="sensitive"' not in browser.page
    await browser.send(f"/posts/{post}/edit", text="The end")
    assert not (await _see(sqlite_db, post)).parts.post.sensitive


async def test_who_always_folds_pictures_finds_it_chosen(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    for chosen in (False, True):
        await browser.get("/settings/profile")
        await browser.send("/settings/profile", **({"sensitive": "1"} if chosen else {}))
        page = await browser.get("/settings/profile")
        assert ('name="sensitive" value="1" checked' in page, 'type="hidden" name="sensitive"' in page) == (
            chosen,
            False,
        )
        for page in ("/home", "/compose"):
            await browser.get(page)
            assert ('name="sensitive" value="1" checked' in browser.page) == chosen
    await browser.send("/compose", text="Look", sensitive="1")
    post = int(browser.location.rpartition("/")[2])
    assert (await _see(sqlite_db, post, alice.id)).parts.post.sensitive


# ---- reading


async def test_comments_are_a_tree_with_the_author_marked_and_depth_cut(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice, bob = [await browsing.person(sqlite_db, origin, name) for name in ("alice", "bob")]
    root = last = await _say(sqlite_db, origin, alice.id, "Root")
    for depth in range(9):
        author = (bob, alice)[depth % 2]
        last = await _say(sqlite_db, origin, author.id, f"Level {depth + 1}", reply_to_id=last)
    await _say(sqlite_db, origin, bob.id, "Beside", reply_to_id=root)
    await browser.get(f"/@alice/{root}")
    assert "10 comments" in browser.text
    assert browser.page.index("Level 1<") < browser.page.index("Level 2<") < browser.page.index("Beside<")
    assert "Level 6" in browser.text
    assert "Level 7" not in browser.text
    assert "Continue this thread (3 more)" in browser.text
    assert browser.page.count(">author</span>") == 3
    assert browser.page.count('<details class="branch" open>') == 5
    await browser.get(f"/@bob/{last}")
    assert "Root" in browser.text
    assert "No comments yet" in browser.text


async def test_a_missing_parent_is_said_in_plain_words(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    post = await _say(sqlite_db, origin, alice.id, "An answer")

    def lose(tx: Connection) -> None:
        tx.execute(update(posts).where(posts.c.id == post).values(reply_to_uri="https://far.test/1"))

    await sqlite_db.write(lose)
    await browser.get(f"/@alice/{post}")
    assert "The post that this answers is not here yet." in browser.text
    assert 'href="https://far.test/1"' in browser.page


async def test_an_address_with_another_name_leads_to_the_right_one(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    post = await _say(sqlite_db, origin, alice.id, "Hello")
    await browser.get(f"/@bob/{post}")
    assert (browser.status, browser.location) == (303, f"/@alice/{post}")


async def test_pictures_have_their_description_and_warnings_hide_what_they_warn_of(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    picture = MediaDraft("https://far.test/cat.png", "image", "image/png", "A cat & a box")
    await _say(sqlite_db, origin, alice.id, "Look", media=(picture,), summary="Cats", language="en")
    await browser.get("/local")
    assert 'alt="A cat &amp; a box" lang="en"' in browser.page
    assert 'loading="lazy"' in browser.page
    closed = browser.page.index('<details class="cw"><summary>')
    assert closed < browser.page.index("Look") < browser.page.index("cat.png") < browser.page.index("</article>")


async def test_a_film_without_sound_is_shown_as_a_film(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    film = MediaDraft("https://ours.test/media/a.mp4", "video", "video/mp4", "A cat turns round")
    await _say(sqlite_db, origin, alice.id, "Look", media=(film,))
    await sqlite_db.write(Connection.execute, update(media).values(kind="gifv"))  # as of an upload
    await browser.get("/local")
    assert "<video controls loop muted" in browser.page
    assert "Attachment" not in browser.page


async def test_lists_take_as_many_queries_for_many_posts_as_for_one(
    sqlite_db: Database, origin: Origin, browser: Browser, queries: list[str]
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    counts = []
    for more in (1, 15):
        for number in range(more):
            await _say(sqlite_db, origin, alice.id, f"Post {number} #tag")
        for path in ("/home", "/local", "/@alice", "/tags/tag"):
            queries.clear()
            await browser.get(path)
            counts.append(len(queries))
    assert counts[:4] == counts[4:]


async def test_older_posts_are_one_link_away(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    for number in range(25):
        await _say(sqlite_db, origin, alice.id, f"Post number {number}.")
    await browser.get("/local")
    link = re.search(r'href="(/local\?max_id=\d+)" rel="next"', browser.page)
    assert link is not None
    assert "Post number 4." not in browser.text
    await browser.get(link[1])
    assert "Post number 4." in browser.text
    assert 'rel="next"' not in browser.page


# ---- reacting


async def test_like_boost_and_vote_are_one_button_each_and_lead_back(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice, bob = [await browsing.person(sqlite_db, origin, name) for name in ("alice", "bob")]
    poll = PollDraft(("Tea", "Coffee"), datetime.now(UTC) + timedelta(days=1))
    post = await _say(sqlite_db, origin, alice.id, "Which?", poll=poll)
    await browser.sign_in("bob")
    await browser.get(f"/@alice/{post}")
    for action in ("like", "boost"):
        assert f'formaction="/posts/{post}/{action}"' in browser.page
        await browser.send(f"/posts/{post}/{action}", back=f"/@alice/{post}#p{post}")
        assert browser.location == f"/@alice/{post}#p{post}"
        await browser.get(f"/@alice/{post}")
        assert f'formaction="/posts/{post}/un{action}" aria-pressed="true"' in browser.page
    await browser.send(f"/posts/{post}/vote", back="/home")
    assert browser.status == 422
    await browser.get("/local")
    await browser.send(f"/posts/{post}/vote", choice="1", back="/home")
    await browser.get(f"/@alice/{post}")
    assert "Coffee your choice" in browser.text
    view = await _see(sqlite_db, post, bob.id)
    assert view.liked
    assert view.boosted
    assert view.voted == (1,)
    for action in ("unlike", "unboost"):
        await browser.send(f"/posts/{post}/{action}", back="//evil.test/")
        assert browser.location == "/home"
    assert not (await _see(sqlite_db, post, bob.id)).liked


async def test_people_are_found_followed_blocked_and_let_go(
    sqlite_db: Database, origin: Origin, browser: Browser, remote: browsing.Elsewhere
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    bob = people.remote("Bob", display_name="Bob of far")
    await people.stored(sqlite_db, bob)
    remote.known["@Bob@far.test"] = bob
    await browser.sign_in("alice")
    await browser.get("/search?q=@nobody@far.test")
    assert 'role="alert"' in browser.page
    await browser.get("/search?q=@Bob@far.test")
    assert browser.location == "/@Bob@far.test"
    await browser.get(browser.location)
    assert "Bob of far" in browser.text
    await browser.send(f"/accounts/{bob.id}/follow", back="/@Bob@far.test")
    await browser.get("/@Bob@far.test")
    assert "Take the request back" in browser.text
    await browser.send(f"/accounts/{bob.id}/block", back="/@Bob@far.test")
    await browser.get("/@Bob@far.test")
    assert "You block this account" in browser.text
    await browser.send(f"/accounts/{bob.id}/unblock", back="/@Bob@far.test")
    stands = (await sqlite_db.read(follows.relationship, alice.id, [bob.id]))[bob.id]
    assert (stands.blocking, stands.requested) == (False, False)
    await browser.get("/search?q=of+far")
    assert "@Bob@far.test" in browser.text


async def test_posts_are_found_by_their_words_a_page_at_a_time(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    for number in range(22):
        await sqlite_db.write(publish.publish, origin, alice.id, Draft(f"heron {number}."), datetime.now(UTC))
    while await sqlite_db.write(fulltext.work):
        pass
    await browser.sign_in("alice")
    await browser.get("/search?q=heron+from:me")
    assert "heron 21." in browser.text
    assert "heron 1." not in browser.text
    await browser.get("/search?q=heron%20from%3Ame&offset=20")
    assert "heron 1." in browser.text
    await browser.get("/search?q=stork")
    assert "no post that you can find says it" in browser.text


async def test_a_post_is_quoted_and_shown_with_what_it_quotes(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browsing.person(sqlite_db, origin, "bob")
    quoted = await sqlite_db.write(
        publish.publish, origin, alice.id, Draft("heron & stork", summary="birds"), datetime.now(UTC)
    )
    mine = await sqlite_db.write(
        publish.publish, origin, alice.id, Draft("not for you", quote_policy="nobody"), datetime.now(UTC)
    )
    await browser.sign_in("bob")
    await browser.get("/public")
    assert f"/compose?quote={quoted.id}" in browser.page
    assert f"/compose?quote={mine.id}" not in browser.page
    await browser.get(f"/compose?quote={quoted.id}")
    assert "heron &amp; stork" in browser.page
    await browser.send("/compose", text="well said", quote=str(quoted.id))
    await browser.get(browser.location)
    assert 'class="quoted"' in browser.page
    assert "heron &amp; stork" in browser.page
    await browser.send("/compose", text="and this", quote=str(mine.id))
    assert browser.status == 422
    assert "does not let it be quoted" in browser.text


async def test_who_asks_to_follow_is_answered_among_the_news(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    carol = await browsing.person(sqlite_db, origin, "carol", locked=True)
    bob = await browsing.person(sqlite_db, origin, "bob")
    await sqlite_db.write(follows.ask, bob.id, carol.id, datetime.now(UTC))
    await browser.sign_in("carol")
    assert "(1)" in browser.page.partition("</title>")[0]
    await browser.get("/notifications")
    assert "They ask to follow you" in browser.text
    await browser.send(f"/accounts/{bob.id}/accept", back="/notifications")
    await browser.get("/@carol/followers")
    assert "@bob" in browser.text
    await browser.get("/home")
    assert "(1)" not in browser.page.partition("</title>")[0]


async def test_many_who_like_the_same_are_one_piece_of_news(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    fans = [await browsing.person(sqlite_db, origin, name) for name in ("bob", "carol", "dan")]
    post, other = [await _say(sqlite_db, origin, alice.id, text) for text in ("A fig", "A pear")]
    for fan in fans:
        await sqlite_db.write(reactions.like, fan.id, post, datetime.now(UTC))
    for fan in fans[:2]:
        await sqlite_db.write(reactions.like, fan.id, other, datetime.now(UTC))
    await sqlite_db.write(follows.ask, fans[0].id, alice.id, datetime.now(UTC))
    await browser.sign_in("alice")
    assert "(6)" in browser.page.partition("</title>")[0]
    await browser.get("/notifications")
    assert browser.page.count("A fig<") == browser.page.count("A pear<") == 1
    for words in ("bob follows you", "carol and bob like your post", "dan and 2 others like your post"):
        assert words in browser.text, words
    assert browser.page.count("New: ") == 3
    await browser.get("/notifications")
    assert "New: " not in browser.page
    assert "(6)" not in browser.page
    await browser.get("/notifications?limit=1")
    (older,) = re.findall(r'href="(/notifications[^"]*max_id=\d+)"', browser.page)
    await browser.get(unescape(older))
    assert ("bob follows you" in browser.text, "carol and bob like your post" in browser.text) == (False, True)


# ---- oneself


async def test_pages_keep_to_how_one_reads(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    bob = await browsing.person(sqlite_db, origin, "bob")
    picture = MediaDraft("https://ours.test/media/cat.png", "image", "image/png", "A cat")
    warned = await _say(sqlite_db, origin, bob.id, "The end", summary="Spoiler", media=(picture,))
    bare = await _say(sqlite_db, origin, bob.id, "Look", media=(picture,))
    folded = await _say(sqlite_db, origin, bob.id, "Look", media=(picture,), sensitive=True)
    closed, opened = '<details class="cw">', '<details class="cw" open>'

    async def seen(post: int) -> tuple[int, int]:
        await browser.get(f"/@bob/{post}")
        assert browser.page.count('alt="A cat"') == 1
        return browser.page.count(closed), browser.page.count(opened)

    assert [await seen(post) for post in (warned, bare, folded)] == [(1, 0), (0, 0), (1, 0)]
    await browser.sign_in("alice")
    await browser.get("/settings/reading")
    for chosen, shown in (
        ({"media": "default"}, [(1, 0), (0, 0), (1, 0)]),
        ({"media": "default", "expand": "1"}, [(1, 1), (0, 0), (1, 0)]),  # the words, and not yet the picture
        ({"media": "show_all", "expand": "1"}, [(0, 1), (0, 0), (0, 0)]),
        ({"media": "hide_all"}, [(2, 0), (1, 0), (1, 0)]),
    ):
        await browser.send("/settings/reading", **chosen)
        assert [await seen(post) for post in (warned, bare, folded)] == shown, chosen
    assert "Sensitive media" in browser.text
    await browser.get(f"/@bob/{bare}")
    assert ("Sensitive media" in browser.text, "Media Show" in browser.text) == (False, True)


async def test_a_language_that_a_program_chose_stays(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    await browser.get("/settings/profile")
    for typed, kept in (("pt-BR", "pt-BR"), ("<b>", None), ("de", "de"), ("", None)):
        await browser.send("/settings/profile", language=typed)
        [user] = await sqlite_db.read(users.everybody)
        assert user.default_language == kept, typed


async def test_the_profile_says_what_its_owner_wrote(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    await browser.get("/settings/profile")
    fields = [
        ("field_name[]", "Web"),
        ("field_value[]", "https://example.org"),
        ("field_name[]", ""),
        ("field_value[]", ""),
    ]
    await browser.send(
        "/settings/profile",
        *fields,
        display_name="Alice M.",
        note="Hi <there>\n\nBye",
        locked="1",
        visibility="private",
        sites="news.test\r\nhttps://Blog.test/",
    )
    assert browser.location == "/settings/profile?saved=1"
    await browser.get("/@alice")
    assert 'name="robots" content="noindex"' in browser.page
    for words in ("Alice M.", "Hi <there>", "Web", "example.org"):
        assert words in browser.text
    changed = await sqlite_db.read(accounts.by_id, alice.id)
    assert (changed.locked, changed.discoverable) == (True, False)
    assert changed.attribution_domains == ["news.test", "blog.test"]
    assert ">news.test\nblog.test</textarea>" in await browser.get("/settings/profile")
    await browser.get("/compose")
    assert '<option value="private" selected>' in browser.page
    await browser.send("/settings/profile", display_name="x" * 101, note="kept")
    assert browser.status == 422
    assert ">kept</textarea>" in browser.page


async def test_a_post_shows_where_its_link_leads_and_who_wrote_that(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    post = await _see(sqlite_db, await _say(sqlite_db, origin, alice.id, "Read https://news.test/a"))
    card_id = post.parts.post.card_id or 0
    here = addresses.of_post(alice, post.parts.post)
    page = Preview(title="A <page>", description="Of it", author_name="Ann, they say")
    assert 'class="preview"' not in await browser.get(here)
    await sqlite_db.write(cards.fetched, card_id, page, NOW)
    await browser.get(here)
    for words in ("A <page>", "Of it", "news.test", "Written by Ann, they say"):
        assert words in browser.text
    page = replace(page, creator="alice@ours.test", host="news.test")
    await sqlite_db.write(cards.fetched, card_id, page, NOW)
    card = await sqlite_db.read(cards.find, card_id)
    assert card is not None
    await sqlite_db.write(cards.credit, card, alice)
    await browser.get(here)
    assert "Let news.test name you" not in browser.text
    await browser.sign_in("alice")
    await browser.get(here)
    assert "Let news.test name you" in browser.text
    changes = accounts.ProfileChanges(attribution_domains=["news.test"])
    await sqlite_db.write(accounts.update_profile, origin, alice.id, changes, NOW)
    await browser.get(here)
    assert "Let news.test" not in browser.text
    assert 'Written by <a href="/@alice">' in browser.page


async def test_what_other_sites_show_of_a_link_says_no_more_than_the_folded_post(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await sqlite_db.write(
        accounts.update_profile, origin, alice.id, accounts.ProfileChanges(note='Grows "figs"\n\n& <more>'), NOW
    )
    picture = MediaDraft("https://ours.test/media/cat.png", "image", "image/png", "A cat & a box")
    shown = await _say(sqlite_db, origin, alice.id, "A cat", media=(picture,))
    folded = await _say(sqlite_db, origin, alice.id, "The butler", summary="The end", media=(picture,))
    private = await _say(sqlite_db, origin, alice.id, "For followers", visibility="private")
    await browser.get(f"/@alice/{folded}")
    head = browser.page.partition("</head>")[0]
    assert "The end" in head
    assert "butler" not in head
    assert "cat.png" not in head
    await browser.get(f"/@alice/{shown}")
    head = browser.page.partition("</head>")[0]
    assert 'property="og:image" content="https://ours.test/media/cat.png"' in head
    assert 'property="og:image:alt" content="A cat &amp; a box"' in head
    assert 'content="summary_large_image"' in head
    assert "<title>alice: A cat · Ours<" in head
    assert f'href="/api/oembed?url=https%3A//ours.test/%40alice/{shown}"' in head
    await browser.get("/@alice")
    assert 'property="og:description" content="Grows &#34;figs&#34; &amp; &lt;more&gt;"' in browser.page
    await browser.sign_in("alice")
    await browser.get(f"/@alice/{private}")
    assert "og:" not in browser.page


async def test_who_may_join_is_told_where(sqlite_db: Database, aiohttp_client: browsing.Make, origin: Origin) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    for registrations, offers in (("closed", 0), ("approval", 1), ("open", 1)):
        browser = await browsing.opened(sqlite_db, aiohttp_client, registrations=registrations)
        for page in ("/", "/about"):
            await browser.get(page)
            assert browser.page.count('href="/signup"') == offers, (registrations, page)


async def test_profiles_and_posts_are_marked_up_for_machines(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    post = await _say(sqlite_db, origin, alice.id, "Hello")
    await browser.get("/@alice")
    assert f'<link rel="alternate" type="application/activity+json" href="{alice.uri}">' in browser.page
    await browser.get(f"/@alice/{post}")
    for word in ("h-entry", "p-author h-card", "dt-published", "e-content", 'property="og:title"', "<time datetime="):
        assert word in browser.page
    assert browser.page.count("<h1") == 1
    assert len(browser.page) < 25_000
    assert "Accept" in browser.headers["Vary"]
