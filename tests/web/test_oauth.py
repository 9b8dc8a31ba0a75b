"""A person lets a program in: what is refused, then the way through, then what a code is good for."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from social import apps, codes, users
from social.accounts import find, leave
from social.events import AccessEnded
from social.secrets import sha256
from store.tables import codes as table
from tests.people import OURS
from tests.web.browsing import PASSWORD, Browser
from tests.web.oauth import BACK, CHALLENGE, OOB, PKCE, VERIFIER, decide, fields, heard, program, signed_in
from tests.web.site import Site, basic

VERIFY = "/api/v1/accounts/verify_credentials"


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": "\0"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://evil.test/"},
        {"redirect_uri": BACK + "/"},
        {"redirect_uri": BACK.replace("%2f", "%2F")},
        {"redirect_uri": "HTTPS://app.test/back?a=%2f"},
        {"redirect_uri": OOB},
        {"redirect_uri": 'https://app.test/"é'},
    ],
    ids=str,
)
async def test_nobody_is_sent_to_an_address_that_was_not_registered(site: Site, wrong):
    browser, _ = await signed_in(site)
    app = await program(site, redirect_uris=[BACK, "https://app.test/other"])
    await browser.get(app.asks(**wrong))
    assert (browser.status, browser.location) == (400, "")
    await browser.send("/oauth/authorize", decision="allow", **wrong_fields(app, wrong))
    assert (browser.status, browser.location) == (400, "")


def wrong_fields(app, wrong):
    usual = {"response_type": "code", "client_id": app.found["client_id"], "redirect_uri": BACK, "scope": "read"}
    return {name: value or "" for name, value in {**usual, **wrong}.items()}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": 'é"'}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "admin:write"}, "invalid_scope"),
        ({"state": "x" * 3000}, "invalid_request"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ],
    ids=str,
)
async def test_a_program_hears_what_it_asked_wrongly(site: Site, wrong, code):
    browser, _ = await signed_in(site)
    app = await program(site)
    await browser.get(app.asks(**wrong))
    assert browser.status == 303
    assert browser.location.startswith(BACK + "&error=")
    said = heard(browser.location)
    assert (said["error"], said["iss"]) == (code, OURS)
    assert said["state"] in ("st/á&te", "x" * 2048)
    # A stranger signs in first: anybody can register an address, so this must be no way to it.
    stranger = Browser(site.http)
    await stranger.get(app.asks(**wrong))
    assert stranger.location.startswith("/login?next=%2Foauth%2Fauthorize")


async def test_a_wrong_program_without_an_address_is_shown_its_mistake(site: Site):
    browser, _ = await signed_in(site)
    app = await program(site, redirect_uris=OOB)
    page = await browser.get(app.asks(scope="nonsense"))
    assert browser.status == 400
    assert "scope" in page


async def test_only_our_own_form_decides(site: Site):
    browser, _ = await signed_in(site)
    app = await program(site)
    given = fields(await browser.get(app.asks()))
    await browser.post("/oauth/authorize", {**given, "decision": "allow", "csrf": "wrong"})
    assert browser.status == 403
    for headers in ({"Origin": "https://evil.test"}, {"Sec_Fetch_Site": "cross-site"}):
        await browser.post("/oauth/authorize", {**given, "decision": "allow", "csrf": browser.csrf}, **headers)
        assert browser.status == 403
    stranger = Browser(site.http)
    await stranger.post("/oauth/authorize", {**given, "decision": "allow"})
    assert stranger.location.startswith("/login")


async def test_the_page_may_be_opened_by_another_and_lead_to_another(site: Site):
    browser, _ = await signed_in(site)
    app = await program(site, website="https://app.test/", client_name="<b>Toot")
    stranger = Browser(site.http)
    await stranger.get(app.asks())
    for at, who in ((app.asks(), browser), (stranger.location, stranger), ("/oauth/authorize/native?code=x", browser)):
        page = await who.get(at)
        assert who.status == 200
        assert who.headers.get("Cross-Origin-Opener-Policy") is None
        assert "<b>Toot" not in page
        assert who.headers["X-Frame-Options"] == "DENY"
        assert "no-store" in who.headers["Cache-Control"]
        if who.page is page and "native" not in at:
            assert "form-action" not in who.headers["Content-Security-Policy"]
    page = await browser.get(app.asks(scope="read:lists push"))
    for words in ("<b>Toot", "https://app.test/", "See your lists", "Send notifications", "@alice@ours.test"):
        assert words in browser.text


async def test_whoever_is_not_signed_in_comes_back_after_it(site: Site):
    _, account = await signed_in(site)
    app = await program(site, redirect_uris=[BACK])
    browser = Browser(site.http)
    await browser.get(app.asks(**PKCE))
    login = browser.location
    await browser.get(login)
    assert browser.status == 200
    await browser.send("/login", login="alice", password=PASSWORD, next=heard(login)["next"])
    said = await decide(browser, browser.location)
    assert said["state"] == "st/á&te"
    answer = await app.exchange(said["code"], code_verifier=VERIFIER)
    assert (await site.get(VERIFY, answer.json["access_token"])).json["id"] == str(account.id)


async def test_another_account_can_be_chosen(site: Site):
    browser, _ = await signed_in(site)
    await signed_in(site, "bob")
    app = await program(site)
    page = await browser.get(app.asks(force_login="true"))
    assert browser.location.startswith("/login?next=")
    page = await browser.get(browser.location)
    assert "Sign in" in page
    assert browser.status == 200
    await browser.send("/login", login="bob", password=PASSWORD, next=app.asks())
    await browser.get(browser.location)
    assert "@bob@ours.test" in browser.text


async def test_no_is_an_answer(site: Site):
    browser, _ = await signed_in(site)
    said = await decide(browser, (await program(site)).asks(), "deny")
    assert (said["error"], said["state"], said["iss"]) == ("access_denied", "st/á&te", OURS)
    assert "code" not in said


@pytest.mark.parametrize(
    "address",
    ["https://elk.test/api/ours.test/oauth/https%3A%2F%2Felk.test", "Tusky:///back", "app.x://cb?a=%2f&b", OOB],
)
async def test_addresses_stay_letter_by_letter(site: Site, address):
    browser, _ = await signed_in(site)
    app = await program(site, redirect_uris=f"{OOB}\n{address}")
    page = await browser.get(app.asks(redirect_uri=address))
    await browser.send("/oauth/authorize", **fields(page), decision="allow")
    if address == OOB:
        await browser.get(browser.location)
        code = browser.page[browser.page.index('id="code"') :].split('value="')[1].split('"')[0]
    else:
        assert browser.location.startswith(address + ("&" if "?" in address else "?") + "code=")
        code = heard(browser.location)["code"]
    assert (await app.exchange(code, redirect_uri=address)).status == 200


@pytest.mark.parametrize(
    ("address", "shown"), [("https://toot.test:8443/a", "toot.test"), ("Tusky://bank.test/a", "tusky:")]
)
async def test_where_it_leads_is_said_beforehand(site: Site, address, shown):
    browser, _ = await signed_in(site)
    page = await browser.get((await program(site, redirect_uris=address)).asks(redirect_uri=address))
    assert f"come to <b>{shown}</b>" in page


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://127.0.0.1:8123/other",
        "https://127.0.0.1:8123/cb",
        "http://127.0.0.1.evil.test/cb",
        "http://127.0.0.1:80@evil.test/cb",
        "http://localhost:8123/cb",
        "https://app.test:8443/cb",
    ],
)
async def test_no_other_address_than_the_machine_s_own_may_have_another_port(site: Site, elsewhere):
    browser, _ = await signed_in(site)
    app = await program(site, redirect_uris=["http://127.0.0.1/cb", "http://localhost/cb", "https://app.test/cb"])
    await browser.get(app.asks(redirect_uri=elsewhere))
    assert (browser.status, browser.location) == (400, "")


@pytest.mark.parametrize("registered", ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://[::1]/cb"])
async def test_a_program_on_the_machine_gets_its_port_as_it_starts(site: Site, registered):
    """RFC 8252, section 7.3."""
    browser, _ = await signed_in(site)
    app = await program(site, redirect_uris=[registered])
    address = f"{registered.removesuffix('/cb').removesuffix(':1')}:49152/cb"
    page = await browser.get(app.asks(redirect_uri=address))
    await browser.send("/oauth/authorize", **fields(page), decision="allow")
    assert browser.location.startswith(f"{address}?code=")
    assert (await app.exchange(heard(browser.location)["code"], redirect_uri=address)).status == 200


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_way_through_with_every_kind_of_proof(site: Site, slash):
    browser, account = await signed_in(site)
    app = await program(site)
    code = (await decide(browser, app.asks().replace("?", slash + "?")))["code"]
    answer = await app.exchange(code)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.json["token_type"], answer.json["scope"]) == ("Bearer", "read write")
    code = (await decide(browser, app.asks(**PKCE)))["code"]  # without its secret, but with the verifier
    token = (await app.exchange(code, client_secret=None, code_verifier=VERIFIER)).json["access_token"]
    code = (await decide(browser, app.asks()))["code"]  # by basic auth, in JSON
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    answer = await site.post("/oauth/token/", json=given, headers=basic(*app.secrets.values()))
    assert answer.status == 200
    assert (await site.get(VERIFY, token)).json["id"] == str(account.id)


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"code": "nonsense"}, 400, "invalid_grant"),
        ({"code": None}, 400, "invalid_request"),
        ({"redirect_uri": "https://evil.test/"}, 400, "invalid_grant"),
        ({"redirect_uri": None}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"code_verifier": None}, 400, "invalid_request"),
        ({"code_verifier": None, "client_secret": None}, 400, "invalid_request"),
        ({"code_verifier": "w" * 43}, 400, "invalid_grant"),
        ({"code_verifier": "é"}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": 'é"'}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
    ],
    ids=str,
)
async def test_a_code_is_good_only_with_all_it_was_made_for(site: Site, wrong, status, error):
    browser, _ = await signed_in(site)
    app = await program(site)
    code = (await decide(browser, app.asks(**PKCE)))["code"]
    answer = await app.exchange(**{"code": code, "code_verifier": VERIFIER, **wrong})
    assert (answer.status, answer.error) == (status, error)
    assert answer.json["error_description"]
    assert (await app.exchange(code, code_verifier=VERIFIER)).status == 200  # none of it used the code up


async def test_a_verifier_for_nothing_is_refused_and_none_needs_the_secret(site: Site):
    browser, _ = await signed_in(site)
    app = await program(site)
    code = (await decide(browser, app.asks()))["code"]
    assert (await app.exchange(code, code_verifier=VERIFIER)).error == "invalid_request"
    assert (await app.exchange(code, client_secret=None)).error == "invalid_request"


async def test_a_code_is_of_its_own_program(site: Site):
    browser, _ = await signed_in(site)
    app, other = await program(site), await program(site)
    code = (await decide(browser, app.asks()))["code"]
    assert (await other.exchange(code)).error == "invalid_grant"
    assert (await app.exchange(code)).status == 200


async def test_a_code_that_comes_twice_ends_what_it_was_good_for(both_sites: Site):
    site = both_sites
    browser, account = await signed_in(site)
    app = await program(site)
    said: list[object] = []
    site.db.listeners.append(said.append)
    code = (await decide(browser, app.asks()))["code"]
    token = (await app.exchange(code)).json["access_token"]
    assert (await site.get(VERIFY, token)).status == 200
    assert (await app.exchange(code)).error == "invalid_grant"
    assert (await site.get(VERIFY, token)).status == 401
    assert said == [AccessEnded(account.id)]


async def test_of_two_at_the_same_moment_one_gets_a_token(both_sites: Site):
    site = both_sites
    browser, _ = await signed_in(site)
    app = await program(site)
    code = await site.db.read(_code, (await decide(browser, app.asks()))["code"])
    now = datetime.now(UTC)
    assert await site.db.write(codes.use, code, now)
    assert not await site.db.write(codes.use, code, now)


def _code(tx, secret):
    return codes.find(tx, sha256(secret))


async def test_an_old_code_is_good_for_nothing_and_forgotten(both_sites: Site):
    site = both_sites
    browser, _ = await signed_in(site)
    app = await program(site)
    code = (await decide(browser, app.asks()))["code"]
    now = datetime.now(UTC)
    await site.db.write(lambda tx: tx.execute(update(table).values(created_at=now - timedelta(minutes=11))).rowcount)
    assert (await app.exchange(code)).error == "invalid_grant"
    assert await site.db.write(codes.prune, now) == 0
    assert await site.db.write(codes.prune, now + timedelta(days=1)) == 1


async def test_who_was_shut_out_meanwhile_gets_no_token(site: Site):
    browser, account = await signed_in(site)
    app = await program(site)
    code = (await decide(browser, app.asks()))["code"]
    await site.do(leave.suspend, account.id)
    assert (await app.exchange(code)).error == "invalid_grant"


async def test_a_new_password_ends_codes_too(site: Site):
    browser, account = await signed_in(site)
    app = await program(site)
    code = (await decide(browser, app.asks()))["code"]
    await site.do(users.set_password, account.id, "x")
    assert (await app.exchange(code)).error == "invalid_grant"


async def test_rights_of_moderators_are_for_moderators(site: Site):
    app = await program(site)
    browser, _ = await signed_in(site)
    page = await browser.get(app.asks(scope="read admin:read"))
    assert "rights of a moderator" in page
    code = (await decide(browser, app.asks(scope="read admin:read")))["code"]
    assert (await app.exchange(code)).json["scope"] == "read"
    assert (await decide(browser, app.asks(scope="admin:read:reports")))["error"] == "access_denied"
    guide, _ = await signed_in(site, "guide", role="moderator")
    code = (await decide(guide, app.asks(scope="read admin:read")))["code"]
    assert (await app.exchange(code)).json["scope"] == "read admin:read"


async def test_no_token_and_no_code_is_written_down(site: Site, caplog):
    with caplog.at_level(logging.DEBUG):
        browser, _ = await signed_in(site)
        app = await program(site)
        code = (await decide(browser, app.asks()))["code"]
        token = (await app.exchange(code)).json["access_token"]
        await app.exchange(code)
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("aiosqlite"))
    assert token not in ours
    assert code not in ours


@pytest.mark.parametrize("header", ["Basic", "Basic ", "Basic %%%", "Basic /w==", "Basic /////w==", "Bearer x"])
async def test_a_broken_header_is_no_secret(site: Site, header):
    answer = await site.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
    )
    assert (answer.status, answer.error) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_who_came_can_be_asked(site: Site):
    _, token = await site.person("alice")
    assert (await site.get("/oauth/userinfo")).status == 401
    account = (await site.get(VERIFY, token)).json
    weak = await site.token(await site.db.read(_alice), "write")
    assert (await site.get("/oauth/userinfo", weak)).status == 403
    for method in ("GET", "POST"):
        said = (await site.call(method, "/oauth/userinfo", token)).json
        assert said["sub"] == f"{OURS}/users/alice"
        assert (said["iss"], said["preferred_username"], said["profile"]) == (OURS, "alice", account["url"])


def _alice(tx):
    return find.local(tx, "alice")


async def test_the_server_says_what_it_can(site: Site):
    said = await site.get("/.well-known/oauth-authorization-server")
    assert said.headers["Access-Control-Allow-Origin"] == "*"
    assert said.json["issuer"] == OURS
    assert said.json["code_challenge_methods_supported"] == ["S256"]
    assert said.json["app_registration_endpoint"] == f"{OURS}/api/v1/apps"
    assert {"admin:write:canonical_email_blocks", "profile", "push"} <= set(said.json["scopes_supported"])
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/.well-known/oauth-authorization-server"):
        preflight = await site.call("OPTIONS", path)
        assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")


async def test_when_a_token_was_used_is_known_to_the_day(site: Site, queries):
    account, token = await site.person("alice")
    assert (await site.get(VERIFY, token)).status == 200
    [allowed] = await site.db.read(apps.allowed_by, account.id)
    assert allowed.last_used_at is not None
    queries.clear()
    await site.get(VERIFY, token)
    assert [one for one in queries if one.startswith("UPDATE")] == []
