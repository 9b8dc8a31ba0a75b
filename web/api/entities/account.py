"""Account: https://docs.joinmastodon.org/entities/Account/"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from federation.origin import Origin
from social import preferences as chosen
from social.collections import consent
from social.collections.curate import MOST
from social.featured import FeaturedView
from social.known import Known
from social.mutes import Muted
from social.relationships import Relationship
from social.sanitise import plain
from store.tables import Account, User
from web.api import shapes
from web.api.entities.frame import Frame

ROLE_IDS = {"owner": "3", "admin": "2", "moderator": "1", "member": "-99"}
_NO_PICTURE = "/static/missing.png"
# Mastodon's bits.  Moderators: dashboard, log, reports, hosts, addresses, appeals, people and what they wrote.
_ADMINISTRATOR, _ROLES, _DEVOPS = 1 << 0, 1 << 17, 1 << 1
_MODERATION = sum(1 << bit for bit in (2, 3, 4, 5, 7, 8, 9, 10, 18, 19))
_EVERYTHING = (1 << 20) - 1
_PERMISSIONS = {
    "owner": _EVERYTHING,
    "admin": _EVERYTHING - _ADMINISTRATOR - _ROLES - _DEVOPS,
    "moderator": _MODERATION,
    "member": 0,
}


def moment(when: datetime | None) -> str | None:
    """2026-01-01T00:00:00.000Z, as clients parse it."""
    if when is None:
        return None
    return when.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def emojis(found: list[dict[str, str]] | None, origin: Origin) -> list[shapes.CustomEmoji]:
    return [_emoji(one["shortcode"], origin.proxied(one["url"])) for one in found or ()]


def _emoji(shortcode: str, url: str) -> shapes.CustomEmoji:
    return {"shortcode": shortcode, "url": url, "static_url": url, "visible_in_picker": False}


def shown_to(it: Account, frame: Frame) -> shapes.Account:
    """As part of something else."""
    return account(it, frame.origin, may_show=frame.may_show(it))


def account(
    it: Account, origin: Origin, moved: Account | None = None, may_show: consent.Verdict = "denied"
) -> shapes.Account:
    """Whoever is suspended is shown by his name alone.  may_show: the reader him, in a collection."""
    if it.is_gone:
        it = replace(it, display_name="", note="", fields=[], emojis=[], avatar_url=None, header_url=None)
    rule = consent.policy(it) or {"automatic": [], "manual": []}
    avatar, header = (origin.proxied(url or origin.url(_NO_PICTURE)) for url in (it.avatar_url, it.header_url))
    entity: shapes.Account = {
        "id": str(it.id),
        "username": it.username,
        "acct": it.acct,
        "display_name": it.display_name,
        "locked": it.locked,
        "bot": it.kind in ("Service", "Application"),
        "discoverable": it.discoverable,
        "indexable": it.indexable,
        "group": it.kind == "Group",
        # Mastodon rounds to the day, for privacy; so do we.
        "created_at": moment(it.created_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)),
        "note": it.note,
        "url": it.url,
        "uri": it.uri,
        "avatar": avatar,
        "avatar_static": avatar,
        "avatar_description": it.avatar_alt,
        "header": header,
        "header_static": header,
        "header_description": it.header_alt,
        "followers_count": it.followers_count,
        "following_count": it.following_count,
        "statuses_count": it.posts_count,
        "last_status_at": it.last_post_at.date().isoformat() if it.last_post_at else None,
        "hide_collections": it.hide_collections,
        "show_media": it.show_media,
        "show_media_replies": it.show_media_replies,
        "show_featured": it.show_featured,
        "emojis": emojis(it.emojis, origin),
        "roles": [_role(it.role)] if it.role and not it.is_gone else [],
        "fields": _fields(it),
        "feature_approval": {"automatic": rule["automatic"], "manual": rule["manual"], "current_user": may_show},
    }
    if it.is_local:
        entity["noindex"] = not it.indexable
    if it.memorial:
        entity["memorial"] = True
    if moved is not None:
        entity["moved"] = account(moved, origin)
    if it.is_gone:
        entity["suspended"] = True
    if it.is_limited:
        entity["limited"] = True
    return entity


def _role(name: str) -> shapes.AccountRole:
    return {"id": ROLE_IDS[name], "name": name.capitalize(), "color": ""}


def role(user: User) -> shapes.CredentialAccountRole:
    return {
        "id": ROLE_IDS[user.role],
        "name": "" if user.role == "member" else user.role.capitalize(),
        "permissions": str(_PERMISSIONS[user.role]),
        "color": "",
        "highlighted": user.role != "member",
        "collection_limit": MOST,
    }


def known(it: Known, origin: Origin) -> shapes.Account:
    """With where he moved to."""
    return account(it.account, origin, it.moved, it.may_be_shown)


def credential_account(it: Known, user: User, origin: Origin, requests: int) -> shapes.CredentialAccount:
    """CredentialAccount: one's own account, with the source of what is shown.  requests: to follow it."""
    own = it.account
    return {
        **known(it, origin),
        "source": {
            "privacy": user.default_visibility,
            "sensitive": user.default_sensitive,
            "language": user.default_language,
            "quote_policy": chosen.of(user).quote_policy,
            "note": own.note_source,
            "fields": _typed_fields(own),
            "follow_requests_count": requests,
            "discoverable": own.discoverable,
            "indexable": own.indexable,
            "hide_collections": own.hide_collections,
            "attribution_domains": own.attribution_domains,
        },
        "role": role(user),
    }


