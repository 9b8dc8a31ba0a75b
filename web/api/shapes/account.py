"""Accounts, and what two of them are to each other."""

from typing import NotRequired, TypedDict


class CustomEmoji(TypedDict):
    shortcode: str
    url: str
    static_url: str
    visible_in_picker: bool
    category: NotRequired[str]


class AccountField(TypedDict):
    """`value` is HTML, but in CredentialAccount.source."""

    name: str
    value: str
    verified_at: str | None


class AccountRole(TypedDict):
    id: str
    name: str
    color: str


class FeatureApproval(TypedDict):
    """Who may show an account in a collection.  current_user: automatic, manual, denied, unknown or missing."""

    automatic: list[str]
    manual: list[str]
    current_user: str


class Account(TypedDict):
    """https://docs.joinmastodon.org/entities/Account/"""

    id: str
    username: str
    acct: str
    display_name: str
    locked: bool
    bot: bool
    discoverable: bool
    indexable: bool
    group: bool
    created_at: str | None
    note: str
    url: str
    uri: str
    avatar: str
    avatar_static: str
    avatar_description: str
    header: str
    header_static: str
    header_description: str
    followers_count: int
    following_count: int
    statuses_count: int
    last_status_at: str | None
    hide_collections: bool
    show_media: bool
    show_media_replies: bool
    show_featured: bool
    emojis: list[CustomEmoji]
    roles: list[AccountRole]
    fields: list[AccountField]
    noindex: NotRequired[bool]
    memorial: NotRequired[bool]
    suspended: NotRequired[bool]
    limited: NotRequired[bool]
    moved: NotRequired["Account"]
    feature_approval: FeatureApproval


class CredentialAccountSource(TypedDict):
    privacy: str
    sensitive: bool
    language: str | None
    quote_policy: str
    note: str
    fields: list[AccountField]
    follow_requests_count: int
    discoverable: bool
    indexable: bool
    hide_collections: bool
    attribution_domains: list[str]


class CredentialAccountRole(AccountRole):
    permissions: str
    highlighted: bool
    collection_limit: int


class CredentialAccount(Account):
    source: CredentialAccountSource
    role: CredentialAccountRole


class MutedAccount(Account):
    mute_expires_at: str | None


class Relationship(TypedDict):
    id: str
    following: bool
    showing_reblogs: bool
    notifying: bool
    languages: list[str] | None
    followed_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    muting_expires_at: str | None
    requested: bool
    requested_by: bool
    domain_blocking: bool
    endorsed: bool
    note: str


class FeaturedTag(TypedDict):
    """`statuses_count` is a text: so it is with Mastodon."""

    id: str
    name: str
    url: str
    statuses_count: str
    last_status_at: str | None


class Profile(TypedDict):
    """What somebody may change of his own account: `note` and `fields` as typed, and as they look."""

    id: str
    display_name: str
    note: str
    fields: list[AccountField]
    avatar: str | None
    avatar_static: str | None
    avatar_description: str
    header: str | None
    header_static: str | None
    header_description: str
    locked: bool
    bot: bool
    hide_collections: bool
    discoverable: bool
    indexable: bool
    show_media: bool
    show_media_replies: bool
    show_featured: bool
    attribution_domains: list[str]
    featured_tags: list[FeaturedTag]
    formatted_note: str
    formatted_fields: list[AccountField]


class Suggestion(TypedDict):
    """`sources`: friends_of_friends, most_followed; `source`: the same for older programs."""

    source: str
    sources: list[str]
    account: Account


class FamiliarFollowers(TypedDict):
    id: str
    accounts: list[Account]


Preferences = TypedDict(
    "Preferences",
    {
        "posting:default:visibility": str,
        "posting:default:sensitive": bool,
        "posting:default:language": str | None,
        "posting:default:quote_policy": str,
        "reading:expand:media": str,
        "reading:expand:spoilers": bool,
        "reading:autoplay:gifs": bool,
    },
)
