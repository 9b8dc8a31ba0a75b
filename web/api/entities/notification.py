"""Notification: https://docs.joinmastodon.org/entities/Notification/"""

from social.filtering import ACCEPT, Summary
from social.notification_requests import RequestView
from social.notifications import NotificationView, ReportView
from store.tables import Notification, NotificationPolicy
from web.api import shapes
from web.api.entities.account import account, moment
from web.api.entities.frame import Frame
from web.api.entities.status import status


def notification(view: NotificationView, frame: Frame) -> shapes.Notification:
    it = view.notification
    entity: shapes.Notification = {
        "id": str(it.id),
        "type": it.kind,
        "group_key": group_key(it),
        "created_at": moment(it.created_at),
        "account": account(view.account, frame.origin),
    }
    if view.post:
        entity["status"] = status(view.post, frame)
    if view.report:
        entity["report"] = report(view.report, frame)
    return entity


def group_key(it: Notification) -> str:
    return it.group_key or f"ungrouped-{it.id}"


def report(view: ReportView, frame: Frame) -> shapes.Report:
    """Report: https://docs.joinmastodon.org/entities/Report/"""
    it = view.report
    return {
        "id": str(it.id),
        "action_taken": it.resolved_at is not None,
        "action_taken_at": moment(it.resolved_at),
        "category": "other",
        "comment": it.comment,
        "forwarded": False,
        "created_at": moment(it.created_at),
        "status_ids": [str(number) for number in view.post_ids],
        "rule_ids": [],
        "target_account": account(view.target, frame.origin),
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
        "account": account(view.account, frame.origin),
    }
    if view.post:
        entity["last_status"] = status(view.post, frame)
    return entity
