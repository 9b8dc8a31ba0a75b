"""How others find us: WebFinger, host-meta, NodeInfo.  All of it may be read by scripts of any page (CORS)."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

import orjson
from aiohttp import web
from sqlalchemy import Connection

from federation.origin import Origin
from social import accounts, instance
from social.errors import NotFound
from store.tables import INSTANCE_ACTOR_ID, Account
from web import scopes
from web.errors import PLAIN
from web.keys import CONFIG, DATABASE, ORIGIN

routes = web.RouteTableDef()

_JRD: Final = "application/jrd+json; charset=utf-8"
_JSON: Final = "application/json; charset=utf-8"
_AS2: Final = "application/activity+json"
_LD: Final = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
_PAGE: Final = "http://webfinger.net/rel/profile-page"
_AVATAR: Final = "http://webfinger.net/rel/avatar"
_SUBSCRIBE: Final = "http://ostatus.org/schema/1.0/subscribe"
_NODEINFO: Final = "http://nodeinfo.diaspora.software/ns/schema/"
_APPLICATION: Final = "https://www.w3.org/ns/activitystreams#Application"


@routes.get("/.well-known/webfinger")
async def webfinger(request: web.Request) -> web.Response:
    """Resource: acct:name@domain, an address of a profile, an actor id, or the server itself (FEP-d556, FEP-4adb)."""
    origin = request.app[ORIGIN]
    resource = request.query.get("resource", "")
    if not resource:
        return _json({"error": "resource is missing, as in ?resource=acct:name@" + origin.domain}, status=400)
    try:
        account = await request.app[DATABASE].read(_named, origin, resource)
    except NotFound:
        return _json({"error": "nobody of that name is here"}, status=404)
    if account.is_gone:
        return _json({"error": "that account is gone"}, status=410)
    return _json(_descriptor(origin, account, request.query.getall("rel", [])), _JRD)


def _named(tx: Connection, origin: Origin, resource: str) -> Account:
    """Raises: NotFound."""
    if "://" in resource:
        return _at_address(tx, origin, resource.rstrip("/"))
    handle = resource[5:] if resource[:5].lower() == "acct:" else resource
    name, _, domain = handle.removeprefix("@").partition("@")
    if not origin.is_our_domain(domain):
        raise NotFound("No such account", why=resource)
    if origin.is_our_domain(name):  # acct:example.org@example.org: the server itself, as Mastodon has it
        return accounts.by_id(tx, INSTANCE_ACTOR_ID)
    return accounts.local(tx, name)


def _at_address(tx: Connection, origin: Origin, address: str) -> Account:
    """Raises: NotFound."""
    if address in (origin.base_url, origin.instance_actor):
        return accounts.by_id(tx, INSTANCE_ACTOR_ID)
    try:
        path = urlsplit(address).path if origin.is_ours(address) else ""
    except ValueError:
        path = ""
    for start in ("/users/", "/@"):
        if path.startswith(start):
            return accounts.local(tx, path.removeprefix(start))
    raise NotFound("No such account", why=address)


def _descriptor(origin: Origin, account: Account, relations: Sequence[str]) -> dict[str, Any]:
    """relations: the only ones that are asked for, if there are any (RFC 7033, section 4.3)."""
    links: list[dict[str, str]] = [
        {"rel": "self", "type": _AS2, "href": account.uri},
        {"rel": "self", "type": _LD, "href": account.uri},
        {"rel": _PAGE, "type": "text/html", "href": account.url},
        {"rel": _SUBSCRIBE, "template": origin.url("/authorize_interaction?uri={uri}")},
    ]
    if account.avatar_url:
        links.append({"rel": _AVATAR, "href": account.avatar_url})
    return {
        "subject": f"acct:{account.username}@{origin.domain}",
        "aliases": list(dict.fromkeys((account.url, account.uri))),
        "links": [link for link in links if not relations or link["rel"] in relations],
    }


@routes.get("/.well-known/host-meta")
async def host_meta(request: web.Request) -> web.Response:
    template = quoteattr(request.app[ORIGIN].url("/.well-known/webfinger?resource={uri}"))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" template={template}/>\n'
        "</XRD>\n"
    )
    return web.Response(text=text, content_type="application/xrd+xml", charset="utf-8", headers=PLAIN)


@routes.get("/.well-known/host-meta.json")
async def host_meta_json(request: web.Request) -> web.Response:
    template = request.app[ORIGIN].url("/.well-known/webfinger?resource={uri}")
    return _json({"links": [{"rel": "lrdd", "template": template}]})


@routes.get("/.well-known/nodeinfo")
async def nodeinfo_links(request: web.Request) -> web.Response:
    origin = request.app[ORIGIN]
    links = [{"rel": _NODEINFO + v, "href": origin.url(f"/nodeinfo/{v}")} for v in ("2.0", "2.1")]
    return _json({"links": [*links, {"rel": _APPLICATION, "href": origin.instance_actor}]})  # FEP-2677


@routes.get("/nodeinfo/2.0")
@routes.get("/nodeinfo/2.1")
async def nodeinfo(request: web.Request) -> web.Response:
    """Source: https://nodeinfo.diaspora.software/schema.html, FEP-f1d5."""
    version, config = request.path.rpartition("/")[2], request.app[CONFIG]
    usage = await request.app[DATABASE].read(instance.usage)
    document = {
        "version": version,
        "software": {"name": "connectme", "version": config.version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": config.registrations != "closed",
        "usage": {
            "users": {
                "total": usage.users,
                "activeMonth": usage.active_month,
                "activeHalfyear": usage.active_half_year,
            },
            "localPosts": usage.posts,
        },
        "metadata": {
            "nodeName": config.title,
            "nodeDescription": config.description,
            # Whose API this is: without it, megalodon (Whalebird, Fedistar) speaks with no server whose name it lacks.
            "upstream": {"name": "mastodon"},
        },
    }
    return _json(document, f'application/json; profile="{_NODEINFO}{version}#"; charset=utf-8')


@routes.get("/.well-known/oauth-authorization-server")
async def authorization_server(request: web.Request) -> web.Response:
    """RFC 8414, RFC 9207; `app_registration_endpoint` is Mastodon's."""
    origin = request.app[ORIGIN]
    document = {
        "issuer": origin.base_url,
        "service_documentation": "https://docs.joinmastodon.org/spec/oauth/",
        "authorization_endpoint": origin.url("/oauth/authorize"),
        "token_endpoint": origin.url("/oauth/token"),
        "app_registration_endpoint": origin.url("/api/v1/apps"),
        "revocation_endpoint": origin.url("/oauth/revoke"),
        "userinfo_endpoint": origin.url("/oauth/userinfo"),
        "scopes_supported": list(scopes.ALL),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    return _json(document)


@routes.get("/.well-known/change-password")
async def change_password(request: web.Request) -> web.Response:
    """Where keepers of passwords send people: https://w3c.github.io/webappsec-change-password-url/"""
    return web.Response(status=302, headers={**PLAIN, "Location": request.app[ORIGIN].url("/settings/password")})


def _json(document: dict[str, Any], content_type: str = _JSON, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(document), status=status, headers={**PLAIN, "Content-Type": content_type})
