"""Uploads, as programs make, look at, change and take back."""

import io
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import FormData
from PIL import Image
from sqlalchemy import update

from connectme.jobs import JobLoop
from connectme.media import children, films, workshop
from connectme.media.work import MediaWork
from social import media as files
from social.media import uploads
from store.tables import media
from tests import samples
from tests.web.site import Site
from web.api import media as routes

V1, V2 = "/api/v1/media", "/api/v2/media"


def form(file=None, filename="holiday.jpg", content_type="image/jpeg", **texts):
    data = FormData(default_to_multipart=True)
    for name, value in texts.items():
        if isinstance(value, bytes):
            data.add_field(name, value, filename=f"{name}.jpg", content_type="image/jpeg")
        else:
            data.add_field(name, value)
    if file is not None:
        data.add_field("file", file, filename=filename, content_type=content_type)
    return data


async def upload(site: Site, token: str, file=None, path=V2, **more):
    return await site.post(path, token, data=form(samples.picture() if file is None else file, **more))


async def work(site: Site):
    """What a worker does."""
    it = MediaWork(site.house.db, site.house.origin, site.house.workshop)
    await JobLoop(site.house.db, it.table, clock=lambda: datetime.now(UTC) + timedelta(minutes=1)).round()


def served(url):
    return url.removeprefix("https://ours.test")


# Refusals first.


@pytest.mark.parametrize(
    ("method", "path"), [("POST", V1), ("POST", V2), ("GET", f"{V1}/1"), ("PUT", f"{V1}/1"), ("DELETE", f"{V1}/1")]
)
async def test_nobody_in_particular_and_the_wrong_scope_get_nothing(site: Site, method, path):
    alice, _ = await site.person("alice")
    assert (await site.call(method, path)).status == 401
    assert (await site.call(method, path, await site.token(alice, "read write:statuses"))).status == 403


@pytest.mark.parametrize("path", [V1, V2])
@pytest.mark.parametrize(
    ("file", "says"),
    [
        (None, "blank"),
        (b"", "blank"),
        (samples.SVG, "not supported"),
        (samples.HTML, "not supported"),
        (samples.PLAYLIST, "not supported"),
        (b"%PDF-1.4 hello", "not supported"),
        (b"\xff\xd8\xff\xe0 no picture at all", "cannot be read"),
        (b"GIF89a" + samples.HTML, "cannot be read"),
        (samples.picture()[:900], "cannot be read"),
        (samples.picture("PNG")[:-60], "cannot be read"),
        (samples.png_bomb(30_000, 30_000), "million pixels"),
        (samples.png_bomb(10_000, 10_000), "million pixels"),
        (samples.png_bomb(3_000_000, 3), "million pixels"),
    ],
    ids=["none", "empty", "svg", "html", "playlist", "pdf", "lie", "lying gif", "cut", "cut png", "bomb", "b", "wide"],
)
async def test_what_is_no_picture_film_or_sound_is_refused(site: Site, path, file, says):
    _, token = await site.person("alice")
    answer = await site.post(path, token, data=form(file))
    assert (answer.status, says in answer.json["error"]) == (422, True), answer.json
    assert [blobs async for blobs in site.house.blobs.all()] == []
    assert list(site.house.workshop.folder.iterdir()) == []


async def test_a_form_that_is_none_is_refused(site: Site):
    _, token = await site.person("alice")
    for kind, body in (
        ("multipart/form-data", b"hello"),
        ("multipart/form-data; boundary=x", b"hello"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nhalf",
        ),
        ("application/json", b"{"),
        ("application/json", b'{"file": "a"}'),
        ("application/x-www-form-urlencoded", b"file=a"),
    ):
        answer = await site.post(V2, token, data=body, headers={"Content-Type": kind})
        assert answer.status == 422, (kind, body, answer.json)
    twice = form(samples.picture())
    twice.add_field("file", samples.picture(), filename="b.jpg")
    assert (await site.post(V2, token, data=twice)).status == 422
    many = form(samples.picture(), **{f"x{number}": "y" for number in range(200)})
    assert (await site.post(V2, token, data=many)).status == 422
    assert list(site.house.workshop.folder.iterdir()) == []


