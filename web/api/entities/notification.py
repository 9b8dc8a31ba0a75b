"""Notification: https://docs.joinmastodon.org/entities/Notification/"""

from collections.abc import Collection, Sequence
from html import escape
from typing import Final

from social.filtering import ACCEPT, Summary
from social.grouping import Group
from social.notification_requests import RequestView
from social.notifications import KINDS, NotificationView
from social.pushed import title
from social.subjects import KINDS as KINDS_OF_SUBJECTS
from social.subjects import ReportView, WarningView
from store.tables import Account, Notification, NotificationPolicy, PushSubscription, Report, Severance
from web.api import shapes
from web.api.entities.account import moment, shown_to
from web.api.entities.collection import collection
from web.api.entities.frame import Frame
from web.api.entities.status import status

# What programs came to know after the first ones: https://docs.joinmastodon.org/entities/NotificationFallback/
LATER: Final = (*KINDS_OF_SUBJECTS, "admin.sign_up")


def notification(view: NotificationView, frame: Frame, supported: Collection[str] | None = None) -> shapes.Notification:
    """supported: the types that the program knows; None: it does not say."""
    it = view.notification
    entity: shapes.Notification = {
        "id": str(it.id),
        "type": it.kind,
        "group_key": group_key(it),
        "created_at": moment(it.created_at),
        "account": shown_to(view.account, frame),
    }
    if view.post:
        entity["status"] = status(view.post, frame)
    if view.report:
        entity["report"] = report(view.report, frame)
    if view.warning:
        entity["moderation_warning"] = warning(view.warning, view.account, frame)
    if view.severance:
        entity["event"] = severance(view.severance)
    if view.collection:
        entity["collection"] = collection(view.collection, frame.origin)
    if found := _fallback(view, frame, supported):
        entity["fallback"] = found
    return entity


def _fallback(
    view: NotificationView, frame: Frame, supported: Collection[str] | None
) -> shapes.NotificationFallback | None:
    """NotificationFallback: https://docs.joinmastodon.org/entities/NotificationFallback/"""
    kind = view.notification.kind
    if supported is None or kind in supported or kind not in LATER:
        return None
    link = f'<a href="{frame.origin.url("/notifications")}">Read it on {escape(frame.origin.domain)}</a>'
    return {
        "title": escape(title(view)),
        "summary": f"<p>Your app does not know this kind of news. {link}</p>",
        "details": None,
    }


def told_of(view: NotificationView) -> tuple[Account, ...]:
    """The people in it who wrote none of its posts."""
    return (view.account, *([view.report.target] if view.report else []))


def group_key(it: Notification) -> str:
    return it.group_key or f"ungrouped-{it.id}"


def told(it: Report) -> shapes.ReportTold:
    return {
        "id": str(it.id),
        "action_taken": it.resolved_at is not None,
        "action_taken_at": moment(it.resolved_at),
        "category": it.category,
        "comment": it.comment,
        "forwarded": it.forwarded,
        "created_at": moment(it.created_at),
    }


def report(view: ReportView, frame: Frame) -> shapes.Report:
    """Report: https://docs.joinmastodon.org/entities/Report/"""
    it = view.report
    return {
        **told(it),
        "status_ids": [str(number) for number in view.post_ids],
        "collection_ids": [str(number) for number in view.collection_ids],
        "rule_ids": it.rule_ids,
        "target_account": shown_to(view.target, frame),
    }


def warning(view: WarningView, target: Account, frame: Frame) -> shapes.AccountWarning:
    """AccountWarning: https://docs.joinmastodon.org/entities/AccountWarning/"""
    it = view.warned
    return {
        "id": str(it.id),
        "action": it.action,
        "text": it.text,
        "status_ids": [str(number) for number in view.post_ids],
        "target_account": shown_to(target, frame),
        "appeal": None,
        "created_at": moment(it.created_at),
    }


def severance(it: Severance) -> shapes.RelationshipSeveranceEvent:
    """RelationshipSeveranceEvent: https://docs.joinmastodon.org/entities/RelationshipSeveranceEvent/"""
    return {
        "id": str(it.id),
        "type": it.kind,
        "purged": False,
        "target_name": it.target_name,
        "followers_count": it.followers,
        "following_count": it.following,
        "created_at": moment(it.created_at),
    }


