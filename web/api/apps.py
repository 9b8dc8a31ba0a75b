"""Apps: https://docs.joinmastodon.org/methods/apps/"""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from social import apps
from social.errors import Invalid, Unauthorised
from social.secrets import new_token, sha256
from web import auth, params, scopes
from web.api.answers import answer
from web.keys import DATABASE
from web.params import Params

routes = web.RouteTableDef()

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
_NEVER = {"javascript", "data", "vbscript", "file", "about", "blob"}


@routes.post("/api/v1/apps")
async def create(request: web.Request) -> web.Response:
    given = await params.read(request)
    name, redirects = given.text("client_name").strip(), _redirects(given)
    if not name or len(name) > 200:
        raise Invalid("Validation failed: client_name is needed, with at most 200 characters")
    secret = new_token()
    app = await request.app[DATABASE].write(
        apps.create_app,
        name=name,
        client_id=new_token(),
        website=_website(given.text("website")),
        redirect_uris=redirects,
        scopes=scopes.checked(given.text("scopes", "read") or "read"),
        secret_hash=sha256(secret),
        now=datetime.now(UTC),
    )
    return answer(
        {
            "id": str(app.id),
            "name": app.name,
            "website": app.website,
            "scopes": app.scopes.split(),
            "redirect_uris": app.redirect_uris,
            "redirect_uri": "\n".join(app.redirect_uris),
            "client_id": app.client_id,
            "client_secret": secret,
            "client_secret_expires_at": 0,
        }
    )


@routes.get("/api/v1/apps/verify_credentials")
async def verify_credentials(request: web.Request) -> web.Response:
    found = await auth.bearer(request)
    if found is None:
        raise Unauthorised("The access token is invalid")
    app = found.app
    return answer(
        {
            "id": str(app.id),
            "name": app.name,
            "website": app.website,
            "scopes": app.scopes.split(),
            "redirect_uris": app.redirect_uris,
            "redirect_uri": "\n".join(app.redirect_uris),
        }
    )


def _redirects(given: Params) -> list[str]:
    """One in a line, or a list.  Kept letter by letter: they are compared as text."""
    found = [uri for item in given.many("redirect_uris") for uri in item.split("\n") if uri.strip()]
    if not found or len(found) > 20:
        raise Invalid("Validation failed: redirect_uris is needed, with at most 20 of them")
    for uri in found:
        if uri != OUT_OF_BAND and not _is_redirect(uri):
            raise Invalid("Validation failed: redirect_uris must be absolute, without a fragment")
    return found


def _is_redirect(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme) and parts.scheme.lower() not in _NEVER and "#" not in uri and len(uri) <= 2000


def _website(text: str) -> str | None:
    return text if text.startswith(("https://", "http://")) and len(text) <= 2000 else None
