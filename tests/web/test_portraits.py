"""Avatars and headers, by API and by the page of settings."""

import io

import pytest
from aiohttp import FormData
from PIL import Image

from social import accounts
from tests import people, samples
from tests.people import remote, stored
from tests.social.mail import sent
from tests.web.site import Site
from tests.web.test_api_media import served

PATH = "/api/v1/accounts/update_credentials"


def form(**fields):
    data = FormData(default_to_multipart=True)
    for name, value in fields.items():
        if isinstance(value, bytes):
            data.add_field(name, value, filename="me.png", content_type="image/png")
        else:
            data.add_field(name, value)
    return data


async def names(site: Site):
    return [blob.name for part in [one async for one in site.house.blobs.all()] for blob in part]


@pytest.mark.parametrize("file", [samples.SVG, b"GIF89a nothing", samples.png_bomb(30_000, 30_000), samples.HTML])
async def test_what_is_no_picture_changes_nothing(site: Site, file):
    alice, token = await site.person("alice")
    answer = await site.call("PATCH", PATH, token, data=form(display_name="Eve", avatar=samples.picture(), header=file))
    assert answer.status == 422
    found = await site.db.read(accounts.by_id, alice.id)
    assert (found.display_name, found.avatar_url) == ("", None)
    assert await names(site) == []


async def test_a_file_that_is_too_large_is_refused(site: Site):
    _, token = await site.person("alice")
    big = FormData()
    big.add_field("avatar", io.BytesIO(bytes((8 << 20) + 1)), filename="a.png")
    assert (await site.call("PATCH", PATH, token, data=big)).status == 413


async def test_avatar_and_header_are_cropped_told_and_taken_away(site: Site):
    alice, token = await site.person("alice")
    said = form(
        avatar=samples.picture("PNG", 500, 300), header=samples.told_too_much(), avatar_description="me", locked="true"
    )
    bob = remote("bob")
    await stored(site.db, bob)
    await site.db.write(people.follow, bob, alice)
    it = (await site.call("PATCH", PATH, token, data=said)).json
    assert (it["avatar_description"], it["locked"]) == ("me", True)
    for what, size in (("avatar", (400, 400)), ("header", (1500, 500))):
        file = await site.get(served(it[what]))
        assert file.status == 200
        assert Image.open(io.BytesIO(file.body)).size == size
        assert samples.SECRET not in file.body
    document = (await site.document("/users/alice")).json
    assert (document["icon"]["url"], document["icon"]["name"]) == (it["avatar"], "me")
    [letter] = await sent(site.db)
    assert (letter.document["type"], letter.inboxes) == ("Update", {bob.shared_inbox})
    assert letter.document["object"]["icon"]["url"] == it["avatar"]
    again = (await site.call("PATCH", PATH, token, data=form(avatar=samples.picture()))).json
    assert [one.document["object"]["icon"]["url"] for one in await sent(site.db)][-1] == again["avatar"]
    assert again["avatar"] != it["avatar"]
    assert again["header"] == it["header"]
    assert (await site.get(served(it["avatar"]))).status == 404
    for what in ("avatar", "header"):
        left = (await site.call("DELETE", f"/api/v1/profile/{what}", token)).json
        assert "missing.png" in left[what]
    assert await names(site) == []
    assert alice.id == int(left["id"])


async def test_taking_away_is_for_the_owner_with_the_scope(site: Site):
    alice, _ = await site.person("alice")
    assert (await site.call("DELETE", "/api/v1/profile/avatar")).status == 401
    assert (await site.call("DELETE", "/api/v1/profile/header", await site.token(alice, "read"))).status == 403