@pytest.mark.parametrize(
    "said", [{"focus": "1"}, {"focus": "2,0"}, {"focus": "nan,0"}, {"focus": "a,b"}, {"description": "x" * 1501}]
)
async def test_wrong_words_about_a_file_are_refused_and_nothing_is_kept(site: Site, said):
    _, token = await site.person("alice")
    assert (await upload(site, token, **said)).status == 422
    assert [blobs async for blobs in site.house.blobs.all()] == []


async def test_what_is_too_large_is_not_even_read(site: Site, monkeypatch):
    monkeypatch.setattr(routes, "LIMITS", {"file": 10_000, "thumbnail": 10_000})
    _, token = await site.person("alice")
    assert (await upload(site, token, bytes(500_000))).status == 413  # by its length

    async def slowly():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        for _ in range(100):
            yield bytes(5_000)

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await site.post(V2, token, data=slowly(), headers=kind)).status == 413
    words = form(samples.picture(), description="x" * 300_000)
    assert (await site.post(V2, token, data=words)).status in (413, 422)
    assert list(site.house.workshop.folder.iterdir()) == []


async def test_a_picture_of_too_many_bytes_is_refused(site: Site, monkeypatch):
    _, token = await site.person("alice")
    monkeypatch.setattr(workshop, "PICTURE_LIMIT", 1_000)
    answer = await upload(site, token)
    assert (answer.status, "at most" in answer.json["error"]) == (422, True)


async def test_thirty_uploads_in_half_an_hour_are_enough(site: Site):
    _, token = await site.person("alice")
    for _ in range(30):
        assert (await site.post(V2, token, data=form())).status == 422
    answer = await site.post(V2, token, data=form())
    assert (answer.status, "Retry-After" in answer.headers) == (429, True)


async def test_a_process_that_dies_or_hangs_costs_that_picture_alone(site: Site, monkeypatch):
    _, token = await site.person("alice")
    honest = children.COMMAND
    for command in (("/bin/false",), ("/bin/sleep", "30")):
        monkeypatch.setattr(children, "COMMAND", command)
        monkeypatch.setattr(site.house.workshop._children, "_longest", 0.2)
        answer = await upload(site, token)
        assert (answer.status, "cannot be processed" in answer.json["error"]) == (422, True)
    monkeypatch.setattr(children, "COMMAND", honest)
    monkeypatch.setattr(site.house.workshop._children, "_longest", 30.0)
    assert (await upload(site, token)).status == 200


async def test_a_process_that_ended_while_nobody_wanted_it_costs_no_picture(site: Site):
    _, token = await site.person("alice")
    assert (await upload(site, token)).status == 200
    [(idle, _)] = site.house.workshop._children._idle
    os.kill(idle.pid, signal.SIGKILL)
    assert (await upload(site, token)).status == 200


async def test_programs_are_told_what_they_may_upload(site: Site, monkeypatch):
    for films_too in (True, False):
        monkeypatch.setattr(films, "found", lambda there=films_too: there)
        for version in ("v1", "v2"):
            said = (await site.get(f"/api/{version}/instance")).json["configuration"]
            assert said["statuses"]["max_media_attachments"] == 4
            limits = said["media_attachments"]
            assert {"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"} <= set(
                limits["supported_mime_types"]
            )
            assert ("video/mp4" in limits["supported_mime_types"]) is films_too
            assert (limits["image_size_limit"], limits["image_matrix_limit"]) == (16 << 20, 40_000_000)


# Pictures.


