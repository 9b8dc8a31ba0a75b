"""Posts of other servers.  The busiest path of the house: a batch costs the same few statements, whatever its size."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from sqlalchemy import Connection

from federation.errors import Forged
from federation.reading import Attachment, Event, Note, Poll, same_origin, visibility
from social import accounts, quotes, quoting, sanitise, text
from social.posts import find, known, storing
from social.posts.healing import Place
from social.posts.known import Found, Known
from social.posts.storing import Fresh, Mention
from social.quotes import Claim
from store import jobs
from store.ids import new_id
from store.tables import Account, Post, blank_media, blank_post

DEEPEST: Final = 10  # missing parents that are fetched above one post, each asked for by the one below it
TITLE_LIMIT: Final = 500
SUMMARY_LIMIT: Final = 5_000
MEDIA_LIMIT: Final = 16
WITH_WARNING: Final = ("Note", "Question", "ChatMessage")  # elsewhere `summary` is an abstract
_EPOCH = datetime.fromtimestamp(0, UTC)
_FAR = datetime(2200, 1, 1, tzinfo=UTC)  # the last moments of the year 9999 are no moments to every database
_MANY = 2**31 - 1


def receive(
    tx: Connection, author: Account, note: Note, now: datetime, depth: int = 0, *, quiet_before: datetime | None = None
) -> Post | None:
    """As `receive_many`, for one."""
    return receive_many(tx, [(author, note)], now, depth, quiet_before=quiet_before)[0]


def receive_many(
    tx: Connection,
    notes: Sequence[tuple[Account, Note]],
    now: datetime,
    depth: int = 0,
    *,
    quiet_before: datetime | None = None,
) -> list[Post | None]:
    """Stores posts in their order, with feeds and notifications; one that is here already stays as it is.

    The caller knows that `author` said so: the signature is his, or the note comes from his server.

    depth:   how many of its answers asked for its fetching; 0: nobody did, it was sent to us.
    quiet_before: as in `storing.store`.
    Returns: the posts, new or known; None for what was deleted before it came, and from those who are gone.
    Raises:  Forged, when a note is not its author's, or lives on another server (security rule 14).
    """
    for author, note in notes:
        check(author, note)
    wanted = [(author, note) for author, note in notes if not author.is_gone]
    if not wanted:
        return [None] * len(notes)
    moments = [_published(note, now) for _, note in wanted]
    numbers = [_number(moment) for moment in moments]
    here = known.look_up(tx, wanted, numbers)
    batch = _Batch(here, now)
    for (author, note), moment, number in zip(wanted, moments, numbers, strict=True):
        batch.add(author, note, moment, number)
    again = [batch.place_of(author, note) for author, note in wanted if note.id in here.posts]
    stored = storing.store(tx, list(batch.fresh.values()), now, again, quiet_before=quiet_before)
    if depth < DEEPEST:
        _ask_for_parents(tx, stored, here, now, depth)
    _keep_quotes(tx, [one for one in stored if one.quote], now, depth)
    rows = {one.uri: Post(**one.values) for one in stored}
    # What was here already, or came a moment earlier on another lane.
    rows.update(find.by_uris(tx, [note.id for _, note in wanted if note.id not in rows]))
    return [None if author.is_gone else rows.get(note.id) for author, note in notes]


def join(tx: Connection, post_id: int, now: datetime) -> None:
    """A post that is here, and the comments that wait for it: stored at the same moment, none saw the other."""
    post = find.by_id(tx, post_id)
    author = accounts.by_id(tx, post.author_id)
    may_list = author.silenced_at is None and not author.host_limited
    storing.store(tx, [], now, [Place(post.id, post.uri, post.author_id, post.thread_id, may_list)])


def check(author: Account, note: Note) -> None:
    if note.author != author.uri:
        raise Forged(f"{author.uri} does not speak for {note.author}")
    if author.is_local or not same_origin(note.id, author.uri):
        raise Forged(f"{note.id} is not for {author.uri} to write")


def _published(note: Note, now: datetime) -> datetime:
    return now if note.published is None else max(_EPOCH, min(note.published, now))


def _number(published: datetime) -> int:
    """An id that sorts by when it was written."""
    return new_id(int(published.timestamp() * 1000))


class _Batch:
    """Notes on their way to rows.  Later ones may answer earlier ones."""

    def __init__(self, here: Known, now: datetime) -> None:
        self.fresh: dict[str, Fresh] = {}
        self._here = here
        self._now = now
        self._taken = set(here.ids)

    def add(self, author: Account, note: Note, published: datetime, number: int) -> None:
        """Does nothing when the note is here, twice in the batch, or deleted by its author."""
        here = self._here
        if note.id in here.posts or note.id in self.fresh or here.buried.get(note.id) == author.uri:
            return
        if author.host in here.bare:
            note = without_files(note)
        while number in self._taken:
            number = _number(published)
        self._taken.add(number)
        answers = note.in_reply_to if note.in_reply_to != note.id else None
        parent = self._find(answers) if answers else None
        may_list = _may_list(author, here)
        self.fresh[note.id] = Fresh(
            author,
            blank_post(
                id=number,
                author_id=author.id,
                local=False,
                published=published,
                edited_at=_edited(note, published, self._now),
                reply_to_uri=answers,
                reply_to_id=parent.id if parent else None,
                thread_id=parent.thread_id if parent else number,
                **_seen_by(author, note, parent, may_list),
                quote_policy=quoting.told(note.interaction_policy, author),
                **words(note),
            ),
            answers=parent.author_id if parent and parent.local else None,
            may_list=may_list,
            mentions=mentions(author, note, here),
            tags=tags(note),
            media=media(note.attachments),
            poll=poll(note.poll, self._now) if note.poll else None,
            quote=note.quote if note.quote != note.id else None,
            quote_approval=note.quote_authorization,
        )

    def place_of(self, author: Account, note: Note) -> Place:
        """Of a note that is here already."""
        found = self._here.posts[note.id]
        return Place(found.id, note.id, found.author_id, found.thread_id, _may_list(author, self._here))

    def _find(self, uri: str) -> Found | None:
        if earlier := self.fresh.get(uri):
            return Found(earlier.id, earlier.author.id, earlier.values["thread_id"], local=False)
        return self._here.posts.get(uri)


def _may_list(author: Account, here: Known) -> bool:
    """May what he writes be on the public feeds?"""
    return author.host not in here.limited and author.silenced_at is None


def _seen_by(author: Account, note: Note, parent: Found | None, may_list: bool) -> dict[str, Any]:
    """By whom, and is it for the public feeds?  Comments on others are not."""
    seen_by = visibility(note, author.followers_uri)
    answers_other = note.in_reply_to not in (None, note.id) and (parent is None or parent.author_id != author.id)
    return {"visibility": seen_by, "listed": seen_by == "public" and may_list and not answers_other}


def _edited(note: Note, published: datetime, now: datetime) -> datetime | None:
    if note.updated is None or note.published is None or note.updated <= note.published:
        return None
    return min(max(note.updated, published), now)


def words(note: Note) -> dict[str, Any]:
    """The columns that hold what the note says.  Nothing of it was safe; now it is."""
    warns = note.kind in WITH_WARNING
    summary = sanitise.plain(note.summary)[:SUMMARY_LIMIT] if note.summary and (warns or note.sensitive) else ""
    return {
        "uri": note.id,
        "url": note.url,
        "kind": "Question" if note.poll else "Note" if note.kind == "Question" else note.kind,
        "title": sanitise.plain(note.title)[:TITLE_LIMIT] if note.title else "",
        "summary": summary,
        "html": sanitise.html(note.html if warns else _long(note)) if note.html or not warns else "",
        "sensitive": note.sensitive,
        "language": note.language,
        "context": note.context,
        "emojis": [{"shortcode": emoji.shortcode, "url": emoji.url} for emoji in note.emojis] or None,
    }


def _long(note: Note) -> str:
    """Articles, films, events, links: their text, else their abstract; then where they lead."""
    body = _occasion(note.event) + (note.html or note.preview or note.summary)
    links = (escape(link) for link in note.links if link not in body)
    return body + "".join(f'<p><a href="{link}">{link}</a></p>' for link in links)


def _occasion(event: Event | None) -> str:
    """When and where it is, which no other field tells."""
    if event is None:
        return ""
    moments = [f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" for moment in (event.starts, event.ends) if moment]
    when = " \u2013 ".join(moments) + " UTC" if moments else ""
    said = " · ".join(filter(None, (when, escape(event.place, quote=False))))
    if event.cancelled:
        said = f"<strong>Cancelled</strong> <del>{said}</del>" if said else "<strong>Cancelled</strong>"
    return f"<p>{said}</p>" if said else ""


def mentions(author: Account, note: Note, here: Known) -> list[Mention]:
    """Everybody whom the note names; silently, those of ours and the groups that it is only addressed to."""
    named = set(known.named(note))
    found: dict[int, Mention] = {}
    for uri in known.addressed(author, note):
        person = here.people.get(uri)
        if person and (uri in named or person.local or person.group):
            found.setdefault(person.id, Mention(person.id, uri not in named, person.local))
    return list(found.values())


def tags(note: Note) -> dict[str, str]:
    found: dict[str, str] = {}
    for shown in note.hashtags:
        found.setdefault(text.normalise_tag(shown), shown)
    return found


def without_files(note: Note) -> Note:
    return replace(note, attachments=(), emojis=())


def media(attachments: Sequence[Attachment]) -> list[dict[str, Any]]:
    return [
        blank_media(
            kind=item.kind,
            url=item.url,
            preview_url=item.preview_url,
            media_type=item.media_type,
            description=item.description,
            blurhash=item.blurhash,
            width=item.width,
            height=item.height,
            focus_x=item.focus_x,
            focus_y=item.focus_y,
        )
        for item in attachments[:MEDIA_LIMIT]
    ]


def poll(asked: Poll, now: datetime) -> dict[str, Any]:
    """A poll's columns but its post.  One that is over when it comes is closed: its end is no news."""
    ends = poll_end(asked)
    return {
        "multiple": asked.multiple,
        "options": [{"title": option.title, "votes": option.votes} for option in asked.options],
        "voters_count": voters(asked) or 0,
        "expires_at": ends,
        "closed_at": ends if ends is not None and ends <= now else None,
        "hide_totals": False,
    }


