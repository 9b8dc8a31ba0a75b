"""What a person keeps about others: https://docs.joinmastodon.org/methods/mutes/, /blocks/, /domain_blocks/,
/endorsements/, and those parts of /accounts/."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from social import blocks, domains, follows, keepsakes, mutes
from store.tables import Account
from web import auth, params
from web.api import shapes
from web.api.answers import answer, framed_for
from web.api.entities.account import muted_account, shown_to
from web.api.people import account_of, act, people
from web.api.spec import PAGE, spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN
from web.paging import links, page_of

routes = web.RouteTableDef()

_MOST: Final = 200  # domains on one page


@routes.post("/api/v1/accounts/{id}/mute")
@spec(answers=shapes.Relationship, body={"notifications": bool, "duration": int})
@auth.person("write:mutes")
async def mute(request: web.Request, caller: Caller) -> web.Response:
    given = await params.read(request)
    notifications, seconds = given.flag("notifications", default=True), given.number("duration") or 0
    return await act(request, caller, mutes.mute, notifications, seconds)


@routes.post("/api/v1/accounts/{id}/unmute")
@spec(answers=shapes.Relationship)
@auth.person("write:mutes")
async def unmute(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, mutes.unmute)


@routes.get("/api/v1/mutes")
@spec(answers=list[shapes.MutedAccount], query=PAGE)
@auth.person("read:mutes")
async def get_mutes(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request, usual=40, most=80)
    found = await request.app[DATABASE].read(mutes.page, caller.account.id, page)
    frame = await framed_for(request, caller.account, [one.account for one in found])
    entities = [muted_account(one, frame) for one in found]
    return answer(entities, links(request, [one.id for one in found], page))


@routes.get("/api/v1/blocks")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.person("read:blocks")
async def get_blocks(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request, usual=40, most=80)
    found = await request.app[DATABASE].read(blocks.page, caller.account.id, page)
    frame = await framed_for(request, caller.account, [it for _, it in found])
    entities = [shown_to(it, frame) for _, it in found]
    return answer(entities, links(request, [number for number, _ in found], page))


@routes.get("/api/v1/domain_blocks")
@spec(answers=list[str], query=PAGE)
@auth.person("read:blocks")
async def get_domain_blocks(request: web.Request, caller: Caller) -> web.Response:
    page = page_of(request, usual=100, most=_MOST)
    found = await request.app[DATABASE].read(domains.page, caller.account.id, page)
    return answer([domain for _, domain in found], links(request, [number for number, _ in found], page))


@routes.post("/api/v1/domain_blocks")
@spec(body={"domain": str})
@auth.person("write:blocks")
async def block_domain(request: web.Request, caller: Caller) -> web.Response:
    domain = (await params.read(request)).text("domain")
    await request.app[DATABASE].write(domains.block, request.app[ORIGIN], caller.account.id, domain, datetime.now(UTC))
    return answer({})


@routes.delete("/api/v1/domain_blocks")
@spec(body={"domain": str})
@auth.person("write:blocks")
async def unblock_domain(request: web.Request, caller: Caller) -> web.Response:
    domain = (await params.read(request)).text("domain")
    await request.app[DATABASE].write(domains.unblock, caller.account.id, domain)
    return answer({})


@routes.post("/api/v1/accounts/{id}/note")
@spec(answers=shapes.Relationship, body={"comment": str})
@auth.person("write:accounts")
async def note(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, keepsakes.note, (await params.read(request)).text("comment"))


@routes.post("/api/v1/accounts/{id}/pin")
@spec(answers=shapes.Relationship)
@auth.person("write:accounts")
async def pin(request: web.Request, caller: Caller) -> web.Response:
    """As it was called before Mastodon 4.4."""
    return await act(request, caller, keepsakes.endorse)


@routes.post("/api/v1/accounts/{id}/unpin")
@spec(answers=shapes.Relationship)
@auth.person("write:accounts")
async def unpin(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, keepsakes.unendorse)


@routes.post("/api/v1/accounts/{id}/endorse")
@spec(answers=shapes.Relationship)
@auth.person("write:accounts")
async def endorse(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, keepsakes.endorse)


@routes.post("/api/v1/accounts/{id}/unendorse")
@spec(answers=shapes.Relationship)
@auth.person("write:accounts")
async def unendorse(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, keepsakes.unendorse)


@routes.get("/api/v1/endorsements")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.person("read:accounts")
async def own_endorsements(request: web.Request, caller: Caller) -> web.Response:
    return await people(request, keepsakes.endorsed, caller.account, caller.account)


@routes.get("/api/v1/accounts/{id}/endorsements")
@spec(answers=list[shapes.Account], query=PAGE)
@auth.anybody("read:accounts")
async def get_endorsements(request: web.Request, reader: Account | None) -> web.Response:
    """Of people of ours: other servers do not tell theirs."""
    return await people(request, keepsakes.endorsed, await account_of(request), reader)


@routes.post("/api/v1/accounts/{id}/remove_from_followers")
@spec(answers=shapes.Relationship)
@auth.person("write:follows")
async def remove_from_followers(request: web.Request, caller: Caller) -> web.Response:
    return await act(request, caller, follows.remove_follower)
