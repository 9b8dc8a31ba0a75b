"""Pages refuse: strangers, forged forms, other people's posts, and markup out of place."""

from datetime import UTC, datetime
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.origin import Origin
from social import accounts, follows, sessions
from social.accounts import ProfileChanges
from social.pages import Page
from social.posts import find, publish
from social.posts.drafts import Draft
from social.secrets import sha256
from store.database import Database
from tests import people
from tests.web import browsing
from tests.web.browsing import Browser
from web.pages import addresses, markup


@pytest.fixture
async def browser(sqlite_db: Database, aiohttp_client: browsing.Make) -> Browser:
    return await browsing.opened(sqlite_db, aiohttp_client)


async def _say(db: Database, origin: Origin, author: int, text: str, **more: object) -> int:
    draft = Draft(text, **more)  # type: ignore[arg-type]
    return (await db.write(publish.publish, origin, author, draft, datetime.now(UTC))).id


@pytest.mark.parametrize(
    "path", ["/home", "/notifications", "/compose", "/settings/profile", "/search?q=bob", "/@bob@far.test"]
)
async def test_a_stranger_is_sent_to_sign_in_and_would_come_back(
    sqlite_db: Database, origin: Origin, browser: Browser, path: str
) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await people.stored(sqlite_db, people.remote("bob"))
    await browser.get(path)
    assert browser.status == 303
    assert browser.location.startswith("/login?next=/")
    await browser.get(browser.location)
    assert f'name="next" value="{escape(path)}"' in browser.page


@pytest.mark.parametrize(
    "next_", ["https://evil.test/", "//evil.test/", "/\\evil.test", "/\t/evil.test", "javascript:alert(1)", "/.//evil"]
)
async def test_signing_in_never_leads_to_another_server(
    sqlite_db: Database, origin: Origin, browser: Browser, next_: str
) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.send("/login", login="alice", password=browsing.PASSWORD, next=next_)
    assert (browser.status, browser.location) == (303, "/home")


@given(st.text())
def test_no_text_makes_a_local_path_of_another_server(text: str) -> None:
    for tried in (text, f"/{text}", f"//{text}", f"/\\{text}"):
        path = addresses.local(tried)
        assert path.startswith("/")
        assert not path.startswith(("//", "/\\"))
        assert path.isascii()
        assert path.isprintable()