@pytest.mark.parametrize("path", [V1, V2])
async def test_a_picture_is_ready_at_once(site: Site, path):
    _, token = await site.person("alice")
    answer = await upload(
        site, token, samples.picture(width=1600, height=900), path, description=" a sea ", focus="0.5,-1"
    )
    it = answer.json
    assert (answer.status, it["type"], it["description"], it["remote_url"]) == (200, "image", "a sea", None)
    assert it["meta"]["original"] == {"width": 1600, "height": 900, "size": "1600x900", "aspect": 1600 / 900}
    assert it["meta"]["small"] == {"width": 640, "height": 360, "size": "640x360", "aspect": 640 / 360}
    assert it["meta"]["focus"] == {"x": 0.5, "y": -1.0}
    assert len(it["blurhash"]) > 6
    for url, size in ((it["url"], (1600, 900)), (it["preview_url"], (640, 360))):
        file = await site.get(served(url))
        assert (file.status, file.headers["Content-Type"]) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(file.body)).size == size
    assert (await site.get(f"{V1}/{it['id']}", token)).json == it


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
async def test_nothing_but_pixels_is_kept_and_they_stand_upright(site: Site, kind):
    _, token = await site.person("alice")
    sent = samples.told_too_much(kind)
    assert samples.SECRET in sent
    it = (await upload(site, token, sent)).json
    for url in (it["url"], it["preview_url"]):
        body = (await site.get(served(url))).body
        assert samples.SECRET not in body
        assert b"<script>" not in body
        image = Image.open(io.BytesIO(body))
        assert dict(image.getexif()) == {}
        assert image.size == (120, 160)
        red = image.convert("RGB").getpixel((110, 10))  # upper left is now upper right
        assert red[0] > 200
        assert red[1] < 60


@pytest.mark.parametrize(
    ("kind", "mode", "becomes"),
    [
        ("JPEG", "L", "image/jpeg"), ("JPEG", "CMYK", "image/jpeg"), ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"), ("GIF", "P", "image/png"), ("WEBP", "RGBA", "image/webp"),
        ("AVIF", "RGB", "image/jpeg"), ("AVIF", "RGBA", "image/webp"),
    ],
)  # fmt: skip
async def test_pictures_of_all_kinds_become_those_that_all_programs_show(site: Site, kind, mode, becomes):
    _, token = await site.person("alice")
    out = io.BytesIO()
    samples.drawn(mode="RGBA" if mode == "RGBA" else "RGB").convert(mode).save(out, kind)
    it = (await upload(site, token, out.getvalue(), filename="x.exe", content_type="text/html")).json
    answer = await site.get(served(it["url"]))
    assert (answer.status, answer.headers["Content-Type"]) == (200, becomes)
    Image.open(io.BytesIO(answer.body)).load()


async def test_heic_is_taken_where_its_extra_is_installed(site: Site):
    heif = pytest.importorskip("pillow_heif")
    _, token = await site.person("alice")
    out = io.BytesIO()
    heif.from_pillow(samples.drawn()).save(out)
    it = (await upload(site, token, out.getvalue())).json
    assert (await site.get(served(it["url"]))).headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(("kind", "becomes"), [("GIF", "image/gif"), ("WEBP", "image/webp"), ("PNG", "image/png")])
async def test_what_moves_still_moves(site: Site, monkeypatch, kind, becomes):
    monkeypatch.setattr(films, "found", lambda: False)
    _, token = await site.person("alice")
    it = (await upload(site, token, samples.animated(kind))).json
    answer = await site.get(served(it["url"]))
    assert answer.headers["Content-Type"] == becomes
    assert Image.open(io.BytesIO(answer.body)).n_frames == 3


async def test_more_than_16_million_pixels_become_fewer(site: Site):
    _, token = await site.person("alice")
    it = (await upload(site, token, samples.picture(width=6000, height=4000))).json
    original = it["meta"]["original"]
    assert 16_000_000 < original["width"] * original["height"] <= 4096 * 4096


async def test_without_ffmpeg_films_are_refused_with_a_reason(site: Site, monkeypatch):
    monkeypatch.setattr(films, "found", lambda: False)
    _, token = await site.person("alice")
    head = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00" + bytes(100)
    answer = await upload(site, token, head)
    assert (answer.status, "no ffmpeg" in answer.json["error"]) == (422, True)


# Films and sounds.


