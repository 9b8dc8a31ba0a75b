"""Posts that wait for their moment."""

from typing import TypedDict

from web.api.shapes.status import MediaAttachment


class ScheduledPoll(TypedDict):
    options: list[str]
    expires_in: int
    multiple: bool
    hide_totals: bool


class ScheduledStatusParams(TypedDict):
    """`scheduled_at` and `with_rate_limit` mean nothing; Mastodon has them."""

    text: str
    poll: ScheduledPoll | None
    media_ids: list[str] | None
    sensitive: bool | None
    spoiler_text: str | None
    visibility: str | None
    in_reply_to_id: int | None
    language: str | None
    application_id: int | None
    scheduled_at: None
    idempotency: str | None
    with_rate_limit: bool
    local_only: bool


class ScheduledStatus(TypedDict):
    id: str
    scheduled_at: str | None
    params: ScheduledStatusParams
    media_attachments: list[MediaAttachment]
