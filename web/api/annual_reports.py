"""Annual reports: https://docs.joinmastodon.org/methods/annual_reports/

A server may offer them, or not.  This one does not: `wrapstodon` of the instance is null, and nobody has any.
"""

from typing import Final

from aiohttp import web

from social.errors import NotFound
from web import auth
from web.api import shapes
from web.api.answers import answer
from web.api.spec import spec
from web.auth import Caller
from web.params import as_id

routes = web.RouteTableDef()

_NONE: Final = "none are made here"
_HERE: Final = "/api/v1/annual_reports"
_YEAR: Final = _HERE + "/{year}"
_YEARS: Final = range(2000, 10_000)


@routes.get(_HERE)
@spec(answers=shapes.AnnualReports, partial=_NONE)
@auth.person("read:accounts")
async def get_all(request: web.Request, caller: Caller) -> web.Response:  # noqa: ARG001
    return answer({"annual_reports": [], "accounts": [], "statuses": []})


@routes.get(_YEAR)
@spec(answers=shapes.AnnualReports, partial=_NONE)
@auth.person("read:accounts")
async def get(request: web.Request, caller: Caller) -> web.Response:  # noqa: ARG001
    raise NotFound("Record not found")


@routes.get(_YEAR + "/state")
@spec(answers=shapes.AnnualReportState, partial=_NONE)
@auth.person("read:accounts")
async def get_state(request: web.Request, caller: Caller) -> web.Response:  # noqa: ARG001
    _check(request)
    return answer({"state": "ineligible"})


@routes.post(_YEAR + "/read")
@spec(partial=_NONE)
@auth.person("write:accounts")
async def read(request: web.Request, caller: Caller) -> web.Response:  # noqa: ARG001
    raise NotFound("Record not found")


@routes.post(_YEAR + "/generate")
@spec(partial=_NONE)
@auth.person("write:accounts")
async def generate(request: web.Request, caller: Caller) -> web.Response:  # noqa: ARG001
    """200 without a report: as Mastodon answers those who are not eligible."""
    _check(request)
    return answer({})


def _check(request: web.Request) -> None:
    """Raises: NotFound, for what is no year."""
    if (as_id(request.match_info["year"]) or 0) not in _YEARS:
        raise NotFound("Record not found")
