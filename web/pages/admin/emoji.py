"""/admin/emoji: pictures that members write as :names:, own ones and such as are seen elsewhere."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from federation.errors import FederationError
from social import accounts, emojis
from social.errors import Invalid, NotFound, Refusal
from social.media.kinds import EMOJI_LIMIT
from social.moderation import audit
from social.moderation.sanctions import Staff
from social.posts import find
from store.tables import Account, CustomEmoji
from web.keys import DATABASE, PROXY, REMOTE, WORKSHOP
from web.pages import addresses, frame
from web.pages.admin.common import acts, do, looks, staff
from web.params import of_query

routes = web.RouteTableDef()

HERE: Final = "/admin/emoji"
_GONE: Final = "There is no such emoji any more"


@routes.get(HERE)
async def all_of(request: web.Request) -> web.Response:
    await looks(request, "admin")
    return await _show(request)


async def _show(request: web.Request, says: str = "", **typed: Any) -> web.Response:
    found = await request.app[DATABASE].read(emojis.all_of)
    groups = defaultdict[str, list[CustomEmoji]](list)
    for it in found:
        groups[it.category or ""].append(it)
    return frame.show(
        request, "admin_emoji.html", status=422 if says else 200, says=says, groups=groups, most=EMOJI_LIMIT,
        typed={"name": "", "category": "", "where": "", "seen": None, **typed},
        names={it.shortcode for it in found},
    )  # fmt: skip


@routes.post(HERE)
async def add(request: web.Request) -> web.Response:
    async with frame.posted_files(request, {"picture": EMOJI_LIMIT}) as (signed, form):
        by = staff(signed, "admin")
        name, category = form.params.text("name"), form.params.text("category")
        try:
            if "picture" not in form.files:
                raise Invalid("Please choose a picture")
            await _make(request, by, name, category, form.files["picture"])
        except Refusal as refusal:
            return await _show(request, str(refusal), name=name, category=category)
    return addresses.see_other(HERE)


async def _make(request: web.Request, by: Staff, name: str, category: str, file: Path) -> None:
    """The file first: a row without a file is a broken picture.  Raises: Invalid, Unavailable."""
    emojis.check(name)
    workshop = request.app[WORKSHOP]
    whole, still = await workshop.emoji(file)
    try:
        await do(request, by, _add, name, whole, still, category)
    except BaseException:
        await workshop.remove([one for one in (whole, still) if one])
        raise


def _add(tx: Connection, by: Staff, name: str, whole: str, still: str | None, category: str, now: datetime) -> None:
    made = emojis.add(tx, name, whole, still, category, now)
    audit.note(tx, by.account, "add", "emoji", made.shortcode, now)


@routes.post(HERE + "/{name}/{act:category|remove}")
async def act_on(request: web.Request) -> web.Response:
    by, given = await acts(request, "admin")
    name = request.match_info["name"].replace("\0", "")
    if request.match_info["act"] == "remove":
        await request.app[WORKSHOP].remove(await do(request, by, _remove, name))
        return addresses.see_other(HERE)
    try:
        await do(request, by, _categorise, name, given.text("category"))
    except Invalid as refusal:
        return await _show(request, str(refusal))
    return addresses.see_other(HERE)


def _remove(tx: Connection, by: Staff, name: str, now: datetime) -> list[str]:
    files = emojis.remove(tx, name)
    audit.note(tx, by.account, "remove", "emoji", name, now)
    return files


def _categorise(tx: Connection, by: Staff, name: str, category: str, now: datetime) -> None:
    emojis.categorise(tx, name, category)
    audit.note(tx, by.account, "change", "emoji", name, now)


@routes.get(HERE + "/seen")
async def seen(request: web.Request) -> web.Response:
    """Those of a post or a person of another server, to be copied."""
    await looks(request, "admin")
    where = of_query(request).text("where").strip()
    try:
        found = await _seen(request, where)
    except (Refusal, FederationError) as refusal:
        return await _show(request, str(refusal), where=where)
    return await _show(request, "" if found else "There is no emoji", where=where, seen=found)


@routes.post(HERE + "/seen")
async def copy(request: web.Request) -> web.Response:
    """What is fetched is what stands there, not what the form says."""
    by, given = await acts(request, "admin")
    where, code = given.text("where"), given.text("shortcode")
    found: dict[str, str] = {}
    try:
        found = await _seen(request, where)
        if code not in found:
            raise NotFound(_GONE)
        file = await request.app[PROXY].get(found[code])
        await _make(request, by, given.text("name") or code, given.text("category"), file)
    except (Refusal, FederationError) as refusal:
        return await _show(request, str(refusal), where=where, seen=found)
    return addresses.see_other(addresses.with_query(HERE + "/seen", where=where))


async def _seen(request: web.Request, where: str) -> dict[str, str]:
    """The address of each by its name.  Raises: Refusal, FederationError."""
    if not where:
        raise Invalid("Please give the address of a post, or of a person")
    found = await request.app[REMOTE].resolve(where)
    if found is None:
        raise NotFound("There is nothing of that address")
    return await request.app[DATABASE].read(_of, found)


def _of(tx: Connection, found: Account | int) -> dict[str, str]:
    if isinstance(found, Account):
        rows = found.emojis
    else:
        post = find.by_id(tx, found)
        rows = [*(post.emojis or ()), *accounts.by_id(tx, post.author_id).emojis]
    return {row["shortcode"]: row["url"] for row in rows}
