"""Previews of what posts link to: asked for when a post is stored, fetched by a job, shared by all with that link.

The first link that is no mention and no hashtag counts.  What a direct post links to is not fetched: addresses that
are told in private may be good for one visit only.

A page may name who wrote it (`fediverse:creator`).  A job looks for that account, and it is shown as long as it names
the host of the page among its `attribution_domains`: outbox.parts.may_name.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from html import unescape
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, Select, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading.page import Preview
from federation.reading.values import is_web
from social.errors import NotFound
from social.events import Edited
from social.pages import Page
from social.paging import padded
from social.views import Feed, PostView
from social.visibility import heard, visible, wanted
from store import jobs
from store.events import announce
from store.ids import new_id
from store.rows import one
from store.tables import Account, Card, cards, posts
from store.tables.base import Id

FETCH: Final = "fetch_card"
CREDIT: Final = "credit_card"
JITTER: Final = 60.0  # seconds over which servers that got the same post ask for what it links to
FRESH: Final = timedelta(days=14)
EMPTY: Final = timedelta(days=1)  # so long, where there was nothing there still is nothing
NOTHING: Final = "none"
LINKS: Final = 20  # of one post
TOLD: Final = 40  # posts of which streams say that they have a preview now

# Over HTML of ours (social.sanitise, social.text), which is closed and quoted.  Possessive: linear time.
_LINK: Final = re.compile(r"<a ([^>]*+)>([^<]*+(?:<(?!/a>)[^<]*+)*+)</a>")
_HREF: Final = re.compile(r'href="([^"]*+)"')
_CLASS: Final = re.compile(r'class="[^"]*\b(?:mention|hashtag|u-url)\b')
_TAGS: Final = re.compile(r"<[^>]*+>")

_URLS: BindParameter[list[str]] = bindparam("urls", expanding=True)
_ADD = insert(cards).on_conflict_do_nothing(index_elements=["url"])
_BY_URL: Select[Any] = select(cards.c.url, cards.c.id, cards.c.kind, cards.c.fetched_at).where(cards.c.url.in_(_URLS))
_POINT = update(posts).where(posts.c.id == bindparam("post", type_=Id)).values(card_id=bindparam("card", type_=Id))
_FIND = select(cards).where(cards.c.id == bindparam("card", type_=Id))
_CHANGED = update(posts).where(posts.c.card_id == bindparam("card", type_=Id)).values(version=posts.c.version + 1)
_NEWEST: Select[Any] = (
    select(posts.c.id, posts.c.author_id)
    .where(posts.c.card_id == bindparam("card", type_=Id))
    .order_by(posts.c.id.desc())
    .limit(bindparam("most"))
)
_KNOWN = select(cards.c.id).where(cards.c.url == bindparam("url"), cards.c.kind != NOTHING)
_PAGE = Feed(
    select(posts.c.id).where(
        posts.c.card_id == bindparam("card", type_=Id),
        posts.c.card_id.is_not(None),
        posts.c.visibility == "public",
        visible(),
        wanted(),
        heard(posts.c.author_id),
    ),
    posts.c.id,
)


class Linking(NamedTuple):
    """A post that is stored, and may have links."""

    post_id: int
    html: str
    visibility: str


def first_link(html: str) -> str | None:
    """
    >>> first_link('<p><a href="https://a.test/@b" class="u-url mention">@b</a> <a href="https://c.test/?d&amp;e">c</a></p>')
    'https://c.test/?d&e'
    """
    return next(_links(html), None)


def links(html: str) -> list[str]:
    """The first of them, each once."""
    return list(dict.fromkeys(islice(_links(html), LINKS)))


def _links(html: str) -> Iterator[str]:
    if "<a " not in html:
        return
    for attributes, words in _LINK.findall(html):
        href = _HREF.search(attributes)
        if href is None or _CLASS.search(attributes) or _TAGS.sub("", words).lstrip().startswith(("@", "#")):
            continue
        url = unescape(href[1])
        if is_web(url):
            yield url


def link(tx: Connection, new: Iterable[Linking], now: datetime) -> dict[int, int]:
    """The cards of these posts (post → card), made and asked for where they are not there yet.

    No statement when no post has a link.
    """
    found = {one.post_id: url for one in new if one.visibility != "direct" and (url := first_link(one.html))}
    if not found:
        return {}
    urls = sorted(set(found.values()))
    tx.execute(_ADD, [_blank(url) for url in urls])
    there = {row.url: row for row in tx.execute(_BY_URL, {"urls": padded(urls)})}
    for row in there.values():
        if row.fetched_at is None or row.fetched_at < now - (EMPTY if row.kind == NOTHING else FRESH):
            due = now + timedelta(seconds=random.uniform(0, JITTER))
            jobs.ask(tx, FETCH, str(row.id), {"card_id": row.id}, now, due)
    linked = {post_id: there[url].id for post_id, url in found.items()}
    tx.execute(_POINT, [{"post": post_id, "card": card_id} for post_id, card_id in linked.items()])
    return linked


def relink(tx: Connection, post: Linking, now: datetime) -> None:
    """After an edit."""
    if not link(tx, [post], now):
        tx.execute(_POINT, {"post": post.post_id, "card": None})


def find(tx: Connection, card_id: int) -> Card | None:
    return one(tx, _FIND, Card, card=card_id)


def fetched(tx: Connection, card_id: int, preview: Preview | None, now: datetime) -> None:
    """What a page says of itself; None: nothing.  Readers of its posts see it from now on."""
    values: dict[str, Any] = {"kind": NOTHING} if preview is None else asdict(preview)
    before = find(tx, card_id)
    if preview is not None and (before is None or before.creator != preview.creator):
        values["creator_id"] = None
    if preview is not None and preview.creator:
        jobs.ask(tx, CREDIT, str(card_id), {"card_id": card_id}, now)
    tx.execute(update(cards).where(cards.c.id == card_id).values({**values, "fetched_at": now}))
    if before is not None and all(getattr(before, name) == value for name, value in values.items()):
        return
    _tell(tx, card_id)


def credit(tx: Connection, card: Card, account: Account) -> None:
    """That is whom the page named when it was looked at."""
    known = find(tx, card.id)
    if known is not None and known.creator == card.creator and known.creator_id != account.id:
        tx.execute(update(cards).where(cards.c.id == card.id).values(creator_id=account.id))
        _tell(tx, card.id)


def _tell(tx: Connection, card_id: int) -> None:
    """Readers of the posts that have it see that it changed."""
    tx.execute(_CHANGED, {"card": card_id})
    for post_id, author_id in tx.execute(_NEWEST, {"card": card_id, "most": TOLD}).all():
        announce(tx, Edited(post_id, author_id))


def link_page(tx: Connection, viewer_id: int | None, url: str, page: Page) -> list[PostView]:
    """Public posts that link there.  Raises: NotFound, when nothing is known of that address."""
    card_id = tx.scalar(_KNOWN, {"url": url})
    if card_id is None:
        raise NotFound("Record not found")
    return _PAGE(tx, page, viewer_id, card=card_id)


def _blank(url: str) -> dict[str, Any]:
    return {"id": new_id(), "url": url, "fetched_at": None, **asdict(Preview(kind=NOTHING))}
