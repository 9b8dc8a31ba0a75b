"""A Chromium, and the pages served on loopback; skipped, and said why, where there is none."""

import shutil
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Browser, async_playwright, expect

from federation.origin import Origin
from store.database import Database
from tests.web import browsing

PATIENCE = 60_000  # milliseconds; only a broken test waits that long
expect.set_options(timeout=PATIENCE)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _chromium() -> str | None:
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    path = _chromium()
    if path is None:
        pytest.skip("no Chromium is installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=2 * PATIENCE)
        yield browser
        await browser.close()


@pytest.fixture
async def address(sqlite_db: Database) -> AsyncIterator[str]:
    """The base URL of a new server."""
    sock = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{sock.getsockname()[1]}"
    runner = web.AppRunner(browsing.app(sqlite_db, Origin(url.removeprefix("http://"), url)))
    await runner.setup()
    await web.SockSite(runner, sock).start()
    yield url
    await runner.cleanup()
