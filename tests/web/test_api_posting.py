"""Posting with files, editing them, and posts that wait, through the API."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from store.tables import blank_media, idempotency, media, posts, scheduled_posts
from tests.social.said import rows
from tests.web.site import Site

STATUSES = "/api/v1/statuses"
SCHEDULED = "/api/v1/scheduled_statuses"


async def upload(site: Site, account, *numbers: int, **more) -> None:
    for number in numbers:
        values = {"id": number, "kind": "image", "url": f"https://ours.test/{number}.png", "state": "done", **more}
        await site.db.write(lambda tx, v=values: tx.execute(insert(media), blank_media(account_id=account.id, **v)))


def soon(**more) -> str:
    return (datetime.now(UTC) + (timedelta(**more) if more else timedelta(hours=1))).isoformat()


async def test_files_that_are_not_his_or_not_ready_are_refused(site: Site):
    alice, token = await site.person("alice")
    bob, _ = await site.person("bob")
    await upload(site, bob, 1)
    await upload(site, alice, 2, state="processing", url="")
    await upload(site, alice, 3, 4, 5, 6, 7)
    for ids in (["1"], ["2"], ["3", "4", "5", "6", "7"], ["3", "99"]):
        answer = await site.post(STATUSES, token, json={"status": "x", "media_ids": ids})
        assert answer.status == 422, ids
        assert answer.error
    assert await rows(site.db, posts) == []


async def test_a_post_has_its_files_in_the_order_that_was_asked_for(site: Site):
    alice, token = await site.person("alice")
    await upload(site, alice, 3, 4, 5)
    status = (await site.post(STATUSES, token, data=[("media_ids[]", "5"), ("media_ids[]", "3")])).json
    assert [one["id"] for one in status["media_attachments"]] == ["5", "3"]
    assert status["content"] == ""
    again = await site.post(STATUSES, token, json={"status": "mine", "media_ids": ["5"]})
    assert again.status == 422


async def test_an_edit_changes_files_and_what_they_show(site: Site):
    alice, token = await site.person("alice")
    await upload(site, alice, 3, 4, 5)
    post = (await site.post(STATUSES, token, json={"status": "x", "media_ids": ["3", "4"]})).json
    here = f"{STATUSES}/{post['id']}"
    same = (await site.call("PUT", here, token, json={"status": "x", "media_ids": ["3", "4"]})).json
    assert (same["edited_at"], len(same["media_attachments"])) == (None, 2)
    changes = [{"id": "4", "description": "a cat", "focus": "0.5,-0.25"}]
    edited = (await site.call("PUT", here, token, json={"media_ids": ["4", "5"], "media_attributes": changes})).json
    assert [one["id"] for one in edited["media_attachments"]] == ["4", "5"]
    assert edited["media_attachments"][0]["description"] == "a cat"
    assert edited["media_attachments"][0]["meta"]["focus"] == {"x": 0.5, "y": -0.25}
    assert edited["edited_at"]
    form = [("media_attributes[][id]", "5"), ("media_attributes[][description]", "a dog")]
    edited = (await site.call("PUT", here, token, data=form)).json
    assert [one["description"] for one in edited["media_attachments"]] == ["a cat", "a dog"]
    old, _, _ = (await site.get(f"{here}/history", token)).json
    assert [one["id"] for one in old["media_attachments"]] == ["3", "4"]
    emptied = (await site.call("PUT", here, token, json={"media_ids": []})).json
    assert emptied["media_attachments"] == []
    assert alice


@pytest.mark.parametrize(
    "said",
    [
        {"status": "", "media_ids": []},
        {"media_ids": ["99"]},
        {"media_attributes": [{"id": "99", "description": "x"}]},
        {"media_attributes": [{"id": "3", "focus": "2,0"}]},
        {"media_attributes": [{"id": "3", "focus": "nan,0"}]},
        {"media_attributes": [{"id": "3", "focus": "left"}]},
        {"media_attributes": [{"id": "3", "description": "x" * 1501}]},
        {"media_attributes": "x"},
    ],
    ids=str,
)
async def test_an_edit_that_cannot_be_changes_nothing(site: Site, said):
    alice, token = await site.person("alice")
    await upload(site, alice, 3)
    post = (await site.post(STATUSES, token, json={"status": "x", "media_ids": ["3"]})).json
    answer = await site.call("PUT", f"{STATUSES}/{post['id']}", token, json=said)
    assert answer.status == 422, answer.body
    assert (await site.get(f"{STATUSES}/{post['id']}", token)).json == post


async def test_what_is_deleted_to_be_written_anew_keeps_its_files(site: Site):
    alice, token = await site.person("alice")
    await upload(site, alice, 3)
    for how, status in (("", 200), ("?delete_media=true", 422)):
        post = (await site.post(STATUSES, token, json={"status": "x", "media_ids": ["3"]})).json
        gone = (await site.call("DELETE", f"{STATUSES}/{post['id']}{how}", token)).json
        assert (gone["text"], [one["id"] for one in gone["media_attachments"]]) == ("x", ["3"])
        again = await site.post(STATUSES, token, json={"status": "y", "media_ids": ["3"]})
        assert again.status == status
        if status == 200:
            await site.call("DELETE", f"{STATUSES}/{again.json['id']}", token)


async def test_new_options_begin_a_poll_anew(site: Site):
    _, token = await site.person("alice")
    _, other = await site.person("bob")
    poll = {"options": ["a", "b"], "expires_in": 600}
    post = (await site.post(STATUSES, token, json={"status": "?", "poll": poll})).json
    await site.post(f"/api/v1/polls/{post['poll']['id']}/votes", other, json={"choices": [1]})
    changed = {"status": "?", "poll": {**poll, "options": ["a", "c"]}}
    edited = (await site.call("PUT", f"{STATUSES}/{post['id']}", token, json=changed)).json
    assert [(one["title"], one["votes_count"]) for one in edited["poll"]["options"]] == [("a", 0), ("c", 0)]
    assert (await site.get(f"/api/v1/polls/{post['poll']['id']}", other)).json["voted"] is False


async def test_words_that_come_without_files_and_poll_are_without(both_sites: Site):
    """As with Mastodon: a form has no way to say that a list is empty, and programs leave out what was taken away."""
    site = both_sites
    alice, token = await site.person("alice")
    _, other = await site.person("bob")
    await upload(site, alice, 3)
    post = (await site.post(STATUSES, token, json={"status": "look", "media_ids": ["3"]})).json
    edited = (await site.call("PUT", f"{STATUSES}/{post['id']}", token, data={"status": "look"})).json
    assert (edited["media_attachments"], bool(edited["edited_at"])) == ([], True)
    poll = {"options": ["a", "b"], "expires_in": 600}
    post = (await site.post(STATUSES, token, json={"status": "?", "poll": poll})).json
    here, asked = f"{STATUSES}/{post['id']}", f"/api/v1/polls/{post['poll']['id']}"
    assert (await site.post(f"{asked}/votes", other, json={"choices": [1]})).status == 200
    assert (await site.call("PUT", here, token, json={"status": ""})).status == 422
    assert (await site.call("PUT", here, token, json={"sensitive": True})).json["poll"]["votes_count"] == 1
    edited = (await site.call("PUT", here, token, json={"status": "!", "poll": None})).json
    assert (edited["content"], edited["poll"]) == ("<p>!</p>", None)
    first, *_ = (await site.get(f"{here}/history", token)).json
    assert first["poll"] == {"options": [{"title": "a"}, {"title": "b"}]}
    assert (await site.get(asked, other)).status == 404
    assert (await site.get(here, other)).json["poll"] is None


async def test_what_waits_is_for_who_wrote_it(site: Site):
    alice, token = await site.person("alice")
    _, other = await site.person("bob")
    made = (await site.post(STATUSES, token, json={"status": "x", "scheduled_at": soon()})).json
    here = f"{SCHEDULED}/{made['id']}"
    calls = [("GET", SCHEDULED), ("GET", here), ("PUT", here), ("DELETE", here)]
    for method, path in calls:
        assert (await site.call(method, path)).status == 401
        assert (await site.call(method, path, await site.token(alice, "push"))).status == 403
    for method, path in calls[1:]:
        assert (await site.call(method, path, other, json={"scheduled_at": soon(days=1)})).status == 404
        assert (await site.call(method, f"{SCHEDULED}/x", token, json={"scheduled_at": soon()})).status == 404
    assert (await site.get(SCHEDULED, other)).json == []
    assert (await site.get(f"{STATUSES}/{made['id']}", token)).status == 404
    for wrong in ("", "soon", soon(minutes=4)):
        assert (await site.call("PUT", here, token, json={"scheduled_at": wrong})).status == 422
    moved = (await site.call("PUT", here, token, json={"scheduled_at": "2027-12-24T18:00:00+01:00"})).json
    assert moved["scheduled_at"] == "2027-12-24T17:00:00.000Z"
    assert (await site.call("DELETE", here, token)).json == {}
    assert await rows(site.db, scheduled_posts) == []


async def test_what_waits_shows_what_it_will_be(site: Site):
    alice, token = await site.person("alice")
    await upload(site, alice, 3)
    said = {"status": "x", "media_ids": ["3"], "spoiler_text": "cw", "language": "de", "scheduled_at": soon()}
    made = (await site.post(STATUSES, token, json=said, headers={"Idempotency-Key": "k"})).json
    assert made["params"] == {
        "text": "x",
        "poll": None,
        "media_ids": ["3"],
        "sensitive": True,
        "spoiler_text": "cw",
        "visibility": "public",
        "in_reply_to_id": None,
        "language": "de",
        "application_id": made["params"]["application_id"],
        "scheduled_at": None,
        "idempotency": "k",
        "with_rate_limit": False,
        "local_only": False,
    }
    assert [one["id"] for one in made["media_attachments"]] == ["3"]
    again = (await site.post(STATUSES, token, json=said, headers={"Idempotency-Key": "k"})).json
    assert again == made
    assert len(await rows(site.db, scheduled_posts)) == len(await rows(site.db, idempotency)) == 1
    second = (await site.post(STATUSES, token, json={"status": "y", "scheduled_at": soon(days=1)})).json
    page = await site.get(f"{SCHEDULED}?limit=1", token)
    assert page.ids == [second["id"]]
    assert (await site.get(page.link("next") or "", token)).ids == [made["id"]]
