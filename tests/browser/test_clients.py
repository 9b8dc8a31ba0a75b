"""What Phanpy and Elk do after they have logged in (the log-in itself: test_popup.py): scripts of another origin in a
real browser, which lets them read no more than our CORS headers allow.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

from connectme.demo import Instance
from tests.ports import free_port

pytestmark = pytest.mark.browser

# As masto.js asks: JSON bodies, the token in a header, nothing by cookie.
CLIENT = """<!doctype html><title>Client</title><link rel="icon" href="data:,"><script>
const {server, token} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
async function call(method, path, body, more = {}) {
  const headers = {...(more.token === null ? {} : {Authorization: 'Bearer ' + (more.token ?? token)}), ...more.headers};
  const form = body instanceof FormData;
  if (body && !form) headers['Content-Type'] = 'application/json';
  const url = path.startsWith('http') ? path : server + path;
  const answer = await fetch(url, {method, headers, body: form ? body : body && JSON.stringify(body)});
  const kind = answer.headers.get('Content-Type') ?? '';
  return {status: answer.status, answer, body: kind.includes('json') ? await answer.json() : await answer.text()};
}
const next = answer => answer.headers.get('Link')?.match(/<([^>]+)>; rel="next"/)?.[1];
async function picture(colour) {
  const canvas = new OffscreenCanvas(640, 400), pen = canvas.getContext('2d');
  pen.fillStyle = colour; pen.fillRect(0, 0, 640, 400);
  return canvas.convertToBlob({type: 'image/png'});
}
function stream() {
  const place = server.replace('http', 'ws') + '/api/v1/streaming';
  const socket = new WebSocket(place, token), heard = [], waiting = [];
  socket.onmessage = ({data}) => {
    heard.push(JSON.parse(data));
    waiting.splice(0).forEach(look => look());
  };
  const until = event => new Promise(done => {
    const look = () => {
      const found = heard.findIndex(one => one.event === event);
      if (found < 0) waiting.push(look); else done(heard.splice(found, 1)[0]);
    };
    look();
  });
  const open = new Promise((done, failed) => { socket.onopen = done; socket.onerror = failed; });
  const settled = () => {  // all that was sent is understood: refusals, which are no event, come in order
    socket.send(JSON.stringify({type: 'dance'}));
    return until(undefined);
  };
  return {socket, until, open, settled};
}
</script>"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    instance = Instance(tmp_path_factory.mktemp("server"), free_port())
    try:
        for name in ("alice", "bob"):
            instance.person(name)
        instance.start("--single-process")
        yield instance
    finally:
        instance.stop()


