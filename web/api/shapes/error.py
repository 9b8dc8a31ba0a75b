"""What every refusal says."""

from typing import Any, NotRequired, TypedDict


class Error(TypedDict):
    """`details`: what is wrong with which field, of a sign-up or a collection."""

    error: str
    error_description: NotRequired[str]
    details: NotRequired[dict[str, Any]]
