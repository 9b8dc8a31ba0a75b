"""What two servers say to each other in the course of a conversation, each in processes of its own."""

import asyncio
from typing import Any

import pytest

from connectme.demo import Instance, until
from tests.pairs.conftest import Pair

pytestmark = pytest.mark.pairs


async def post(server: Instance, name: str, words: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await server.api(name, "POST", "/api/v1/statuses", status=words, **more)
    return found


async def quote_of(server: Instance, name: str, post_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await server.api(name, "GET", f"/api/v1/statuses/{post_id}"))["quote"]
    return found


async def test_a_quote_is_asked_for_shown_and_taken_back(pair: Pair) -> None:
    alice, bob = await pair.friends()
    first = await post(pair.one, alice, "Quote me on that.")
    there = await until(lambda: pair.other.seen(bob, "Quote me on that."), "bob sees the post")
    assert there["quote_approval"]["current_user"] == "automatic"
    quoting = await post(pair.other, bob, "She said it.", quoted_status_id=there["id"])
    assert quoting["quote"]["state"] == "pending"

    async def is_in_state(server: Instance, name: str, post_id: str, state: str) -> bool:
        return (await quote_of(server, name, post_id))["state"] == state

    await until(lambda: is_in_state(pair.other, bob, quoting["id"], "accepted"), "alice's server agrees")
    here = await until(lambda: pair.one.seen(alice, "She said it."), "alice sees the quote")
    await until(lambda: is_in_state(pair.one, alice, here["id"], "accepted"), "alice's server knows that it agreed")
    shown = await quote_of(pair.one, alice, here["id"])
    assert shown["quoted_status"]["id"] == first["id"]
    assert [one["id"] for one in await pair.one.api(alice, "GET", f"/api/v1/statuses/{first['id']}/quotes")] == [
        here["id"]
    ]
    assert "quote" in [note["type"] for note in await pair.one.api(alice, "GET", "/api/v1/notifications")]
    await pair.one.api(alice, "POST", f"/api/v1/statuses/{first['id']}/quotes/{here['id']}/revoke")
    await until(lambda: is_in_state(pair.other, bob, quoting["id"], "revoked"), "bob's server hears of it")


async def gone(server: Instance, name: str, post_id: str) -> bool:
    try:
        await server.api(name, "GET", f"/api/v1/statuses/{post_id}")
    except RuntimeError as error:
        return ": 404 " in str(error)
    return False


async def test_a_conversation_is_whole_on_both_sides(pair: Pair) -> None:
    alice, bob = await pair.friends()
    first = await post(pair.one, alice, "What does a conversation need?")
    seen = await until(lambda: pair.other.seen(bob, "What does a conversation need?"), "bob sees the post")
    answer = await post(pair.other, bob, "Somebody who listens.", in_reply_to_id=seen["id"])
    [comment] = await until(lambda: pair.one.thread(alice, first["id"]), "alice sees the comment")
    await post(pair.one, alice, f"@{bob}@{pair.other.domain} And time.", in_reply_to_id=comment["id"])
    await until(lambda: pair.other.thread(bob, answer["id"]), "bob sees the comment on his comment")

    there = await pair.other.thread(bob, seen["id"])
    here = await pair.one.thread(alice, first["id"])
    assert [one["uri"] for one in here] == [one["uri"] for one in there]
    assert len(here) == 2
    kinds = [note["type"] for note in await pair.one.api(alice, "GET", "/api/v1/notifications")]
    assert kinds.count("mention") == 1
    assert kinds.count("follow") == 1


async def test_a_mention_finds_somebody_of_whom_nobody_here_knew(pair: Pair) -> None:
    alice, bob = pair.person(pair.one, "alice"), pair.person(pair.other, "bob")
    mine = await post(pair.one, alice, f"@{bob}@{pair.other.domain} and @nobody@{pair.other.domain}, a stranger greets")
    assert [one["acct"] for one in mine["mentions"]] == [f"{bob}@{pair.other.domain}"]

    async def told() -> str | None:
        heard = await pair.other.api(bob, "GET", "/api/v1/notifications")
        return next((one["status"]["uri"] for one in heard if one["type"] == "mention"), None)

    assert await until(told, "bob is told") == mine["uri"]


async def test_likes_and_boosts_are_counted_and_undone(pair: Pair) -> None:
    alice, bob = await pair.friends()
    mine = await post(pair.one, alice, "Worth a like")
    seen = await until(lambda: pair.other.seen(bob, "Worth a like"), "bob sees the post")

    async def counts() -> tuple[int, int]:
        found = await pair.one.api(alice, "GET", f"/api/v1/statuses/{mine['id']}")
        return found["favourites_count"], found["reblogs_count"]

    async def are(wanted: tuple[int, int]) -> bool:
        return await counts() == wanted

    await pair.other.api(bob, "POST", f"/api/v1/statuses/{seen['id']}/favourite")
    boost = await pair.other.api(bob, "POST", f"/api/v1/statuses/{seen['id']}/reblog")
    assert boost["reblog"]["id"] == seen["id"]
    await until(lambda: are((1, 1)), "both arrive")
    await pair.other.api(bob, "POST", f"/api/v1/statuses/{seen['id']}/unfavourite")
    await pair.other.api(bob, "POST", f"/api/v1/statuses/{seen['id']}/unreblog")
    await until(lambda: are((0, 0)), "both are undone")


async def test_an_edit_and_a_deletion_reach_the_other_side(pair: Pair) -> None:
    alice, bob = await pair.friends()
    mine = await post(pair.one, alice, "First thougt")
    seen = await until(lambda: pair.other.seen(bob, "First thougt"), "bob sees the post")
    await pair.one.api(alice, "PUT", f"/api/v1/statuses/{mine['id']}", status="First thought")

    async def edited() -> bool:
        found = await pair.other.api(bob, "GET", f"/api/v1/statuses/{seen['id']}")
        return "First thought" in found["content"] and found["edited_at"] is not None

    await until(edited, "the edit arrives")
    await pair.one.api(alice, "DELETE", f"/api/v1/statuses/{mine['id']}")
    await until(lambda: gone(pair.other, bob, seen["id"]), "the deletion arrives")


async def test_followers_only_and_direct_posts_reach_whom_they_are_for_and_nobody_else(pair: Pair) -> None:
    alice, bob = await pair.friends()
    eve = pair.person(pair.other, "eve")
    await post(pair.one, alice, "For friends", visibility="private")
    seen = await until(lambda: pair.other.seen(bob, "For friends"), "bob sees it")
    assert seen["visibility"] == "private"
    assert await gone(pair.other, eve, seen["id"])

    await post(pair.one, alice, f"Only for you, @{bob}@{pair.other.domain}", visibility="direct")

    async def told() -> dict[str, Any] | None:
        notes = await pair.other.api(bob, "GET", "/api/v1/notifications")
        return next(
            (n["status"] for n in notes if n["type"] == "mention" and "Only for you" in n["status"]["content"]), None
        )

    direct = await until(told, "bob is told")
    assert direct["visibility"] == "direct"
    assert await gone(pair.other, eve, direct["id"])
    public = await pair.other.api(eve, "GET", "/api/v1/timelines/public")
    assert not {seen["id"], direct["id"]} & {one["id"] for one in public}


async def test_a_poll_is_voted_on_from_the_other_server(pair: Pair) -> None:
    alice, bob = await pair.friends()
    poll = {"options": ["Tea", "Coffee"], "expires_in": 3600}
    mine = await post(pair.one, alice, "What do you drink?", poll=poll)
    seen = await until(lambda: pair.other.seen(bob, "What do you drink?"), "bob sees the poll")
    await pair.other.api(bob, "POST", f"/api/v1/polls/{seen['poll']['id']}/votes", choices=["1"])

    async def counted() -> bool:
        found = await pair.one.api(alice, "GET", f"/api/v1/polls/{mine['poll']['id']}")
        return [option["votes_count"] for option in found["options"]] == [0, 1]

    await until(counted, "the vote is counted")


async def test_a_locked_account_is_asked_first(pair: Pair) -> None:
    alice, bob = pair.person(pair.one, "alice"), pair.person(pair.other, "bob")
    await pair.one.api(alice, "PATCH", "/api/v1/accounts/update_credentials", locked=True)
    there = await pair.other.follow(bob, f"@{alice}@{pair.one.domain}")

    async def asks() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await pair.one.api(alice, "GET", "/api/v1/follow_requests")
        return found

    [asking] = await until(asks, "alice is asked")
    assert not await pair.other.is_following(bob, there)
    await pair.one.api(alice, "POST", f"/api/v1/follow_requests/{asking['id']}/authorize")
    await until(lambda: pair.other.is_following(bob, there), "bob follows")


async def test_who_unfollows_gets_no_more(pair: Pair) -> None:
    alice, bob = await pair.friends()
    [found] = (await pair.other.api(bob, "GET", "/api/v2/search", q=f"@{alice}@{pair.one.domain}", resolve="true"))[
        "accounts"
    ]
    await pair.other.api(bob, "POST", f"/api/v1/accounts/{found['id']}/unfollow")

    async def followers() -> bool:
        me = await pair.one.api(alice, "GET", "/api/v1/accounts/verify_credentials")
        return bool(me["followers_count"] == 0)

    await until(followers, "alice has no follower")
    await post(pair.one, alice, "Is anybody there?")
    marker = await pair.friends()
    await post(pair.one, marker[0], "Later than the other post")
    await until(lambda: pair.other.seen(marker[1], "Later than the other post"), "a later post arrives")
    assert await pair.other.seen(bob, "Is anybody there?") is None


async def test_a_block_ends_it_on_both_sides(pair: Pair) -> None:
    alice, bob = await pair.friends()
    [found] = (await pair.one.api(alice, "GET", "/api/v2/search", q=f"@{bob}@{pair.other.domain}", resolve="true"))[
        "accounts"
    ]
    await pair.one.api(alice, "POST", f"/api/v1/accounts/{found['id']}/block")
    [there] = (await pair.other.api(bob, "GET", "/api/v2/search", q=f"@{alice}@{pair.one.domain}", resolve="true"))[
        "accounts"
    ]

    async def apart() -> bool:
        return not await pair.other.is_following(bob, there["id"])

    await until(apart, "bob no longer follows alice")
    [known] = await pair.one.api(alice, "GET", "/api/v1/accounts/relationships", **{"id[]": found["id"]})
    assert known["blocking"]
    assert not known["following"]
    assert not known["followed_by"]


async def test_many_posts_keep_their_order(pair: Pair) -> None:
    alice, bob = await pair.friends()
    for number in range(10):
        await post(pair.one, alice, f"Number {number}.")

    async def all_there() -> list[str] | None:
        home = [one["content"] for one in await pair.other.home(bob) if "Number" in one["content"]]
        return home if len(home) == 10 else None

    home = await until(all_there, "all ten arrive")
    assert home == [f"<p>Number {number}.</p>" for number in reversed(range(10))]


async def test_ten_people_answer_at_once_and_none_is_missing(pair: Pair) -> None:
    alice, bob = await pair.friends()
    first = await post(pair.one, alice, "Everybody, please answer")
    seen = await until(lambda: pair.other.seen(bob, "Everybody, please answer"), "bob sees it")
    await asyncio.gather(
        *(post(pair.other, bob, f"Answer {n}", in_reply_to_id=seen["id"]) for n in range(10)),
        *(post(pair.one, alice, f"Word {n}", in_reply_to_id=first["id"]) for n in range(10)),
    )

    async def whole() -> bool:
        return len(await pair.one.thread(alice, first["id"])) == len(await pair.other.thread(bob, seen["id"])) == 20

    await until(whole, "both sides have twenty comments")


async def test_a_server_that_looked_a_post_up_hears_of_its_edit_and_its_end(pair: Pair) -> None:
    """Nobody there follows its author, nor did anything with it."""
    for here, there in ((pair.one, pair.other), (pair.other, pair.one)):
        alice, bob = pair.person(here, "alice"), pair.person(there, "bob")
        mine = await post(here, alice, "Wrods for all")
        [theirs] = (await there.api(bob, "GET", "/api/v2/search", q=mine["uri"], resolve=True))["statuses"]
        await here.api(alice, "PUT", f"/api/v1/statuses/{mine['id']}", status="Words for all")

        async def reads(server: Instance, name: str, number: str) -> bool:
            return bool(
                (await server.api(name, "GET", f"/api/v1/statuses/{number}"))["content"] == "<p>Words for all</p>"
            )

        await until(lambda there=there, bob=bob, number=theirs["id"]: reads(there, bob, number), "bob reads the edit")
        await here.api(alice, "DELETE", f"/api/v1/statuses/{mine['id']}")
        await until(lambda there=there, bob=bob, number=theirs["id"]: gone(there, bob, number), "it is gone there")
