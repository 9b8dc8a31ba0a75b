"""What a server says of itself: rules, texts, how busy it is, whom it knows."""

from datetime import UTC, date, datetime, timedelta

import pytest

from social import moderation
from social import site as said
from tests.people import remote, stored
from tests.web.site import Site

INSTANCE = "/api/v1/instance"
NOW = datetime.now(UTC)


async def test_a_new_server_says_nothing_that_nobody_wrote(site: Site):
    assert (await site.get(f"{INSTANCE}/rules")).json == []
    for text in ("extended_description", "privacy_policy"):
        assert (await site.get(f"{INSTANCE}/{text}")).json == {"updated_at": None, "content": ""}
    for missing in ("terms_of_service", "terms_of_service/2026-01-01", "terms_of_service/x%00y", "domain_blocks"):
        answer = await site.get(f"{INSTANCE}/{missing}")
        assert (answer.status, answer.error) == (404, "Record not found")
    assert (await site.get(f"{INSTANCE}/translation_languages")).json == {}
    assert {"code": "en", "name": "English"} in (await site.get(f"{INSTANCE}/languages")).json


async def test_rules_and_texts_are_said_safely(both_sites: Site):
    site = both_sites
    rule = await site.db.write(said.add_rule, "Be kind.", "To all.")
    await site.db.write(said.set_text, "about", "<h2>Us</h2><script>x()</script><p onclick=x>We.</p>", NOW)
    await site.db.write(said.set_text, "privacy", "One & two.\n\nThree.", NOW)
    shown = {"id": str(rule.id), "text": "Be kind.", "hint": "To all.", "translations": {}}
    assert (await site.get(f"{INSTANCE}/rules")).json == [shown]
    for path in (INSTANCE, "/api/v2/instance"):
        assert (await site.get(path)).json["rules"] == [shown]
    about = (await site.get(f"{INSTANCE}/extended_description")).json
    assert about["content"] == "<h2>Us</h2><p>We.</p>"
    assert about["updated_at"].startswith(str(NOW.year))
    assert (await site.get(f"{INSTANCE}/privacy_policy")).json["content"] == "<p>One &amp; two.</p><p>Three.</p>"
    page = (await site.get("/about")).body.decode()
    assert ("Be kind." in page, "<h2>Us</h2>" in page, "x()" in page) == (True, True, False)
    assert "Three." in (await site.get("/privacy-policy")).body.decode()
    assert (await site.get("/terms-of-service")).status == 404


async def test_terms_hold_from_a_day_on(site: Site):
    today = NOW.date()
    day, later = today - timedelta(days=9), today + timedelta(days=9)
    for effective, words in [(later, "later"), (day, "now"), (today - timedelta(days=99), "before")]:
        await site.db.write(said.set_text, "terms", words, NOW, effective)
    told = (await site.get(f"{INSTANCE}/terms_of_service")).json
    assert told == {
        "effective_date": str(day),
        "effective": True,
        "content": "<p>now</p>",
        "succeeded_by": str(later),
    }
    coming = (await site.get(f"{INSTANCE}/terms_of_service/{later}")).json
    assert (coming["effective"], coming["content"], coming["succeeded_by"]) == (False, "<p>later</p>", None)
    assert (await site.get(f"{INSTANCE}/terms_of_service/{today}")).status == 404
    urls = (await site.get("/api/v2/instance")).json["configuration"]["urls"]
    assert urls["terms_of_service"] == "https://ours.test/terms-of-service"
    page = (await site.get(f"/terms-of-service/{later}")).body.decode()
    assert "later" in page
    assert str(later) in (await site.get("/terms-of-service")).body.decode()


async def test_terms_that_do_not_hold_yet_are_shown_while_there_are_no_others(site: Site):
    await site.db.write(said.set_text, "terms", "soon", NOW, date(NOW.year + 1, 1, 1))
    assert (await site.get(f"{INSTANCE}/terms_of_service")).json["effective"] is False


