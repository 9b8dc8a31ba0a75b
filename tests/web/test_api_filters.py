"""Filters: refusals, both versions, and what posts say of them."""

import pytest

from social.events import FiltersChanged
from tests.web.site import Site

V1, V2 = "/api/v1/filters", "/api/v2/filters"
GOOD = {"title": "no cats", "context": ["home", "public"], "keywords_attributes": [{"keyword": "cat"}]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 257},
        {"context": []},
        {"context": ["home", "elsewhere"]},
        {"filter_action": "explode"},
        {"expires_in": "soon"},
        {"expires_in": -1},
        {"expires_in": 10**17},
        {"keywords_attributes": "x"},
        {"keywords_attributes": [{"keyword": " "}]},
        {"keywords_attributes": [{"keyword": "x" * 513}]},
        {"keywords_attributes": [{"keyword": "x"}] * 201},
    ],
)
async def test_what_can_be_no_filter_is_refused_whole(site: Site, wrong):
    _, token = await site.person("alice")
    answer = await site.post(V2, token, json={**GOOD, **wrong})
    assert (answer.status, bool(answer.error)) == (422, True)
    assert (await site.get(V2, token)).json == []


async def test_another_s_filter_is_404(site: Site):
    alice, token = await site.person("alice")
    _, strange = await site.person("mallory")
    post = await site.posted(alice, "secret", visibility="private")
    made = (await site.post(V2, token, json=GOOD)).json
    here, word = f"{V2}/{made['id']}", made["keywords"][0]["id"]
    status = (await site.post(f"{here}/statuses", token, json={"status_id": str(post.id)})).json
    for method, path in (
        *((method, here) for method in ("GET", "PUT", "DELETE")),
        *((method, f"{here}/{part}") for method in ("GET", "POST") for part in ("keywords", "statuses")),
        *((method, f"{V2}/keywords/{word}") for method in ("GET", "PUT", "DELETE")),
        *((method, f"{V2}/statuses/{status['id']}") for method in ("GET", "DELETE")),
        *((method, f"{V1}/{word}") for method in ("GET", "PUT", "DELETE")),
    ):
        answer = await site.call(method, path, strange, json={"keyword": "x", "status_id": str(post.id)})
        assert (answer.status, answer.error) == (404, "Record not found"), (method, path)
    own = (await site.post(V2, strange, json=GOOD)).json["id"]
    assert (await site.post(f"{V2}/{own}/statuses", strange, json={"status_id": str(post.id)})).status == 404
    wrong = {"keywords_attributes": [{"id": word, "keyword": "mine"}]}
    assert (await site.call("PUT", f"{V2}/{own}", strange, json=wrong)).status == 404
    assert (await site.get(here, token)).json["keywords"] == made["keywords"]


async def test_a_filter_is_made_changed_and_deleted(site: Site):
    alice, token = await site.person("alice")
    heard: list[object] = []
    site.db.listeners.append(heard.append)
    form = [("title", "t"), ("context[]", "public"), ("expires_in", "60")]
    words = [("foo", "false"), ("bar", "true")]
    for word, whole in words:
        form += [("keywords_attributes[][keyword]", word), ("keywords_attributes[][whole_word]", whole)]
    made = (await site.post(V2, token, data=form)).json
    assert (made["filter_action"], made["context"], made["statuses"]) == ("warn", ["public"], [])
    assert [(one["keyword"], one["whole_word"]) for one in made["keywords"]] == [("foo", False), ("bar", True)]
    assert made["expires_at"] is not None
    assert FiltersChanged(alice.id) in heard
    here, (foo, bar) = f"{V2}/{made['id']}", (one["id"] for one in made["keywords"])
    changes = {
        "filter_action": "blur",
        "expires_in": None,
        "keywords_attributes": [{"id": foo, "_destroy": True}, {"id": bar, "keyword": "baz"}, {"keyword": "new"}],
    }
    changed = (await site.call("PUT", here, token, json=changes)).json
    assert (changed["title"], changed["filter_action"], changed["expires_at"]) == ("t", "blur", None)
    assert [(one["keyword"], one["whole_word"]) for one in changed["keywords"]] == [("baz", True), ("new", True)]
    assert (await site.post(f"{here}/keywords", token, json={})).status == 422
    more = (await site.post(f"{here}/keywords", token, json={"keyword": "more", "whole_word": "0"})).json
    assert (await site.get(f"{V2}/keywords/{more['id']}", token)).json == more
    assert more["whole_word"] is False
    await site.call("PUT", f"{V2}/keywords/{more['id']}", token, json={"keyword": "less"})
    await site.call("DELETE", f"{V2}/keywords/{bar}", token)
    left = (await site.get(f"{here}/keywords", token)).json
    assert [one["keyword"] for one in left] == ["new", "less"]
    assert (await site.call("DELETE", here, token)).json == {}
    assert (await site.get(V2, token)).json == []


