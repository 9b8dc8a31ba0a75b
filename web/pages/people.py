"""Profiles, who follows whom, and the buttons between people."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import accounts, backfills, blocks, discovery, follows, keepsakes, mutes, pins, timelines
from social.collections import views
from social.collections.views import CollectionView
from social.errors import Gone, NotFound
from social.follows import Listed, Relationship
from social.pages import Page
from social.views import PostView
from store.tables import INSTANCE_ACTOR_ID, Account
from web.keys import DATABASE, ORIGIN
from web.pages import addresses, frame
from web.pages.frame import cursors, older, viewer_id
from web.paging import page_of
from web.params import as_id, of_query

routes = web.RouteTableDef()

COLLECTIONS: Final = 10  # of one account that are shown
ENDORSED: Final = 10
TABS: Final = {"": "Posts", "comments": "With comments", "media": "Media"}


@dataclass(frozen=True, slots=True)
class Profile:
    account: Account
    pinned: list[PostView]
    found: list[PostView]
    stands: Relationship | None
    collections: list[CollectionView]
    endorsed: list[Listed]
    backfill: backfills.State | None


def _load(tx: Connection, account_id: int, reader_id: int | None, page: Page, tab: str, now: datetime) -> Profile:
    account = accounts.by_id(tx, account_id)
    first = page.max_id is None and page.min_id is None and not tab
    stands = None
    if reader_id is not None and reader_id != account.id:
        stands = follows.relationship(tx, reader_id, [account.id])[account.id]
    found = timelines.account_page(
        tx, reader_id, account.id, page, replies=tab == "comments", only_media=tab == "media"
    )
    pinned, shown, endorsed = [], [], []
    if first:
        pinned = pins.shown(tx, reader_id, account.id)
        shown = views.of_account(tx, account.id, reader_id, COLLECTIONS)
        endorsed = keepsakes.endorsed(tx, account.id, Page(limit=ENDORSED)) if account.is_local else []
    backfill = None if account.is_local or reader_id is None else backfills.state(tx, account.id, now)
    return Profile(account, pinned, found, stands, shown, endorsed, backfill)


async def profile(request: web.Request) -> web.Response:
    """`/@name`, and `/@name@host` for those who are signed in."""
    account = await named(request)
    signed, page = await frame.look(request), page_of(request)
    tab = of_query(request).text("show")
    tab = tab if tab in TABS else ""
    db, now = request.app[DATABASE], datetime.now(UTC)
    found = await db.read(_load, account.id, viewer_id(signed), page, tab, now)
    state = found.backfill
    asking = state is not None and (state.running or (state.due and await db.write(backfills.ask, account.id, now)))
    return frame.show(
        request,
        "profile.html",
        place="account",
        account=found.account,
        handle=f"@{account.username}@{account.domain or request.app[ORIGIN].domain}",
        stands=found.stands,
        pinned=found.pinned,
        collections=found.collections,
        endorsed=found.endorsed,
        longest_note=keepsakes.LONGEST_NOTE,
        found=found.found,
        asking=asking,
        tab=tab,
        tabs=TABS,
        older=older(request, cursors(found.found), page),
        noindex=not (account.is_local and account.indexable),
    )


@routes.get("/@{name}/{which:followers|following}")
async def people(request: web.Request) -> web.Response:
    account, page = await named(request), page_of(request, 40)
    signed, which = await frame.look(request), request.match_info["which"]
    unit = follows.followers_page if which == "followers" else follows.following_page
    found = await request.app[DATABASE].read(unit, account.id, page)
    return frame.show(
        request,
        "people.html",
        account=account,
        which=which,
        found=[one.account for one in found],
        own=frame.is_own(signed, account),
        older=older(request, [one.id for one in found], page),
        noindex=True,
    )


async def named(request: web.Request) -> Account:
    """Whom the address names; of another server, only for members: others read there.  Raises: NotFound, Gone."""
    name = request.match_info["name"]
    account = await request.app[DATABASE].read(_find, name, request.app[ORIGIN])
    if account is None or not account.is_local:
        if "@" in name:
            await frame.member(request)
        if account is None:
            raise NotFound("Nobody is called that here")
    if account.is_gone:
        raise Gone("This account is no more")
    return account


def _find(tx: Connection, name: str, origin: Origin) -> Account | None:
    found = accounts.find_by_handle(tx, name, origin)
    return None if found is not None and found.id == INSTANCE_ACTOR_ID else found


def _follow(tx: Connection, account_id: int, other_id: int, now: datetime) -> None:
    follows.ask(tx, account_id, other_id, now)


def _prefer(
    tx: Connection, account_id: int, other_id: int, now: datetime, boosts: bool | None = None, bell: bool | None = None
) -> None:
    """None: as it is.  Raises: NotFound, when he does not follow."""
    old = follows.relationship(tx, account_id, [other_id])[other_id]
    if not (old.following or old.requested):
        raise NotFound("You do not follow that account")
    follows.ask(
        tx,
        account_id,
        other_id,
        now,
        show_boosts=old.show_boosts if boosts is None else boosts,
        notify=old.notify if bell is None else bell,
        languages=old.languages,
    )


def _overlook(tx: Connection, account_id: int, other_id: int, _: datetime) -> None:
    discovery.dismiss(tx, account_id, other_id)


_ACTIONS: Final[dict[str, Callable[..., Any]]] = {
    "overlook": _overlook,
    "follow": _follow,
    "boosts": partial(_prefer, boosts=True),
    "no-boosts": partial(_prefer, boosts=False),
    "bell": partial(_prefer, bell=True),
    "no-bell": partial(_prefer, bell=False),
    "endorse": keepsakes.endorse,
    "unendorse": keepsakes.unendorse,
    "unfollow": follows.unfollow,
    "block": blocks.block,
    "unblock": blocks.unblock,
    "unmute": mutes.unmute,
    "accept": follows.accept_request,
    "reject": follows.reject_request,
    "remove": follows.remove_follower,
}


@routes.post(f"/accounts/{{id:[0-9]+}}/{{action:mute|note|{'|'.join(_ACTIONS)}}}")
async def act(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    other_id, action = as_id(request.match_info["id"]), request.match_info["action"]
    if other_id is None:
        raise NotFound("No such account")
    unit = _ACTIONS.get(action) or (
        partial(mutes.mute, seconds=given.number("seconds") or 0)
        if action == "mute"
        else partial(keepsakes.note, text=given.text("note"))
    )
    await request.app[DATABASE].write(unit, signed.account.id, other_id, datetime.now(UTC))
    return addresses.see_other(given.text("back"), "/home")
