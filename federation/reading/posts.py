"""Anything that we show as a post: Note, Question, Article, Page, Video, Event, Audio, Image, …"""

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Literal, TypeAlias

from federation.errors import Malformed
from federation.reading import media, tags, values
from federation.reading.events import Event, read_event
from federation.reading.media import Attachment
from federation.reading.policies import read_policy
from federation.reading.tags import Emoji, Mention
from federation.reading.values import JSON, PUBLIC

POST_KINDS = frozenset(
    {"Note", "Question", "Article", "Page", "Video", "Audio", "Image", "Document", "Event", "ChatMessage"}
)
OPTIONS_LIMIT = 32
AUTHORS_LIMIT = 16

_PLAIN = ("text/plain", "text/markdown", "text/x.misskeymarkdown")
_QUOTE_FIELDS = ("quote", "quoteUrl", "quoteUri", "quoteURL", "_misskey_quote")
_EPOCH = datetime.fromtimestamp(0, UTC)

Visibility: TypeAlias = Literal["public", "unlisted", "private", "direct"]


@dataclass(frozen=True, slots=True)
class Option:
    title: str
    votes: int


@dataclass(frozen=True, slots=True)
class Poll:
    multiple: bool
    options: tuple[Option, ...]
    expires: datetime | None = None
    closed: datetime | None = None
    voters: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A post as its origin describes it.  Texts are bounded and free of control characters, HTML is NOT safe yet.

    `summary` is the warning of a Note and the abstract of longer kinds; some send HTML in it.
    `interaction_policy` is {"canQuote": {"automaticApproval": [uri], "manualApproval": [uri]}, …}.
    """

    id: str
    kind: str
    author: str
    authors: tuple[str, ...]
    html: str = ""
    title: str = ""
    summary: str = ""
    preview: str = ""  # FEP-b2b8: HTML to show where a long text has no room
    sensitive: bool = False
    language: str | None = None
    url: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    audience: str | None = None  # FEP-1b12: the group
    in_reply_to: str | None = None
    context: str | None = None  # FEP-7888
    conversation: str | None = None  # OStatus
    mentions: tuple[Mention, ...] = ()
    hashtags: tuple[str, ...] = ()  # as written, without #
    emojis: tuple[Emoji, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    links: tuple[str, ...] = ()
    poll: Poll | None = None
    event: Event | None = None
    quote: str | None = None
    quote_authorization: str | None = None  # FEP-044f
    replies: str | None = None  # a collection, or its first page, on the host of the post
    replies_count: int | None = None
    likes_count: int | None = None
    shares_count: int | None = None
    source_text: str | None = None
    interaction_policy: JSON | None = None


def read_note(doc: JSON, author: str | None = None) -> Note:
    """A post of any kind.  `author` stands in where `attributedTo` is missing (votes of some servers).

    Raises: Malformed, when id or author cannot be used, or an author lives elsewhere than the post (security
    rules 15 and 23); each other bad field costs only that field.
    """
    uri = values.identity(doc)
    root = values.root_of(uri)
    authors = _authors(doc, root, author)
    names = values.types(doc)
    kind = names[0] if len(names) == 1 else next((name for name in names if name in POST_KINDS), "")
    html, language = _content(doc)
    tagged = tags.read_tags(doc)
    attached = media.read_media(doc, kind, html)
    page = values.url(doc)
    ours = page if page and values.on_host(root, page) else None
    # Friendica's Page of a link has the address of the linked page where its own should be.
    elsewhere = (page,) if page and not ours else ()
    event = read_event(doc) if kind == "Event" else None
    return Note(
        id=uri,
        kind=kind[:64],
        author=authors[0],
        authors=authors,
        html=html,
        title=values.text(doc, "name", values.NAME_LIMIT).strip(),
        summary=values.text(doc, "summary"),
        preview=_preview(doc),
        sensitive=doc.get("sensitive") is True or True in [file.sensitive for file in attached.attachments],
        language=language or values.language(doc.get("language")),
        url=ours,
        published=values.instant(doc, "published"),
        updated=values.instant(doc, "updated"),
        to=values.web_uris(doc, "to"),
        cc=values.web_uris(doc, "cc"),
        audience=values.web_uri(doc, "audience"),
        in_reply_to=values.web_uri(doc, "inReplyTo"),
        context=values.web_uri(doc, "context"),
        conversation=values.uri(doc, "conversation"),
        mentions=tagged.mentions,
        hashtags=tagged.hashtags,
        emojis=tagged.emojis,
        attachments=attached.attachments,
        links=attached.links + elsewhere + (event.links if event else ()),
        poll=_poll(doc),
        event=event,
        quote=_quote(doc, tagged.quotes),
        quote_authorization=values.web_uri(doc, "quoteAuthorization"),
        replies=_replies(doc, root),
        replies_count=_total(doc, "replies"),
        likes_count=_total(doc, "likes"),
        shares_count=_total(doc, "shares"),
        source_text=_source(doc),
        interaction_policy=read_policy(doc),
    )


def is_vote(note: Note) -> bool:
    """A Note with a name and no content, in reply to something: a vote in a poll (FEP-9967)."""
    return bool(note.kind == "Note" and note.title and not note.html and note.in_reply_to)


def visibility(note: Note, author_followers: str | None) -> Visibility:
    """Who may see it.  Only the three spellings of Public are public; what we do not understand is direct.

    `author_followers` is the followers collection that the author's own actor document names.
    """
    if PUBLIC in note.to:
        return "public"
    if PUBLIC in note.cc:
        return "unlisted"
    if author_followers is not None and (author_followers in note.to or author_followers in note.cc):
        return "private"
    return "direct"


def _authors(doc: JSON, root: str, fallback: str | None) -> tuple[str, ...]:
    found = values.web_uris(doc, "attributedTo") or values.web_uris(doc, "actor")[:1]
    authors = found or ((fallback,) if fallback else ())
    if not 0 < len(authors) <= AUTHORS_LIMIT or False in [values.in_origin(root, uri) for uri in authors]:
        raise Malformed("attributedTo", doc.get("attributedTo"))
    return authors


def _content(doc: JSON) -> tuple[str, str | None]:
    """HTML, and its language.  PeerTube's content is Markdown and says so: shown as plain paragraphs."""
    content, language = values.text_and_language(doc, "content", values.CONTENT_LIMIT)
    if content and doc.get("mediaType") in _PLAIN:
        paragraphs = escape(content.replace("\r\n", "\n").strip(), quote=False).split("\n\n")
        content = "".join(f"<p>{p.strip().replace(chr(10), '<br>')}</p>" for p in paragraphs if p.strip())
    return content, language


