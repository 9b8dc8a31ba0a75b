"""Mutes, lists of blocks, unwanted domains, notes and endorsements, through the API."""

import pytest

from tests.people import follow, remote, stored
from tests.web.site import Site

ACCOUNTS = "/api/v1/accounts"


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("mute", {"duration": "long"}),
        ("mute", {"duration": -1}),
        ("mute", {"duration": 10**17}),
        ("mute", {"notifications": "perhaps"}),
        ("note", {"comment": "x" * 2001}),
        ("note", {"comment": {"x": 1}}),
        ("endorse", {}),
        ("pin", {}),
        ("follow", {"languages": ["<b>"]}),
        ("follow", {"languages": [{"x": 1}]}),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused(site: Site, action, said):
    _, token = await site.person("alice")
    bob, _ = await site.person("bob")
    before = (await site.get(f"{ACCOUNTS}/relationships?id={bob.id}", token)).json
    answer = await site.post(f"{ACCOUNTS}/{bob.id}/{action}", token, json=said)
    assert (answer.status, bool(answer.error)) == (422, True)
    assert (await site.get(f"{ACCOUNTS}/relationships?id={bob.id}", token)).json == before
    assert (await site.post(f"{ACCOUNTS}/4711/{action}", token)).status == 404


async def test_who_is_muted_and_until_when(site: Site):
    _, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    relation = (await site.post(f"{ACCOUNTS}/{bob.id}/mute", token, data={"duration": "60"})).json
    assert (relation["muting"], relation["muting_notifications"]) == (True, True)
    (muted,) = (await site.get("/api/v1/mutes", token)).json
    assert (muted["id"], muted["mute_expires_at"]) == (str(bob.id), relation["muting_expires_at"])
    assert muted["mute_expires_at"].endswith("Z")
    assert (await site.get("/api/v1/mutes", bob_s)).json == []
    await site.post(f"{ACCOUNTS}/{bob.id}/mute", token, json={"notifications": False})
    assert (await site.get("/api/v1/mutes", token)).json[0]["mute_expires_at"] is None
    assert (await site.post(f"{ACCOUNTS}/{bob.id}/unmute", token)).json["muting"] is False


@pytest.mark.parametrize(("action", "path"), [("mute", "mutes"), ("block", "blocks"), ("endorse", "endorsements")])
async def test_lists_are_one_s_own_and_paged_by_links(site: Site, action, path):
    alice, token = await site.person("alice")
    people = [remote(f"p{n}", username="bob") for n in range(3)]
    await stored(site.db, *people)
    for one in people:
        await site.db.write(follow, alice, one)
        await site.post(f"{ACCOUNTS}/{one.id}/{action}", token)
    seen: list[str] = []
    next_: str | None = f"/api/v1/{path}?limit=2"
    while next_:
        answer = await site.get(next_, token)
        seen += answer.ids
        next_ = answer.link("next")
    assert seen == [str(one.id) for one in reversed(people)]
    _, strange = await site.person("mallory")
    assert (await site.get(f"/api/v1/{path}", strange)).json == []


@pytest.mark.parametrize("domain", ["", "ours.test", "a b", "x" * 300, "\0"])
async def test_what_is_no_other_domain_is_not_blocked(site: Site, domain):
    _, token = await site.person("alice")
    answer = await site.post("/api/v1/domain_blocks", token, json={"domain": domain})
    assert (answer.status, bool(answer.error)) == (422, True)
    assert (await site.get("/api/v1/domain_blocks", token)).json == []


async def test_domains_come_and_go(site: Site):
    _, token = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    for domain in ("far.test", "Other.test", "far.test"):
        assert (await site.post("/api/v1/domain_blocks", token, data={"domain": domain})).json == {}
    answer = await site.get("/api/v1/domain_blocks?limit=1", token)
    assert answer.json == ["other.test"]
    assert (await site.get(answer.link("next") or "", token)).json == ["far.test"]
    assert (await site.get(f"{ACCOUNTS}/relationships?id={bob.id}", token)).json[0]["domain_blocking"] is True
    assert (await site.call("DELETE", "/api/v1/domain_blocks?domain=far.test", token)).json == {}
    assert (await site.get("/api/v1/domain_blocks", token)).json == ["other.test"]


async def test_whom_somebody_shows_everybody_sees(site: Site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    await site.db.write(follow, alice, bob)
    assert (await site.post(f"{ACCOUNTS}/{bob.id}/endorse", token)).json["endorsed"] is True
    assert (await site.get(f"{ACCOUNTS}/{alice.id}/endorsements")).ids == [str(bob.id)]
    assert (await site.post(f"{ACCOUNTS}/{bob.id}/unpin", token)).json["endorsed"] is False
    assert (await site.get(f"{ACCOUNTS}/{alice.id}/endorsements")).json == []


async def test_languages_of_a_follow_are_kept_until_others_are_said(site: Site):
    _, token = await site.person("alice")
    bob, _ = await site.person("bob")
    here = f"{ACCOUNTS}/{bob.id}/follow"
    for said, languages in [({}, None), ({"languages": ["de", "en"]}, ["de", "en"]), ({"notify": True}, ["de", "en"]),
                            ({"languages": []}, None)]:  # fmt: skip
        assert (await site.post(here, token, json=said)).json["languages"] == languages, said