def policy(it: NotificationPolicy, waits: Summary) -> shapes.NotificationPolicy:
    """NotificationPolicy: https://docs.joinmastodon.org/entities/NotificationPolicy/"""
    return {
        "for_not_following": it.for_not_following,
        "for_not_followers": it.for_not_followers,
        "for_new_accounts": it.for_new_accounts,
        "for_private_mentions": it.for_private_mentions,
        "for_limited_accounts": it.for_limited_accounts,
        "for_bots": it.for_bots,
        "summary": _summary(waits),
    }


def policy_v1(it: NotificationPolicy, waits: Summary) -> shapes.NotificationPolicyV1:
    """V1::NotificationPolicy: https://docs.joinmastodon.org/entities/V1_NotificationPolicy/"""
    return {
        "filter_not_following": it.for_not_following != ACCEPT,
        "filter_not_followers": it.for_not_followers != ACCEPT,
        "filter_new_accounts": it.for_new_accounts != ACCEPT,
        "filter_private_mentions": it.for_private_mentions != ACCEPT,
        "summary": _summary(waits),
    }


def _summary(waits: Summary) -> shapes.NotificationPolicySummary:
    return {"pending_requests_count": waits.requests, "pending_notifications_count": waits.notifications}


def request_entity(view: RequestView, frame: Frame) -> shapes.NotificationRequest:
    """NotificationRequest: https://docs.joinmastodon.org/entities/NotificationRequest/"""
    entity: shapes.NotificationRequest = {
        "id": str(view.request.id),
        "created_at": moment(view.request.created_at),
        "updated_at": moment(view.request.updated_at),
        "notifications_count": str(view.count),
        "account": shown_to(view.account, frame),
    }
    if view.post:
        entity["last_status"] = status(view.post, frame)
    return entity


def grouped(
    groups: Sequence[Group], frame: Frame, *, partly: bool, supported: Collection[str] | None = None
) -> shapes.GroupedNotificationsResults:
    """GroupedNotificationsResults.  partly: of each group, only the newest sender is told in full."""
    full = {one.id: one for group in groups for one in (group.sample[:1] if partly else group.sample)}
    rest = {one.id: one for group in groups for one in group.sample if one.id not in full}
    posts = {group.head.post.parts.post.id: group.head.post for group in groups if group.head.post}
    entity: shapes.GroupedNotificationsResults = {
        "accounts": [shown_to(one, frame) for one in full.values()],
        "statuses": [status(view, frame) for view in posts.values()],
        "notification_groups": [_group(group, frame, supported) for group in groups],
    }
    if partly:
        entity["partial_accounts"] = [_partial(one, frame) for one in rest.values()]
    return entity


def _group(group: Group, frame: Frame, supported: Collection[str] | None) -> shapes.NotificationGroup:
    """NotificationGroup: https://docs.joinmastodon.org/methods/grouped_notifications/#NotificationGroup"""
    entity: shapes.NotificationGroup = {
        "group_key": group.key,
        "notifications_count": group.count,
        "type": group.head.notification.kind,
        "most_recent_notification_id": str(group.newest),
        "sample_account_ids": [str(one.id) for one in group.sample],
    }
    if group.oldest is not None:
        entity["page_min_id"], entity["page_max_id"] = str(group.oldest), str(group.newest)
        entity["latest_page_notification_at"] = moment(group.newest_at)
    if group.head.post:
        entity["status_id"] = str(group.head.post.parts.post.id)
    if group.head.report:
        entity["report"] = report(group.head.report, frame)
    if group.head.warning:
        entity["moderation_warning"] = warning(group.head.warning, group.head.account, frame)
    if group.head.severance:
        entity["event"] = severance(group.head.severance)
    if group.head.collection:
        entity["collection"] = collection(group.head.collection, frame.origin)
    if found := _fallback(group.head, frame, supported):
        entity["fallback"] = found
    return entity


def _partial(it: Account, frame: Frame) -> shapes.PartialAccountWithAvatar:
    whole = shown_to(it, frame)
    return {
        "id": whole["id"],
        "acct": whole["acct"],
        "url": whole["url"],
        "avatar": whole["avatar"],
        "avatar_static": whole["avatar_static"],
        "avatar_description": whole["avatar_description"],
        "locked": whole["locked"],
        "bot": whole["bot"],
    }


def subscription(it: PushSubscription, key: str) -> shapes.WebPushSubscription:
    """WebPushSubscription: https://docs.joinmastodon.org/entities/WebPushSubscription/"""
    alerts = it.alerts.split()
    return {
        "id": str(it.id),
        "endpoint": it.endpoint,
        "standard": it.standard,
        "alerts": {kind: kind in alerts for kind in KINDS},
        "policy": it.policy,
        "server_key": key,
    }