def _preview(doc: JSON) -> str:
    preview = doc.get("preview")
    return values.text(preview, "content", values.TEXT_LIMIT) if isinstance(preview, dict) else ""


def _source(doc: JSON) -> str | None:
    source = doc.get("source")
    if isinstance(source, str):
        return values.clean(source, values.CONTENT_LIMIT) or None
    if isinstance(source, dict):
        return values.text(source, "content", values.CONTENT_LIMIT) or None
    return None


def _total(doc: JSON, field: str) -> int | None:
    collection = doc.get(field)
    return values.integer(collection, "totalItems") if isinstance(collection, dict) else None


def _replies(doc: JSON, root: str) -> str | None:
    for field in ("replies", "comments"):  # the latter: PeerTube
        if doc.get(field) is None:
            continue
        if found := values.uri_on(root, doc, field):
            return found
        if isinstance(collection := doc[field], dict):
            first = collection.get("first")
            page = values.uri_on(root, collection, "first")
            return page or (values.uri_on(root, first, "next") if isinstance(first, dict) else None)
    return None


def _quote(doc: JSON, links: tuple[str, ...]) -> str | None:
    for field in _QUOTE_FIELDS:
        if field in doc and (found := values.web_uri(doc, field)):
            return found
    return links[0] if links else None


def _poll(doc: JSON) -> Poll | None:
    field = "anyOf" if doc.get("anyOf") else "oneOf"
    found = doc.get(field)
    if not found:
        return None
    named = ((values.text(option, "name", values.NAME_LIMIT).strip(), option)
             for option in values.objects(found, OPTIONS_LIMIT))  # fmt: skip
    options = {title: Option(title, _total(option, "replies") or 0) for title, option in named if title}
    if not options:
        return None
    return Poll(
        multiple=field == "anyOf",
        options=tuple(options.values()),
        expires=values.instant(doc, "endTime"),
        closed=_closed(doc),
        voters=values.integer(doc, "votersCount"),
    )


def _closed(doc: JSON) -> datetime | None:
    """`closed` is a moment, or only says that it is so: then at its end, or when it last changed."""
    closed = values.instant(doc, "closed")
    if closed or doc.get("closed") is not True:
        return closed
    moments = (values.instant(doc, field) for field in ("endTime", "updated", "published"))
    return next(filter(None, moments), _EPOCH)