def profile(own: Account, tags: Sequence[FeaturedView], origin: Origin) -> shapes.Profile:
    """Profile: https://docs.joinmastodon.org/entities/Profile/"""
    return {
        "id": str(own.id),
        "display_name": own.display_name,
        "note": own.note_source,
        "fields": _typed_fields(own),
        "avatar": own.avatar_url,
        "avatar_static": own.avatar_url,
        "avatar_description": own.avatar_alt,
        "header": own.header_url,
        "header_static": own.header_url,
        "header_description": own.header_alt,
        "locked": own.locked,
        "bot": own.kind in ("Service", "Application"),
        "hide_collections": own.hide_collections,
        "discoverable": own.discoverable,
        "indexable": own.indexable,
        "show_media": own.show_media,
        "show_media_replies": own.show_media_replies,
        "show_featured": own.show_featured,
        "attribution_domains": own.attribution_domains,
        "featured_tags": [featured_tag(tag, origin) for tag in tags],
        "formatted_note": own.note,
        "formatted_fields": _fields(own),
    }


def _fields(it: Account) -> list[shapes.AccountField]:
    return [{"name": f["name"], "value": f["value"], "verified_at": f.get("verified_at")} for f in it.fields]


def _typed_fields(own: Account) -> list[shapes.AccountField]:
    """A field is one line whose links say where they lead: its words are what was typed."""
    return [{"name": f["name"], "value": plain(f["value"]), "verified_at": f.get("verified_at")} for f in own.fields]


def featured_tag(view: FeaturedView, origin: Origin) -> shapes.FeaturedTag:
    """FeaturedTag: https://docs.joinmastodon.org/entities/FeaturedTag/"""
    return {
        "id": str(view.tag.id),
        "name": view.tag.shown,
        "url": origin.tag(view.tag.name),
        "statuses_count": str(view.posts),
        "last_status_at": view.last_at.date().isoformat() if view.last_at else None,
    }


def preferences(user: User) -> shapes.Preferences:
    """Preferences: https://docs.joinmastodon.org/entities/Preferences/"""
    wishes = chosen.of(user)
    return {
        "posting:default:visibility": user.default_visibility,
        "posting:default:sensitive": user.default_sensitive,
        "posting:default:language": user.default_language,
        "posting:default:quote_policy": wishes.quote_policy,
        "reading:expand:media": wishes.media,
        "reading:expand:spoilers": wishes.expand,
        "reading:autoplay:gifs": wishes.autoplay,
    }


def muted_account(it: Muted, frame: Frame) -> shapes.MutedAccount:
    return {**shown_to(it.account, frame), "mute_expires_at": moment(it.expires_at)}


def relationship(it: Relationship) -> shapes.Relationship:
    """Relationship: https://docs.joinmastodon.org/entities/Relationship/"""
    return {
        "id": str(it.id),
        "following": it.following,
        "showing_reblogs": it.show_boosts,
        "notifying": it.notify,
        "languages": list(it.languages) if it.languages is not None else None,
        "followed_by": it.followed_by,
        "blocking": it.blocking,
        "blocked_by": it.blocked_by,
        "muting": it.muting,
        "muting_notifications": it.muting_notifications,
        "muting_expires_at": moment(it.muting_expires_at),
        "requested": it.requested,
        "requested_by": it.requested_by,
        "domain_blocking": it.domain_blocking,
        "endorsed": it.endorsed,
        "note": it.note,
    }
