"""What moderators do by the API: refusals first, then what each action comes to for everybody else."""

from datetime import UTC, datetime, timedelta

import pytest

from connectme.letters import post_office
from federation.reading.page import Preview
from outbox import parts
from social import accounts, cards, fulltext, letters, trends, users
from social.moderation import audit
from social.posts import receive
from store.tables import jobs, warnings
from tests.people import follow, remote, stored
from tests.social.said import note, rows
from tests.web.site import Site

ADMIN = "/api/v1/admin"
ACCOUNTS, REPORTS = f"{ADMIN}/accounts", f"{ADMIN}/reports"
SCOPES = "admin:read admin:write read write"


async def one_with(site: Site, name: str, role: str):
    """Somebody with that role, and a token that may do anything."""
    account, _ = await site.person(name)
    await site.do(users.set_role, account.id, role)
    return account, await site.token(account, SCOPES)


async def act(site: Site, token: str, account, kind: str, **more):
    answer = await site.post(f"{ACCOUNTS}/{account.id}/action", token, data={"type": kind, **more})
    assert answer.status == 200, answer.body
    return answer


async def test_a_member_s_token_does_nothing_whatever_its_scopes(site: Site):
    account, _ = await site.person("mallory")
    token = await site.token(account, SCOPES)
    victim, _ = await site.person("victim")
    for method, path in (
        ("GET", ACCOUNTS),
        ("GET", "/api/v2/admin/accounts"),
        ("GET", f"{ACCOUNTS}/{victim.id}"),
        ("POST", f"{ACCOUNTS}/{victim.id}/action"),
        ("DELETE", f"{ACCOUNTS}/{victim.id}"),
        ("GET", REPORTS),
        ("GET", f"{ADMIN}/trends/tags"),
    ):
        assert (await site.call(method, path, token)).status == 403, path


@pytest.mark.parametrize("scope", ["read", "write", "admin:read:reports", "admin:write:accounts"])
async def test_a_moderator_needs_the_scope_too(site: Site, scope):
    account, _ = await one_with(site, "mod", "moderator")
    assert (await site.get(ACCOUNTS, await site.token(account, scope))).status == 403


async def test_nobody_acts_on_who_is_as_mighty(both_sites: Site):
    site = both_sites
    people = {role: await one_with(site, role, role) for role in ("owner", "admin", "moderator", "member")}
    others = {role: await one_with(site, f"other_{role}", role) for role in ("owner", "admin", "moderator", "member")}
    ranks = list(people)
    for by, (account, token) in people.items():
        for target, (other, _) in others.items():
            answer = await site.post(f"{ACCOUNTS}/{other.id}/action", token, data={"type": "none"})
            may = by != "member" and ranks.index(by) < ranks.index(target)
            assert answer.status == (200 if may else 403), (by, target)
        assert (await site.post(f"{ACCOUNTS}/{account.id}/action", token, data={"type": "none"})).status == 403
    assert len(await rows(site.db, warnings)) == 6


async def test_what_is_asked_wrongly_is_refused_and_nothing_is_done(site: Site):
    _, token = await one_with(site, "mod", "moderator")
    alice, _ = await site.person("alice")
    await stored(site.db, bob := remote("bob"))
    for account, body, status in [
        (alice, {}, 422),
        (alice, {"type": "kill"}, 422),
        (alice, {"type": ["none"]}, 422),
        (alice, {"type": "none", "text": "x" * 5001}, 422),
        (alice, {"type": "none", "report_id": "x"}, 422),
        (alice, {"type": "none", "report_id": "114"}, 404),
        (bob, {"type": "disable"}, 422),
    ]:
        answer = await site.post(f"{ACCOUNTS}/{account.id}/action", token, json=body)
        assert (answer.status, bool(answer.error)) == (status, True), body
    for number in ("114", "1", "x"):
        assert (await site.post(f"{ACCOUNTS}/{number}/action", token, data={"type": "none"})).status == 404
    for unit in ("approve", "reject"):
        assert (await site.post(f"{ACCOUNTS}/{alice.id}/{unit}", token)).status == 403
    assert (await site.post(f"{ACCOUNTS}/{bob.id}/enable", token)).status == 403
    assert (await site.call("DELETE", f"{ACCOUNTS}/{alice.id}", token)).status == 403
    for query in ("?origin=x", "?status=x", "?permissions=x"):
        assert (await site.get(f"/api/v2/admin/accounts{query}", token)).status == 422
    assert await rows(site.db, warnings) == []
    assert await site.db.read(audit.newest, 10) == []


