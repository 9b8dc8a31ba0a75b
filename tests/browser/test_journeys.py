"""Journeys through the pages in a real browser, all of them without scripts."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE

pytestmark = pytest.mark.browser

PASSWORD = "correct horse"
# What every page owes to everybody; axe would say more, but is no package of Python.
ESSENTIALS = """
() => {
  const wrong = [];
  const seen = e => e.getClientRects().length > 0;
  const name = e => (e.getAttribute('aria-label') || e.textContent || e.title || '').trim()
    || [...e.querySelectorAll('img[alt], .vh')].some(i => (i.alt || i.textContent || '').trim());
  if (document.querySelectorAll('h1').length !== 1) wrong.push('h1');
  if (!document.documentElement.lang) wrong.push('lang');
  if (document.querySelectorAll('main').length !== 1) wrong.push('main');
  for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) wrong.push('alt ' + e.src);
  for (const e of document.querySelectorAll('input:not([type=hidden]), textarea, select'))
    if (!e.hidden && !e.labels.length && !e.getAttribute('aria-label')) wrong.push('label ' + e.name);
  for (const e of document.querySelectorAll('a[href], button, summary'))
    if (seen(e) && e.getAttribute('aria-hidden') !== 'true' && !name(e)) wrong.push('name ' + e.outerHTML.slice(0, 80));
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of new Set(ids)) if (ids.filter(i => i === id).length > 1) wrong.push('id twice ' + id);
  for (const e of document.querySelectorAll('button, summary, select, input:not([type=hidden])')) {
    const box = e.getBoundingClientRect();
    if (seen(e) && !e.closest('label') && Math.min(box.width, box.height) < 23.5)
      wrong.push('small ' + Math.round(box.width) + 'x' + Math.round(box.height) + ' ' + e.outerHTML.slice(0, 60));
  }
  for (const e of document.querySelectorAll('.side .label'))
    if (seen(e) && e.getBoundingClientRect().height > 1.9 * parseFloat(getComputedStyle(e).fontSize))
      wrong.push('broken ' + e.textContent);
  for (const e of document.querySelectorAll('.brand span'))
    if (e.scrollWidth > e.clientWidth) wrong.push('cut ' + e.textContent);
  return wrong;
}
"""


@pytest.fixture
async def narrow(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A small telephone in the dark, without scripts."""
    context = await chromium.new_context(
        viewport={"width": 320, "height": 640}, color_scheme="dark", java_script_enabled=False
    )
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


async def _first_run(page: Page, address: str) -> None:
    await page.goto(address)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to your new server")
    await page.get_by_label("Name a-z").fill("alice")
    await page.get_by_label("Shown name").fill("Alice")
    await page.get_by_label("E-mail").fill("alice@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Make my account").click()
    await expect(page).to_have_url(f"{address}/home")


async def _look_over(context: BrowserContext, page: Page, path: str) -> None:
    """No sideways scrolling, no nameless control; asked by the test, for the page itself has no scripts."""
    await page.goto(path)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path
    assert await page.evaluate(ESSENTIALS) == [], path


async def test_from_the_first_run_to_a_conversation(address: str, narrow: BrowserContext) -> None:
    page = await narrow.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await _first_run(page, address)
    await page.get_by_label("What do you want to say?").fill("Good morning! What does a conversation need? #hello")
    await page.get_by_role("button", name="Post", exact=True).click()
    await expect(page.get_by_role("article")).to_contain_text("Good morning!")
    thread = page.url
    await page.get_by_label("Your answer").fill("Somebody who listens.")
    await page.get_by_role("button", name="Answer", exact=True).click()
    await expect(page.get_by_role("heading", level=2, name="1 comment")).to_be_visible()
    await page.get_by_role("button", name="Like").first.click()
    await expect(page.get_by_role("button", name="Like").first).to_have_attribute("aria-pressed", "true")
    await page.goto(f"{address}/settings/profile")
    await page.get_by_role("main").get_by_role("button", name="Sign out").click()
    for path in ("/", "/login", "/about", "/local", thread):
        await _look_over(narrow, page, path if path.startswith("http") else address + path)
    await page.goto(f"{address}/login?next=/home")
    await page.get_by_label("Name or e-mail").fill("alice")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("article").last).to_contain_text("Good morning!")
    for path in (thread, "/home", "/@alice", "/compose", "/settings/profile", "/notifications", "/search?q=a", "/local",
                 "/about", "/settings/password", "/@alice/followers", "/tags/hello", "/collections", "/lists",
                 "/bookmarks", "/conversations", "/hashtags", "/scheduled", "/settings/blocks", "/settings/leaving",
                 "/settings/export", "/settings/import", "/admin/work", "/admin", "/admin/accounts",
                 "/admin/signups", "/admin/servers", "/admin/servers/limit?host=far.test", "/admin/servers/import",
                 "/admin/site", "/admin/announcements", "/admin/emoji", "/admin/hashtags?show=all", "/admin/trends",
                 "/admin/log", "/nothing"):  # fmt: skip
        await _look_over(narrow, page, path if path.startswith("http") else address + path)
    assert all(url.startswith(address) for url in asked)  # nobody else hears of it


async def test_the_keyboard_finds_the_content_first(address: str, narrow: BrowserContext) -> None:
    page = await narrow.new_page()
    await _first_run(page, address)
    await page.goto(f"{address}/about")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("location.hash") == "#main"


async def test_nothing_of_a_page_is_refused_by_its_own_policy(address: str, chromium: Browser) -> None:
    page = await chromium.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await _first_run(page, address)
    await page.get_by_label("What do you want to say?").fill("Hello")
    await page.get_by_role("button", name="Post", exact=True).click()
    for path in ("/home", "/@alice", "/settings/profile", "/search"):
        await page.goto(address + path)
    assert said == []
    asked = await (await page.context.new_cdp_session(page)).send("Page.getAppManifest")
    assert (asked["errors"], '"share_target"' in asked["data"]) == ([], True)
    style = await page.evaluate("getComputedStyle(document.querySelector('main .button')).borderRadius")
    assert style != "0px"
    await page.close()
