"""A list of forty costs as many queries as a list of one."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from outbox import parts
from social import boosts, lists, marks, reactions
from social.posts.drafts import PollDraft
from store.tables import trends
from tests.web.site import Site

POLL = PollDraft(("yes", "no"), datetime.now(UTC) + timedelta(hours=1))


async def cost(site: Site, queries: list[str], path: str, token: str | None) -> tuple[int, int]:
    """(queries, items) when nothing is remembered."""
    parts.REMEMBERED.forget()
    queries.clear()
    answer = await site.get(path, token)
    assert answer.status == 200, answer.body
    found = answer.json
    if isinstance(found, dict):
        (found,) = (found[name] for name in ("descendants", "notification_groups", "hashtags") if name in found)
    return len(queries), len(found)


async def conversation(site: Site, length: int, in_list: bool) -> tuple[str, str]:
    """The token of whoever reads, and the id of a post with all kinds of answers, or of a list of their author."""
    alice, token = await site.person("alice")
    bob, bob_s = await site.person("bob")
    await site.post(f"/api/v1/accounts/{bob.id}/follow", token)
    followed = await site.db.write(lists.create, alice.id, "friends", "followed")
    await site.db.write(lists.add_members, alice.id, followed.id, [bob.id])
    root = await site.posted(alice, "root")
    for number in range(length):
        more = {"poll": POLL} if number % 3 == 0 else {"summary": "cw"}
        answer = await site.posted(bob, f"@alice #tag{number} https://site.test/", reply_to_id=root.id, **more)
        top = await site.posted(bob, f"{number} #tag")
        await site.db.write(reactions.like, alice.id, answer.id, datetime.now(UTC))
        await site.db.write(boosts.boost, bob.id, answer.id, datetime.now(UTC))
        await site.db.write(marks.bookmark, alice.id, answer.id, datetime.now(UTC))
        trend = {"kind": "post", "subject": str(top.id), "score": number, "people": 3, "computed_at": datetime.now(UTC)}
        await site.db.write(lambda tx, trend=trend: tx.execute(insert(trends), trend))
        assert top.id > answer.id
    assert bob_s
    return token, str(followed.id if in_list else root.id)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/timelines/home?limit=40",
        "/api/v1/timelines/public?limit=40",
        "/api/v1/timelines/tag/tag?limit=40",
        "/api/v1/statuses/{}/context",
        "/api/v1/notifications?limit=80",
        "/api/v2/notifications?limit=80",
        "/api/v1/bookmarks?limit=40",
        "/api/v1/favourites?limit=40",
        "/api/v1/timelines/list/{}?limit=40",
        "/api/v2/search?q=tag&type=hashtags&limit=40",
        "/api/v1/trends/statuses?limit=40",
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
async def test_forty_cost_as_many_queries_as_one(server, tmp_path, claimed, queries, path, signed_in):
    if not signed_in and any(own in path for own in ("home", "notifications", "bookmarks", "favourites", "list")):
        return
    costs = []
    for length in (1, 40):
        (tmp_path / "ours.db").write_bytes(claimed.read_bytes())
        for rest in ("ours.db-wal", "ours.db-shm"):
            (tmp_path / rest).unlink(missing_ok=True)
        async with server() as site:
            token, root = await conversation(site, length, "list" in path)
            await site.get("/api/v1/timelines/home", token)  # now he was seen today
            costs.append(await cost(site, queries, path.format(root), token if signed_in else None))
    (few, one), (many, forty) = costs
    assert forty >= min(40, one * 40)
    assert many == few, (few, many)
