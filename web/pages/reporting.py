"""/report: telling the moderators of somebody, or of a post of his; /reports: what became of it."""

from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import accounts, site, views
from social.errors import Invalid, NotFound
from social.follows import Relationship, relationship
from social.moderation import Complaint, answered, report
from social.views import PostView
from store.tables import Account, Rule
from web.keys import DATABASE
from web.pages import addresses, frame
from web.paging import page_of
from web.params import Params, of_query

routes = web.RouteTableDef()

_HERE: Final = "/report"
_MISSING: Final = "There is nobody, or no post, of that address"
CATEGORIES: Final = {
    "spam": "It is spam: advertising, deceit, unwanted again and again",
    "violation": "It breaks rules of this server",
    "legal": "It is against the law",
    "other": "Something else",
}


@routes.get("/reports")
async def all_of_mine(request: web.Request) -> web.Response:
    signed, page = await frame.member(request), page_of(request)
    found = await request.app[DATABASE].read(answered.mine, signed.account.id, page)
    more = frame.older(request, [it.report.id for it in found], page)
    return frame.show(request, "reports.html", found=found, older=more)


@routes.get(_HERE)
async def begin(request: web.Request) -> web.Response:
    return await _form(request, of_query(request), Complaint(0))


async def _form(request: web.Request, given: Params, typed: Complaint, says: str = "") -> web.Response:
    signed = await frame.member(request)
    target, post, rules, stands = await request.app[DATABASE].read(_about, signed.account.id, given)
    chosen: dict[str, Any] = {"typed": typed, "categories": CATEGORIES, "rules": rules}
    return frame.show(
        request, "report.html", status=422 if says else 200, target=target, view=post, stands=stands, says=says,
        done=given.flag("done"), **chosen,
    )  # fmt: skip


def _about(tx: Connection, reader_id: int, given: Params) -> tuple[Account, PostView | None, list[Rule], Relationship]:
    """Who and what is told of.  Raises: NotFound."""
    post_id, account_id = given.id("post"), given.id("account")
    post = None if post_id is None else views.post(tx, post_id, reader_id)
    if (post_id is not None and post is None) or (post is None and account_id is None):
        raise NotFound(_MISSING)
    target = post.parts.author if post is not None else accounts.by_id(tx, account_id or 0)
    return target, post, site.all_rules(tx), relationship(tx, reader_id, [target.id])[target.id]


@routes.post(_HERE)
async def send(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    target, post, _, _ = await request.app[DATABASE].read(_about, signed.account.id, given)
    rules = given.many("rule")
    said = Complaint(
        target.id,
        [post.parts.post.id] if post is not None else [],
        comment=given.text("comment"),
        category=given.text("category") or "other",
        rule_ids=rules if given.text("category") == "violation" else [],
        forward=given.flag("forward"),
    )
    try:
        await request.app[DATABASE].write(report, signed.account.id, said, datetime.now(UTC))
    except Invalid as refusal:
        return await _form(request, given, said, str(refusal))
    return addresses.see_other(addresses.with_query(_HERE, account=target.id, done=1))