async def test_accounts_are_found(both_sites: Site):
    site = both_sites
    mod, token = await one_with(site, "mod", "moderator")
    alice, _ = await site.person("alice", display_name="Alice A.")
    albert, _ = await site.person("albert")
    await stored(site.db, bob := remote("bob"))
    await act(site, token, albert, "suspend")
    await act(site, token, bob, "silence")
    v1, v2 = ACCOUNTS, "/api/v2/admin/accounts"
    for path, found in [
        (f"{v1}?", [alice, mod]),
        (f"{v1}?remote=1", [bob]),
        (f"{v1}?suspended=1", [albert]),
        (f"{v1}?staff=1", [mod]),
        (f"{v1}?email=alice@mail", [alice]),
        (f"{v1}?ip=127.0.0.1", [mod]),
        (f"{v2}?", [bob, albert, alice, mod]),
        (f"{v2}?status=silenced", [bob]),
        (f"{v2}?status=pending", []),
        (f"{v2}?status=active&origin=local", [alice, mod]),
        (f"{v2}?username=Al", [albert, alice]),
        (f"{v2}?username=%25", []),
        (f"{v2}?display_name=alice", [alice]),
        (f"{v2}?by_domain=far.test", [bob]),
        (f"{v2}?permissions=staff", [mod]),
        (f"{v2}?role_ids[]=1", [mod]),
        (f"{v2}?role_ids[]=3", []),
        (f"{v2}?role_ids[]=x", []),
        (f"{v2}?invited_by=114", []),
    ]:
        assert (await site.get(path, token)).ids == [str(one.id) for one in found], path
    seen, next_ = [], f"{v2}?limit=1"
    while next_:
        answer = await site.get(next_, token)
        seen += answer.ids
        next_ = answer.link("next")
    assert seen == [str(one.id) for one in (bob, albert, alice, mod)]
    shown = (await site.get(f"{v1}/{alice.id}", token)).json
    assert (shown["email"], shown["role"]["id"], shown["confirmed"], shown["ips"], shown["account"]["acct"]) == (
        "alice@mail.test", "-99", True, [], "alice"
    )  # fmt: skip


async def test_a_silenced_account_is_seen_by_who_follows_it(both_sites: Site):
    site = both_sites
    _, token = await one_with(site, "mod", "moderator")
    loud, his = await site.person("loud", discoverable=True, indexable=True)
    fan, fans = await site.person("fan")
    _, strange = await site.person("stranger")
    await site.db.write(follow, fan, loud)
    old = await site.posted(loud, "heron #cats https://news.test/a")
    await site.do(cards.fetched, old.card_id, Preview(kind="link", title="News"))
    while await site.db.write(fulltext.work):
        pass

    async def seen(by):
        paths = ("timelines/public", "timelines/tag/cats", "timelines/link?url=https://news.test/a")
        lists = [len((await site.get(f"/api/v1/{path}", by)).json) for path in paths]
        found = [(await site.get(f"/api/v2/search?q={query}", by)).json for query in ("heron", "loud")]
        return [*lists, len(found[0]["statuses"]), len(found[1]["accounts"])]

    assert await seen(strange) == [1, 1, 1, 1, 1]
    await act(site, token, loud, "silence")
    assert (await site.get(f"/api/v1/accounts/{loud.id}")).json["limited"] is True
    assert await seen(strange) == [0, 0, 0, 0, 0]
    assert (await seen(fans))[1:3] == [1, 1]
    assert (await seen(fans))[4] == 1
    await site.post("/api/v1/statuses", his, data={"status": "@stranger @fan #cats"})
    assert [len((await site.get("/api/v1/notifications", by)).json) for by in (strange, fans)] == [0, 1]
    assert len((await site.get("/api/v1/notifications/requests", strange)).json) == 1
    assert (await site.get("/api/v1/timelines/public")).json == []
    assert len((await site.get("/api/v1/timelines/home", fans)).json) >= 1
    assert (await site.post(f"{ACCOUNTS}/{loud.id}/unsilence", token)).json["silenced"] is False
    await site.posted(loud, "new")
    assert len((await site.get("/api/v1/timelines/public")).json) == 1


