"""Text and HTML of people, made ready to be shown: the filters of the templates.

What came from elsewhere was made safe when it came; here it passes the same function again, so that neither a row
from an older version nor a slip elsewhere reaches a browser (security row 45).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from typing import Protocol

from markupsafe import Markup

from federation.origin import Origin
from outbox.parts import Parts
from social import sanitise
from social.text import normalise_tag
from store.tables import Account
from web.pages import addresses

_TAG = re.compile(r'(<[^<>"]*(?:"[^"]*"[^<>"]*)*>)')
_SHORTCODE = re.compile(r":([A-Za-z0-9_]{1,64}):")
_TYPED = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"<a ([^<>]*)>")
_HREF = re.compile(r'href="([^"]*)"')
_HASHTAG = re.compile(r'<a [^<>]*class="[^"]*\bhashtag\b[^"]*"[^<>]*>(#(?:<span>)?(\w{1,100})(?:</span>)?)</a>')
_REL = re.compile(r'rel="(?=nofollow)')
_WEB = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Pictured(Protocol):
    """What has emoji of its own."""

    @property
    def emojis(self) -> Sequence[Mapping[str, str]] | None: ...


@lru_cache(4096)
def safe_html(source: str) -> Markup:
    """The only way past the escaping of the templates."""
    return Markup(sanitise.html(source))  # noqa: S704  that is what sanitise is for


def web_address(address: str | None) -> str:
    """An address to link to or to show a picture from; empty for all that is not http(s)."""
    return address if address is not None and _WEB.fullmatch(address) else ""


def shown_address(address: str | None, origin: Origin) -> str:
    """Where a picture, film or sound is shown from: what others have comes through our proxy."""
    found = web_address(address)
    return origin.proxied(found) if found else ""


def words(parts: Parts, origin: Origin) -> Markup:
    """What a post says; people and hashtags lead to our own pages about them."""
    html = _inside(str(safe_html(parts.post.html)), parts, origin)
    return _with_emojis(html, parts.post.emojis, origin)


def rich(html: str, of: Pictured, origin: Origin) -> Markup:
    """What an account says of itself, an announcement, a former text of a post."""
    return _with_emojis(str(safe_html(html)), of.emojis, origin)


def fact(html: str, account: Account, origin: Origin) -> Markup:
    """A field of a profile.  Links of our people say that they lead to pages of their own (rel=me)."""
    shown = rich(html, account, origin)
    return Markup(_REL.sub('rel="me ', shown)) if account.is_local else shown  # noqa: S704  safe before


def line(text: str, emojis: Sequence[Mapping[str, str]] | None, origin: Origin) -> Markup:
    """One line of mere text: a name, a content warning, an option."""
    return _with_emojis(escape(text), emojis, origin)


def _with_emojis(html: str, emojis: Sequence[Mapping[str, str]] | None, origin: Origin) -> Markup:
    """`html`, whose text (not its tags) has :shortcodes: of these emoji, with their pictures."""
    known = {one["shortcode"]: address for one in emojis or () if (address := shown_address(one.get("url"), origin))}
    if not known or ":" not in html:
        return Markup(html)  # noqa: S704  safe before

    def picture(found: re.Match[str]) -> str:
        address, shown = known.get(found[1]), found[0]
        if address is None:
            return shown
        source = escape(address)
        return f'<img class="emoji" src="{source}" alt="{shown}" title="{shown}" width="20" height="20" loading="lazy">'

    pieces = _TAG.split(html)
    pieces[::2] = [_SHORTCODE.sub(picture, piece) for piece in pieces[::2]]
    return Markup("".join(pieces))  # noqa: S704  safe before, and what was added is escaped


def _inside(html: str, parts: Parts, origin: Origin) -> str:
    """Links of mentions and hashtags, and those to our own pages, stay in this window and on this server."""
    if "<a " not in html:
        return html
    people = {address: addresses.of_acct(m.acct) for m in parts.mentions for address in (m.url, m.uri)}

    def link(found: re.Match[str]) -> str:
        attributes = found[1]
        href = _HREF.search(attributes)
        target = None if href is None else _here(href[1].replace("&amp;", "&"), people, origin)
        if target is None:
            return found[0]
        css = ' class="mention"' if "mention" in attributes else ""
        return f'<a href="{escape(target)}"{css}>'

    def hashtag(found: re.Match[str]) -> str:
        return f'<a href="{addresses.of_tag(normalise_tag(found[2]))}" class="hashtag" rel="tag">{found[1]}</a>'

    return _LINK.sub(link, _HASHTAG.sub(hashtag, html))


def _here(href: str, people: Mapping[str, str], origin: Origin) -> str | None:
    if href in people:
        return people[href]
    if origin.is_ours(href):
        return addresses.local(href.removeprefix(origin.base_url), "/")
    return None


def plain(html: str) -> str:
    """What it says, on one line, for titles and for what other sites show.

    >>> plain("<p>One.</p><p>Two &amp; three</p>")
    'One. Two & three'
    """
    return " ".join(sanitise.plain(html).split())


def coded(text: str) -> Markup:
    """A plain sentence of ours in which `what is to be typed` stands between backticks.

    >>> coded("`ls <x>`, then look")
    Markup('<code>ls &lt;x&gt;</code>, then look')
    """
    return Markup(_TYPED.sub(r"<code>\1</code>", escape(text)))  # noqa: S704  escaped


def iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_full(when: datetime) -> str:
    """12 March 2026 is not what every reader says first; this is short and cannot be misread."""
    utc = when.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M} UTC"


def day(when: datetime) -> str:
    utc = when.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}"


def ago(when: datetime, now: datetime) -> str:
    """now, 5 min, 3 h, 2 d, 12 Mar, 12 Mar 2024."""
    seconds = (now - when).total_seconds()
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h"
    if seconds < 7 * 86400:
        return f"{int(seconds // 86400)} d"
    utc = when.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]}" + ("" if utc.year == now.year else f" {utc.year}")


def in_time(when: datetime, now: datetime) -> str:
    """How long a poll is still open: 5 min, 3 h, 2 days."""
    seconds = max(0.0, (when - now).total_seconds())
    if seconds < 3600:
        return f"{int(seconds // 60) + 1} min"
    if seconds < 2 * 86400:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} days"


def short(number: int) -> str:
    """1234 is 1.2K."""
    if number < 1000:
        return str(number)
    if number < 1_000_000:
        return f"{number / 1000:.1f}".removesuffix(".0") + "K"
    return f"{number / 1_000_000:.1f}".removesuffix(".0") + "M"
