"""Web Push over the API: a program subscribes, changes its mind, and goes."""

import pytest
from mastodon import Mastodon

from federation.webpush import Recipient, VapidKey, base64url, seal
from tests.receiver import Program
from tests.web.site import Site, running

HERE = "/api/v1/push/subscription"
ENDPOINT = "https://push.test/send/1"


def wish(program: Program | None = None, **more):
    program = program or Program()
    keys = {"p256dh": program.p256dh, "auth": program.secret}
    return {"subscription": {"endpoint": ENDPOINT, "keys": keys, "standard": True, **more}}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"subscription": "x"},
        {"subscription": {"endpoint": ENDPOINT}},
        {"subscription": {"endpoint": ENDPOINT, "keys": "x"}},
        wish(endpoint="http://push.test/"),
        wish(endpoint="https://127.0.0.1/"),
        wish(endpoint="https://10.1.2.3/"),
        wish(endpoint="https://[::1]/"),
        wish(endpoint="https://localhost/"),
        wish(endpoint="x"),
        wish(endpoint=""),
        wish(endpoint=["https://push.test/"]),
        wish(endpoint="https://push.test/" + "x" * 3000),
        wish(keys={"p256dh": "x", "auth": "y"}),
        wish(keys={"p256dh": Program().p256dh, "auth": base64url(b"short")}),
        wish(standard="perhaps"),
        {**wish(), "data": {"policy": "everybody"}},
        {**wish(), "data": {"alerts": {"mention": "perhaps"}}},
        {**wish(), "data": "x"},
        {**wish(), "data": {"alerts": ["mention"]}},
    ],
    ids=range(20),
)
async def test_a_subscription_that_cannot_be_is_refused(site: Site, asked):
    _, token = await site.person("alice")
    answer = await site.post(HERE, token, json=asked)
    assert (answer.status, bool(answer.error)) == (422, True)
    assert (await site.get(HERE, token)).status == 404


async def test_a_subscription_is_of_one_token(site: Site):
    alice, token = await site.person("alice")
    other = await site.token(alice)
    for call in (site.get(HERE, token), site.call("PUT", HERE, token, json={})):
        answer = await call
        assert (answer.status, answer.error) == (404, "Record not found")
    made = await site.post(HERE, token, json={**wish(), "data": {"alerts": {"mention": True, "poll": "1"}}})
    assert made.status == 200
    assert (made.json["endpoint"], made.json["standard"], made.json["policy"]) == (ENDPOINT, True, "all")
    assert [kind for kind, on in made.json["alerts"].items() if on] == ["mention", "poll"]
    assert (await site.get(HERE, token)).json == made.json
    assert (await site.get(HERE, other)).status == 404
    assert (await site.call("DELETE", HERE, other)).json == {}
    changed = await site.call("PUT", HERE, token, json={"data": {"alerts": {"follow": True}, "policy": "followed"}})
    assert [kind for kind, on in changed.json["alerts"].items() if on] == ["follow"]
    assert (changed.json["id"], changed.json["policy"]) == (made.json["id"], "followed")
    assert (await site.call("DELETE", HERE, token)).json == {}
    assert (await site.get(HERE, token)).status == 404


async def test_a_subscription_comes_in_a_form_too(site: Site):
    _, token = await site.person("alice")
    program = Program()
    form = {
        "subscription[endpoint]": ENDPOINT,
        "subscription[keys][p256dh]": program.p256dh,
        "subscription[keys][auth]": program.secret,
        "data[alerts][admin.sign_up]": "true",
        "data[alerts][mention]": "0",
        "data[policy]": "follower",
    }
    made = (await site.post(HERE, token, data=form)).json
    assert [kind for kind, on in made["alerts"].items() if on] == ["admin.sign_up"]
    assert (made["standard"], made["policy"]) == (False, "follower")


async def test_the_key_of_the_server_is_one_everywhere_and_for_ever(sqlite_template, tmp_path):
    file = tmp_path / "ours.db"
    file.write_bytes(sqlite_template.read_bytes())
    seen = set()
    for _ in range(2):
        async with running(f"sqlite:///{file}", tmp_path / "data") as site:
            if not seen:
                _, token = await site.person("alice")
                seen.add((await site.post(HERE, token, json=wish())).json["server_key"])
            seen.add((await site.get("/api/v2/instance")).json["configuration"]["vapid"]["public_key"])
            app = {"client_name": "x", "redirect_uris": "https://app.test/"}
            seen.add((await site.post("/api/v1/apps", json=app)).json["vapid_key"])
    (key,) = seen
    assert len(key) == 88


def test_mastodon_py_reads_what_is_sealed_in_the_old_way():
    """Another implementation, of the draft before RFC 8291."""
    library = Mastodon(access_token="x", api_base_url="https://ours.test", version_check_mode="none")
    private, public = library.push_subscription_generate_keys()
    to = Recipient(public["pubkey"], public["auth"], standard=False)
    sealed = seal(b'{"title": "x"}', to, VapidKey.make(), "proof")
    salt, keys = sealed.headers["Encryption"], sealed.headers["Crypto-Key"]
    assert library.push_subscription_decrypt_push(sealed.body, private, salt, keys)["title"] == "x"
