"""Instance: https://docs.joinmastodon.org/methods/instance/"""

from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import featured, instance, media, pins
from social.accounts import create, profile
from social.instance import Usage
from social.media import kinds, uploads
from social.posts import drafts
from social.text import URL_LENGTH
from store.tables import Account
from web import auth
from web.api import shapes
from web.api.answers import answer
from web.api.entities.instance import instance_v1, instance_v2
from web.api.spec import spec
from web.api.statuses import LONGEST_POLL, SHORTEST_POLL
from web.keys import CONFIG, DATABASE, ORIGIN, WORKSHOP

routes = web.RouteTableDef()

# What clients ask before they offer it; what depends on what is installed is added by _configuration.
_CONFIGURATION: Final[dict[str, Any]] = {
    "accounts": {
        "max_featured_tags": featured.MOST,
        "max_pinned_statuses": pins.MOST,
        "max_display_name_length": create.NAME_LIMIT,
        "max_note_length": profile.NOTE_LIMIT,
        "max_profile_fields": profile.FIELDS_LIMIT,
        "profile_field_name_limit": profile.FIELD_NAME_LIMIT,
        "profile_field_value_limit": profile.FIELD_VALUE_LIMIT,
    },
    "statuses": {
        "max_characters": drafts.LONGEST,
        "max_media_attachments": media.MOST,
        "characters_reserved_per_url": URL_LENGTH,
    },
    "polls": {
        "max_options": drafts.MOST_OPTIONS,
        "max_characters_per_option": drafts.LONGEST_OPTION,
        "min_expiration": SHORTEST_POLL,
        "max_expiration": LONGEST_POLL,
    },
}


def _configuration(request: web.Request) -> dict[str, Any]:
    workshop = request.app[WORKSHOP]
    return {
        **_CONFIGURATION,
        "media_attachments": {
            "supported_mime_types": list(workshop.supported),
            "description_limit": uploads.DESCRIPTION_LIMIT,
            "image_size_limit": kinds.PICTURE_LIMIT,
            "image_matrix_limit": workshop.pixels,
            "video_size_limit": kinds.FILM_LIMIT,
            "video_frame_rate_limit": kinds.FILM_FRAMES,
            "video_matrix_limit": kinds.FILM_PIXELS,
        },
    }


@routes.get("/api/v1/instance")
@spec(answers=shapes.InstanceV1)
@auth.public
async def get_v1(request: web.Request) -> web.Response:
    usage, hosts, owner = await request.app[DATABASE].read(_facts)
    return answer(instance_v1(request.app[ORIGIN], request.app[CONFIG], usage, hosts, _configuration(request), owner))


def _facts(tx: Connection) -> tuple[Usage, int, Account | None]:
    return instance.usage(tx), instance.hosts_count(tx), instance.owner(tx)


@routes.get("/api/v2/instance")
@spec(answers=shapes.Instance)
@auth.public
async def get_v2(request: web.Request) -> web.Response:
    usage, _, owner = await request.app[DATABASE].read(_facts)
    return answer(instance_v2(request.app[ORIGIN], request.app[CONFIG], usage, _configuration(request), owner))


@routes.get("/api/v1/instance/peers")
@spec(answers=list[str])
@auth.public
async def peers(request: web.Request) -> web.Response:
    return answer(await request.app[DATABASE].read(instance.hosts))