async def test_a_silenced_account_of_elsewhere_stays_off_the_public_feeds(site: Site):
    _, token = await one_with(site, "mod", "moderator")
    await stored(site.db, bob := remote("bob"))
    await act(site, token, bob, "silence")
    bob = await site.db.read(accounts.by_id, bob.id)
    await site.db.write(receive.receive, bob, note(bob), datetime.now(UTC))
    assert (await site.get("/api/v1/timelines/public")).json == []


async def test_all_that_a_marked_account_shows_is_marked(site: Site):
    _, token = await one_with(site, "mod", "moderator")
    alice, _ = await site.person("alice")
    post = await site.posted(alice)
    await act(site, token, alice, "sensitive")
    assert (await site.get(f"/api/v1/statuses/{post.id}")).json["sensitive"] is True
    assert (await site.document(f"/users/alice/posts/{post.id}")).json["sensitive"] is True
    assert (await site.post(f"{ACCOUNTS}/{alice.id}/unsensitive", token)).json["sensitized"] is False
    assert (await site.get(f"/api/v1/statuses/{post.id}")).json["sensitive"] is False


async def test_a_disabled_account_cannot_come_in(both_sites: Site):
    site = both_sites
    _, token = await one_with(site, "mod", "moderator")
    alice, hers = await site.person("alice")
    post = await site.posted(alice)
    await act(site, token, alice, "disable")
    assert (await site.get("/api/v1/timelines/home", hers)).status == 401
    assert (await site.get("/api/v1/timelines/home", await site.token(alice))).status == 401
    assert "disabled" in (await site.db.read(users.sign_in_facts, "alice")).barred
    assert (await site.get(f"/api/v1/statuses/{post.id}")).status == 200
    assert (await site.post(f"{ACCOUNTS}/{alice.id}/enable", token)).json["disabled"] is False
    assert (await site.get("/api/v1/timelines/home", await site.token(alice))).status == 200


async def test_a_suspended_account_is_hidden_and_may_be_deleted_by_an_admin(both_sites: Site):
    site = both_sites
    _, token = await one_with(site, "mod", "moderator")
    _, mightier = await one_with(site, "boss", "admin")
    alice, _ = await site.person("alice")
    post = await site.posted(alice)
    await act(site, token, alice, "suspend")
    assert (await site.get(f"/api/v1/statuses/{post.id}")).status == 404
    assert (await site.post(f"{ACCOUNTS}/{alice.id}/unsuspend", token)).json["suspended"] is False
    assert (await site.get(f"/api/v1/statuses/{post.id}")).status == 200
    await act(site, token, alice, "suspend")
    assert (await site.call("DELETE", f"{ACCOUNTS}/{alice.id}", token)).status == 403
    assert (await site.call("DELETE", f"{ACCOUNTS}/{alice.id}", mightier)).status == 200
    assert (await site.get(f"/api/v1/accounts/{alice.id}")).status == 404
    assert (await site.call("DELETE", f"{ACCOUNTS}/{alice.id}", mightier)).status == 404


