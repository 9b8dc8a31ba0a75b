"""What one of our people wants to say, and what is wrong with it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from federation.reading.values import clean, is_web
from social import quoting
from social import text as texts
from social.errors import Invalid
from social.visibility import VISIBILITIES

LONGEST: Final = 5_000  # characters as their author counts them (social.text.length), the content warning included
MOST_TYPED: Final = 4 * LONGEST  # characters as a machine counts them: with long links and joined emoji
MOST_MEDIA: Final = 16
MOST_OPTIONS: Final = 10
LONGEST_OPTION: Final = 100
LONGEST_DESCRIPTION: Final = 1_500
SHORTEST_POLL: Final = timedelta(minutes=1)
LONGEST_POLL: Final = timedelta(days=60)

_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8}){0,3}")
_MEDIA_TYPE = re.compile(r"[a-z]+/[\w.+-]{1,100}", re.ASCII)
_MEDIA_KINDS = ("image", "video", "audio", "unknown")


@dataclass(frozen=True, slots=True)
class PollDraft:
    """`hide_totals`: nobody is told how it stands before it is over."""

    options: tuple[str, ...]
    expires_at: datetime
    multiple: bool = False
    hide_totals: bool = False


@dataclass(frozen=True, slots=True)
class MediaDraft:
    """A picture, film or sound that is somewhere already."""

    url: str
    kind: str = "image"
    media_type: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of a post gets another description, or another centre (x, y: -1.0 … 1.0).  None: it stays."""

    id: int
    description: str | None = None
    focus: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """`visibility`: public, unlisted, private or direct.  `summary` is the content warning.

    `media` is somewhere already; `media_ids` are files that the author uploaded (None, for an edit: they stay).
    """

    text: str
    visibility: str = "public"
    summary: str = ""
    sensitive: bool = False
    language: str | None = None
    reply_to_id: int | None = None
    poll: PollDraft | None = None
    ends_poll: bool = False  # of an edit: without `poll`, the one that is there goes
    media: tuple[MediaDraft, ...] = ()
    media_ids: tuple[int, ...] | None = None
    file_changes: tuple[FileChange, ...] = ()  # of an edit
    local_only: bool = False  # for people of ours alone; an answer to such a post is always such a post
    app_id: int | None = None  # the program that it is written with
    quoted_id: int | None = None
    quote_policy: str = "public"  # who may quote it: see social/quoting.py


def check(draft: Draft, now: datetime, *, may_be_empty: bool = False) -> Draft:
    """The draft without control characters and needless space.

    may_be_empty: something else is there already, see edit.
    Raises: Invalid, saying what is wrong.
    """
    if len(draft.text) + len(draft.summary) > MOST_TYPED:
        raise Invalid(f"A post has at most {LONGEST} characters")
    text, summary = texts.tidy(draft.text), _line(draft.summary)
    if not (text or draft.media or draft.media_ids or draft.poll or draft.quoted_id or may_be_empty):
        raise Invalid("A post needs words, a picture or a poll")
    if draft.quoted_id and (draft.poll or draft.media_ids):
        raise Invalid("A post that quotes another has no files and no poll")
    if draft.media_ids and draft.poll:
        raise Invalid("A post has files or a poll, not both")
    if texts.length(text) + len(summary) > LONGEST:
        raise Invalid(f"A post has at most {LONGEST} characters")
    if draft.visibility not in VISIBILITIES:
        raise Invalid(f"Visibility is one of {', '.join(VISIBILITIES)}")
    if draft.language is not None and not _LANGUAGE.fullmatch(draft.language):
        raise Invalid("A language is a code like en or pt-BR")
    return Draft(
        text=text,
        visibility=draft.visibility,
        summary=summary,
        sensitive=draft.sensitive or bool(summary),
        language=draft.language,
        reply_to_id=draft.reply_to_id,
        poll=None if draft.poll is None else _check_poll(draft.poll, now),
        ends_poll=draft.ends_poll,
        media=_check_media(draft.media),
        media_ids=draft.media_ids,
        file_changes=tuple(_check_change(change) for change in draft.file_changes),
        local_only=draft.local_only,
        app_id=draft.app_id,
        quoted_id=draft.quoted_id,
        quote_policy=quoting.checked(draft.quote_policy),
    )


def _check_poll(poll: PollDraft, now: datetime) -> PollDraft:
    options = tuple(_line(option) for option in poll.options)
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise Invalid(f"A poll has 2 to {MOST_OPTIONS} options")
    if not all(0 < len(option) <= LONGEST_OPTION for option in options):
        raise Invalid(f"An option of a poll has 1 to {LONGEST_OPTION} characters")
    if len({option.casefold() for option in options}) < len(options):
        raise Invalid("Two options of the poll are the same")  # votes name them
    if not SHORTEST_POLL <= poll.expires_at - now <= LONGEST_POLL:
        raise Invalid(f"A poll is open for some minutes, and for {LONGEST_POLL.days} days at most")
    return PollDraft(options, poll.expires_at, poll.multiple, poll.hide_totals)


def _check_change(change: FileChange) -> FileChange:
    if len(change.description or "") > LONGEST_DESCRIPTION:
        raise Invalid(f"A description has at most {LONGEST_DESCRIPTION} characters")
    if change.focus is not None and not all(-1.0 <= place <= 1.0 for place in change.focus):
        raise Invalid("The focus of a picture is two numbers between -1 and 1")
    said = None if change.description is None else clean(change.description, LONGEST_DESCRIPTION).strip()
    return FileChange(change.id, said, change.focus)


def _check_media(media: tuple[MediaDraft, ...]) -> tuple[MediaDraft, ...]:
    if len(media) > MOST_MEDIA:
        raise Invalid(f"A post has at most {MOST_MEDIA} attachments")
    for item in media:
        if not is_web(item.url) or item.kind not in _MEDIA_KINDS:
            raise Invalid("An attachment needs an http(s) address and a kind")
        if item.media_type is not None and not _MEDIA_TYPE.fullmatch(item.media_type):
            raise Invalid("A media type looks like image/png")
        if len(item.description) > LONGEST_DESCRIPTION:
            raise Invalid(f"A description has at most {LONGEST_DESCRIPTION} characters")
    return tuple(
        MediaDraft(item.url, item.kind, item.media_type, clean(item.description, LONGEST_DESCRIPTION).strip())
        for item in media
    )


def _line(text: str) -> str:
    return " ".join(clean(text, len(text)).split())
