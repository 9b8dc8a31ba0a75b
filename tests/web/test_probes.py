"""Live updates, pictures and search are tried as members use them; each is broken, seen to be down, and up again."""

import asyncio
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession, UnixConnector, web
from sqlalchemy import text

from connectme.media.stores import open_store
from ops import alerts, incidents, state
from ops.watch import asking
from ops.watch.monitor import Monitor, Watched
from social import fulltext
from store.blobs import PROBE
from web import client_address
from web.streaming.routes import HUB

STREAM, MEDIA, SEARCH = "/api/v1/streaming/health", "/probez/media", "/probez/search"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()


def files(site):
    return site.house.settings.data_dir / "media"


async def heard(site):
    async with site.http.ws_connect(STREAM) as ws:
        return (await ws.receive(60)).data


async def test_probes_are_for_this_machine_alone(site):
    for path in (MEDIA, SEARCH):
        assert (await site.get(path, headers={"X-Forwarded-For": "192.0.2.1"})).status == 403
        assert (await site.get(path)).status == 200
    assert not files(site).exists() or len(list(files(site).rglob("*.png"))) == 1


async def test_whoever_tries_a_stream_gets_one_message_without_a_token_and_the_database(site):
    site.house.board.found("emergency", "the database is gone")
    site.db.shut = "away"
    assert await heard(site) == '{"stream":["tried"],"event":"tried","payload":"1"}'
    async with asyncio.timeout(60):  # that the other end closed is heard a moment later
        while site.http.app[HUB]._connections:
            await asyncio.sleep(0)
    assert (await site.get(STREAM)).body == b"OK"


async def test_who_tries_a_stream_is_never_asked_for_a_token(site):
    async with site.http.ws_connect(STREAM) as ws:
        await ws.receive(60)
        await site.http.app[HUB].check()
        assert not ws.closed


async def test_only_so_many_try_streams_at_once(site, monkeypatch):
    monkeypatch.setattr("web.streaming.hub.MOST_OF_ONE", 0)
    host, port = site.http.host, site.http.port
    found = await asyncio.to_thread(asking.listen, f"{host}:{port}", STREAM, timeout=60)
    assert found.status == 429


async def test_a_small_picture_goes_there_and_back_and_is_no_file_of_anybody(site):
    assert (await site.get(MEDIA)).json == {"name": PROBE, "bytes": 193, "writes": True, "reads": True}
    picture = await site.get(f"/media/{PROBE}")
    assert (picture.status, len(picture.body), picture.headers["Content-Type"]) == (200, 193, "image/png")
    assert [blob async for part in open_store(site.house.settings).all() for blob in part] == []


async def test_files_that_can_be_read_and_not_written_are_told_apart(site, monkeypatch):
    await site.get(MEDIA)

    async def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(site.house.blobs, "put", full)
    found = (await site.get(MEDIA)).json
    assert (found["writes"], found["reads"]) == (False, True)
    shutil.rmtree(files(site))
    found = (await site.get(MEDIA)).json
    assert (found["writes"], found["reads"]) == (False, False)


async def test_the_index_answers_and_says_what_waits(both_sites):
    site = both_sites
    assert (await site.get(SEARCH)).json == {"answers": True, "waiting": 0, "first": None}
    post = await site.posted((await site.person("alice"))[0], "hello")
    assert (await site.get(SEARCH)).json == {"answers": True, "waiting": 1, "first": str(post.id)}
    await site.db.write(fulltext.work)
    assert (await site.get(SEARCH)).json["waiting"] == 0
    await site.db.write(lambda tx: tx.execute(text("DROP TABLE post_words")))
    answer = await site.get(SEARCH)
    assert (answer.status, answer.json) == (200, {"answers": False})