@samples.needs_ffmpeg
@pytest.mark.parametrize(
    ("ending", "kind", "becomes"),
    [("mp4", "video", "video/mp4"), ("webm", "video", "video/webm"), ("mkv", "video", "video/mp4"),
     ("mp3", "audio", "audio/mpeg"), ("wav", "audio", "audio/mpeg"), ("ogg", "audio", "audio/ogg")],
)  # fmt: skip
async def test_a_film_takes_a_while(site: Site, ending, kind, becomes):
    _, token = await site.person("alice")
    answer = await upload(site, token, samples.film(ending), description="colours")
    it = answer.json
    assert (answer.status, it["url"], it["description"]) == (202, None, "colours")
    where = f"{V1}/{it['id']}"
    assert (await site.get(where, token)).status == 206
    await work(site)
    answer = await site.get(where, token)
    it = answer.json
    assert (answer.status, it["type"], it["description"]) == (200, kind, "colours"), it
    assert 0.3 < it["meta"]["original"]["duration"] < 0.7
    file = await site.get(served(it["url"]))
    assert file.headers["Content-Type"] == becomes
    assert samples.SECRET not in file.body
    if kind == "video":
        assert it["meta"]["original"]["width"] == 96
        assert (await site.get(served(it["preview_url"]))).headers["Content-Type"] == "image/jpeg"
        assert it["blurhash"]
    names = [blob.name for blobs in [one async for one in site.house.blobs.all()] for blob in blobs]
    assert not [name for name in names if name.endswith(".raw")]


