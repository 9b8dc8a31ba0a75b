"""Instance: https://docs.joinmastodon.org/methods/instance/"""

from datetime import UTC, date, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import featured, instance, media, pins, site
from social.accounts import create, profile
from social.errors import NotFound
from social.media import kinds, uploads
from social.posts import drafts
from social.text import URL_LENGTH
from web import auth
from web.api import shapes
from web.api.answers import answer
from web.api.entities.account import moment
from web.api.entities.instance import Facts, instance_v1, instance_v2, rule, terms_of_service
from web.api.spec import spec
from web.api.statuses import LONGEST_POLL, SHORTEST_POLL
from web.keys import CONFIG, DATABASE, ORIGIN, WORKSHOP
from web.languages import LANGUAGES

routes = web.RouteTableDef()

# What clients ask before they offer it; what depends on what is installed is added by _configuration.
_CONFIGURATION: Final[dict[str, Any]] = {
    "accounts": {
        "max_featured_tags": featured.MOST,
        "max_pinned_statuses": pins.MOST,
        "max_display_name_length": create.NAME_LIMIT,
        "max_note_length": profile.NOTE_LIMIT,
        "max_avatar_description_length": profile.ALT_LIMIT,
        "max_header_description_length": profile.ALT_LIMIT,
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
@spec(answers=shapes.InstanceV1, old=date(2022, 11, 14))
@auth.public
async def get_v1(request: web.Request) -> web.Response:
    facts = await request.app[DATABASE].read(_facts)
    return answer(instance_v1(request.app[ORIGIN], request.app[CONFIG], facts, _configuration(request)))


@routes.get("/api/v2/instance")
@spec(answers=shapes.Instance)
@auth.public
async def get_v2(request: web.Request) -> web.Response:
    facts = await request.app[DATABASE].read(_facts)
    return answer(instance_v2(request.app[ORIGIN], request.app[CONFIG], facts, _configuration(request)))


def _facts(tx: Connection) -> Facts:
    return Facts(
        instance.usage(tx),
        instance.hosts_count(tx),
        instance.owner(tx),
        site.all_rules(tx),
        site.terms(tx, datetime.now(UTC)) is not None,
    )


@routes.get("/api/v1/instance/rules")
@spec(answers=list[shapes.Rule])
@auth.public
async def get_rules(request: web.Request) -> web.Response:
    return answer([rule(one) for one in await request.app[DATABASE].read(site.all_rules)])


@routes.get("/api/v1/instance/extended_description")
@spec(answers=shapes.ExtendedDescription)
@auth.public
async def get_extended_description(request: web.Request) -> web.Response:
    return await _text(request, site.ABOUT)


@routes.get("/api/v1/instance/privacy_policy")
@spec(answers=shapes.PrivacyPolicy)
@auth.public
async def get_privacy_policy(request: web.Request) -> web.Response:
    return await _text(request, site.PRIVACY)


async def _text(request: web.Request, name: str) -> web.Response:
    found = await request.app[DATABASE].read(site.find_text, name)
    if found is None:
        return answer({"updated_at": None, "content": ""})
    return answer({"updated_at": moment(found.updated_at), "content": site.shown(found.source, request.app[ORIGIN])})


@routes.get("/api/v1/instance/terms_of_service")
@spec(answers=shapes.TermsOfService)
@auth.public
async def get_terms(request: web.Request) -> web.Response:
    """Those that hold now."""
    return await _terms(request, None)


@routes.get("/api/v1/instance/terms_of_service/{date}")
@spec(answers=shapes.TermsOfService)
@auth.public
async def get_terms_of_day(request: web.Request) -> web.Response:
    return await _terms(request, request.match_info["date"].replace("\0", ""))


async def _terms(request: web.Request, day: str | None) -> web.Response:
    found = await request.app[DATABASE].read(site.terms, datetime.now(UTC), day)
    if found is None:
        raise NotFound("Record not found")
    return answer(terms_of_service(found, request.app[ORIGIN]))


@routes.get("/api/v1/instance/languages")
@spec(answers=list[shapes.Language])
@auth.public
async def get_languages(request: web.Request) -> web.Response:  # noqa: ARG001
    return answer([{"code": code, "name": name} for code, name in LANGUAGES.items()])


@routes.get("/api/v1/instance/translation_languages")
@spec(answers=dict[str, list[str]])
@auth.public
async def get_translation_languages(request: web.Request) -> web.Response:  # noqa: ARG001
    """None: nothing is translated here."""
    return answer({})
