"""Limits on other servers.

https://docs.joinmastodon.org/methods/admin/domain_blocks/ and /domain_allows/
"""

from hashlib import sha256
from typing import Final

from aiohttp import web

from social.errors import Invalid
from social.moderation import domains
from social.moderation.domains import EXCEPTIONS, LIMITS
from social.moderation.hosts import LIMIT, SEVERITIES, PolicyDraft
from social.numbers import number_of
from store.tables import HostPolicy
from web import auth, params
from web.api import shapes
from web.api.admin.common import do
from web.api.answers import answer, path_id
from web.api.entities.account import moment
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.paging import links, page_of
from web.params import Params

routes = web.RouteTableDef()

READ_BLOCKS, WRITE_BLOCKS = "admin:read:domain_blocks", "admin:write:domain_blocks"
READ_ALLOWS, WRITE_ALLOWS = "admin:read:domain_allows", "admin:write:domain_allows"
_LEVELS: Final = {severity: level for level, severity in SEVERITIES.items()}
_BODY: Final = {
    "severity": str,
    "reject_media": bool,
    "reject_reports": bool,
    "private_comment": str,
    "public_comment": str,
    "obfuscate": bool,
}


@routes.get("/api/v1/admin/domain_blocks")
@spec(answers=list[shapes.AdminDomainBlock], query=PAGE)
@auth.staff(READ_BLOCKS, least="admin")
async def list_blocks(request: web.Request, _: Caller) -> web.Response:
    page = page_of(request, usual=100, most=200)
    found = await request.app[DATABASE].read(domains.page, LIMITS, page)
    numbers = [number_of(one.host) for one in found]
    return answer([_block(one) for one in found], links(request, numbers, page))


@routes.post("/api/v1/admin/domain_blocks")
@spec(answers=shapes.AdminDomainBlock, body={"domain": str, **_BODY})
@auth.staff(WRITE_BLOCKS, least="admin")
async def add_block(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    draft = _changed(PolicyDraft(given.text("domain"), LIMIT), given)
    return answer(_block(await do(request, caller, domains.add, _ours(request), draft)))


@routes.get("/api/v1/admin/domain_blocks/{id}")
@spec(answers=shapes.AdminDomainBlock)
@auth.staff(READ_BLOCKS, least="admin")
async def show_block(request: web.Request, _: Caller) -> web.Response:
    return answer(_block(await request.app[DATABASE].read(domains.by_number, LIMITS, path_id(request))))


@routes.put("/api/v1/admin/domain_blocks/{id}")
@spec(answers=shapes.AdminDomainBlock, body=_BODY)
@auth.staff(WRITE_BLOCKS, least="admin")
async def change_block(request: web.Request, caller: Caller) -> web.Response:
    it: HostPolicy = await request.app[DATABASE].read(domains.by_number, LIMITS, path_id(request))
    draft = _changed(PolicyDraft.of(it), await params.read(request))
    return answer(_block(await do(request, caller, domains.change, draft)))


@routes.delete("/api/v1/admin/domain_blocks/{id}")
@spec()
@auth.staff(WRITE_BLOCKS, least="admin")
async def remove_block(request: web.Request, caller: Caller) -> web.Response:
    it: HostPolicy = await request.app[DATABASE].read(domains.by_number, LIMITS, path_id(request))
    await do(request, caller, domains.remove, it.host)
    return answer({})


@routes.get("/api/v1/admin/domain_allows")
@spec(answers=list[shapes.AdminDomainAllow], query=PAGE)
@auth.staff(READ_ALLOWS, least="admin")
async def list_allows(request: web.Request, _: Caller) -> web.Response:
    page = page_of(request, usual=100, most=200)
    found = await request.app[DATABASE].read(domains.page, EXCEPTIONS, page)
    numbers = [number_of(one.host) for one in found]
    return answer([_allow(one) for one in found], links(request, numbers, page))


@routes.post("/api/v1/admin/domain_allows")
@spec(answers=shapes.AdminDomainAllow, body={"domain": str})
@auth.staff(WRITE_ALLOWS, least="admin")
async def add_allow(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    made = await do(request, caller, domains.allow, _ours(request), given.text("domain"))
    return answer(_allow(made))


@routes.get("/api/v1/admin/domain_allows/{id}")
@spec(answers=shapes.AdminDomainAllow)
@auth.staff(READ_ALLOWS, least="admin")
async def show_allow(request: web.Request, _: Caller) -> web.Response:
    return answer(_allow(await request.app[DATABASE].read(domains.by_number, EXCEPTIONS, path_id(request))))


@routes.delete("/api/v1/admin/domain_allows/{id}")
@spec()
@auth.staff(WRITE_ALLOWS, least="admin")
async def remove_allow(request: web.Request, caller: Caller) -> web.Response:
    it: HostPolicy = await request.app[DATABASE].read(domains.by_number, EXCEPTIONS, path_id(request))
    await do(request, caller, domains.remove, it.host)
    return answer({})


def _ours(request: web.Request) -> tuple[str, str]:
    origin = request.app[ORIGIN]
    return origin.host, origin.domain


def _changed(draft: PolicyDraft, given: Params) -> PolicyDraft:
    """What is not given stays.  Raises: Invalid."""
    severity = given.text("severity", SEVERITIES[draft.level])
    if severity not in _LEVELS:
        raise Invalid(f"severity is one of {', '.join(_LEVELS)}")
    return PolicyDraft(
        draft.host,
        _LEVELS[severity],
        given.text("public_comment", draft.comment),
        given.text("private_comment", draft.private_comment),
        given.flag("reject_media", draft.reject_media),
        given.flag("reject_reports", draft.reject_reports),
        given.flag("obfuscate", draft.obfuscate),
    )


def _block(it: HostPolicy) -> shapes.AdminDomainBlock:
    return {
        "id": str(number_of(it.host)),
        "domain": it.host,
        "digest": sha256(it.host.encode()).hexdigest(),
        "created_at": moment(it.created_at),
        "severity": SEVERITIES[it.level],
        "reject_media": it.reject_media,
        "reject_reports": it.reject_reports,
        "private_comment": it.private_comment or None,
        "public_comment": it.comment or None,
        "obfuscate": it.obfuscate,
    }


def _allow(it: HostPolicy) -> shapes.AdminDomainAllow:
    return {"id": str(number_of(it.host)), "domain": it.host, "created_at": moment(it.created_at)}
