"""A reader's rules for news (/settings/news), and what they keep back, sender by sender, until he decides."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from social import filtering
from social import notification_requests as requests
from social.errors import NotFound
from social.filtering import ACCEPT, DROP, FILTER, REASONS, Summary
from store.tables import NotificationPolicy
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.frame import older
from web.paging import page_of
from web.params import as_id, of_query

routes = web.RouteTableDef()

PATH: Final = "/notifications/requests"
RULES: Final = "/settings/news"
# Of whom, and what else is to be said of them.
_SENDERS: Final = {
    "for_not_following": ("People you do not follow", ""),
    "for_not_followers": ("People who do not follow you", "Or not yet for three days."),
    "for_new_accounts": ("New accounts", "Younger than 30 days, unless you follow them."),
    "for_private_mentions": (
        "Private mentions that you did not ask for",
        "From people you do not follow, and not in answer to you.",
    ),
    "for_limited_accounts": ("Accounts that moderators limited", "Or all of their server, unless you follow them."),
    "for_bots": ("Bots", "Unless you follow them."),
}
_LEVELS: Final = {ACCEPT: "Show them", FILTER: "Keep them back", DROP: "Never show them"}


@routes.get(RULES)
async def rules(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    chosen, waiting = await request.app[DATABASE].read(_rules, signed.account.id)
    return frame.show(
        request,
        "settings_news.html",
        chosen=chosen,
        waiting=waiting.requests,
        senders=_SENDERS,
        levels=_LEVELS,
        done="saved" in of_query(request),
    )


def _rules(tx: Connection, account_id: int) -> tuple[NotificationPolicy, Summary]:
    return filtering.policy(tx, account_id), filtering.summary(tx, account_id)


@routes.post(RULES)
async def save_rules(request: web.Request) -> web.Response:
    """What the form does not say stays as it is."""
    signed, given = await frame.posted(request)
    changes = {name: given.text(name) for name in REASONS if name in given}
    await request.app[DATABASE].write(filtering.set_policy, signed.account.id, changes)
    return addresses.see_other(f"{RULES}?saved=1")


@routes.get(PATH)
async def all_requests(request: web.Request) -> web.Response:
    signed, page = await frame.member(request), page_of(request)
    found = await request.app[DATABASE].read(requests.page, signed.account.id, page)
    more = older(request, [view.request.id for view in found], page)
    return frame.show(request, "requests.html", place="notifications", found=found, older=more)


@routes.post(PATH + "/{id:[0-9]+}/{action:accept|dismiss}")
async def decide(request: web.Request) -> web.Response:
    """The sender's news join the others, from now on too; or those that there are go."""
    signed, given = await frame.posted(request)
    number, now = as_id(request.match_info["id"]), datetime.now(UTC)
    accepted = request.match_info["action"] == "accept"
    if number is None or not await request.app[DATABASE].write(_decide, signed.account.id, number, accepted, now):
        raise NotFound("There is no such request; perhaps you decided already")
    return addresses.see_other(given.text("back"), PATH)


def _decide(tx: Connection, account_id: int, number: int, accepted: bool, now: datetime) -> int:
    if accepted:
        return requests.accept(tx, account_id, [number], now)
    return requests.dismiss(tx, account_id, [number])
