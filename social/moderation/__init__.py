"""Limits on whole servers, lists of them as CSV, and reports."""

from social.moderation.hosts import (
    BLOCK,
    LEVELS,
    PolicyDraft,
    blocked_hosts,
    clean_host,
    covers,
    limited_hosts,
    policies,
    policy_of,
    set_policies,
    set_policy,
    unset_policy,
)
from social.moderation.lists import format_csv, parse_csv
from social.moderation.reports import open_reports, receive_flag, report, resolve

__all__ = [
    "BLOCK",
    "LEVELS",
    "PolicyDraft",
    "blocked_hosts",
    "clean_host",
    "covers",
    "format_csv",
    "limited_hosts",
    "open_reports",
    "parse_csv",
    "policies",
    "policy_of",
    "receive_flag",
    "report",
    "resolve",
    "set_policies",
    "set_policy",
    "unset_policy",
]
