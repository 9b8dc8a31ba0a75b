"""Instance: https://docs.joinmastodon.org/entities/V1_Instance/ and /entities/Instance/"""

from typing import Any


from federation.origin import Origin
from social.instance import Usage
from web.keys import Config

_POLLS = {"max_options": 8, "max_characters_per_option": 100, "min_expiration": 300, "max_expiration": 2629746}


def _configuration(longest: int) -> dict[str, Any]:
    return {
        "statuses": {"max_characters": longest, "max_media_attachments": 0, "characters_reserved_per_url": 23},
        "polls": _POLLS,
        "accounts": {"max_featured_tags": 0, "max_pinned_statuses": 5},
    }


def instance_v1(origin: Origin, config: Config, usage: Usage, hosts: int, longest: int) -> dict[str, Any]:
    return {
        "uri": origin.domain,
        "title": config.title,
        "short_description": config.description,
        "description": config.description,
        "email": config.contact_email,
        "version": config.software,
        "urls": {},
        "stats": {"user_count": usage.users, "status_count": usage.posts, "domain_count": hosts},
        "thumbnail": None,
        "languages": ["en"],
        "registrations": config.registrations != "closed",
        "approval_required": config.registrations == "approval",
        "invites_enabled": False,
        "configuration": _configuration(longest),
        "contact_account": None,
        "rules": [],
    }


def instance_v2(origin: Origin, config: Config, usage: Usage, longest: int) -> dict[str, Any]:
    return {
        "domain": origin.domain,
        "title": config.title,
        "version": config.software,
        "source_url": "",
        "description": config.description,
        "usage": {"users": {"active_month": usage.active_month}},
        "thumbnail": {"url": origin.url("/static/missing.png")},
        "languages": ["en"],
        "configuration": {
            **_configuration(longest),
            "urls": {},
            "translation": {"enabled": False},
            "limited_federation": False,
        },
        "registrations": {
            "enabled": config.registrations != "closed",
            "approval_required": config.registrations == "approval",
            "message": None,
        },
        "api_versions": {"mastodon": 1},
        "contact": {"email": config.contact_email, "account": None},
        "rules": [],
    }
