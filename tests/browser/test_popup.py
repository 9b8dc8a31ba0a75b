"""A client that is a page of another site: it opens /oauth/authorize in a window of its own, as Phanpy and Elk do."""

import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, expect

from connectme.app import make_app
from connectme.house import opened
from connectme.settings import Settings
from inbox.append import Appender
from tests.browser.conftest import PATIENCE
from tests.web import browsing
from web.errors import Handler

pytestmark = pytest.mark.browser

CLIENT = """<!doctype html><title>Client</title><button id="go">Log in</button><script>
const server = new URLSearchParams(location.search).get('server'), back = location.origin + '/back';
const form = data => ({method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(data)});
const base64 = bytes => btoa(String.fromCharCode(...bytes)).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '');
const verifier = base64(crypto.getRandomValues(new Uint8Array(32)));
let app, popup;
document.querySelector('#go').onclick = async () => {
  const meta = await (await fetch(server + '/.well-known/oauth-authorization-server')).json();
  const wanted = {client_name: 'Client', redirect_uris: back, scopes: 'read'};
  popup = window.open('about:blank', 'login', 'popup');
  app = await (await fetch(meta.app_registration_endpoint, form(wanted))).json();
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  popup.location = meta.authorization_endpoint + '?' + new URLSearchParams({response_type: 'code', scope: 'read',
    client_id: app.client_id, redirect_uri: back, state: 'x y', code_challenge: base64(new Uint8Array(hash)),
    code_challenge_method: meta.code_challenge_methods_supported[0]});
};
addEventListener('message', async event => {
  const code = new URLSearchParams(event.data).get('code');
  const asked = {grant_type: 'authorization_code', code, client_id: app.client_id, redirect_uri: back};
  const refused = await (await fetch(server + '/oauth/token', form(asked))).json();
  const token = await (await fetch(server + '/oauth/token', form({...asked, code_verifier: verifier}))).json();
  const headers = {Authorization: 'Bearer ' + token.access_token};
  const me = await (await fetch(server + '/api/v1/accounts/verify_credentials', {headers})).json();
  window.result = {heard: event.data, refused: refused.error, me: me.username, closed: popup.closed};
});
</script>"""
BACK = """<!doctype html><title>Back</title><script>
window.opener.postMessage(location.search, location.origin); window.close();
</script>"""


async def _serve(app: web.Application, sock: socket.socket) -> web.AppRunner:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    return runner


@pytest.fixture
async def whole(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[str]:
    """The base URL of the whole application, where alice can sign in."""
    shutil.copy(sqlite_template, tmp_path / "ours.db")
    sock = socket.create_server(("127.0.0.1", 0))
    domain = f"localhost:{sock.getsockname()[1]}"
    named = {"DOMAIN": domain, "DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/ours.db"}
    environ = {"CONNECTME_CONFIG": "/dev/null", **{f"CONNECTME_{name}": value for name, value in named.items()}}
    async with opened(Settings.load(environ=environ)) as house:
        await browsing.person(house.db, house.origin, "alice")
        appender = Appender(house.spool, house.counts)
        runner = await _serve(make_app(house, appender), sock)
        yield f"http://{domain}"
        await runner.cleanup()
        await appender.flush()


@pytest.fixture
async def client() -> AsyncIterator[str]:
    """The base URL of the other site."""
    app = web.Application()
    for path, page in (("/", CLIENT), ("/back", BACK)):
        app.router.add_get(path, _showing(page))
    sock = socket.create_server(("127.0.0.1", 0))
    runner = await _serve(app, sock)
    yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    await runner.cleanup()


def _showing(text: str) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type="text/html")

    return page


async def test_a_page_of_another_site_logs_in_by_a_popup(chromium: Browser, whole: str, client: str) -> None:
    context = await chromium.new_context()
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    await page.goto(f"{client}/?server={whole}")
    async with page.expect_popup() as opening:
        await page.click("#go")
    popup = await opening.value
    await popup.get_by_label("Name or e-mail").fill("alice")
    await popup.get_by_label("Password").fill(browsing.PASSWORD)
    await popup.get_by_role("button", name="Sign in").click()
    await expect(popup.get_by_role("heading", level=1)).to_have_text("Allow Client to use your account?")
    async with popup.expect_event("close"):
        await popup.get_by_role("button", name="Allow", exact=True).click()
    await page.wait_for_function("window.result")
    result = await page.evaluate("window.result")
    assert (result["me"], result["refused"], result["closed"]) == ("alice", "invalid_request", True)
    assert "state=x+y" in result["heard"]
    assert f"iss={whole.replace(':', '%3A').replace('/', '%2F')}" in result["heard"]
    assert [line for line in said if "policy" in line.lower() or "refused" in line.lower()] == []
    await context.close()
