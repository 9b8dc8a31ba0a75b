"""Mastodon.py: what moderators and admins do (each answer checked by library.py)."""

from datetime import UTC, datetime, timedelta

import pytest
from mastodon import MastodonAPIError, MastodonNotFoundError

from social import fulltext, users
from store.tables import Account
from tests.people import remote, stored
from tests.web.library import Library, ids
from tests.web.site import Site
from tests.web.test_api_admin import SCOPES
from tests.web.test_api_trends import busy
from tests.web.test_mastodon_py_posts import alice

__all__ = ["alice"]


@pytest.fixture
async def boss(site: Site) -> tuple[Account, Library]:
    account, _ = await site.person("boss")
    await site.do(users.set_role, account.id, "admin")
    return account, Library(site, await site.token(account, SCOPES))


async def test_a_member_hears_that_he_may_not(alice):
    _, library = alice
    with pytest.raises(MastodonAPIError):
        await library("admin_accounts_v2")


async def test_accounts_are_found_and_dealt_with(site: Site, boss, alice):
    admin, library = boss
    account, _ = alice
    await stored(site.db, far := remote("bob"))
    assert ids(await library("admin_accounts_v2", origin="local", status="active")) == ids([account, admin])
    assert ids(await library("admin_accounts_v2", permissions="staff", limit=1)) == ids([admin])
    assert ids(await library("admin_accounts_v2", by_domain="far.test")) == ids([far])
    [found] = await library("admin_accounts_v1", username="alice")
    assert found["id"] == str(account.id)
    assert (await library("admin_account", account.id)).email == "alice@mail.test"
    for action, field, undo in (
        ("sensitive", "sensitized", "unsensitive"),
        ("silence", "silenced", "unsilence"),
        ("disable", "disabled", "enable"),
        ("suspend", "suspended", "unsuspend"),
    ):
        await library("admin_account_moderate", account.id, action, text="Be kind.", send_email_notification=False)
        assert (await library("admin_account", account.id))[field] is True
        assert (await library(f"admin_account_{undo}", account.id))[field] is False
    await library("admin_account_moderate", account.id, "suspend")
    assert ids([await library("admin_account_delete", account.id)]) == ids([account])
    with pytest.raises(MastodonNotFoundError):
        await library("admin_account_delete", account.id)


async def test_who_waits_is_let_in_or_not(server):
    async with server(REGISTRATIONS="approval") as site:
        account, _ = await site.person("boss")
        await site.do(users.set_role, account.id, "moderator")
        library, by = Library(site, await site.token(account, SCOPES)), await site.token(None)
        for name in ("carol", "spam"):
            new = {"username": name, "email": f"{name}@mail.test", "password": "correct horse", "agreement": True}
            assert (await site.post("/api/v1/accounts", by, json={**new, "reason": "because"})).status == 200
        spam, carol = await library("admin_accounts_v2", status="pending")
        assert (carol.invite_request, carol.approved) == ("because", False)
        assert (await library("admin_account_approve", carol.id)).approved is True
        assert (await library("admin_account_reject", spam.id)).username == "spam"
        assert list(await library("admin_accounts_v2", status="pending")) == []


async def test_reports_are_worked_on(site: Site, boss, alice):
    admin, library = boss
    _, member = alice
    bob, _ = await site.person("bob")
    post = await site.posted(bob, "ugly")
    made = await member("report", bob.id, [post.id], "look at that", category="spam")
    assert (made.category, made.action_taken, [str(one) for one in made.status_ids]) == ("spam", False, [str(post.id)])
    [report] = await library("admin_reports")
    assert (str(report.id), report.comment, ids(report.statuses)) == (str(made.id), "look at that", ids([post]))
    assert str((await library("admin_report_assign", report.id)).assigned_account.id) == str(admin.id)
    assert (await library("admin_report_unassign", report.id)).assigned_account is None
    assert (await library("admin_report_resolve", report.id)).action_taken is True
    await member("report", bob.id)
    assert ids(await library("admin_reports", resolved=True, target_account_id=bob.id)) == ids([report])
    assert len(await library("admin_reports", resolved=True, unresolved=True)) == 2
    assert (await library("admin_report_reopen", report.id)).action_taken is False
    assert len(await library("admin_reports", unresolved=True)) == 2
    assert ids([await library("admin_report", report.id)]) == ids([report])