@samples.needs_ffmpeg
async def test_the_old_way_waits_until_a_film_is_ready(site: Site):
    _, token = await site.person("alice")
    answer = await upload(site, token, samples.film("mp4"), V1)
    assert (answer.status, answer.json["type"]) == (200, "video")
    assert (await upload(site, token, b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00" + bytes(100), V1)).status == 422


@samples.needs_ffmpeg
async def test_a_moving_gif_becomes_a_film_without_sound(site: Site):
    _, token = await site.person("alice")
    answer = await upload(site, token, samples.animated("GIF"))
    assert answer.status == 202
    await work(site)
    it = (await site.get(f"{V1}/{answer.json['id']}", token)).json
    assert it["type"] == "gifv"
    assert (await site.get(served(it["url"]))).headers["Content-Type"] == "video/mp4"


@samples.needs_ffmpeg
@pytest.mark.parametrize(
    "made",
    [
        lambda: b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00" + bytes(100),
        lambda: b"\x1aE\xdf\xa3" + samples.PLAYLIST,
        lambda: samples.film("mp4")[:700],
    ],
    ids=["no film", "a playlist that lies", "cut"],
)
async def test_a_film_that_is_none_says_so_later(site: Site, made):
    _, token = await site.person("alice")
    answer = await upload(site, token, made())
    if answer.status == 202:
        await work(site)
        answer = await site.get(f"{V1}/{answer.json['id']}", token)
    assert (answer.status, "error" in answer.json) == (422, True)
    assert not [blob for blobs in [one async for one in site.house.blobs.all()] for blob in blobs]


@samples.needs_ffmpeg
async def test_a_film_has_the_preview_that_its_owner_chose(site: Site):
    _, token = await site.person("alice")
    answer = await upload(site, token, samples.film("mp3"), thumbnail=samples.picture())
    assert answer.json["preview_url"]
    await work(site)
    it = (await site.get(f"{V1}/{answer.json['id']}", token)).json
    assert it["preview_url"] == answer.json["preview_url"]
    assert it["meta"]["small"]["size"] == "160x120"


# Changing and taking back.


async def test_another_persons_file_is_not_there(site: Site):
    _, alice = await site.person("alice")
    _, mallory = await site.person("mallory")
    it = (await upload(site, alice)).json
    where = f"{V1}/{it['id']}"
    assert (await site.get(where, mallory)).status == 404
    assert (await site.call("PUT", where, mallory, json={"description": "mine"})).status == 404
    assert (await site.call("DELETE", where, mallory)).status == 404
    assert (await site.get(where, alice)).json == it
    for wrong in ("x", "1", "9" * 40):
        assert (await site.get(f"{V1}/{wrong}", alice)).status == 404


async def test_an_owner_changes_description_focus_and_preview(site: Site):
    _, token = await site.person("alice")
    it = (await upload(site, token)).json
    where = f"{V1}/{it['id']}"
    changed = await site.call("PUT", where, token, json={"description": "a cat", "focus": "0,0.25"})
    assert (changed.status, changed.json["description"], changed.json["meta"]["focus"]) == (
        200,
        "a cat",
        {"x": 0.0, "y": 0.25},
    )
    thumb = form(thumbnail=samples.picture("PNG", 320, 200), description="two cats")
    again = (await site.call("PUT", where, token, data=thumb)).json
    assert (again["description"], again["meta"]["small"]["size"]) == ("two cats", "320x200")
    assert again["preview_url"] != it["preview_url"]
    assert (await site.get(served(it["preview_url"]))).status == 404
    assert (await site.call("PUT", where, token, json={})).json == again
    assert (await site.call("PUT", where, token, json={"focus": "9,9"})).status == 422
    assert (await site.call("PUT", where, token, data=form(thumbnail=samples.SVG))).status == 422


async def test_what_a_post_has_is_no_longer_changed_or_deleted_here(site: Site):
    alice, token = await site.person("alice")
    it = (await upload(site, token)).json
    post = await site.posted(alice)
    await site.do(files.attach, alice.id, post.id, [int(it["id"])])
    where = f"{V1}/{it['id']}"
    assert (await site.call("PUT", where, token, json={"description": "x"})).status == 404
    assert (await site.call("DELETE", where, token)).status == 422
    assert (await site.get(served(it["url"]))).status == 200


async def test_an_owner_takes_a_file_back(site: Site):
    _, token = await site.person("alice")
    it = (await upload(site, token)).json
    assert (await site.call("DELETE", f"{V1}/{it['id']}", token)).json == {}
    assert (await site.get(f"{V1}/{it['id']}", token)).status == 404
    for url in (it["url"], it["preview_url"]):
        assert (await site.get(served(url))).status == 404


async def test_what_no_post_has_is_removed_after_a_day(site: Site):
    alice, token = await site.person("alice")
    used, unused = (await upload(site, token)).json, (await upload(site, token)).json
    post = await site.posted(alice)
    await site.do(files.attach, alice.id, post.id, [int(used["id"])])
    it, now = MediaWork(site.house.db, site.house.origin, site.house.workshop), datetime.now(UTC)
    await it.sweep(now + timedelta(hours=23))
    assert (await site.get(f"{V1}/{unused['id']}", token)).status == 200
    await it.sweep(now + timedelta(hours=26))
    assert (await site.get(f"{V1}/{unused['id']}", token)).status == 404
    assert (await site.get(served(unused["url"]))).status == 404
    assert (await site.get(served(used["url"]))).status == 200


async def test_a_film_that_fails_again_and_again_is_given_up(site: Site):
    alice, _ = await site.person("alice")
    added = await site.db.write(uploads.add_slow, alice.id, "x.raw", "unknown", {}, datetime.now(UTC))
    it = MediaWork(site.house.db, site.house.origin, site.house.workshop)
    for days in range(1, 4):
        loop = JobLoop(site.house.db, it.table, clock=lambda days=days: datetime.now(UTC) + timedelta(days=days))
        await loop.round()
    found = await site.db.read(uploads.by_id, added.id)
    assert found is None or found.state == "failed"


async def test_a_row_changed_by_hand_is_no_way_out_either(site: Site):
    _, token = await site.person("alice")
    it = (await upload(site, token)).json
    await site.db.write(lambda tx: tx.execute(update(media).values(state="failed", error="It broke")) and None)
    answer = await site.get(f"{V1}/{it['id']}", token)
    assert (answer.status, answer.json["error"]) == (422, "It broke")
    answer = await site.call("PUT", f"{V1}/{it['id']}", token, json={"description": "x"})
    assert (answer.status, answer.json["error"]) == (422, "It broke")
    await site.db.write(lambda tx: tx.execute(update(media).values(state="processing", error=None)) and None)
    answer = await site.call("PUT", f"{V1}/{it['id']}", token, json={"description": "x"})
    assert (answer.status, answer.json["description"]) == (206, "x")
    for state in ("processing", "failed"):
        await site.db.write(lambda tx, state=state: tx.execute(update(media).values(state=state)) and None)
        assert (await site.get(f"{V1}/{it['id']}", token)).status == (206 if state == "processing" else 422)
    assert (await site.call("DELETE", f"{V1}/{it['id']}", token)).json == {}
    assert (await site.call("DELETE", f"{V1}/{it['id']}", token)).status == 404