async def test_the_second_version_says_all_that_clients_look_for(server):
    async with server(LANGUAGES="de, en", SOURCE_URL="https://code.test/", FEDERATION_MODE="allowlist") as site:
        told = (await site.get("/api/v2/instance")).json
        picture = await site.get(told["thumbnail"]["url"].removeprefix("https://ours.test"))
        icons = [await site.get(icon["src"].removeprefix("https://ours.test")) for icon in told["icon"]]
        assert {file.headers["Content-Type"] for file in [picture, *icons]} == {"image/png"}
        assert (told["languages"], told["source_url"]) == (["de", "en"], "https://code.test/")
        configuration = told["configuration"]
        assert configuration["limited_federation"] is True
        assert configuration["timelines_access"]["live_feeds"] == {"local": "public", "remote": "public"}
        assert configuration["urls"]["privacy_policy"] == "https://ours.test/privacy-policy"
        assert told["registrations"]["reason_required"] is False


async def test_activity_is_told_in_texts(site: Site):
    alice, token = await site.person("alice")
    await site.get("/api/v1/preferences", token)
    await site.posted(alice)
    running, *before = (await site.get(f"{INSTANCE}/activity")).json
    assert (running["statuses"], running["logins"]) == ("1", "1")
    assert (len(before), {week["statuses"] for week in before}) == (11, {"0"})


async def test_peers_are_found_while_somebody_types(both_sites: Site):
    site = both_sites
    names = ["a.test", "ab.test", "abc.test", "b.test", "a%.test"]
    await stored(site.db, *(remote(f"x{n}", host) for n, host in enumerate(names * 2)))
    await site.db.write(moderation.set_policy, "ab.test", "block", "", NOW)
    assert sorted((await site.get(f"{INSTANCE}/peers")).json) == ["a%.test", "a.test", "abc.test", "b.test"]
    for query, found in [("ab", ["abc.test"]), ("A%25", ["a%.test"]), ("", []), ("x" * 300, []), ("zz", [])]:
        assert (await site.get(f"/api/v1/peers/search?q={query}")).json == found, query
    assert len((await site.get("/api/v1/peers/search?q=a&limit=1")).json) == 1
    assert (await site.get("/api/v1/peers/search?q=a&limit=x")).status == 422


@pytest.mark.parametrize("path", ["peers", "activity"])
async def test_on_a_closed_network_only_members_learn_of_others(server, path):
    async with server(FEDERATION_MODE="allowlist") as site:
        _, token = await site.person("alice")
        assert (await site.get(f"{INSTANCE}/{path}")).status == 401
        assert (await site.get(f"{INSTANCE}/{path}", await site.token(None))).status == 401
        assert (await site.get(f"{INSTANCE}/{path}", token)).status == 200
        assert (await site.get("/api/v1/peers/search?q=a")).status == 401


@pytest.mark.parametrize(
    ("shown", "statuses"), [("nobody", (404, 404)), ("members", (401, 200)), ("everybody", (200, 200))]
)
async def test_blocked_servers_are_shown_to_whom_the_owner_wants(server, shown, statuses):
    async with server(SHOW_DOMAIN_BLOCKS=shown) as site:
        _, token = await site.person("alice")
        for host, level in [("bad.test", "block"), ("loud.test", "limit"), ("good.test", "allow")]:
            draft = moderation.PolicyDraft(host, level, "why", "secret", obfuscate=level == "limit")
            await site.db.write(moderation.set_draft, draft, NOW)
        answers = [await site.get(f"{INSTANCE}/domain_blocks", by) for by in (None, token)]
        assert tuple(one.status for one in answers) == statuses
        if statuses[1] == 200:
            found = [(one["domain"], one["severity"], one["comment"]) for one in answers[1].json]
            assert found == [("bad.test", "suspend", "why"), ("lou*.**st", "silence", "why")]
            assert len(answers[1].json[0]["digest"]) == 64
