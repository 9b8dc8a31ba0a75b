"""The API as OpenAPI 3.1 describes it, made from what the routes say of themselves (web/api/spec.py).

https://spec.openapis.org/oas/v3.1.1
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

import msgspec
import orjson
from aiohttp import web

from web import auth
from web.api import shapes
from web.api.spec import SPECS, Spec, spec
from web.errors import PLAIN, Handler
from web.keys import CONFIG, ORIGIN

routes = web.RouteTableDef()

Json: TypeAlias = dict[str, Any]

_NAMES = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_FORMS: Final = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_HEADERS: Final[Json] = {
    "X-RateLimit-Limit": {"schema": {"type": "string"}},
    "X-RateLimit-Remaining": {"schema": {"type": "string"}},
    "X-RateLimit-Reset": {"schema": {"type": "string", "format": "date-time"}},
    "Link": {"schema": {"type": "string"}, "description": 'RFC 8288; rel="next" and rel="prev" of lists'},
}
# What any endpoint may say instead; which of them, depends on what is sent.
REFUSALS: Final[Mapping[str, str]] = {
    "400": "The request cannot be read",
    "401": "The access token is invalid, or missing",
    "403": "The token, or its owner, may not do this",
    "404": "There is no such thing, or it is not for this reader",
    "409": "Somebody else changed it meanwhile",
    "410": "It was deleted",
    "413": "The body is too large",
    "422": "It cannot be done as asked; the text says why",
    "429": "Too many requests; X-RateLimit-Reset says when to come back",
    "503": "The database, or another server, does not answer; Retry-After says when to come back",
}


@routes.get("/api/openapi.json")
@spec(answers=dict[str, Any])
@auth.public
async def get_openapi(request: web.Request) -> web.Response:
    from web.api.routes import defined  # noqa: PLC0415  it imports this file

    origin = request.app[ORIGIN]
    body = document(defined(), origin.base_url, request.app[CONFIG].version)
    headers = {**PLAIN, "Cache-Control": "public, max-age=3600"}
    return web.Response(body=body, content_type="application/json", headers=headers)


def document(defined: Iterable[web.RouteDef], server: str, version: str) -> bytes:
    return _document(tuple((route.method, route.path, route.handler) for route in defined), server, version)


@cache
def _document(defined: tuple[tuple[str, str, Handler], ...], server: str, version: str) -> bytes:
    told = [(method, path, handler, SPECS[handler]) for method, path, handler in defined]
    answers = [kind for *_, one in told for kind in _kinds(one)]
    schemas, components = msgspec.json.schema_components(
        [*answers, shapes.Error], ref_template="#/components/schemas/{name}"
    )
    found = iter(schemas)
    paths: dict[str, Json] = {}
    for method, path, handler, one in told:
        schema = _one_of([next(found) for _ in _kinds(one)])
        paths.setdefault(_NAMES.sub(r"{\1}", path), {})[method.lower()] = _operation(path, handler, one, schema)
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "ConnectMe, as a Mastodon server", "version": version},
            "servers": [{"url": server}],
            "paths": paths,
            "components": {"schemas": components, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        }
    )


def _kinds(one: Spec) -> tuple[Any, ...]:
    if one.answers is None:
        return ()
    return one.answers if isinstance(one.answers, tuple) else (one.answers,)


def _one_of(schemas: list[Json]) -> Json:
    if not schemas:
        return {"type": "object"}
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _operation(path: str, handler: Handler, one: Spec, schema: Json) -> Json:
    wanted = auth.DECLARED[handler]
    operation: Json = {
        "summary": (handler.__doc__ or "").strip().partition("\n")[0],
        "description": f"Scope: {wanted}.",
        "parameters": [*_in_path(path), *_in_query(one.query)],
        "responses": {
            **{
                str(status): {
                    "description": "Done" if status == one.status else "Not finished",
                    "headers": _HEADERS,
                    "content": {"application/json": {"schema": schema}},
                }
                for status in (one.status, *one.also)
            },
            **{status: _refusal(says) for status, says in REFUSALS.items()},
        },
        "security": [] if wanted == "public" else [{"bearer": []}, *([{}] if wanted.startswith("anybody") else [])],
    }
    if one.body:
        body = {"type": "object", "properties": {name: _schema(kind) for name, kind in one.body.items()}}
        operation["requestBody"] = {"content": {form: {"schema": body} for form in _FORMS}}
    if one.old:
        operation["deprecated"] = True
    return operation


def _in_path(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _NAMES.findall(path)
    ]


def _in_query(query: Mapping[str, Any]) -> list[Json]:
    """Lists are written as `name[]=…&name[]=…`, as Rails reads them."""
    return [
        {
            "name": f"{name}[]" if schema.get("type") == "array" else name,
            "in": "query",
            "required": False,
            "schema": schema,
            **({"style": "form", "explode": True} if schema.get("type") == "array" else {}),
        }
        for name, schema in ((name, _schema(kind)) for name, kind in query.items())
    ]


def _schema(kind: Any) -> Json:
    schema: Json = msgspec.json.schema(kind)
    return schema


def _refusal(says: str) -> Json:
    return {"description": says, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
