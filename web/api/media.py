"""Media: https://docs.joinmastodon.org/methods/media/"""

from typing import Any, Final

from aiohttp import web

from social.errors import Invalid
from social.media import uploads
from social.media.kinds import FILM_LIMIT, PICTURE_LIMIT, Made
from store.tables import Media
from web import auth
from web.api.answers import answer, path_id
from web.api.entities.media import media_attachment
from web.api.shapes import MediaAttachment
from web.api.spec import spec
from web.auth import Caller
from web.keys import DATABASE, ORIGIN, WORKSHOP
from web.params import Params
from web.uploads import Form, keep, received

routes = web.RouteTableDef()

LIMITS: Final = {"file": FILM_LIMIT, "thumbnail": PICTURE_LIMIT}
_BODY: Final = {"description": str, "focus": str, "thumbnail": bytes}


@routes.post("/api/v2/media")
@spec(answers=MediaAttachment, body={"file": bytes, **_BODY}, also=(202,))
@auth.person("write:media")
async def post_v2(request: web.Request, caller: Caller) -> web.Response:
    """Pictures are ready at once; films, sounds and moving pictures are not: 202."""
    async with received(request, LIMITS) as form:
        return _shown(request, await _upload(request, caller, form, later=True), busy=202)


@routes.post("/api/v1/media")
@spec(answers=MediaAttachment, body={"file": bytes, **_BODY}, also=(202,))
@auth.person("write:media")
async def post_v1(request: web.Request, caller: Caller) -> web.Response:
    """Answers when all is ready."""
    async with received(request, LIMITS) as form:
        return _shown(request, await _upload(request, caller, form, later=False), busy=202)


@routes.get("/api/v1/media/{id}")
@spec(answers=MediaAttachment, also=(206,))
@auth.person("write:media")
async def get(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DATABASE].read(uploads.own, caller.account.id, path_id(request))
    return _shown(request, _usable(found), busy=206)


@routes.put("/api/v1/media/{id}")
@spec(answers=MediaAttachment, body=_BODY, also=(206,))
@auth.person("write:media")
async def put(request: web.Request, caller: Caller) -> web.Response:
    db, workshop, number = request.app[DATABASE], request.app[WORKSHOP], path_id(request)
    old = _usable(await db.read(uploads.own, caller.account.id, number))
    async with received(request, {"thumbnail": PICTURE_LIMIT}) as form:
        said = _said(form.params)
        if "thumbnail" in form.files:
            said |= _preview(await workshop.preview(form.files["thumbnail"]))
        try:
            new = await db.write(uploads.describe, request.app[ORIGIN], caller.account.id, number, said)
        except BaseException:
            await workshop.remove([said["preview_file"]] if "preview_file" in said else [])
            raise
    if "preview_file" in said and old.preview_file is not None:
        await workshop.remove([old.preview_file])
    return _shown(request, new, busy=206)


@routes.delete("/api/v1/media/{id}")
@spec(answers=dict[str, Any])
@auth.person("write:media")
async def delete(request: web.Request, caller: Caller) -> web.Response:
    names = await request.app[DATABASE].write(uploads.discard, caller.account.id, path_id(request))
    await request.app[WORKSHOP].remove(names)
    return answer({})


async def _upload(request: web.Request, caller: Caller, form: Form, *, later: bool) -> Media:
    if "file" not in form.files:
        raise Invalid("Validation failed: File can't be blank")
    said = _said(form.params)
    if "thumbnail" in form.files:
        said |= _preview(await request.app[WORKSHOP].preview(form.files["thumbnail"]))
        said["preview_url"] = uploads.address(request.app[ORIGIN], said["preview_file"])
    return await keep(request.app, caller.account.id, form.files["file"], said, later=later)


def _said(given: Params) -> dict[str, Any]:
    return uploads.said(given.text("description") if "description" in given else None, given.text("focus"))


def _usable(found: Media) -> Media:
    """Raises: Invalid."""
    if found.state == "failed":
        raise Invalid(found.error or "This file could not be processed")
    return found


def _preview(made: Made) -> dict[str, Any]:
    """The columns of a preview of one's own."""
    return {name: getattr(made, name) for name in ("preview_file", "preview_width", "preview_height", "blurhash")}


def _shown(request: web.Request, found: Media, *, busy: int) -> web.Response:
    response = answer(media_attachment(found, request.app[ORIGIN]))
    if found.state == "processing":
        response.set_status(busy)
    return response
