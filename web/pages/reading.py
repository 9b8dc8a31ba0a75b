"""/settings/reading: how somebody likes to read, and who may quote what he writes.  Programs of his keep to it, too."""

from aiohttp import web

from social import preferences, users
from social.errors import Invalid
from web.keys import DATABASE
from web.pages import addresses, frame
from web.params import of_query

routes = web.RouteTableDef()

_HERE = "/settings/reading"
QUOTES = {"public": "Everyone", "followers": "My followers", "nobody": "Only I"}
_MEDIA = {
    "default": "Hidden where their author says that they are sensitive",
    "show_all": "Always shown",
    "hide_all": "Always hidden",
}


@routes.get(_HERE)
async def reading(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    user = await request.app[DATABASE].read(users.by_account, signed.account.id)
    return frame.show(
        request,
        "settings_reading.html",
        chosen=preferences.of(user),
        quotes=QUOTES,
        media=_MEDIA,
        done="saved" in of_query(request),
    )


@routes.post(_HERE)
async def save_reading(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    policy, media = given.text("quote_policy", "public"), given.text("media", "default")
    if policy not in QUOTES or media not in _MEDIA:
        raise Invalid("That cannot be chosen")
    await request.app[DATABASE].write(
        preferences.change,
        signed.account.id,
        {
            "quote_policy": policy,
            "media": media,
            "expand": given.flag("expand"),
            "autoplay": given.flag("autoplay"),
        },
    )
    return addresses.see_other(f"{_HERE}?saved=1")
