"""Files of our people, as they are served: whole, in parts, and never as anything that runs."""

from contextlib import asynccontextmanager

from tests.web.site import Site
from tests.web.test_api_media import served, upload


@asynccontextmanager
async def one_file(site: Site):
    _, token = await site.person("alice")
    yield served((await upload(site, token)).json["url"])


async def test_files_are_served_so_that_they_cannot_run(site: Site):
    async with one_file(site) as url:
        answer = await site.get(url, headers={"Accept": "application/activity+json"})
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox; default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["ETag"]
        assert (await site.get(url, headers={"If-None-Match": answer.headers["ETag"]})).status == 304


async def test_a_part_of_a_file_can_be_asked_for(site: Site):
    async with one_file(site) as url:
        whole = (await site.get(url)).body
        part = await site.get(url, headers={"Range": "bytes=10-19"})
        assert (part.status, part.body) == (206, whole[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
        assert (await site.get(url, headers={"Range": "bytes=-5"})).body == whole[-5:]
        assert (await site.get(url, headers={"Range": f"bytes={len(whole)}-"})).status == 416
        head = await site.call("HEAD", url)
        assert (head.status, head.headers["Content-Length"], head.body) == (200, str(len(whole)), b"")


async def test_no_name_leads_anywhere_else(site: Site):
    (site.house.settings.data_dir / "media").mkdir(exist_ok=True)
    (site.house.settings.data_dir / "media" / "secret.jpg").write_bytes(b"secret")
    for path in ("../ours.db", "..%2fours.db", "secret.jpg", "%2e%2e/ours.db", "a" * 32 + ".raw", "a" * 32 + ".svg",
                 "a" * 32 + ".jpg", "A" * 32 + ".jpg", "", "a/b"):  # fmt: skip
        answer = await site.get(f"/media/{path}")
        assert answer.status == 404, path
        assert b"secret" not in answer.body