async def test_who_waits_is_approved_or_rejected(server):
    async with server(REGISTRATIONS="approval") as site:
        _, token = await one_with(site, "mod", "moderator")
        by = await site.token(None)
        for name in ("alice", "spam"):
            new = {"username": name, "email": f"{name}@mail.test", "password": "correct horse", "agreement": True}
            assert (await site.post("/api/v1/accounts", by, json={**new, "reason": f"I am {name}"})).status == 200
        found = (await site.get(f"{ACCOUNTS}?pending=1", token)).json
        assert [(one["invite_request"], one["approved"]) for one in found] == [
            ("I am spam", False),
            ("I am alice", False),
        ]
        spam, alice = (one["id"] for one in found)
        assert (await site.post(f"{ACCOUNTS}/{alice}/approve", token)).json["approved"] is True
        assert (await site.post(f"{ACCOUNTS}/{alice}/approve", token)).status == 403
        assert (await site.post(f"{ACCOUNTS}/{spam}/reject", token)).json["id"] == spam
        assert (await site.get(f"{ACCOUNTS}?pending=1", token)).json == []
        assert (await site.get(f"/api/v1/accounts/{spam}")).status == 404


async def test_a_warning_is_kept_told_by_mail_and_written_down(server):
    async with server(SMTP_URL="smtp://localhost:1") as site:
        mod, token = await one_with(site, "mod", "moderator")
        alice, _ = await site.person("alice")
        await act(site, token, alice, "none", text="Be kind.")
        await act(site, token, alice, "silence", send_email_notification="false")
        (first, second) = await rows(site.db, warnings)
        assert (first.text, first.account_id, second.action) == ("Be kind.", mod.id, "silence")
        (job,) = [row for row in await rows(site.db, jobs) if row.kind == letters.JOB]
        letter = await site.db.read(letters.warning, site.origin, "Ours", job.payload["warning_id"])
        assert (letter.to, "Be kind." in letter.text) == ("alice@mail.test", True)
        assert post_office(site.house)
        entries = await site.db.read(audit.newest, 10)
        assert [(one.who, one.action, one.kind, one.subject) for one in entries] == [
            ("mod", "silence", "account", "alice"),
            ("mod", "warn", "account", "alice"),
        ]


async def reported(site: Site, by: str, target, *posts, **more):
    said = {"account_id": str(target.id), "status_ids": [str(post.id) for post in posts], **more}
    answer = await site.post("/api/v1/reports", by, json=said)
    assert answer.status == 200, answer.body
    return answer.json["id"]


async def test_reports_are_worked_on(both_sites: Site):
    site = both_sites
    mod, token = await one_with(site, "mod", "moderator")
    alice, hers = await site.person("alice")
    bob, _ = await site.person("bob")
    post = await site.posted(bob, "@alice ugly", visibility="direct")
    first = await reported(site, hers, bob, post, comment="look", category="spam")
    second = await reported(site, hers, bob)
    assert (await site.get(REPORTS, token)).ids == [second, first]
    answer = await site.get(f"{REPORTS}?limit=1", token)
    assert (await site.get(answer.link("next") or "", token)).ids == [first]
    for query in (f"account_id={bob.id}", f"target_account_id={alice.id}", "resolved=true"):
        assert (await site.get(f"{REPORTS}?{query}", token)).json == []
    shown = (await site.get(f"{REPORTS}/{first}", token)).json
    assert (shown["category"], shown["comment"], shown["account"]["id"], shown["target_account"]["id"]) == (
        "spam", "look", str(alice.id), str(bob.id)
    )  # fmt: skip
    assert [one["id"] for one in shown["statuses"]] == [str(post.id)]  # which he could not see otherwise
    assert (await site.get(f"/api/v1/statuses/{post.id}", token)).status == 404
    steps = f"{REPORTS}/{first}"
    assert (await site.post(f"{steps}/assign_to_self", token)).json["assigned_account"]["id"] == str(mod.id)
    assert (await site.post(f"{steps}/unassign", token)).json["assigned_account"] is None
    closed = (await site.post(f"{steps}/resolve", token)).json
    assert (closed["action_taken"], closed["action_taken_by_account"]["id"]) == (True, str(mod.id))
    assert (await site.get(f"{REPORTS}?resolved=true", token)).ids == [first]
    assert (await site.post(f"{steps}/reopen", token)).json["action_taken"] is False
    changed = await site.call("PUT", steps, token, json={"category": "legal"})
    assert changed.json["category"] == "legal"
    assert (await site.call("PUT", steps, token, json={"category": "x"})).status == 422
    for method, path in (("GET", ""), ("PUT", ""), ("POST", "/resolve"), ("POST", "/assign_to_self")):
        assert (await site.call(method, f"{REPORTS}/114{path}", token)).status == 404


