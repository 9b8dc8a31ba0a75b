"""People and posts that a text of the staff names: it is no post, and has no mentions of its own."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, select

from federation.origin import Origin
from social import accounts, text, views
from social.paging import padded
from social.text import MentionTarget
from social.views import PostView
from social.visibility import OPEN
from store.rows import many
from store.tables import Account
from store.tables import accounts as accounts_table

MOST: Final = 50  # people, and as many posts, of one text

_HANDLES: BindParameter[list[str]] = bindparam("handles", expanding=True)
_NAMED = select(accounts_table).where(
    accounts_table.c.handle.in_(_HANDLES),
    accounts_table.c.suspended_at.is_(None),
    accounts_table.c.deleted_at.is_(None),
)
_POST = re.compile(r"/(?:@[^/\s]+|users/[^/\s]+/(?:posts|statuses))/([0-9]{1,19})(?![0-9A-Za-z_])")


def handles(origin: Origin, words: str) -> dict[str, str]:
    """How the text writes people, and their handles: `alice@ours.test` is alice."""
    found = {}
    for written in text.find_mentions(words)[:MOST]:
        name, _, domain = written.partition("@")
        if handle := accounts.normalise_handle(name if domain and origin.is_our_domain(domain) else written):
            found[written] = handle
    return found


def people(tx: Connection, origin: Origin, texts: Iterable[str]) -> dict[str, Account]:
    """Those who are known here, by their handles; one query, none where nobody is named."""
    wanted = {handle for words in texts for handle in handles(origin, words).values()}
    found = many(tx, _NAMED, Account, handles=padded(sorted(wanted))) if wanted else []
    return {one.handle: one for one in found}


def targets(tx: Connection, origin: Origin, words: str) -> Mapping[str, MentionTarget]:
    """For text.render."""
    known = people(tx, origin, [words])
    written = {name: known[handle] for name, handle in handles(origin, words).items() if handle in known}
    return {name: MentionTarget(one.url, one.acct, one.uri) for name, one in written.items()}


def post_ids(origin: Origin, words: str) -> list[int]:
    """Of the addresses of our posts in a text."""
    places = re.finditer(re.escape(origin.base_url) + _POST.pattern, words)
    return list(dict.fromkeys(int(found[1]) for found in places if int(found[1]) < 1 << 63))[:MOST]


def posts(tx: Connection, origin: Origin, texts: Iterable[str], viewer_id: int | None) -> dict[int, PostView]:
    """Those that everybody may see, and the viewer does."""
    ids = list({number for words in texts for number in post_ids(origin, words)})
    found = views.posts(tx, ids, viewer_id) if ids else []
    return {view.parts.post.id: view for view in found if view.parts.post.visibility in OPEN}
