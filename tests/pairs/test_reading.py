"""What members make of posts that come from the other server: lists, filters, followed hashtags, pictures."""

from io import BytesIO

import pytest
from aiohttp import FormData
from PIL import Image
from yarl import URL

from connectme.demo import Instance, until
from tests.pairs.conftest import Pair

pytestmark = pytest.mark.pairs


async def upload(server: Instance, name: str, colour: str) -> str:
    """The id of a picture of that colour."""
    file = BytesIO()
    Image.new("RGB", (320, 200), colour).save(file, "PNG")
    form = FormData()
    form.add_field("file", file.getvalue(), filename="picture.png", content_type="image/png")
    form.add_field("description", f"All {colour}")
    headers = {"Authorization": f"Bearer {server.tokens[name]}"}
    async with server.session.post(server.base / "api/v1/media", data=form, headers=headers) as answer:
        number: str = (await answer.json())["id"]
        return number


async def test_a_picture_is_shown_by_the_readers_own_server(pair: Pair) -> None:
    alice, bob = await pair.friends()
    picture = await upload(pair.one, alice, "teal")
    await pair.one.api(alice, "POST", "/api/v1/statuses", status="A field of it", media_ids=[picture])
    seen = await until(lambda: pair.other.seen(bob, "A field of it"), "bob sees the post")
    [shown] = seen["media_attachments"]
    assert (shown["type"], shown["description"]) == ("image", "All teal")
    assert (shown["meta"]["original"]["width"], bool(shown["blurhash"])) == (320, True)
    assert URL(shown["preview_url"]).authority == pair.other.domain
    async with pair.other.session.get(shown["preview_url"]) as answer:
        assert (answer.status, answer.content_type.partition("/")[0]) == (200, "image")
        pixel = Image.open(BytesIO(await answer.read())).convert("RGB").getpixel((5, 5))
    assert pixel == pytest.approx((0, 128, 128), abs=8)


async def test_lists_and_filters_work_on_what_comes_from_elsewhere(pair: Pair) -> None:
    alice, bob = await pair.friends()
    found = await pair.other.api(bob, "GET", "/api/v2/search", q=f"@{alice}@{pair.one.domain}", type="accounts")
    friend = found["accounts"][0]["id"]
    kept = await pair.other.api(bob, "POST", "/api/v1/lists", title="Friends", exclusive=True)
    await pair.other.api(bob, "POST", f"/api/v1/lists/{kept['id']}/accounts", account_ids=[friend])
    for action, word in (("warn", "spoiler"), ("hide", "football")):
        words = [{"keyword": word, "whole_word": True}]
        wanted = {"title": word, "context": ["home"], "filter_action": action, "keywords_attributes": words}
        await pair.other.api(bob, "POST", "/api/v2/filters", **wanted)
    for text in ("All about football", "A spoiler here", "A quiet day"):
        await pair.one.api(alice, "POST", "/api/v1/statuses", status=text)

    async def listed() -> list[tuple[str, list[str]]] | None:
        posts = await pair.other.api(bob, "GET", f"/api/v1/timelines/list/{kept['id']}")
        shown = [(post["content"], [one["filter"]["filter_action"] for one in post["filtered"]]) for post in posts]
        return shown if any("quiet" in content for content, _ in shown) else None

    shown = await until(listed, "the posts are in the list")
    assert shown == [
        ("<p>A quiet day</p>", []),
        ("<p>A spoiler here</p>", ["warn"]),
        ("<p>All about football</p>", ["hide"]),  # by the client: as Mastodon, the API says what is to be done
    ]
    assert await pair.other.home(bob) == []  # the list is exclusive


async def test_a_followed_hashtag_brings_posts_from_elsewhere_home(pair: Pair) -> None:
    """carol follows the tag, not alice; her server gets the post because of bob."""
    alice, _ = await pair.friends()
    carol = pair.person(pair.other, "carol")
    await pair.other.api(carol, "POST", "/api/v1/tags/windmills/follow")
    await pair.one.api(alice, "POST", "/api/v1/statuses", status="Look at the #Windmills")
    post = await until(lambda: pair.other.seen(carol, "Look at the"), "carol sees the post")
    assert [tag["name"].lower() for tag in post["tags"]] == ["windmills"]
