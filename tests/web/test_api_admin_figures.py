"""How the server does, for those who may know."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, update

from social import follows, moderation, users
from social.moderation import Complaint
from social.posts import receive
from store.tables import users as users_table
from tests.people import remote, stored
from tests.social.said import note
from tests.web.site import Site

MEASURES, RETENTION = "/api/v1/admin/measures", "/api/v1/admin/retention"


async def one_with(site: Site, role: str, scopes: str = "admin:read") -> str:
    account, _ = await site.person(role)
    await site.do(users.set_role, account.id, role)
    return await site.token(account, scopes)


@pytest.mark.parametrize("place", [MEASURES, RETENTION])
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