def poll_end(asked: Poll) -> datetime | None:
    """When it ends, or its author ended it."""
    ends = asked.closed or asked.expires
    return None if ends is None else max(_EPOCH, min(ends, _FAR))


def voters(asked: Poll) -> int | None:
    return None if asked.voters is None else min(asked.voters, _MANY)


def _keep_quotes(tx: Connection, stored: Sequence[Fresh], now: datetime, depth: int) -> None:
    """What is quoted is fetched for those whom somebody here follows, and not for what was itself fetched."""
    if not stored:
        return
    authors = [one.author.id for one in stored]
    followed = frozenset() if depth else frozenset(known.followed(tx, list(set(authors))))
    claims = [Claim(one.id, one.uri, one.author.id, one.quote or "", one.quote_approval) for one in stored]
    quotes.receive(tx, claims, followed, now)


def _ask_for_parents(tx: Connection, stored: Sequence[Fresh], here: Known, now: datetime, depth: int) -> None:
    """Parents that are not here are fetched for those whom somebody here follows, or who speak to one of us."""
    lost = [
        one for one in stored
        if one.values["reply_to_uri"] and not one.values["reply_to_id"]
        and one.values["reply_to_uri"] not in here.buried
    ]  # fmt: skip
    if not lost:
        return
    followed = known.followed(tx, list({one.author.id for one in lost}))
    for one in lost:
        if depth or one.author.id in followed or any(mention.tell for mention in one.mentions):
            uri = one.values["reply_to_uri"]
            jobs.ask(tx, "fetch_post", uri, {"uri": uri, "depth": depth + 1}, now)
