"""What moderators are told."""

from typing import Any, NotRequired, TypedDict

from web.api.shapes.account import Account, CredentialAccountRole
from web.api.shapes.list import Tag
from web.api.shapes.notification import ReportTold
from web.api.shapes.status import Status
from web.api.shapes.trends import TrendsLink


class AdminIp(TypedDict):
    ip: str
    used_at: str | None


class AdminAccount(TypedDict):
    """`ips`: from where he came lately, the last one first; `ip`: that one."""

    id: str
    username: str
    domain: str | None
    created_at: str | None
    email: str | None
    ip: str | None
    ips: list[AdminIp]
    role: CredentialAccountRole | None
    confirmed: bool
    approved: bool
    disabled: bool
    silenced: bool
    sensitized: bool
    suspended: bool
    locale: str | None
    invite_request: str | None
    account: Account
    created_by_application_id: NotRequired[str]


class AdminReport(ReportTold):
    updated_at: str | None
    account: AdminAccount
    target_account: AdminAccount
    assigned_account: AdminAccount | None
    action_taken_by_account: AdminAccount | None
    statuses: list[Status]
    rules: list[dict[str, Any]]


class AdminTag(Tag):
    """May it be shown among the trends, used by people of this server, found by searching?"""

    trendable: bool
    usable: bool
    listable: bool
    requires_review: bool


class AdminTrendsLink(TrendsLink):
    id: str
    requires_review: bool


class AdminPreviewCardProvider(TypedDict):
    """A site; its `id` is made of its name.  Nobody is asked for reviews, so there is never a `requested_review_at`."""

    id: str
    domain: str
    trendable: bool | None
    reviewed_at: str | None
    requested_review_at: str | None
    requires_review: bool


class AdminMeasureDay(TypedDict):
    date: str | None
    value: str


class AdminMeasure(TypedDict):
    """Numbers as texts: so they are with Mastodon."""

    key: str
    unit: str | None
    total: str
    previous_total: NotRequired[str]
    data: list[AdminMeasureDay]


class AdminDimensionData(TypedDict):
    """`value` is a text even where it is a number: so it is with Mastodon."""

    key: str
    human_key: str
    value: str
    unit: NotRequired[str]
    human_value: NotRequired[str]


class AdminDimension(TypedDict):
    key: str
    data: list[AdminDimensionData]


class AdminCohortData(TypedDict):
    date: str | None
    rate: float
    value: str


class AdminCohort(TypedDict):
    """frequency: day or month."""

    period: str | None
    frequency: str
    data: list[AdminCohortData]


class AdminDomainBlock(TypedDict):
    """`id` is made of the domain.  severity: noop, silence or suspend."""

    id: str
    domain: str
    digest: str
    created_at: str | None
    severity: str
    reject_media: bool
    reject_reports: bool
    private_comment: str | None
    public_comment: str | None
    obfuscate: bool


class AdminDomainAllow(TypedDict):
    id: str
    domain: str
    created_at: str | None


class AdminIpBlock(TypedDict):
    """severity: sign_up_requires_approval, sign_up_block or no_access."""

    id: str
    ip: str
    severity: str
    comment: str
    created_at: str | None
    expires_at: str | None


class AdminEmailDomainBlock(TypedDict):
    id: str
    domain: str
    created_at: str | None
    history: list[dict[str, str]]
    allow_with_approval: bool


class AdminCanonicalEmailBlock(TypedDict):
    id: str
    canonical_email_hash: str
