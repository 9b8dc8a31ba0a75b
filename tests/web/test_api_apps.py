"""Programs make themselves known, and get tokens of their own."""

import pytest

from tests.web.site import Site, basic

APPS, TOKEN, REVOKE = "/api/v1/apps", "/oauth/token", "/oauth/revoke"
GOOD = {"client_name": "toot", "redirect_uris": "https://toot.test/back", "scopes": "read write:statuses"}


async def made(site: Site, **more: str) -> dict[str, str]:
    answer = await site.post(APPS, data={**GOOD, **more})
    assert answer.status == 200, answer.body
    found: dict[str, str] = answer.json
    return found


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_name": ""},
        {"client_name": " \x00"},
        {"client_name": "x" * 300},
        {"redirect_uris": ""},
        {"redirect_uris": "javascript:alert(1)"},
        {"redirect_uris": "DATA:text/html,x"},
        {"redirect_uris": "/back"},
        {"redirect_uris": "https://toot.test/#x"},
        {"redirect_uris": "https://[/"},
        {"redirect_uris": "https://evil.test\\@toot.test/"},  # browsers go to the first, urlsplit says the second
        {"redirect_uris": "https://toot.test@evil.test/"},
        {"redirect_uris": "https:evil.test"},
        {"redirect_uris": "https:///evil.test"},
        {"redirect_uris": "https://t\u043e\u043et.test/"},
        {"redirect_uris": "view-source:https://toot.test/"},
        {"redirect_uris": "https://toot.test/" + "x" * 3000},
        {"redirect_uris": "\n".join(["https://toot.test/"] * 50)},
        {"scopes": "read everything"},
        {"scopes": "admin"},
    ],
    ids=str,
)
async def test_a_program_that_cannot_be_is_refused(site: Site, wrong):
    answer = await site.post(APPS, data={**GOOD, **wrong})
    assert answer.status == 422
    assert answer.error


@pytest.mark.parametrize("missing", sorted(GOOD.keys() - {"scopes"}))
async def test_name_and_redirect_are_needed(site: Site, missing):
    assert (await site.post(APPS, json={k: v for k, v in GOOD.items() if k != missing})).status == 422


async def test_a_program_gets_a_secret_that_no_one_else_sees(site: Site):
    app = await made(site, website="javascript:alert(1)")
    assert app["client_secret_expires_at"] == 0
    assert app["website"] is None
    assert app["scopes"] == ["read", "write:statuses"]
    shown = await site.get(f"{APPS}/verify_credentials", await site.token(None))
    assert "client_secret" not in shown.json


async def test_the_name_of_a_program_turns_nothing_around_it(site: Site):
    assert (await made(site, client_name="a\u202egood\nb"))["name"] == "agood b"


async def test_redirects_are_kept_letter_by_letter(site: Site):
    elk = "https://elk.test/api/ours.test/oauth/https%3A%2F%2Felk.test"
    several = ["urn:ietf:wg:oauth:2.0:oob", "Tusky://Back", elk]
    for given in (several, "\n".join(several), "\r\n".join(several)):
        answer = await site.post(APPS, json={**GOOD, "redirect_uris": given})
        assert answer.json["redirect_uris"] == several
        assert answer.json["redirect_uri"] == "\n".join(several)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "invalid_request"),
        ({"scope": "write"}, 400, "invalid_scope"),
        ({"scope": "nonsense"}, 400, "invalid_scope"),
        ({"scope": "push"}, 400, "invalid_scope"),
    ],
    ids=str,
)
async def test_no_token_for_who_asks_wrongly(site: Site, said, status, code):
    app = await made(site)
    given = {"grant_type": "client_credentials", "client_id": app["client_id"], "client_secret": app["client_secret"]}
    answer = await site.post(TOKEN, data={**given, **said})
    assert (answer.status, answer.error) == (status, code)
    assert answer.json["error_description"]
    assert "access_token" not in answer.json


async def test_a_wrong_secret_by_basic_auth_says_how_to_come_again(site: Site):
    app = await made(site)
    answer = await site.post(TOKEN, headers=basic(app["client_id"], "wrong"), data={"grant_type": "client_credentials"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_a_token_by_body_or_basic_auth_opens_what_its_scope_says(site: Site):
    app = await made(site)
    grant = {"grant_type": "client_credentials", "scope": "read:statuses"}
    secrets = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    for more in (
        {"data": {**grant, **secrets}},
        {"json": {**grant, **secrets}},
        {"data": grant, "headers": basic(app["client_id"], app["client_secret"])},
    ):
        answer = await site.post(TOKEN, **more)
        assert answer.status == 200, answer.body
        assert (answer.json["token_type"], answer.json["scope"]) == ("Bearer", "read:statuses")
        assert isinstance(answer.json["created_at"], int)
        assert answer.headers["Cache-Control"] == "no-store"
        token = answer.json["access_token"]
        assert (await site.get(f"{APPS}/verify_credentials", token)).json["name"] == "toot"
        assert (await site.get("/api/v1/timelines/public", token)).status == 200
        assert (await site.get("/api/v2/search?q=x", token)).status == 403


async def test_only_its_own_program_ends_a_token(site: Site):
    app, other = await made(site), await made(site)
    token = (await site.post(TOKEN, data={"grant_type": "client_credentials", **_who(app)})).json["access_token"]
    verify = f"{APPS}/verify_credentials"
    assert (await site.post(REVOKE, data={"token": token})).status == 403
    assert (await site.post(REVOKE, data={**_who(other), "token": token})).status == 200
    assert (await site.get(verify, token)).status == 200
    for _ in range(2):  # the second time it is unknown, which is no error
        answer = await site.post(REVOKE, data={**_who(app), "token": token})
        assert (answer.status, answer.json) == (200, {})
    assert (await site.get(verify, token)).status == 401


def _who(app: dict[str, str]) -> dict[str, str]:
    return {"client_id": app["client_id"], "client_secret": app["client_secret"]}
