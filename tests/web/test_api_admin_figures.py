"""How the server does, for those who may know."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, update

from social import activity, follows, moderation, users
from social.moderation import Complaint
from social.posts import receive
from store.tables import users as users_table
from tests.people import follow, remote, stored
from tests.social.said import note
from tests.web.site import Site

MEASURES, DIMENSIONS, RETENTION = (f"/api/v1/admin/{name}" for name in ("measures", "dimensions", "retention"))


async def one_with(site: Site, role: str, scopes: str = "admin:read") -> str:
    account, _ = await site.person(role)
    await site.do(users.set_role, account.id, role)
    return await site.token(account, scopes)


@pytest.mark.parametrize("place", [MEASURES, DIMENSIONS, RETENTION])
async def test_who_may_not_know_is_refused(site: Site, place):
    assert (await site.post(place, json={})).status == 401
    assert (await site.post(place, await one_with(site, "member"), json={})).status == 403
    assert (await site.post(place, await one_with(site, "admin", "read admin:write"), json={})).status == 403
    assert (await site.post(place, await one_with(site, "moderator"), json={})).status == 200


@pytest.mark.parametrize(
    ("place", "body"),
    [
        (MEASURES, {"keys": [{}]}),
        (MEASURES, {"keys": ["new_users"], "start_at": "yesterday"}),
        (MEASURES, {"keys": ["new_users"], "start_at": ["2026-01-01"]}),
        (MEASURES, {"keys": ["new_users"], "start_at": "2026-02-01", "end_at": "2026-01-01"}),
        (MEASURES, {"keys": ["new_users"], "start_at": "2001-01-01", "end_at": "2026-01-01"}),
        (MEASURES, {"keys": ["new_users"], "start_at": "0001-01-01", "end_at": "0001-01-01"}),
        (MEASURES, {"keys": ["new_users"], "end_at": "9999-12-31T23:59:59Z"}),
        (MEASURES, {"keys": ["instance_accounts"]}),
        (MEASURES, {"keys": ["instance_accounts"], "instance_accounts": "far.test"}),
        (MEASURES, {"keys": ["instance_accounts"], "instance_accounts": {"domain": "a b"}}),
        (MEASURES, {"keys": ["tag_uses"], "tag_uses": {"id": "x"}}),
        (MEASURES, {"keys": ["tag_uses"], "tag_uses": "cats"}),
        (DIMENSIONS, {"keys": {"a": {}}}),
        (DIMENSIONS, {"keys": ["servers"], "limit": "many"}),
        (DIMENSIONS, {"keys": ["servers"], "end_at": "tomorrow"}),
        (DIMENSIONS, {"keys": ["instance_languages"]}),
        (DIMENSIONS, {"keys": ["instance_accounts"], "instance_accounts": {"domain": ["far.test"]}}),
        (RETENTION, {"frequency": "hour"}),
        (RETENTION, {"start_at": "2026-02-01", "end_at": "2026-01-01"}),
        (RETENTION, {"start_at": "2001-01-01", "end_at": "2026-01-01"}),
    ],
)
async def test_what_is_no_period_or_server_is_refused(site: Site, place, body):
    assert (await site.post(place, await one_with(site, "moderator"), json=body)).status == 422


async def test_what_happened_is_counted_day_by_day(both_sites: Site):
    site, now = both_sites, datetime.now(UTC)
    token = await one_with(site, "moderator")
    alice, _ = await site.person("alice")
    await stored(site.db, bob := remote("bob"), eve := remote("eve", "other.test"))
    for one in (bob, eve):
        await site.db.write(receive.receive, one, note(one, published=now), now)
    await site.db.write(follows.receive, bob, alice, f"{bob.uri}/follow", now)
    made = await site.db.write(moderation.report, alice.id, Complaint(bob.id), now)
    await site.db.write(moderation.report, alice.id, Complaint(eve.id), now)
    await site.db.write(moderation.resolve, made.id, now)
    theirs = ["instance_accounts", "instance_statuses", "instance_reports", "instance_follows", "instance_followers"]
    keys = ["new_users", "opened_reports", "nothing", "resolved_reports", *theirs]
    body = {"keys": keys, "start_at": (now - timedelta(days=2)).isoformat(), "end_at": now.date().isoformat()}
    body.update((key, {"domain": "Far.test"}) for key in theirs)
    found = (await site.post(MEASURES, token, json=body)).json
    assert [(one["key"], one["total"], one["data"][-1]["value"]) for one in found] == [
        ("new_users", "2", "2"),
        ("opened_reports", "2", "2"),
        ("resolved_reports", "1", "1"),
        ("instance_accounts", "1", "1"),
        ("instance_statuses", "1", "1"),
        ("instance_reports", "1", "1"),
        ("instance_follows", "0", "0"),
        ("instance_followers", "1", "1"),
    ]
    assert [len(one["data"]) for one in found] == [3] * 8
    assert ["previous_total" in one for one in found] == [True] * 3 + [False] * 5
    assert found[0]["data"][-1]["date"] == f"{now.date()}T00:00:00.000Z"
    before = (now + timedelta(days=1)).date().isoformat()
    later = (await site.post(MEASURES, token, json={"keys[]": "x", "keys": "new_users", "start_at": before,
                                                    "end_at": before})).json  # fmt: skip
    assert (later[0]["total"], later[0]["previous_total"]) == ("0", "2")


@pytest.mark.parametrize("tag", [{}, {"tag_uses": {"id": "114"}}, {"tag_uses": {"id": ""}}])
async def test_there_is_no_such_hashtag(site: Site, tag):
    token = await one_with(site, "moderator")
    assert (await site.post(MEASURES, token, json={"keys": ["tag_uses"], **tag})).status == 404
    tag = {name.replace("uses", "servers"): value for name, value in tag.items()}
    assert (await site.post(DIMENSIONS, token, json={"keys": ["tag_servers"], **tag})).status == 404


async def test_people_and_what_they_do_with_posts_of_ours_are_counted(both_sites: Site):
    site, now = both_sites, datetime.now(UTC)
    token = await one_with(site, "moderator")
    (alice, hers), (bob, his) = await site.person("alice"), await site.person("bob")
    await stored(site.db, eve := remote("eve"), mallory := remote("mallory", "other.test"))
    for by in (hers, his, his):
        assert (await site.get("/api/v1/timelines/home", by)).status == 200
    await site.db.write(activity.visited, bob.id, now - timedelta(days=1))
    await site.db.write(activity.visited, bob.id, now - timedelta(days=40))
    post = await site.posted(alice, "hello #cats")
    for name, by in (("favourite", his), ("reblog", his), ("favourite", hers)):
        assert (await site.post(f"/api/v1/statuses/{post.id}/{name}", by)).status == 200
    await site.posted(bob, "well met #Cats", reply_to_id=post.id)
    for one in (eve, mallory):
        tagged = note(one, published=now, hashtags=("cats",))
        await site.db.write(receive.receive, one, tagged, now)
        await site.db.write(receive.receive, one, note(one, published=now), now)
    number = (await site.get("/api/v1/tags/cats")).json["id"]
    keys = ["active_users", "interactions", "tag_accounts", "tag_uses", "tag_servers"]
    body = {"keys": keys, **{key: {"id": number} for key in keys[2:]}}
    found = (await site.post(MEASURES, token, json=body)).json
    told = [(one["key"], one["total"], one["previous_total"], one["data"][-1]["value"]) for one in found]
    assert told == [
        ("active_users", "3", "1", "3"),
        ("interactions", "4", "0", "4"),
        ("tag_accounts", "4", "0", "4"),
        ("tag_uses", "4", "0", "4"),
        ("tag_servers", "2", "0", "2"),
    ]
    assert found[0]["data"][-2]["value"] == "1"


async def test_it_is_told_of_what_the_server_consists(both_sites: Site):
    site, now = both_sites, datetime.now(UTC)
    token = await one_with(site, "moderator")
    alice, hers = await site.person("alice")
    await stored(site.db, eve := remote("eve"), mallory := remote("mallory", "other.test"))
    for text, more in (("one #cats", {"language": "de"}), ("two", {"language": "de"}), ("three", {})):
        await site.posted(alice, text, **more)
    await site.post("/api/v1/statuses", hers, json={"status": "four", "language": "tlh"})
    for one, times in ((eve, 2), (mallory, 1)):
        for _ in range(times):
            tagged = note(one, published=now, language="fr", hashtags=("cats",))
            await site.db.write(receive.receive, one, tagged, now)
    await site.db.write(follow, alice, eve)
    number = (await site.get("/api/v1/tags/cats")).json["id"]
    asked: dict[str, dict[str, str]] = {
        **{key: {"id": number} for key in ("tag_servers", "tag_languages")},
        **{key: {"domain": "far.test"} for key in ("instance_accounts", "instance_languages")},
    }
    keys = ["languages", "sources", "servers", "nothing", "space_usage", "software_versions", *asked]
    found = (await site.post(DIMENSIONS, token, json={"keys": keys, **asked})).json
    shown = {one["key"]: [(it["key"], it["human_key"], it["value"]) for it in one["data"]] for one in found}
    assert list(shown) == [key for key in keys if key != "nothing"]
    assert shown["languages"][0] == ("de", "Deutsch", "2")
    assert sorted(shown["languages"][1:]) == [("tlh", "tlh", "1"), ("und", "und", "1")]
    assert shown["sources"] == [("web", "Website", "3"), ("a program", "a program", "1")]
    assert shown["servers"] == [("far.test", "far.test", "2"), ("other.test", "other.test", "1")]
    assert shown["tag_servers"][0] == ("far.test", "far.test", "2")
    assert ("ours.test", "ours.test", "1") in shown["tag_servers"]
    assert shown["tag_languages"] == [("fr", "Français", "3"), ("de", "Deutsch", "1")]
    assert shown["instance_accounts"] == [("eve", "eve", "1")]
    assert shown["instance_languages"] == [("fr", "Français", "2")]
    used, ran = found[3]["data"], found[4]["data"]
    engine = await site.db.read(lambda tx: tx.dialect.name)
    assert [one["key"] for one in used] == [engine, "media"]
    assert int(used[0]["value"]) > 100_000
    assert (used[1]["unit"], used[1]["human_value"]) == ("bytes", "0 Bytes")
    assert [one["key"] for one in ran] == ["connectme", "python", engine]
    assert all(one["value"] == one["human_value"] and one["value"][0].isdigit() for one in ran)
    few = (await site.post(DIMENSIONS, token, json={"keys": ["servers"], "limit": 1})).json
    assert [one["key"] for one in few[0]["data"]] == ["far.test"]
    old = {"keys": ["servers", "languages"], "end_at": "2026-01-01"}
    assert [one["data"] for one in (await site.post(DIMENSIONS, token, json=old)).json] == [[], []]


async def test_who_stays_is_counted(both_sites: Site):
    site = both_sites
    token = await one_with(site, "moderator")
    came, day = datetime(2025, 1, 30, 12, tzinfo=UTC), timedelta(days=1)
    for name, created, seen in (
        ("alice", came, came + day),
        ("bob", came, None),
        ("carol", came + 2 * day, came + 2 * day),
    ):
        account, _ = await site.person(name)
        await site.db.write(_was_here, account.id, created, seen)
    period = {"start_at": "2025-01-30", "end_at": "2025-02-01"}
    days = (await site.post(RETENTION, token, json=period)).json
    assert [[(one["value"], one["rate"]) for one in cohort["data"]] for cohort in days] == [
        [("2", 1.0), ("1", 0.5), ("0", 0.0)],
        [("0", 0.0), ("0", 0.0)],
        [("1", 1.0)],
    ]
    assert [cohort["period"] for cohort in days][::2] == ["2025-01-30T00:00:00.000Z", "2025-02-01T00:00:00.000Z"]
    months = (await site.post(RETENTION, token, json={**period, "frequency": "month"})).json
    assert [[(one["date"][:7], one["value"]) for one in cohort["data"]] for cohort in months] == [
        [("2025-01", "2"), ("2025-02", "0")],
        [("2025-02", "1")],
    ]
    assert {cohort["frequency"] for cohort in months} == {"month"}


def _was_here(tx: Connection, account_id: int, created: datetime, seen: datetime | None) -> None:
    change = update(users_table).where(users_table.c.account_id == account_id)
    tx.execute(change.values(created_at=created, seen_at=seen))
