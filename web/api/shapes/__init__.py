"""The shapes of the entities, as https://docs.joinmastodon.org/entities/ names them: what is promised to clients.

The functions of web/api/entities return them, so the type checker compares the two; OpenAPI is made of them.
"""

from web.api.shapes.account import (
    Account,
    AccountField,
    AccountRole,
    CredentialAccount,
    CredentialAccountRole,
    CredentialAccountSource,
    CustomEmoji,
    FamiliarFollowers,
    FeaturedTag,
    MutedAccount,
    Preferences,
    Relationship,
)
from web.api.shapes.app import Application, ApplicationWithSecret, Token, UserInfo
from web.api.shapes.conversation import Conversation
from web.api.shapes.error import Error
from web.api.shapes.instance import Instance, InstanceV1
from web.api.shapes.notification import (
    Count,
    GroupedNotificationsResults,
    Merged,
    Notification,
    NotificationGroup,
    NotificationPolicy,
    NotificationPolicySummary,
    NotificationPolicyV1,
    NotificationRequest,
    PartialAccountWithAvatar,
    Report,
)
from web.api.shapes.oembed import OEmbed
from web.api.shapes.scheduled import ScheduledPoll, ScheduledStatus, ScheduledStatusParams
from web.api.shapes.search import Search
from web.api.shapes.status import (
    Context,
    DeletedStatus,
    MediaAttachment,
    Poll,
    PollOption,
    Status,
    StatusApplication,
    StatusEdit,
    StatusEditOption,
    StatusEditPoll,
    StatusMention,
    StatusSource,
    StatusTag,
)

__all__ = [
    "Account",
    "AccountField",
    "AccountRole",
    "Application",
    "ApplicationWithSecret",
    "Context",
    "Conversation",
    "Count",
    "CredentialAccount",
    "CredentialAccountRole",
    "CredentialAccountSource",
    "CustomEmoji",
    "DeletedStatus",
    "Error",
    "FamiliarFollowers",
    "FeaturedTag",
    "GroupedNotificationsResults",
    "Instance",
    "InstanceV1",
    "MediaAttachment",
    "Merged",
    "MutedAccount",
    "Notification",
    "NotificationGroup",
    "NotificationPolicy",
    "NotificationPolicySummary",
    "NotificationPolicyV1",
    "NotificationRequest",
    "OEmbed",
    "PartialAccountWithAvatar",
    "Poll",
    "PollOption",
    "Preferences",
    "Relationship",
    "Report",
    "ScheduledPoll",
    "ScheduledStatus",
    "ScheduledStatusParams",
    "Search",
    "Status",
    "StatusApplication",
    "StatusEdit",
    "StatusEditOption",
    "StatusEditPoll",
    "StatusMention",
    "StatusSource",
    "StatusTag",
    "Token",
    "UserInfo",
]
