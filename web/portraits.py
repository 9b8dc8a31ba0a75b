"""Avatars and headers that come with a form, for pages and API alike."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from social.media import uploads
from social.media.kinds import PROFILE_LIMIT
from store.blobs import kind_of
from store.tables import Account
from web.keys import ORIGIN, WORKSHOP
from web.uploads import Form

LIMITS: Final = {"avatar": PROFILE_LIMIT, "header": PROFILE_LIMIT}


@asynccontextmanager
async def taken(request: web.Request, form: Form, old: Account) -> AsyncIterator[Mapping[str, str]]:
    """`avatar_url` and `header_url`, where the form has them.

    The old ones are removed when all went well, the new ones when it did not.
    Raises: Invalid, for what is no picture; Unavailable.
    """
    workshop, names = request.app[WORKSHOP], dict[str, str]()
    try:
        for what in LIMITS:
            if what in form.files:
                names[what] = await workshop.portrait(form.files[what], what)
        yield {f"{what}_url": uploads.address(request.app[ORIGIN], name) for what, name in names.items()}
    except BaseException:
        await workshop.remove(list(names.values()))
        raise
    await workshop.remove([name for what in names if (name := _name(request, _url(old, what)))])


async def forget(request: web.Request, old: Account, new: Account) -> None:
    """Removes the pictures that `new` has no longer."""
    gone = [_url(old, what) for what in LIMITS if _url(old, what) != _url(new, what)]
    await request.app[WORKSHOP].remove([name for url in gone if (name := _name(request, url))])


def _url(account: Account, what: str) -> str | None:
    return account.avatar_url if what == "avatar" else account.header_url


def _name(request: web.Request, url: str | None) -> str:
    """Of a file in our store."""
    place = uploads.address(request.app[ORIGIN], "")
    name = url.removeprefix(place) if url and url.startswith(place) else ""
    return name if kind_of(name) else ""