async def test_posts_tell_which_filters_they_meet(site: Site):
    alice, token = await site.person("alice")
    bob, other = await site.person("bob")
    cat, dog = await site.posted(bob, "a Cat and a hat"), await site.posted(bob, "a dog")
    made = (await site.post(V2, token, json=GOOD)).json
    await site.post(f"{V2}/{made['id']}/statuses", token, json={"status_id": str(dog.id)})
    again = await site.post(f"{V2}/{made['id']}/statuses", token, json={"status_id": str(dog.id)})
    assert again.status == 422
    shown = {one["id"]: one["filtered"] for one in (await site.get("/api/v1/timelines/public", token)).json}
    bare = {name: made[name] for name in ("id", "title", "context", "expires_at", "filter_action")}
    assert shown[str(cat.id)] == [{"filter": bare, "keyword_matches": ["cat"], "status_matches": None}]
    assert shown[str(dog.id)] == [{"filter": bare, "keyword_matches": None, "status_matches": [str(dog.id)]}]
    boost = (await site.post(f"/api/v1/statuses/{cat.id}/reblog", token)).json
    assert boost["filtered"] == boost["reblog"]["filtered"] == shown[str(cat.id)]
    for by in (other, None):
        for one in (await site.get("/api/v1/timelines/public", by)).json:
            assert one.get("filtered", []) == []
    status = (await site.get(f"{V2}/{made['id']}/statuses", token)).json[0]
    assert (await site.get(f"{V2}/statuses/{status['id']}", token)).json == status
    assert (await site.call("DELETE", f"{V2}/statuses/{status['id']}", token)).json == {}
    assert (await site.get(f"/api/v1/statuses/{dog.id}", token)).json["filtered"] == []
    assert alice.id


async def test_the_old_version_knows_each_keyword_as_a_filter(site: Site):
    _, token = await site.person("alice")
    assert (await site.post(V1, token, json={"phrase": "", "context": ["home"]})).status == 422
    assert (await site.post(V1, token, json={"phrase": "x"})).status == 422
    made = await site.post(V1, token, data={"phrase": "cat", "context[]": "home", "irreversible": "true"})
    assert made.headers["Deprecation"].startswith("@")
    assert made.json == {
        "id": made.json["id"],
        "phrase": "cat",
        "context": ["home"],
        "whole_word": True,
        "expires_at": None,
        "irreversible": True,
    }
    assert (await site.get(V1, token)).json == [made.json]
    here = f"{V1}/{made.json['id']}"
    changed = await site.call("PUT", here, token, json={"phrase": "dog", "context": ["thread"], "irreversible": False})
    assert (changed.json["phrase"], changed.json["context"], changed.json["irreversible"]) == ("dog", ["thread"], False)
    (whole,) = (await site.get(V2, token)).json
    assert (whole["filter_action"], whole["keywords"][0]["keyword"]) == ("warn", "dog")
    await site.post(f"{V2}/{whole['id']}/keywords", token, json={"keyword": "bird"})
    assert (await site.call("PUT", here, token, json={"context": ["home"]})).status == 422
    assert (await site.call("PUT", here, token, json={"phrase": "cow"})).json["phrase"] == "cow"
    for one in (await site.get(V1, token)).json:
        assert (await site.call("DELETE", f"{V1}/{one['id']}", token)).json == {}
    assert (await site.get(V2, token)).json == []


async def test_filters_work_on_both_engines_and_cost_nothing_where_there_are_none(both_sites: Site, queries):
    site = both_sites
    alice, token = await site.person("alice")
    for text in ("cat", "dog", "cow"):
        await site.posted(alice, text)

    async def cost(limit: int) -> int:
        queries.clear()
        await site.get(f"/api/v1/timelines/public?limit={limit}", token)
        return len([query for query in queries if "filter" in query.lower() and "home_entry" not in query])

    await site.get(V2, token)
    before = await cost(3)
    await site.post(V2, token, json=GOOD)
    assert before <= 1
    assert await cost(1) == await cost(3) == before + 3