async def test_servers_are_limited_and_allowed(boss):
    _, library = boss
    made = await library(
        "admin_create_domain_block", "evil.test", "suspend", reject_media=True, private_comment="known", obfuscate=True
    )
    assert (made.severity, made.private_comment) == ("suspend", "known")
    changed = await library("admin_update_domain_block", made.id, severity="silence", public_comment="loud")
    assert (changed.severity, changed.reject_media) == ("silence", True)
    assert ids(await library("admin_domain_blocks")) == ids([await library("admin_domain_blocks", made.id)])
    await library("admin_delete_domain_block", made.id)
    assert list(await library("admin_domain_blocks")) == []
    allowed = await library("admin_create_domain_allow", "good.test")
    assert ids([await library("admin_create_domain_allow", "good.test")]) == ids([allowed])  # a second time, too
    assert (await library("admin_domain_allow", allowed.id)).domain == "good.test"
    assert ids(await library("admin_domain_allows")) == ids([allowed])
    await library("admin_delete_domain_allow", allowed.id)
    with pytest.raises(MastodonNotFoundError):
        await library("admin_domain_allow", allowed.id)


async def test_addresses_are_blocked(boss):
    _, library = boss
    hashed = await library("admin_create_canonical_email_block", email="jo.doe+spam@mail.test")
    assert ids(await library("admin_test_canonical_email_block", "jodoe@mail.test")) == ids([hashed])
    assert ids(await library("admin_canonical_email_blocks")) == ids([hashed])
    assert (await library("admin_canonical_email_block", hashed.id)).canonical_email_hash
    await library("admin_delete_canonical_email_block", hashed.id)
    domain = await library("admin_create_email_domain_block", "spam.test")
    assert (await library("admin_email_domain_block", domain.id)).domain == "spam.test"
    assert ids(await library("admin_email_domain_blocks")) == ids([domain])
    await library("admin_delete_email_domain_block", domain.id)
    network = await library("admin_create_ip_block", "192.0.2.0/24", "sign_up_block", "noise", 3600)
    assert network.expires_at > datetime.now(UTC)
    changed = await library("admin_update_ip_block", network.id, severity="sign_up_requires_approval", comment="less")
    assert (changed.severity, changed.comment) == ("sign_up_requires_approval", "less")
    assert ids(await library("admin_ip_blocks")) == ids([await library("admin_ip_block", network.id)])
    await library("admin_delete_ip_block", network.id)


async def test_figures_of_every_kind(site: Site, boss):
    _, library = boss
    await busy(site)
    now = datetime.now(UTC)
    period = {"start_at": now - timedelta(days=2), "end_at": now}
    [tag, *_] = await library("admin_trending_tags")
    plain = ("active_users", "new_users", "interactions", "opened_reports", "resolved_reports")
    of_tags = ("tag_accounts", "tag_uses", "tag_servers")
    of_hosts = ("accounts", "reports", "statuses", "follows", "followers")
    found = await library(
        "admin_measures", **period, **dict.fromkeys(plain, True), **dict.fromkeys(of_tags, tag.id),
        **{f"instance_{name}": "far.test" for name in of_hosts},
    )  # fmt: skip
    assert [one.key for one in found] == [*plain, *of_tags, *(f"instance_{name}" for name in of_hosts)]
    assert {one.key: one.total for one in found}["tag_uses"] == "3"
    assert all(len(one.data) == 3 for one in found)
    plain = ("languages", "sources", "servers", "space_usage", "software_versions")
    of_tags, of_hosts = ("tag_servers", "tag_languages"), ("instance_accounts", "instance_languages")
    found = await library(
        "admin_dimensions", **period, limit=5, **dict.fromkeys(plain, True), **dict.fromkeys(of_tags, tag.id),
        **dict.fromkeys(of_hosts, "far.test"),
    )  # fmt: skip
    assert [one.key for one in found] == [*plain, *of_tags, *of_hosts]
    assert found[5].data[0].human_key == "ours.test"
    for frequency in ("day", "month"):
        cohorts = await library("admin_retention", **period, frequency=frequency)
        assert (cohorts[-1].frequency, cohorts[-1].data[0].value) == (frequency, 0)


async def test_trends_are_judged(site: Site, boss, alice):
    _, library = boss
    _, member = alice
    await busy(site)
    while await site.db.write(fulltext.work):
        pass
    for name, many in (("tag", "tags"), ("status", "statuses"), ("link", "links")):
        [waiting, *_] = await library(f"admin_trending_{many}")
        key = waiting.name if name == "tag" else waiting.url
        seen = [one.name if name == "tag" else one.url for one in await member(f"trending_{many}")]
        assert key in seen
        await library(f"admin_reject_trending_{name}", waiting.id)
        assert key not in [one.name if name == "tag" else one.url for one in await member(f"trending_{many}")]
        await library(f"admin_approve_trending_{name}", waiting.id)
        assert key in [one.name if name == "tag" else one.url for one in await member(f"trending_{many}", limit=5)]
    assert [one.name for one in await member("trending_tags", limit=1, offset=1)] == ["Dogs"]
