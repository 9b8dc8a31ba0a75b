"""Instance: https://docs.joinmastodon.org/entities/V1_Instance/ and /entities/Instance/"""

from collections.abc import Mapping
from typing import Any, Final

from federation.origin import Origin
from social.instance import Usage
from store.tables import Account
from web.api import shapes
from web.api.entities.account import account
from web.keys import Config

# Clients switch features on by it.  Never N unless all steps up to N work: 2 grouped notifications, their policy,
# merged requests; 3 attribution_domains; 4 media deleted alone and with a post; 5 filters that blur; 7 quotes and who
# may quote; 8 /api/v1/profile; 9 descriptions of avatar and header; 10 collections, supported_types.
API_VERSION: Final = 2


def instance_v1(
    origin: Origin, config: Config, usage: Usage, hosts: int, configuration: Mapping[str, Any], owner: Account | None
) -> shapes.InstanceV1:
    return {
        "uri": origin.domain,
        "title": config.title,
        "short_description": config.description,
        "description": config.description,
        "email": config.contact_email,
        "version": config.software,
        "urls": {"streaming_api": origin.streaming},
        "stats": {"user_count": usage.users, "status_count": usage.posts, "domain_count": hosts},
        "thumbnail": None,
        "languages": ["en"],
        "registrations": config.registrations != "closed",
        "approval_required": config.registrations == "approval",
        "invites_enabled": False,
        "configuration": dict(configuration),
        "contact_account": account(owner, origin) if owner else None,
        "rules": [],
    }


def instance_v2(
    origin: Origin, config: Config, usage: Usage, configuration: Mapping[str, Any], owner: Account | None
) -> shapes.Instance:
    return {
        "domain": origin.domain,
        "title": config.title,
        "version": config.software,
        "source_url": "",
        "description": config.description,
        "usage": {"users": {"active_month": usage.active_month}},
        "thumbnail": {"url": origin.url("/static/missing.png")},
        "icon": [],
        "languages": ["en"],
        "configuration": {
            **configuration,
            "urls": {"streaming": origin.streaming},
            "vapid": {"public_key": config.vapid_key},
            "translation": {"enabled": False},
            "limited_federation": False,
        },
        "registrations": {
            "enabled": config.registrations != "closed",
            "approval_required": config.registrations == "approval",
            "message": None,
            "url": None,
        },
        "api_versions": {"mastodon": API_VERSION},
        "contact": {"email": config.contact_email, "account": account(owner, origin) if owner else None},
        "rules": [],
    }
