"""Instance: https://docs.joinmastodon.org/entities/V1_Instance/ and /entities/Instance/"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from federation.origin import Origin
from social.instance import Usage
from social.site import Terms, shown
from store.tables import Account, Rule
from web.api import shapes
from web.api.entities.account import account
from web.keys import Config

# Clients switch features on by it.  Never N unless all steps up to N work: 2 grouped notifications, their policy,
# merged requests; 3 attribution_domains; 4 media deleted alone and with a post; 5 filters that blur; 7 quotes and who
# may quote; 8 /api/v1/profile, and annual reports where a server offers them; 9 descriptions of avatar and header;
# 10 collections, supported_types.
API_VERSION: Final = 10


_ICONS: Final = ("48x48", "72x72", "192x192", "512x512")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows of this server."""

    usage: Usage
    hosts: int
    owner: Account | None
    rules: list[Rule]
    has_terms: bool


def rule(it: Rule) -> shapes.Rule:
    return {"id": str(it.id), "text": it.text, "hint": it.hint, "translations": {}}


def terms_of_service(it: Terms, origin: Origin) -> shapes.TermsOfService:
    return {
        "effective_date": it.text.effective,
        "effective": it.holds,
        "content": shown(it.text.source, origin),
        "succeeded_by": it.next,
    }


def instance_v1(origin: Origin, config: Config, facts: Facts, configuration: Mapping[str, Any]) -> shapes.InstanceV1:
    return {
        "uri": origin.domain,
        "title": config.title,
        "short_description": config.description,
        "description": config.description,
        "email": config.contact_email,
        "version": config.software,
        "urls": {"streaming_api": origin.streaming},
        "stats": {"user_count": facts.usage.users, "status_count": facts.usage.posts, "domain_count": facts.hosts},
        "thumbnail": _picture(origin),
        "languages": list(config.languages),
        "registrations": config.registrations != "closed",
        "approval_required": config.registrations == "approval",
        "invites_enabled": False,
        "configuration": dict(configuration),
        "contact_account": account(facts.owner, origin) if facts.owner else None,
        "rules": [rule(one) for one in facts.rules],
    }


def instance_v2(origin: Origin, config: Config, facts: Facts, configuration: Mapping[str, Any]) -> shapes.Instance:
    picture = _picture(origin)
    return {
        "domain": origin.domain,
        "title": config.title,
        "version": config.software,
        "source_url": config.source_url,
        "description": config.description,
        "wrapstodon": None,
        "usage": {"users": {"active_month": facts.usage.active_month}},
        "thumbnail": {"url": picture, "description": config.title, "versions": {"@1x": picture}},
        "icon": [{"src": origin.url(f"/static/icon-{size.partition('x')[0]}.png"), "size": size} for size in _ICONS],
        "languages": list(config.languages),
        "configuration": _more(origin, config, facts, configuration),
        "registrations": {
            "enabled": config.registrations != "closed",
            "approval_required": config.registrations == "approval",
            "reason_required": False,
            "message": None,
            "min_age": None,
            "url": None,
        },
        "api_versions": {"mastodon": API_VERSION},
        "contact": {
            "email": config.contact_email,
            "account": account(facts.owner, origin) if facts.owner else None,
        },
        "rules": [rule(one) for one in facts.rules],
    }


def _more(origin: Origin, config: Config, facts: Facts, configuration: Mapping[str, Any]) -> dict[str, Any]:
    everybody = {"local": "public", "remote": "public"}
    return {
        **configuration,
        "urls": {
            "streaming": origin.streaming,
            "status": origin.url("/status"),
            "about": origin.url("/about"),
            "privacy_policy": origin.url("/privacy-policy"),
            "terms_of_service": origin.url("/terms-of-service") if facts.has_terms else None,
        },
        "vapid": {"public_key": config.vapid_key},
        "translation": {"enabled": False},
        "timelines_access": {
            "live_feeds": everybody,
            "hashtag_feeds": everybody,
            "trending_link_feeds": everybody,
        },
        "limited_federation": config.limited_federation,
    }


def _picture(origin: Origin) -> str:
    return origin.url("/static/preview.png")
