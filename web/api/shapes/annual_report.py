"""What a year was like, on servers that tell it."""

from typing import Any, TypedDict

from web.api.shapes.account import Account
from web.api.shapes.status import Status


class AnnualReports(TypedDict):
    annual_reports: list[dict[str, Any]]
    accounts: list[Account]
    statuses: list[Status]


class AnnualReportState(TypedDict):
    """available, generating, eligible or ineligible."""

    state: str
