"""What somebody should know."""

from typing import NotRequired, TypedDict

from web.api.shapes.account import Account
from web.api.shapes.collection import Collection
from web.api.shapes.status import Status


class ReportTold(TypedDict):
    """What members and moderators see of a report alike."""

    id: str
    action_taken: bool
    action_taken_at: str | None
    category: str
    comment: str
    forwarded: bool
    created_at: str | None


class Report(ReportTold):
    status_ids: list[str]
    collection_ids: list[str]
    rule_ids: list[str]
    target_account: Account


class AccountWarning(TypedDict):
    """action: none, sensitive, disable, silence or suspend.  There are no appeals: `appeal` is null."""

    id: str
    action: str
    text: str
    status_ids: list[str]
    target_account: Account
    appeal: None
    created_at: str | None


class RelationshipSeveranceEvent(TypedDict):
    """type: domain_block, user_domain_block or account_suspension."""

    id: str
    type: str
    purged: bool
    target_name: str
    followers_count: int
    following_count: int
    created_at: str | None


class NotificationFallback(TypedDict):
    """HTML, for programs that do not know the type: which they say with `supported_types`."""

    title: str
    summary: str | None
    details: str | None


class Notification(TypedDict):
    id: str
    type: str
    group_key: str
    created_at: str | None
    account: Account
    status: NotRequired[Status]
    report: NotRequired[Report]
    event: NotRequired[RelationshipSeveranceEvent]
    moderation_warning: NotRequired[AccountWarning]
    collection: NotRequired[Collection]
    fallback: NotRequired[NotificationFallback]


class Count(TypedDict):
    count: int


class PartialAccountWithAvatar(TypedDict):
    id: str
    acct: str
    url: str
    avatar: str
    avatar_static: str
    avatar_description: str
    locked: bool
    bot: bool


class NotificationGroup(TypedDict):
    """The ones about the page are left out when a group is asked for alone."""

    group_key: str
    notifications_count: int
    type: str
    most_recent_notification_id: str
    page_min_id: NotRequired[str]
    page_max_id: NotRequired[str]
    latest_page_notification_at: NotRequired[str | None]
    sample_account_ids: list[str]
    status_id: NotRequired[str]
    report: NotRequired[Report]
    event: NotRequired[RelationshipSeveranceEvent]
    moderation_warning: NotRequired[AccountWarning]
    collection: NotRequired[Collection]
    fallback: NotRequired[NotificationFallback]


class GroupedNotificationsResults(TypedDict):
    accounts: list[Account]
    partial_accounts: NotRequired[list[PartialAccountWithAvatar]]
    statuses: list[Status]
    notification_groups: list[NotificationGroup]


class NotificationPolicySummary(TypedDict):
    pending_requests_count: int
    pending_notifications_count: int


class NotificationPolicy(TypedDict):
    """Each `for_…` is accept, filter or drop."""

    for_not_following: str
    for_not_followers: str
    for_new_accounts: str
    for_private_mentions: str
    for_limited_accounts: str
    for_bots: str
    summary: NotificationPolicySummary


class NotificationPolicyV1(TypedDict):
    filter_not_following: bool
    filter_not_followers: bool
    filter_new_accounts: bool
    filter_private_mentions: bool
    summary: NotificationPolicySummary


class NotificationRequest(TypedDict):
    """`notifications_count` is a number in a text."""

    id: str
    created_at: str | None
    updated_at: str | None
    notifications_count: str
    account: Account
    last_status: NotRequired[Status]


class PushKeys(TypedDict):
    p256dh: str
    auth: str


class PushAddress(TypedDict):
    endpoint: str
    keys: PushKeys
    standard: NotRequired[bool]


class PushWish(TypedDict):
    """alerts: by kind of notification.  policy: all, followed, follower or none."""

    alerts: NotRequired[dict[str, bool]]
    policy: NotRequired[str]


class WebPushSubscription(TypedDict):
    id: str
    endpoint: str
    standard: bool
    alerts: dict[str, bool]
    policy: str
    server_key: str


class Merged(TypedDict):
    merged: bool