@asynccontextmanager
async def watched(site, **more):
    """`await look(seconds)` is what the supervisor sees then; it looks from a thread, as it does."""
    place = Watched(bind=f"{site.http.host}:{site.http.port}", data_dir=site.house.settings.data_dir, database=None,
                    title="Ours", domain="ours.test", base_url="https://ours.test", **more)  # fmt: skip
    monitor = Monitor(place, list)

    async def look(*moments):
        for moment in moments:
            await asyncio.to_thread(monitor.tick, NOW + moment)
        return alerts.components(alerts.load(state.folder(place.data_dir)))

    try:
        yield look
    finally:
        monitor.close()


async def test_pictures_that_cannot_be_kept_are_told_and_so_is_their_return(site):
    folder = state.folder(site.house.settings.data_dir)
    async with watched(site) as look:
        assert "media" not in await look(0, 10)
        shutil.rmtree(files(site))
        files(site).touch()  # a disk that is not mounted
        assert await look(20, 30) == {}, "not before it was seen twice more"
        assert await look(40) == {"media": "major_outage"}
        [draft] = incidents.all_of(folder)
        assert (draft.alert, draft.components) == ("media-down", ("media",))
        files(site).unlink()
        assert await look(50, 60) == {"media": "major_outage"}
        assert await look(70) == {}


async def test_a_full_disk_leaves_pictures_to_be_seen(site, monkeypatch):
    async with watched(site) as look:
        assert await look(0) == {}
        monkeypatch.setattr(type(site.house.blobs), "_put", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        assert await look(20, 30, 40) == {"media": "partial_outage"}
        monkeypatch.undo()
        assert await look(50, 60, 70) == {}


async def test_live_updates_that_do_not_arrive_are_told_and_so_is_their_return(site):
    hub = site.http.app[HUB]
    async with watched(site) as look:
        assert await look(0, 10) == {}
        tell, hub._tell = hub._tell, lambda _: asyncio.sleep(0)  # all goes nowhere
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asking, "listen", lambda *where, timeout, real=asking.listen: real(*where, timeout=0.2))
            assert await look(20, 30) == {}
            assert await look(40) == {"streaming": "major_outage"}
        hub._tell = tell
        assert await look(50, 60) == {"streaming": "major_outage"}
        assert await look(70) == {}


async def test_a_search_that_fails_and_one_that_lags_are_told_and_so_is_their_return(site):
    async with watched(site) as look:
        assert await look(0) == {}
        await site.db.write(lambda tx: tx.execute(text("ALTER TABLE post_words RENAME TO lost_words")))
        assert await look(30, 40, 50) == {"search": "major_outage"}
        await site.db.write(lambda tx: tx.execute(text("ALTER TABLE lost_words RENAME TO post_words")))
        assert await look(60, 70, 80) == {}
        await site.posted((await site.person("alice"))[0], "hello")
        assert await look(100, 200, 300, 400) == {}
        assert await look(430, 450) == {"search": "degraded_performance"}
        await site.db.write(fulltext.work)
        assert await look(480, 500, 510) == {}


async def test_who_started_us_is_believed_on_a_unix_socket_and_a_proxy_is_not(tmp_path):
    async def handler(request):
        return web.Response(text=str(client_address.is_local(request)))

    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, place := str(tmp_path / "s")).start()
    try:
        async with ClientSession(connector=UnixConnector(place)) as session, session.get("http://x/") as answer:
            assert await answer.text() == "True"
        said = await asyncio.to_thread(asking.ask, f"unix:{place}", "/", timeout=60)
        assert said.body == b"True"
        ask = "s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n'); print(s.makefile().read())"
        program = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({place!r}); {ask}"
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
        assert b"False" in (await other.communicate())[0]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 101 x\r\n\r\n\x81\x02{}", b"nonsense", b"HTTP/1.1 101 x\r\n\r\n"])
def test_what_is_no_websocket_is_no_answer(answer):
    def answers(server):
        link, _ = server.accept()
        with link:
            link.recv(4096)
            link.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        done = thread.submit(answers, server)
        port = server.getsockname()[1]
        assert asking.listen(f"127.0.0.1:{port}", "/", timeout=60).status in (0, 101)
        done.result()
    found = asking.listen(f"127.0.0.1:{port}", "/", timeout=1)
    assert found.status == 0
