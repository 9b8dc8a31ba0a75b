"""This server, as it tells of itself."""

from typing import Any, TypedDict

from web.api.shapes.account import Account


class Rule(TypedDict):
    """`translations`: language → text and hint."""

    id: str
    text: str
    hint: str
    translations: dict[str, dict[str, str]]


class ExtendedDescription(TypedDict):
    """`content` is HTML, empty while there is none."""

    updated_at: str | None
    content: str


class PrivacyPolicy(ExtendedDescription):
    pass


class TermsOfService(TypedDict):
    effective_date: str
    effective: bool
    content: str
    succeeded_by: str | None


class DomainBlock(TypedDict):
    """`digest`: SHA-256 of the domain."""

    domain: str
    digest: str
    severity: str
    comment: str


class InstanceActivity(TypedDict):
    """Numbers as texts: so they are with Mastodon."""

    week: str
    statuses: str
    logins: str
    registrations: str


class Language(TypedDict):
    code: str
    name: str


class InstanceV1(TypedDict):
    uri: str
    title: str
    short_description: str
    description: str
    email: str
    version: str
    urls: dict[str, str]
    stats: dict[str, int]
    thumbnail: str
    languages: list[str]
    registrations: bool
    approval_required: bool
    invites_enabled: bool
    configuration: dict[str, Any]
    contact_account: Account | None
    rules: list[Rule]


class Instance(TypedDict):
    domain: str
    title: str
    version: str
    source_url: str
    description: str
    wrapstodon: str | None
    usage: dict[str, Any]
    thumbnail: dict[str, Any]
    icon: list[dict[str, str]]
    languages: list[str]
    configuration: dict[str, Any]
    registrations: dict[str, Any]
    api_versions: dict[str, int]
    contact: dict[str, Any]
    rules: list[Rule]
