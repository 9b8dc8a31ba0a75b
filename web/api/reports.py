"""Reports: https://docs.joinmastodon.org/methods/reports/"""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from social import accounts
from social.errors import Invalid, NotFound
from social.moderation import Complaint, report, status_ids
from social.subjects import ReportView
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed_for
from web.api.entities.notification import report as entity
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE
from web.params import Params, as_id

routes = web.RouteTableDef()


@routes.post("/api/v1/reports")
@spec(
    answers=shapes.Report,
    body={
        "account_id": str,
        "status_ids": list[str],
        "collection_ids": list[str],
        "comment": str,
        "forward": bool,
        "category": str,
        "rule_ids": list[str],
        "forward_to_domains": list[str],
    },
)
@auth.person("write:reports")
async def post_report(request: web.Request, caller: Caller) -> web.Response:
    said = _complaint(await params.read(request))
    made = await request.app[DATABASE].write(_report, caller.account.id, said, datetime.now(UTC))
    return answer(entity(made, await framed_for(request, caller.account, [made.target])))


def _complaint(given: Params) -> Complaint:
    """Raises: Invalid, NotFound."""
    target_id = given.id("account_id")
    if target_id is None:
        raise Invalid("account_id is missing")
    return Complaint(
        target_id,
        [_id(text) for text in given.many("status_ids")],
        comment=given.text("comment"),
        category=given.text("category") or "other",
        rule_ids=given.many("rule_ids"),
        forward=given.flag("forward"),
        forward_to=given.many("forward_to_domains"),
        collection_ids=[_id(text) for text in given.many("collection_ids")],
    )


def _id(text: str) -> int:
    number = as_id(text)
    if number is None:
        raise NotFound("Record not found")
    return number


def _report(tx: Connection, reporter_id: int, said: Complaint, now: datetime) -> ReportView:
    made = report(tx, reporter_id, said, now)
    target, posts = accounts.by_id(tx, made.target_id), tuple(status_ids(tx, made))
    return ReportView(made, target, posts, tuple(dict.fromkeys(said.collection_ids)))
