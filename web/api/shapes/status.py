"""Posts and what belongs to them."""

from typing import Any, NotRequired, TypedDict

from web.api.shapes.account import Account, CustomEmoji
from web.api.shapes.collection import Collection, StatusTag
from web.api.shapes.filter import FilterResult


class StatusMention(TypedDict):
    id: str
    username: str
    acct: str
    url: str


class MediaAttachment(TypedDict):
    id: str
    type: str
    url: str | None
    preview_url: str | None
    remote_url: str | None
    preview_remote_url: str | None
    text_url: str | None
    meta: dict[str, Any] | None
    description: str | None
    blurhash: str | None


class PollOption(TypedDict):
    title: str
    votes_count: int | None


class Poll(TypedDict):
    """`voted` and `own_votes` are told to readers who are signed in."""

    id: str
    expires_at: str | None
    expired: bool
    multiple: bool
    votes_count: int
    voters_count: int | None
    options: list[PollOption]
    emojis: list[CustomEmoji]
    voted: NotRequired[bool]
    own_votes: NotRequired[list[int]]


class PreviewCardAuthor(TypedDict):
    name: str
    url: str
    account: Account | None


class PreviewCard(TypedDict):
    """`html` is always empty: nothing of other sites runs here."""

    url: str
    title: str
    description: str
    language: str | None
    type: str
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    html: str
    width: int
    height: int
    image: str | None
    image_description: str
    embed_url: str
    blurhash: str | None
    published_at: str | None
    authors: list[PreviewCardAuthor]
    missing_attribution: bool | None


class QuoteApproval(TypedDict):
    """`current_user`: automatic, manual, denied or unknown."""

    automatic: list[str]
    manual: list[str]
    current_user: str


class Quote(TypedDict):
    state: str
    quoted_status: "Status | None"


class ShallowQuote(TypedDict):
    state: str
    quoted_status_id: str | None


class StatusApplication(TypedDict):
    name: str
    website: str | None


class Status(TypedDict):
    """`local_only` is our own: it never leaves this server.  `favourited` … `pinned` are for who is signed in."""

    id: str
    uri: str
    url: str | None
    created_at: str | None
    edited_at: str | None
    in_reply_to_id: str | None
    in_reply_to_account_id: str | None
    sensitive: bool
    spoiler_text: str
    visibility: str
    language: str | None
    replies_count: int
    reblogs_count: int
    favourites_count: int
    quotes_count: int
    quote: Any  # Quote, ShallowQuote or null
    quote_approval: QuoteApproval
    content: str
    reblog: "Status | None"
    application: StatusApplication | None
    account: Account
    media_attachments: list[MediaAttachment]
    mentions: list[StatusMention]
    tags: list[StatusTag]
    emojis: list[CustomEmoji]
    card: PreviewCard | None
    poll: Poll | None
    filtered: list[FilterResult]
    tagged_collections: list[Collection]
    local_only: bool
    favourited: NotRequired[bool]
    reblogged: NotRequired[bool]
    muted: NotRequired[bool]
    bookmarked: NotRequired[bool]
    pinned: NotRequired[bool]


class DeletedStatus(Status):
    text: str


class StatusEditOption(TypedDict):
    title: str


class StatusEditPoll(TypedDict):
    options: list[StatusEditOption]


class StatusEdit(TypedDict):
    content: str
    spoiler_text: str
    sensitive: bool
    created_at: str | None
    account: Account
    media_attachments: list[MediaAttachment]
    emojis: list[CustomEmoji]
    poll: NotRequired[StatusEditPoll]
    quote: NotRequired[Any]  # Quote or ShallowQuote


class EmojiReaction(TypedDict):
    """Pleroma's."""

    name: str
    count: int
    me: bool
    url: str | None
    accounts: list[Account]


class Completeness(TypedDict):
    """Ours: how much of the conversation is here.  `expected`: null where nobody looked yet."""

    known: int
    expected: int | None
    asked_at: str | None
    running: bool
    silent_hosts: list[str]


class Context(TypedDict):
    ancestors: list[Status]
    descendants: list[Status]
    completeness: Completeness


class AsyncRefresh(TypedDict):
    id: str
    status: str
    result_count: int | None


class AsyncRefreshAnswer(TypedDict):
    async_refresh: AsyncRefresh


class StatusSource(TypedDict):
    id: str
    text: str
    spoiler_text: str
