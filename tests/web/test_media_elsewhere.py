"""Files in a bucket: kept, listed and removed there, served by us as if they were here.  moto plays the store."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectme.media.stores import open_store
from connectme.settings import Settings
from store.blobs import CHUNK, new_name
from store.bucket import PART, Bucket, Place
from tests import commands, s3
from tests.s3 import BUCKET, KEYS
from tests.web.test_api_media import served, upload


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if reason := s3.why_not():
        pytest.skip(reason)
    with s3.store(tmp_path_factory.mktemp("moto")) as address:
        yield address


@pytest.fixture
def bucket(endpoint: str) -> Bucket:
    return Bucket(Place(BUCKET, new_name("raw"), endpoint, *KEYS.values()))


@pytest.fixture
def elsewhere(endpoint: str, tmp_path: Path) -> dict[str, str]:
    """Settings; each test has a prefix of its own."""
    return {"MEDIA_STORE": f"s3://{BUCKET}/{tmp_path.name}", "S3_ENDPOINT": endpoint, **KEYS}


async def _all(store: Bucket) -> list[str]:
    return sorted([blob.name for part in [one async for one in store.all()] for blob in part])


async def test_what_is_put_into_a_bucket_comes_out_whole_and_in_parts(bucket: Bucket, tmp_path: Path):
    source, name = tmp_path / "source", new_name("mp4")
    source.write_bytes(bytes(range(256)) * ((2 * PART + CHUNK) // 256))
    await bucket.put(name, source)
    found = await bucket.look(name)
    assert (found.name, found.size) == (name, source.stat().st_size)
    await bucket.fetch(name, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    for start, length in ((0, 10), (PART - 5, 10), (found.size - 3, 3), (7, 0)):
        part = b"".join([chunk async for chunk in bucket.read(name, start, length)])
        assert part == source.read_bytes()[start : start + length]
    assert bucket.path(name) is None


async def test_a_bucket_lists_and_removes_what_is_ours(bucket: Bucket, tmp_path: Path):
    assert await _all(bucket) == []
    (tmp_path / "source").write_bytes(b"a")
    names = sorted(new_name("jpg") for _ in range(3))
    for name in (*names, "notes.txt"):
        await bucket.put(name, tmp_path / "source")
    assert await _all(bucket) == names
    await bucket.delete([])
    await bucket.delete([*names[:2], new_name("jpg")])
    assert await _all(bucket) == names[2:]


async def test_a_bucket_is_tried_with_a_picture_that_is_nobodys(server, elsewhere: dict[str, str]):
    async with server(**elsewhere) as site:
        found = (await site.get("/probez/media")).json
        assert (found["writes"], found["reads"]) == (True, True)
        assert len((await site.get(f"/media/{found['name']}")).body) == found["bytes"]
        assert await _all(open_store(site.house.settings)) == []
    async with server(**{**elsewhere, "S3_ENDPOINT": "http://127.0.0.1:1"}) as site:
        found = (await site.get("/probez/media")).json
        assert (found["writes"], found["reads"]) == (False, False)


async def test_what_is_not_there_is_not_found_and_what_fails_is_an_error_of_the_system(
    bucket: Bucket, endpoint: str, tmp_path: Path
):
    name = new_name("jpg")
    for asked in (bucket.look(name), bucket.fetch(name, tmp_path / "copy"), anext(bucket.read(name, 0, 1))):
        with pytest.raises(FileNotFoundError):
            await asked
    (tmp_path / "source").write_bytes(b"a")
    nowhere = Bucket(Place("nowhere", "", endpoint, *KEYS.values()))
    for failing in (nowhere.put(name, tmp_path / "source"), _all(nowhere)):
        with pytest.raises(OSError, match="NoSuchBucket"):
            await failing


async def test_a_picture_in_a_bucket_is_served_as_one_in_a_folder(server, elsewhere):
    async with server(**elsewhere) as site:
        _, token = await site.person("alice")
        url = served((await upload(site, token)).json["url"])
        whole = await site.get(url)
        assert (whole.status, whole.headers["Content-Type"]) == (200, "image/jpeg")
        assert whole.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox; default-src 'none'" in whole.headers["Content-Security-Policy"]
        assert "immutable" in whole.headers["Cache-Control"]
        assert whole.headers["Content-Length"] == str(len(whole.body))
        head = await site.call("HEAD", url)
        assert (head.status, head.headers["Content-Length"], head.body) == (200, str(len(whole.body)), b"")
        assert not (site.house.settings.data_dir / "media").exists()
        for strange in (new_name("jpg"), new_name("raw"), "..%2fours.db"):
            assert (await site.get(f"/media/{strange}")).status == 404


async def test_parts_and_copies_of_a_picture_in_a_bucket(server, elsewhere):
    async with server(**elsewhere) as site:
        _, token = await site.person("alice")
        url = served((await upload(site, token)).json["url"])
        whole = await site.get(url)
        size, tag = len(whole.body), whole.headers["ETag"]
        for asked, start, end in (
            ("10-19", 10, 20),
            ("-5", size - 5, size),
            (f"{size - 1}-", size - 1, size),
            (f"0-{10 * size}", 0, size),
            (f"-{10 * size}", 0, size),
        ):
            part = await site.get(url, headers={"Range": f"bytes={asked}"})
            assert (part.status, part.body) == (206, whole.body[start:end]), asked
            assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        for asked in (f"{size}-", f"{size + 5}-{size + 9}"):
            beyond = await site.get(url, headers={"Range": f"bytes={asked}"})
            assert (beyond.status, beyond.headers["Content-Range"], beyond.body) == (416, f"bytes */{size}", b"")
        for asked in ("bytes=0-1,4-5", "bytes=x", "lines=1-2", "bytes=9-3"):
            assert (await site.get(url, headers={"Range": asked})).body == whole.body, asked
        for said, status in ((tag, 206), ('"another"', 200)):
            assert (await site.get(url, headers={"Range": "bytes=0-1", "If-Range": said})).status == status
        for said, status in ((tag, 304), (f'"x", W/{tag}', 304), ("*", 304), ('"another"', 200)):
            assert (await site.get(url, headers={"If-None-Match": said})).status == status, said


async def test_a_store_that_is_away_is_said_to_be(server, elsewhere):
    async with server(**{**elsewhere, "MEDIA_STORE": "s3://nowhere"}) as site:
        _, token = await site.person("alice")
        answer = await upload(site, token)
        assert (answer.status, answer.error) == (503, "Files cannot be kept at the moment")


async def test_commands_look_into_the_bucket(endpoint, elsewhere, server, tmp_path, monkeypatch):
    async with server(**elsewhere) as site:
        _, token = await site.person("alice")
        await upload(site, token)
        settings = site.house.settings
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> dict[str, object]:
        return json.loads(commands.run("media", *words, "--json").stdout)

    assert (await asyncio.to_thread(run, "stats"))["files"] == 2
    assert (await asyncio.to_thread(run, "check"))["missing"] == []
    store = open_store(settings)
    names = [blob.name async for part in store.all() for blob in part]
    await store.delete(names)
    assert (await asyncio.to_thread(run, "check"))["missing"] == sorted(names)


def test_the_secret_is_not_shown():
    environ = {f"CONNECTME_{name}": value for name, value in {**KEYS, "MEDIA_STORE": "s3://files"}.items()}
    settings = Settings.load(environ={"CONNECTME_CONFIG": "/dev/null", **environ})
    assert settings.shown("s3_secret_access_key") == "…"
    assert "the-secret" in settings.secrets()
    assert settings.bucket == ("files", "")
