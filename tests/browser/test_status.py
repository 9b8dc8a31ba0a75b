"""The status page as a telephone shows it."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser

from ops import status
from ops.watch import samples

pytestmark = pytest.mark.browser
NOW = datetime(2026, 11, 27, 18, tzinfo=UTC)


async def test_what_stands_below_the_bars_stays_on_one_line(chromium: Browser, tmp_path):
    kept = samples.Samples(tmp_path / samples.FILE)
    for number in range(3):
        kept.count(NOW.timestamp(), dict.fromkeys(("web", "api", "streaming"), number > 0))
    kept.close()
    files = status.files(status.gather(tmp_path, status.Site("Ours", "ours.test", "https://ours.test"), NOW))
    page = await chromium.new_page(viewport={"width": 360, "height": 800})
    await page.set_content(files[status.PAGE].decode())
    assert "66.66 % of the time" in await page.inner_text("main")
    lines = await page.evaluate(
        "[...document.querySelectorAll('.axis')].map(e => new Set([...e.children].map(c => c.offsetTop)).size)"
    )
    assert lines == [1] * 8
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await page.close()
