"""Files on pages: a post with pictures and their descriptions, an avatar, without any script."""

from io import BytesIO

import pytest
from aiohttp import FormData

from social.media.kinds import PICTURE_LIMIT
from social.secrets import sha256
from social.sessions import start_session
from tests import samples
from tests.conftest import NOW
from tests.web.site import PAGE, Site

HEADERS = {"Accept": PAGE, "Cookie": "__Host-session=cookie", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def alice(site: Site):
    account, _ = await site.person("alice")
    await site.db.write(start_session, account.id, sha256("cookie"), "token", "a browser", NOW)
    return account


def form(files, **texts):
    data = FormData(default_to_multipart=True)
    for name, value in {"csrf": "token", **texts}.items():
        data.add_field(name, value)
    for name, body in files.items():
        data.add_field(name, body, filename="a.jpg" if body else "", content_type="image/jpeg")
    return data


async def test_a_form_from_elsewhere_is_refused_before_its_files_are_read(site: Site, alice):
    for headers, token in ((HEADERS | {"Sec-Fetch-Site": "cross-site"}, "token"), (HEADERS, "wrong")):
        answer = await site.post(
            "/compose", data=form({"file0": samples.picture()}, text="x", csrf=token), headers=headers
        )
        assert answer.status == 403


async def test_a_post_with_pictures_that_are_described(site: Site, alice):
    page = (await site.get("/compose", headers=HEADERS)).body.decode()
    assert 'enctype="multipart/form-data"' in page
    assert 'name="alt0"' in page
    sent = form(
        {"file0": samples.picture(), "file1": b"", "file2": samples.picture("PNG")},
        text="look",
        alt0="a sea",
        alt2="two",
    )
    answer = await site.post("/compose", data=sent, headers=HEADERS)
    assert answer.status == 303, answer.body
    place = answer.headers["Location"].removeprefix("https://ours.test")
    shown = (await site.get(place, headers=HEADERS)).body.decode()
    assert shown.index('alt="a sea"') < shown.index('alt="two"')
    assert shown.count("https://ours.test/media/") >= 4


async def test_a_file_that_is_none_gives_the_form_back_with_the_words(site: Site, alice):
    answer = await site.post(
        "/compose", data=form({"file0": samples.SVG}, text="my words", alt0="a sea"), headers=HEADERS
    )
    assert answer.status == 422
    assert "my words" in answer.body.decode()
    assert "a sea</textarea>" in answer.body.decode()
    assert "choose the files again" in answer.body.decode()
    assert "not supported" in answer.body.decode()


async def test_a_file_that_is_too_large_costs_itself_and_no_word(site: Site, alice):
    large = form(
        {"file0": BytesIO(b"x" * (PICTURE_LIMIT + 1)), "file1": samples.picture()}, text="my words", alt0="a sea"
    )
    answer = await site.post("/compose", data=large, headers=HEADERS)
    page = answer.body.decode()
    assert answer.status == 422
    assert all(words in page for words in ("A file may have 16 MB here.", "my words</textarea>", "a sea</textarea>"))
    huge = form({f"file{number}": BytesIO(b"x" * (PICTURE_LIMIT + (1 << 18))) for number in range(4)}, text="my words")
    answer = await site.post("/compose", data=huge, headers=HEADERS)
    assert (answer.status, "more than this server takes at once" in answer.body.decode()) == (413, True)


async def test_a_file_without_an_end_is_not_read_to_it(site: Site, alice):
    async def endless():
        yield b'--b\r\nContent-Disposition: form-data; name="file0"; filename="a"\r\n\r\n'
        for _ in range(70):
            yield b"x" * (1 << 20)
        yield b"\r\n--b--\r\n"

    headers = {**HEADERS, "Content-Type": "multipart/form-data; boundary=b"}
    answer = await site.post("/compose", data=endless(), headers=headers)
    assert answer.status == 413


async def test_an_avatar_comes_and_goes(site: Site, alice):
    saved = await site.post(
        "/settings/profile", data=form({"avatar": samples.picture()}, avatar_alt="me"), headers=HEADERS
    )
    assert saved.status == 303
    page = (await site.get("/@alice", headers=HEADERS)).body.decode()
    assert 'alt="me"' in page
    gone = await site.post("/settings/profile", data=form({}, no_avatar="1"), headers=HEADERS)
    assert gone.status == 303
    assert 'alt="me"' not in (await site.get("/@alice", headers=HEADERS)).body.decode()
    assert [one async for one in site.house.blobs.all()] in ([], [[]])
    wrong = await site.post("/settings/profile", data=form({"avatar": samples.SVG}), headers=HEADERS)
    assert wrong.status == 422
