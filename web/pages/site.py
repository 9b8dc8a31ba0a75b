"""What this server says of itself: what it is, its rules, its privacy policy, its terms."""

from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from social import instance, site
from social.errors import NotFound
from social.instance import Usage
from social.site import Terms
from store.tables import Rule, SiteText
from web.keys import DATABASE, ORIGIN
from web.pages import frame

routes = web.RouteTableDef()


@routes.get("/about")
async def about(request: web.Request) -> web.Response:
    await frame.look(request)
    usage, known, rules, texts, terms = await request.app[DATABASE].read(_about)
    said = texts[site.ABOUT]
    return frame.show(
        request,
        "about.html",
        usage=usage,
        known=known,
        rules=rules,
        said=site.shown(said.source, request.app[ORIGIN]) if said else "",
        has_privacy=texts[site.PRIVACY] is not None,
        has_terms=terms is not None,
    )


def _about(tx: Connection) -> tuple[Usage, int, list[Rule], dict[str, SiteText | None], Terms | None]:
    texts = {name: site.find_text(tx, name) for name in (site.ABOUT, site.PRIVACY)}
    terms = site.terms(tx, datetime.now(UTC))
    return instance.usage(tx), instance.hosts_count(tx), site.all_rules(tx), texts, terms


@routes.get("/privacy-policy")
async def privacy_policy(request: web.Request) -> web.Response:
    await frame.look(request)
    found = await request.app[DATABASE].read(site.find_text, site.PRIVACY)
    if found is None:
        raise NotFound("The owner of this server has written no privacy policy yet")
    return _show(request, "Privacy policy", found)


@routes.get("/terms-of-service")
async def terms_of_service(request: web.Request) -> web.Response:
    return await _terms(request, None)


@routes.get("/terms-of-service/{date}")
async def terms_of_day(request: web.Request) -> web.Response:
    return await _terms(request, request.match_info["date"].replace("\0", ""))


async def _terms(request: web.Request, day: str | None) -> web.Response:
    await frame.look(request)
    found = await request.app[DATABASE].read(site.terms, datetime.now(UTC), day)
    if found is None:
        raise NotFound("There are no such terms of service")
    return _show(request, "Terms of service", found.text, holds=found.holds, next_=found.next)


def _show(
    request: web.Request, title: str, found: SiteText, *, holds: bool = True, next_: str | None = None
) -> web.Response:
    return frame.show(
        request,
        "text.html",
        title=title,
        said=site.shown(found.source, request.app[ORIGIN]),
        text=found,
        holds=holds,
        next=next_,
    )