async def test_an_action_closes_the_reports_that_it_answers(site: Site):
    _, token = await one_with(site, "mod", "moderator")
    _, hers = await site.person("alice")
    bob, _ = await site.person("bob")
    first, second, third = [await reported(site, hers, bob) for _ in range(3)]
    await act(site, token, bob, "none", report_id=first)
    assert (await site.get(REPORTS, token)).ids == [third, second]
    await act(site, token, bob, "silence", report_id=second)
    assert (await site.get(REPORTS, token)).json == []


async def test_moderators_hear_of_reports(site: Site):
    _, token = await one_with(site, "mod", "moderator")
    _, hers = await site.person("alice")
    bob, _ = await site.person("bob")
    await reported(site, hers, bob)
    assert [one["type"] for one in (await site.get("/api/v1/notifications", token)).json] == ["admin.report"]


async def test_trends_wait_for_a_moderator_where_that_is_wanted(server):
    async with server(TRENDS_REVIEW="true") as site:
        _, token = await one_with(site, "mod", "moderator")
        people = [await site.person(f"person{number}", discoverable=True) for number in range(4)]
        posts = [await site.posted(account, "#cats https://news.test/a") for account, _ in people]
        for _, by in people:
            await site.post(f"/api/v1/statuses/{posts[0].id}/favourite", by)
        await site.do(cards.fetched, posts[0].card_id, Preview(kind="link", title="News"))
        await site.db.write(trends.compute, datetime.now(UTC) + timedelta(seconds=1))
        for name in ("tags", "statuses", "links"):
            assert (await site.get(f"/api/v1/trends/{name}")).json == []
            (waiting,) = (await site.get(f"{ADMIN}/trends/{name}", token)).json
            here = f"{ADMIN}/trends/{name}/{waiting['id']}"
            assert (await site.post(f"{here}/approve", token)).status == 200
            assert len((await site.get(f"/api/v1/trends/{name}")).json) == 1
            assert (await site.post(f"{here}/reject", token)).status == 200
            assert (await site.get(f"/api/v1/trends/{name}")).json == []
            assert (await site.post(f"{ADMIN}/trends/{name}/114/approve", token)).status == 404
        assert len(await site.db.read(audit.newest, 10)) == 6


async def test_lists_of_five_cost_as_many_queries_as_one(site: Site, queries):
    _, token = await one_with(site, "mod", "moderator")
    bob, _ = await site.person("bob")

    async def cost(path: str) -> int:
        parts.REMEMBERED.forget()
        queries.clear()
        assert (await site.get(path, token)).status == 200
        return len(queries)

    costs = []
    for number in range(5):
        _, hers = await site.person(f"person{number}")
        await reported(site, hers, bob, await site.posted(bob, f"#tag{number} ugly"))
        for _ in range(2):
            await site.get(REPORTS, token)  # now he was seen today, and the token is remembered so
        costs.append((await cost(REPORTS), await cost(ACCOUNTS)))
    assert len(set(costs)) == 1, costs
