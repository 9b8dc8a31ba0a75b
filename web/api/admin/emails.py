"""Addresses with which nobody may sign up.

https://docs.joinmastodon.org/methods/admin/email_domain_blocks/ and /canonical_email_blocks/
"""

from typing import Final

from aiohttp import web

from social.errors import Invalid
from social.moderation import emails
from store.tables import EmailBlock, EmailDomainBlock
from web import auth, params
from web.api import shapes
from web.api.admin.common import do
from web.api.answers import answer, path_id
from web.api.entities.account import moment
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE
from web.paging import links, page_of

routes = web.RouteTableDef()

READ_DOMAINS, WRITE_DOMAINS = "admin:read:email_domain_blocks", "admin:write:email_domain_blocks"
READ, WRITE = "admin:read:canonical_email_blocks", "admin:write:canonical_email_blocks"
_LESS: Final = "`history` is empty: who tried is not counted"


@routes.get("/api/v1/admin/email_domain_blocks")
@spec(answers=list[shapes.AdminEmailDomainBlock], query=PAGE, partial=_LESS)
@auth.staff(READ_DOMAINS)
async def list_domains(request: web.Request, _: Caller) -> web.Response:
    page = page_of(request, usual=100, most=200)
    found = await request.app[DATABASE].read(emails.page, EmailDomainBlock, page)
    return answer([_domain(one) for one in found], links(request, [one.id for one in found], page))


@routes.post("/api/v1/admin/email_domain_blocks")
@spec(answers=shapes.AdminEmailDomainBlock, body={"domain": str}, partial=_LESS)
@auth.staff(WRITE_DOMAINS)
async def block_domain(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    return answer(_domain(await do(request, caller, emails.block_domain, given.text("domain"))))


@routes.get("/api/v1/admin/email_domain_blocks/{id}")
@spec(answers=shapes.AdminEmailDomainBlock, partial=_LESS)
@auth.staff(READ_DOMAINS)
async def show_domain(request: web.Request, _: Caller) -> web.Response:
    return answer(_domain(await request.app[DATABASE].read(emails.by_id, EmailDomainBlock, path_id(request))))


@routes.delete("/api/v1/admin/email_domain_blocks/{id}")
@spec()
@auth.staff(WRITE_DOMAINS)
async def unblock_domain(request: web.Request, caller: Caller) -> web.Response:
    await do(request, caller, emails.unblock, EmailDomainBlock, path_id(request))
    return answer({})


@routes.get("/api/v1/admin/canonical_email_blocks")
@spec(answers=list[shapes.AdminCanonicalEmailBlock], query=PAGE)
@auth.staff(READ)
async def list_(request: web.Request, _: Caller) -> web.Response:
    page = page_of(request, usual=100, most=200)
    found = await request.app[DATABASE].read(emails.page, EmailBlock, page)
    return answer([_email(one) for one in found], links(request, [one.id for one in found], page))


@routes.post("/api/v1/admin/canonical_email_blocks/test")
@spec(answers=list[shapes.AdminCanonicalEmailBlock], body={"email": str})
@auth.staff(READ)
async def test(request: web.Request, _: Caller) -> web.Response:
    address = _address(await params.read(request))
    return answer([_email(one) for one in await request.app[DATABASE].read(emails.matching, address)])


@routes.post("/api/v1/admin/canonical_email_blocks")
@spec(answers=shapes.AdminCanonicalEmailBlock, body={"email": str, "canonical_email_hash": str})
@auth.staff(WRITE)
async def block(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    hashed = given.text("canonical_email_hash").strip().lower() or emails.hash_of(_address(given))
    return answer(_email(await do(request, caller, emails.block, hashed)))


@routes.get("/api/v1/admin/canonical_email_blocks/{id}")
@spec(answers=shapes.AdminCanonicalEmailBlock)
@auth.staff(READ)
async def show(request: web.Request, _: Caller) -> web.Response:
    return answer(_email(await request.app[DATABASE].read(emails.by_id, EmailBlock, path_id(request))))


@routes.delete("/api/v1/admin/canonical_email_blocks/{id}")
@spec()
@auth.staff(WRITE)
async def unblock(request: web.Request, caller: Caller) -> web.Response:
    await do(request, caller, emails.unblock, EmailBlock, path_id(request))
    return answer({})


def _address(given: params.Params) -> str:
    """Raises: Invalid."""
    address = given.text("email").strip()
    if "@" not in address.strip("@"):
        raise Invalid("email should be an address")
    return address


def _domain(it: EmailDomainBlock) -> shapes.AdminEmailDomainBlock:
    return {
        "id": str(it.id),
        "domain": it.domain,
        "created_at": moment(it.created_at),
        "history": [],
        "allow_with_approval": False,
    }


def _email(it: EmailBlock) -> shapes.AdminCanonicalEmailBlock:
    return {"id": str(it.id), "canonical_email_hash": it.hash}
