"""Apps: https://docs.joinmastodon.org/methods/apps/"""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from federation.reading.values import is_web
from social import apps
from social.apps import Bearer
from social.errors import Invalid
from social.secrets import new_token, sha256
from store.tables import App
from web import auth, params, scopes
from web.api import shapes
from web.api.answers import answer
from web.api.spec import spec
from web.keys import CONFIG, DATABASE
from web.oauth.asking import OUT_OF_BAND
from web.params import Params

routes = web.RouteTableDef()

_NEVER = {"javascript", "data", "vbscript", "file", "about", "blob", "filesystem", "view-source"}


@routes.post("/api/v1/apps")
@spec(
    answers=shapes.ApplicationWithSecret,
    body={"client_name": str, "redirect_uris": list[str], "scopes": str, "website": str},
)
@auth.public
async def create(request: web.Request) -> web.Response:
    given = await params.read(request)
    website, secret = given.text("website"), new_token()
    app = await request.app[DATABASE].write(
        apps.create_app,
        name=given.text("client_name"),
        client_id=new_token(),
        website=website if is_web(website) else None,
        redirect_uris=_redirects(given),
        scopes=scopes.checked(given.text("scopes") or "read"),
        secret_hash=sha256(secret),
        now=datetime.now(UTC),
    )
    return answer(
        {
            **_application(request, app),
            "client_id": app.client_id,
            "client_secret": secret,
            "client_secret_expires_at": 0,
        }
    )


@routes.get("/api/v1/apps/verify_credentials")
@spec(answers=shapes.Application)
@auth.program
async def verify_credentials(request: web.Request, found: Bearer) -> web.Response:
    return answer(_application(request, found.app))


def _application(request: web.Request, app: App) -> shapes.Application:
    """Application: https://docs.joinmastodon.org/entities/Application/"""
    found: shapes.Application = {
        "id": str(app.id),
        "name": app.name,
        "website": app.website,
        "scopes": app.scopes.split(),
        "redirect_uris": app.redirect_uris,
        "redirect_uri": "\n".join(app.redirect_uris),
    }
    if key := request.app[CONFIG].vapid_key:
        found["vapid_key"] = key
    return found


def _redirects(given: Params) -> list[str]:
    """One in a line, or a list.  Kept letter by letter: they are compared as text."""
    found = [uri for item in given.many("redirect_uris") for uri in item.split()]
    if not all(uri == OUT_OF_BAND or _is_redirect(uri) for uri in found):
        raise Invalid("Validation failed: redirect_uris must be absolute, without a fragment, and have a plain host")
    return found


def _is_redirect(uri: str) -> bool:
    """Where it leads has to be the same for browsers, and for the page that tells the person."""
    try:
        scheme = urlsplit(uri).scheme.lower()
    except ValueError:
        return False
    if not uri.isascii() or "#" in uri:
        return False
    return is_web(uri) if scheme in ("https", "http") else bool(scheme) and scheme not in _NEVER
