"""/settings/filters: words that somebody does not want to read; and what becomes of the posts that have them."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from social.errors import Invalid
from social.filters import keeping
from social.filters.keeping import Changes, KeywordChange
from social.filters.loading import Kept
from web.keys import DATABASE
from web.pages import addresses, frame
from web.params import Params

routes = web.RouteTableDef()

_HERE: Final = "/settings/filters"
_PLACES: Final = {
    "home": "Home and lists",
    "notifications": "News",
    "public": "Public posts and hashtags",
    "thread": "Conversations",
    "account": "Profiles",
}
_ACTIONS: Final = {
    "warn": "Fold them, and say why",
    "blur": "Fold only their pictures and films",
    "hide": "Do not show them at all",
}
_LASTS: Final = {"": "For ever", "3600": "An hour", "86400": "A day", "604800": "A week", "2592000": "A month"}


@routes.get(_HERE)
async def all_filters(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    found = await request.app[DATABASE].read(keeping.all_of, signed.account.id)
    return frame.show(request, "settings_filters.html", found=found, places=_PLACES, actions=_ACTIONS)


@routes.get(_HERE + "/new")
async def new(request: web.Request) -> web.Response:
    await frame.member(request)
    return _form(request, {"title": "", "words": "", "whole": True, "places": [*_PLACES], "action": "warn"})


@routes.post(_HERE + "/new")
async def create(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    try:
        await request.app[DATABASE].write(keeping.create, signed.account.id, _wishes(given, None))
    except Invalid as refusal:
        return _form(request, _typed(given), says=str(refusal))
    return addresses.see_other(_HERE)


@routes.get(_HERE + "/{id:[0-9]+}")
async def edit(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    kept = await request.app[DATABASE].read(
        keeping.get, signed.account.id, frame.number(request, "There is no such filter")
    )
    typed = {
        "title": kept.filter.title,
        "words": "\n".join(one.keyword for one in kept.keywords),
        "whole": all(one.whole_word for one in kept.keywords),
        "places": kept.filter.contexts,
        "action": kept.filter.action,
    }
    return _form(request, typed, kept)


@routes.post(_HERE + "/{id:[0-9]+}")
async def save(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    kept = await request.app[DATABASE].read(
        keeping.get, signed.account.id, frame.number(request, "There is no such filter")
    )
    try:
        await request.app[DATABASE].write(keeping.change, signed.account.id, kept.filter.id, _wishes(given, kept))
    except Invalid as refusal:
        return _form(request, _typed(given), kept, says=str(refusal))
    return addresses.see_other(_HERE)


@routes.post(_HERE + "/{id:[0-9]+}/delete")
async def delete(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    await request.app[DATABASE].write(
        keeping.remove, signed.account.id, frame.number(request, "There is no such filter")
    )
    return addresses.see_other(_HERE)


def _wishes(given: Params, kept: Kept | None) -> Changes:
    """One keyword in each line; those that are not there any more go.  `lasts` is "keep" where the end stays.

    Raises: Invalid.
    """
    typed, whole, lasts = _typed(given), given.flag("whole"), given.text("lasts")
    lines = list(dict.fromkeys(line.strip() for line in typed["words"].splitlines() if line.strip()))
    there = {one.keyword: one for one in kept.keywords} if kept else {}
    seconds = int(lasts) if lasts in _LASTS and lasts else 0
    if not typed["places"]:
        raise Invalid("Choose where it holds: a filter without a place does nothing")
    return Changes(
        typed["title"] or (lines[0] if lines else ""),
        tuple(typed["places"]),
        typed["action"],
        expiry=lasts != "keep",
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None,
        keywords=[
            *(KeywordChange(one.id, gone=True) for word, one in there.items() if word not in lines),
            *(KeywordChange(there[word].id if word in there else None, word, whole) for word in lines),
        ],
    )


def _typed(given: Params) -> dict[str, Any]:
    return {
        "title": given.text("title").strip(),
        "words": given.text("words"),
        "whole": given.flag("whole"),
        "places": given.many("places"),
        "action": given.text("action") or "warn",
    }


def _form(request: web.Request, typed: dict[str, Any], kept: Kept | None = None, says: str = "") -> web.Response:
    return frame.show(
        request,
        "settings_filter.html",
        status=422 if says else 200,
        typed=typed,
        kept=kept,
        says=says.removeprefix("Validation failed: "),
        places=_PLACES,
        actions=_ACTIONS,
        lasts=_LASTS,
    )
