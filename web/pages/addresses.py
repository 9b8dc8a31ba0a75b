"""Addresses of pages, and which of them a form or a link may lead back to."""

import re
from urllib.parse import quote, urlencode

from aiohttp import web

from store.tables import Account, Post

LONGEST = 8_000  # with what a program asks for
# A browser takes `//host`, `/\\host` and `/<tab>/host` for other servers.
_LOCAL = re.compile(r"/(?!/)[!-\[\]-~]*")


def of_account(account: Account) -> str:
    """`/@alice`, `/@bob@far.test`."""
    return of_acct(account.acct)


def of_acct(acct: str) -> str:
    return f"/@{quote(acct, safe='@:')}"


def of_post(author: Account, post: Post) -> str:
    return f"{of_account(author)}/{post.id}"


def of_tag(name: str) -> str:
    return f"/tags/{quote(name, safe='')}"


def local(path: str, default: str = "/") -> str:
    """`path`, if it is one of this server and nothing else (security row 83)."""
    return path if len(path) <= LONGEST and _LOCAL.fullmatch(path) and "//" not in path.partition("?")[0] else default


def with_query(path: str, **query: object) -> str:
    return f"{path}?{urlencode({name: str(value) for name, value in query.items()})}"


def see_other(path: str, default: str = "/") -> web.Response:
    """What answers a form: 303, to a place on this server."""
    return web.Response(status=303, headers={"Location": local(path, default), "Cache-Control": "no-store"})
