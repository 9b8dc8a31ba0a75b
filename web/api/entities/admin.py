"""Admin::Account, Admin::Report and what else moderators see: https://docs.joinmastodon.org/entities/Admin_Account/"""

from federation.origin import Origin
from social.addresses import shown
from social.moderation.casework import CaseView
from social.moderation.hashtags import Judged
from social.moderation.people import PersonView
from social.moderation.publishers import Publisher
from social.numbers import number_of
from web.api import shapes
from web.api.entities.account import moment, role, shown_to
from web.api.entities.frame import Frame
from web.api.entities.list import tag
from web.api.entities.notification import told
from web.api.entities.status import status


def admin_account(view: PersonView, frame: Frame) -> shapes.AdminAccount:
    it, user, signup = view.account, view.user, view.signup
    ips: list[shapes.AdminIp] = [{"ip": shown(one.ip), "used_at": moment(one.used_at)} for one in view.addresses]
    entity: shapes.AdminAccount = {
        "id": str(it.id),
        "username": it.username,
        "domain": it.domain,
        "created_at": moment(it.created_at),
        "email": user.email if user else None,
        "ip": ips[0]["ip"] if ips else None,
        "ips": ips,
        "role": role(user) if user else None,
        "confirmed": user is not None and user.confirmed_at is not None,
        "approved": user is not None and user.approved_at is not None,
        "disabled": user is not None and user.disabled_at is not None,
        "silenced": it.silenced_at is not None,
        "sensitized": it.sensitized_at is not None,
        "suspended": it.suspended_at is not None,
        "locale": signup.locale if signup else None,
        "invite_request": (signup.reason or None) if signup else None,
        "account": shown_to(it, frame),
    }
    if signup and signup.app_id is not None:
        entity["created_by_application_id"] = str(signup.app_id)
    return entity


def admin_report(view: CaseView, frame: Frame) -> shapes.AdminReport:
    it = view.report
    return {
        **told(it),
        "updated_at": moment(it.resolved_at or it.created_at),
        "account": admin_account(view.reporter, frame),
        "target_account": admin_account(view.target, frame),
        "assigned_account": admin_account(view.assigned, frame) if view.assigned else None,
        "action_taken_by_account": admin_account(view.resolved_by, frame) if view.resolved_by else None,
        "statuses": [status(post, frame) for post in view.posts],
        "rules": [{"id": str(rule.id), "text": rule.text, "hint": rule.hint} for rule in view.rules],
    }


def admin_tag(it: Judged, origin: Origin, usually: bool) -> shapes.AdminTag:
    """usually: may hashtags be shown among the trends of which nobody said anything?"""
    return {
        **tag(it.view, origin),
        "trendable": usually if it.trendable is None else it.trendable,
        "usable": it.usable,
        "listable": it.listable,
        "requires_review": it.requires_review,
    }


def publisher(it: Publisher) -> shapes.AdminPreviewCardProvider:
    return {
        "id": str(number_of(it.site)),
        "domain": it.site,
        "trendable": it.allowed,
        "reviewed_at": moment(it.decided_at),
        "requested_review_at": None,
        "requires_review": it.allowed is None,
    }