async def test_a_wrong_password_and_an_unknown_name_read_the_same(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    pages = []
    for name in ("alice", "nobody"):
        await browser.send("/login", login=name, password="wrong wrong")
        assert browser.status == 403
        assert f'name="login" value="{name}"' in browser.page  # what was typed stays
        assert "wrong wrong" not in browser.page
        pages.append(browser.page.replace(name, "-"))
    assert pages[0] == pages[1]
    assert not browser.cookies


async def test_guessing_passwords_is_slowed_down_with_a_word(
    sqlite_db: Database, origin: Origin, aiohttp_client: browsing.Make
) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    browser = await browsing.opened(sqlite_db, aiohttp_client, rate_limits=True)
    seen = []
    spelt = ("Alice", "@alice", "al\x01ice", "al\x02ice", f"alice{' ' * 300}x", f"alice{' ' * 300}y") * 2
    for login in spelt:
        await browser.send("/login", login=login, password="x")
        seen.append(browser.status)
    assert seen[:10] == [403] * 10
    assert seen[-1] == 429
    assert int(browser.headers["Retry-After"]) > 0
    assert "Please wait" in browser.text


@pytest.mark.parametrize("path", ["/auth/password", "/auth/confirm/again"])
async def test_nobody_gets_letters_without_end_from_wherever_they_are_asked_for(
    sqlite_db: Database, aiohttp_client: browsing.Make, path: str
) -> None:
    """Whether there is anybody with that address or not."""
    browser = await browsing.opened(sqlite_db, aiohttp_client, rate_limits=True)
    seen = []
    for number, spelt in enumerate(("a@b.test", "A@b.test", "a@B.test ", "a@b.te\x01st", "@a@b.test", "a@b.test")):
        place = {"X_Forwarded_For": f"198.51.100.{number}", "Sec_Fetch_Site": "same-origin"}
        await browser.post(path, [("email", spelt)], **place)
        seen.append(browser.status)
    assert seen == [200] * 5 + [429]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": people.OURS},
    ],
)
async def test_a_form_from_another_site_changes_nothing(
    sqlite_db: Database, origin: Origin, browser: Browser, headers: dict[str, str]
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browser.post("/login", {"login": "alice", "password": browsing.PASSWORD}, **headers)
    assert browser.status == 403
    assert not browser.cookies
    await browser.sign_in("alice")
    signed = await sqlite_db.read(sessions.session, sha256(browser.cookies["__Host-session"]))
    assert signed is not None
    await browser.post("/compose", {"csrf": signed.session.csrf, "text": "Forged"}, **headers)
    assert browser.status == 403
    assert (await sqlite_db.read(accounts.by_id, alice.id)).posts_count == 0


async def test_the_token_of_a_form_is_written_with_other_letters_each_time(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    signed = await sqlite_db.read(sessions.session, sha256(browser.cookies["__Host-session"]))
    assert signed is not None
    tokens = []
    for _ in range(2):
        assert signed.session.csrf not in await browser.get("/compose")
        tokens.append(browser.csrf)
        await browser.send("/compose", text="Hello")
        assert browser.status == 303
    assert tokens[0] != tokens[1]
    for wrong in (tokens[0][:-8], tokens[0][4:], tokens[0].swapcase(), "A" * len(tokens[0]), tokens[0] + "AAAA"):
        await browser.post("/compose", {"csrf": wrong, "text": "Forged"}, Origin=people.OURS)
        assert browser.status == 403, wrong


@pytest.mark.parametrize("token", ["", "guess", "ü", None])
async def test_a_form_without_the_token_of_the_session_changes_nothing(
    sqlite_db: Database, origin: Origin, browser: Browser, token: str | None
) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    given = {} if token is None else {"csrf": token}
    for path in (
        "/compose",
        "/logout",
        "/settings/profile",
        "/settings/password",
        "/posts/1/like",
        "/accounts/1/block",
    ):
        await browser.post(path, {**given, "text": "Forged"}, Origin=people.OURS)
        assert browser.status == 403, path
    await browser.get("/home")
    assert browser.status == 200  # still signed in


async def test_forms_of_strangers_lead_to_the_sign_in(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    for path in ("/posts/1/like", "/accounts/1/follow", "/settings/profile"):
        await browser.send(path, text="x")
        assert (browser.status, browser.location.partition("?")[0]) == (303, "/login")


@pytest.mark.parametrize("action", ["edit", "delete"])
async def test_nobody_changes_the_post_of_somebody_else(
    sqlite_db: Database, origin: Origin, browser: Browser, action: str
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browsing.person(sqlite_db, origin, "mallory")
    post = await _say(sqlite_db, origin, alice.id, "Mine")
    await browser.sign_in("mallory")
    await browser.get(f"/posts/{post}/{action}")
    assert browser.status == 404
    await browser.get("/home")
    await browser.send(f"/posts/{post}/{action}", text="Not yours")
    assert browser.status == 404
    assert (await sqlite_db.read(find.by_id, post)).source == "Mine"


async def test_a_private_post_is_not_there_for_others(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browsing.person(sqlite_db, origin, "mallory")
    secret = await _say(sqlite_db, origin, alice.id, "Between us", visibility="private")
    for name in (None, "mallory"):
        if name:
            await browser.sign_in(name)
        for path in (f"/@alice/{secret}", "/@alice", "/local", f"/compose?reply_to={secret}"):
            await browser.get(path)
            assert "Between us" not in browser.page
    await browser.send(f"/posts/{secret}/like")
    assert browser.status == 404


XSS = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b onmouseover=alert(3)>"


async def test_markup_in_names_warnings_options_and_profiles_is_shown_as_text(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    changes = ProfileChanges(display_name=XSS, note=XSS, fields=[(XSS, XSS)])
    await sqlite_db.write(accounts.update_profile, origin, alice.id, changes, datetime.now(UTC))
    post = await _say(sqlite_db, origin, alice.id, XSS, summary=XSS)
    await browser.sign_in("alice")
    for path in ("/@alice", f"/@alice/{post}", "/home", "/settings/profile", f"/compose?reply_to={post}"):
        await browser.get(path)
        assert browser.status == 200
        for bad in ("<script", "<img src=x", "<b onmouse", 'onerror=alert(2)>"'):
            assert bad not in browser.page, (path, bad)
        assert "&lt;script&gt;" in browser.page


async def test_hostile_html_that_reached_the_tables_is_still_cleaned(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    bad = '<p onclick="x()">Hello</p><script>x()</script><a href="javascript:x()">go</a><style>*{}</style>'
    eve = people.remote(
        "eve", note=bad, url="javascript:x()", avatar_url="javascript:x()", fields=[{"name": "<i>", "value": bad}],
        emojis=[{"shortcode": "x", "url": 'data:text/html,"onerror='}], display_name=":x: eve",
    )  # fmt: skip
    await people.stored(sqlite_db, eve)
    await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    await browser.get("/@eve@far.test")
    assert browser.status == 200
    for word in ("onclick", "<script", "javascript:", "<style", "data:text"):
        assert word not in browser.page
    assert "Hello" in browser.page


@given(st.text(), st.text())
def test_emoji_never_open_a_way_out_of_text(text: str, address: str) -> None:
    ours = Origin("ours.test", people.OURS, b"key")
    shown = markup.line(f"{text}:x:", [{"shortcode": "x", "url": f"https://far.test/{address}"}], ours)
    rest = shown.replace("<img", "", 1) if "<img" in shown and "<img" not in text else shown
    assert "<" not in rest.replace(escape(text), "")


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/@nobody", "/@x@y@z", "/@alice/99999999999999999999", "/@alice/7", "/static/../../etc/passwd",
     "/static/%2e%2e%2fframe.py", "/posts/1/edit/x", "/@" + "a" * 3000, "/@%00", "/tags/%00"],
)  # fmt: skip
async def test_what_is_not_there_is_said_on_a_page(
    sqlite_db: Database, origin: Origin, browser: Browser, path: str
) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    await browser.get(path)
    assert browser.status == (200 if path.startswith("/tags") else 404)
    assert "Traceback" not in browser.page


@pytest.mark.parametrize("query", ["max_id=x", "max_id=99999999999999999999", "from=-1", "from=1e9", "min_id=%00"])
async def test_odd_parameters_are_no_trouble(sqlite_db: Database, origin: Origin, browser: Browser, query: str) -> None:
    alice = await browsing.person(sqlite_db, origin, "alice")
    post = await _say(sqlite_db, origin, alice.id, "Hello")
    for path in ("/local", "/@alice", f"/@alice/{post}", "/@alice/followers"):
        await browser.get(f"{path}?{query}")
        assert browser.status in (200, 422)


async def test_a_blocked_or_locked_account_is_not_followed_by_a_button(
    sqlite_db: Database, origin: Origin, browser: Browser
) -> None:
    carol = await browsing.person(sqlite_db, origin, "carol", locked=True)
    alice = await browsing.person(sqlite_db, origin, "alice")
    await browser.sign_in("alice")
    await browser.get("/@carol")
    await browser.send(f"/accounts/{carol.id}/follow", back="/@carol")
    await browser.get("/@carol")
    assert "You asked to follow" in browser.text
    assert not await sqlite_db.read(follows.followers_page, carol.id, Page())
    await browser.send(f"/accounts/{alice.id}/follow", back="/@carol")
    assert browser.status == 422  # himself


async def test_every_page_has_the_strict_headers(sqlite_db: Database, origin: Origin, browser: Browser) -> None:
    await browsing.person(sqlite_db, origin, "alice")
    for path in ("/", "/login", "/@alice", "/nothing"):
        await browser.get(path)
        policy = browser.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';")
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert browser.headers["X-Content-Type-Options"] == "nosniff"
        assert browser.headers["X-Frame-Options"] == "DENY"
        assert "Cross-Origin-Opener-Policy" not in browser.headers
        assert "<script" not in browser.page
        assert " style=" not in browser.page
    await browser.sign_in("alice")
    assert browser.headers["Cache-Control"] == "private, no-store"