@pytest.fixture
async def page(chromium: Browser, server: Instance) -> AsyncIterator[Page]:
    """alice's client, a page of another origin."""

    async def show(_: web.Request) -> web.StreamResponse:
        return web.Response(text=CLIENT, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await server.ready()
    context = await chromium.new_context()
    page = await context.new_page()
    base = str(server.base).rstrip("/")
    await page.goto(f"http://127.0.0.1:{port}/#server={base}&token={server.tokens['alice']}")
    yield page
    await context.close()
    await server.close()
    await runner.cleanup()


async def run(page: Page, script: str) -> Any:
    """What an async function of that body returns, in the page."""
    async with asyncio.timeout(60):
        return await page.evaluate(f"async () => {{{script}}}")


async def test_refusals_can_be_read_by_the_script(page: Page) -> None:
    """Without CORS headers on errors, a client would see no more than "network error"."""
    found = await run(
        page,
        """
        const asked = [
          await call('GET', '/api/v1/accounts/verify_credentials', null, {token: 'wrong'}),
          await call('GET', '/api/v1/timelines/home', null, {token: null}),
          await call('GET', '/api/v1/statuses/1'),
          await call('POST', '/api/v1/statuses', {status: ''}),
          await call('GET', '/api/v1/nothing/of/this/name'),
          await call('GET', '/api/v1/push/subscription'),
          await call('POST', '/oauth/token', {grant_type: 'password', username: 'alice', password: 'guess'}),
        ];
        return asked.map(({status, body, answer}) => [status, typeof body.error, answer.headers.has('X-Request-Id')]);
        """,
    )
    assert [status for status, _, _ in found] == [401, 401, 404, 422, 404, 404, 400]
    assert {error for _, error, _ in found} == {"string"}


async def test_phanpy_finds_out_what_the_server_is(page: Page, server: Instance) -> None:
    found = await run(
        page,
        """
        const meta = await (await fetch(server + '/.well-known/host-meta')).text();
        const links = new DOMParser().parseFromString(meta, 'text/xml').getElementsByTagName('Link');
        const info = (await call('GET', '/.well-known/nodeinfo', null, {token: null})).body;
        const rel = 'http://nodeinfo.diaspora.software/ns/schema/2.0';
        const place = info.links.find(link => link.rel === rel).href;
        const {software} = (await call('GET', place, null, {token: null})).body;
        const instance = (await call('GET', '/api/v2/instance')).body;
        return {host: new URL(links[0].getAttribute('template')).host, software, domain: instance.domain,
          streaming: instance.configuration.urls.streaming, key: instance.configuration.vapid.public_key,
          most: instance.configuration.statuses.max_media_attachments, version: instance.version,
          api: instance.api_versions.mastodon};
        """,
    )
    assert (found["host"], found["domain"]) == (server.domain, server.domain)
    assert found["software"]["name"] == "connectme"
    assert found["streaming"] == f"ws://{server.domain}"
    assert len(found["key"].rstrip("=")) == 87  # 65 bytes of a P-256 point
    assert (found["most"] >= 4, found["version"][:2], found["api"] >= 7) == (True, "4.", True)


async def test_infinite_scroll_follows_links_that_the_script_may_read(page: Page, server: Instance) -> None:
    words = [f"page after page {number}" for number in range(25)]
    for text in words:
        await server.api("alice", "POST", "/api/v1/statuses", status=text, visibility="unlisted")
    found = await run(
        page,
        """
        const {id} = (await call('GET', '/api/v1/accounts/verify_credentials')).body;
        let url = `/api/v1/accounts/${id}/statuses?limit=10`, all = [], pages = 0;
        while (url) {
          const page = await call('GET', url);
          all.push(...page.body.map(status => status.content)), pages++;
          url = next(page.answer);
        }
        const {headers} = (await call('GET', '/api/v1/timelines/home')).answer;
        return {all, pages, left: headers.get('X-RateLimit-Remaining')};
        """,
    )
    shown = [text for text in found["all"] if "page after page" in text]
    assert shown == [f"<p>{text}</p>" for text in reversed(words)]
    assert found["pages"] >= 3
    assert int(found["left"]) > 0


async def test_both_ways_of_attaching_a_picture_keep_its_description(page: Page) -> None:
    """Phanpy: v2, then asks until it is processed, and posts with an Idempotency-Key.  Elk: v1, then PUT."""
    found = await run(
        page,
        """
        const upload = async (path, colour, description) => {
          const form = new FormData();
          form.append('file', await picture(colour), 'picture.png');
          if (description) form.append('description', description);
          return call('POST', path, form);
        };
        let first = await upload('/api/v2/media', 'teal', 'a field of teal');
        for (let tries = 0; first.body.url === null && tries < 100; tries++) {
          await new Promise(done => setTimeout(done, 100));
          first = await call('GET', '/api/v1/media/' + first.body.id);
        }
        const second = await upload('/api/v1/media', 'coral');
        await call('PUT', '/api/v1/media/' + second.body.id, {description: 'a field of coral', focus: '0.5,-0.5'});
        const wanted = {status: 'two pictures', media_ids: [first.body.id, second.body.id], visibility: 'public'};
        const once = {headers: {'Idempotency-Key': 'two-pictures'}};
        const posted = (await call('POST', '/api/v1/statuses', wanted, once)).body;
        const again = (await call('POST', '/api/v1/statuses', wanted, once)).body;
        const files = await Promise.all(posted.media_attachments.map(async ({preview_url}) => {
          const file = await fetch(preview_url);
          return [file.status, (await createImageBitmap(await file.blob())).width > 0];
        }));
        return {posted, again: again.id, files};
        """,
    )
    attached = found["posted"]["media_attachments"]
    assert [file["description"] for file in attached] == ["a field of teal", "a field of coral"]
    assert attached[1]["meta"]["focus"] == {"x": 0.5, "y": -0.5}
    assert found["again"] == found["posted"]["id"]
    assert found["files"] == [[200, True], [200, True]]


async def test_one_socket_with_the_token_as_subprotocol_hears_all_that_happens(page: Page, server: Instance) -> None:
    found = await run(
        page,
        """
        const {socket, until, open, settled} = stream();
        await open;
        socket.send(JSON.stringify({type: 'subscribe', stream: 'user'}));
        socket.send(JSON.stringify({type: 'subscribe', stream: 'hashtag', tag: 'windows'}));
        await settled();
        const posted = (await call('POST', '/api/v1/statuses', {status: 'seen through #windows'})).body;
        const update = JSON.parse((await until('update')).payload);
        await call('PUT', '/api/v1/statuses/' + posted.id, {status: 'changed, seen through #windows'});
        const edited = JSON.parse((await until('status.update')).payload);
        await call('DELETE', '/api/v1/statuses/' + posted.id);
        const gone = (await until('delete')).payload;
        socket.send(JSON.stringify({type: 'unsubscribe', stream: 'hashtag', tag: 'windows'}));
        socket.close();
        return {protocol: socket.protocol, posted: posted.id, update: update.id, edited, gone};
        """,
    )
    assert found["protocol"] == server.tokens["alice"]
    assert found["posted"] == found["update"] == found["edited"]["id"] == found["gone"]
    assert "changed" in found["edited"]["content"]
    assert found["edited"]["edited_at"]


async def test_what_others_do_comes_as_a_notification_on_the_socket(page: Page, server: Instance) -> None:
    posted = await server.api("alice", "POST", "/api/v1/statuses", status="to be liked")
    hearing = asyncio.create_task(
        run(
            page,
            """
            const {socket, until, open, settled} = stream();
            await open;
            socket.send(JSON.stringify({type: 'subscribe', stream: 'user:notification'}));
            await settled();
            window.listening = true;
            const heard = JSON.parse((await until('notification')).payload);
            socket.close();
            return heard;
            """,
        )
    )
    await page.wait_for_function("window.listening")
    await server.api("bob", "POST", f"/api/v1/statuses/{posted['id']}/favourite")
    heard = await hearing
    assert (heard["type"], heard["account"]["username"], heard["status"]["id"]) == ("favourite", "bob", posted["id"])


async def test_elk_starts_with_what_it_always_asks(page: Page) -> None:
    found = await run(
        page,
        """
        const {body: me} = await call('GET', '/api/v1/accounts/verify_credentials');
        const {body: status} = await call('POST', '/api/v1/statuses', {status: 'first', in_reply_to_id: ''});
        const {body: none} = await call('GET', '/api/v1/markers?timeline[]=home&timeline[]=notifications');
        const {body: kept} = await call('POST', '/api/v1/markers', {home: {last_read_id: status.id}});
        const {body: boost} = await call('POST', `/api/v1/statuses/${status.id}/reblog`);
        const {body: groups} = await call('GET', '/api/v2/notifications');
        const lists = ['/api/v1/preferences', '/api/v1/custom_emojis', '/api/v1/lists', '/api/v2/filters',
          '/api/v1/followed_tags', '/api/v1/trends/tags', '/api/v1/announcements', '/api/v1/notifications'];
        const statuses = await Promise.all(lists.map(async path => (await call('GET', path)).status));
        return {me, none, kept, boost, groups, statuses, status};
        """,
    )
    assert found["me"]["source"]["privacy"] == "public"
    assert found["none"].keys() == {"home", "notifications"}
    assert found["kept"]["home"]["last_read_id"] == found["status"]["id"]
    assert (found["boost"]["reblog"]["id"], found["boost"]["reblog"]["reblogged"]) == (found["status"]["id"], True)
    assert found["groups"].keys() == {"accounts", "statuses", "notification_groups"}
    assert set(found["statuses"]) == {200}
