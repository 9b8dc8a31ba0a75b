"""Limits on whole servers, lists of them as CSV, and reports."""

from social.moderation.hosts import (
    BLOCK,
    LEVELS,
    LIMIT,
    PolicyDraft,
    clean_host,
    holding,
    levels,
    policies,
    set_draft,
    set_policies,
    set_policy,
    unset_policy,
    without_files,
)
from social.moderation.lists import format_csv, parse_csv
from social.moderation.reports import Complaint, open_reports, receive_flag, report, resolve, status_ids

__all__ = [
    "BLOCK",
    "LEVELS",
    "LIMIT",
    "Complaint",
    "PolicyDraft",
    "clean_host",
    "format_csv",
    "holding",
    "levels",
    "open_reports",
    "parse_csv",
    "policies",
    "receive_flag",
    "report",
    "resolve",
    "set_draft",
    "set_policies",
    "set_policy",
    "status_ids",
    "unset_policy",
    "without_files",
]
