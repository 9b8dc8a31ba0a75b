"""One of our people posts or comments: row, feeds, notifications and mail in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, bindparam, select

from federation.origin import Origin
from outbox import documents, parts
from outbox.parts import Mentioned, Parts, Tag, Written
from social import accounts, emojis, quotes, quoting, text, verdicts
from social.errors import Invalid
from social.media import attaching
from social.paging import padded
from social.posts import drafts, find, groups, sending, storing
from social.posts.drafts import Draft, MediaDraft, PollDraft
from social.posts.storing import Fresh, Mention
from social.text import MentionTarget
from social.visibility import OPEN, narrower
from store.ids import new_id
from store.prepared import Prepared
from store.tables import Account, Post, blank_media, blank_post
from store.tables import accounts as accounts_table

MENTIONS_LIMIT: Final = 100  # of one post

_HANDLES: BindParameter[list[str]] = bindparam("handles", expanding=True)


class _Named(NamedTuple):
    """An account, as far as a mention needs it."""

    id: int
    handle: str
    uri: str
    url: str
    username: str
    domain: str | None
    host: str | None

    @property
    def mentioned(self) -> Mentioned:
        return Mentioned.of(self.id, self.uri, self.username, self.domain, self.url, silent=False)


_NAMED = Prepared(
    select(*(accounts_table.c[name] for name in _Named._fields)).where(
        accounts_table.c.handle.in_(_HANDLES),
        accounts_table.c.suspended_at.is_(None),
        accounts_table.c.deleted_at.is_(None),
    )
)


def publish(tx: Connection, origin: Origin, author_id: int, draft: Draft, now: datetime) -> Post:
    """As `whole`; returns the post alone."""
    return whole(tx, origin, accounts.by_id(tx, author_id), draft, now).post


def whole(
    tx: Connection, origin: Origin, author: Account, draft: Draft, now: datetime, written: Written | None = None
) -> Parts:
    """A new post of `author`, with all that belongs to it.

    author:  as this transaction finds him.
    written: the program of the draft, where the caller knows it.

    People whom it mentions are found by their handles, if they are known here: the door fetched them before.
    An answer to a private or direct post is never seen by more than that is, whatever the draft asks for.

    Raises: Invalid, for what cannot be posted; NotFound, when the author may not see what he answers.
    """
    draft = drafts.check(draft, now)
    parent = None if draft.reply_to_id is None else find.original(tx, draft.reply_to_id, author.id)
    quoted = None if draft.quoted_id is None else quotes.quotable(tx, author.id, draft.quoted_id)
    visibility = draft.visibility if quoted is None else quotes.placed(quoted, draft.visibility)
    number = new_id()
    said = compose(tx, origin, author, draft, draft.poll.options if draft.poll else ())
    place = _placed(number, visibility, author, parent)
    heard_by = _groups(tx, said, parent, place["visibility"])
    fresh = Fresh(
        author,
        blank_post(
            id=number,
            uri=f"{author.uri}/posts/{number}",
            url=f"{author.url}/{number}",
            author_id=author.id,
            local=True,
            kind="Note" if draft.poll is None else "Question",
            published=now,
            app_id=draft.app_id,
            local_only=draft.local_only or any(one is not None and one.local_only for one in (parent, quoted)),
            quote_policy=quoting.chosen(draft.quote_policy, place["visibility"]),
            **place,
            **said.words,
        ),
        answers=parent.author_id if parent and parent.local else None,
        mentions=[*said.mentions, *heard_by],
        tags=said.tags,
        media=media(draft.media),
        poll=None if draft.poll is None else poll(draft.poll),
    )
    storing.store(tx, [fresh], now)
    if quoted is not None:
        quotes.add(tx, author, number, fresh.uri, quoted, now)
    if draft.media_ids:
        attaching.attach(tx, author.id, number, draft.media_ids, now)
    plain = not heard_by and _is_plain(fresh, draft, written)
    loaded = _made(fresh, said, parent, written) if plain else None
    loaded = loaded or parts.load(tx, [number])[number]
    sending.new(tx, loaded, now)
    if quoted is not None:
        quotes.request(tx, author, number, now)
        return parts.load(tx, [number])[number]
    return loaded


def _is_plain(fresh: Fresh, draft: Draft, written: Written | None) -> bool:
    """Is all that belongs to the post known without asking?"""
    linked = fresh.values["card_id"] or fresh.tags_collections
    asks = draft.poll or draft.media or draft.media_ids or draft.quoted_id or linked
    return not asks and fresh.author.moved_to is None and (draft.app_id is None or written is not None)


def _made(fresh: Fresh, said: "Composed", parent: Post | None, written: Written | None) -> Parts:
    """What parts.load would find of a plain post that was just stored."""
    author, post = fresh.author, Post(**fresh.values)
    if post.visibility != "direct":  # as storing counts them
        last = max(author.last_post_at or post.published, post.published)
        author = replace(author, posts_count=author.posts_count + 1, last_post_at=last)
    tags = tuple([Tag(name, shown) for name, shown in sorted(said.tags.items())])
    answered = None if parent is None else parent.author_id
    return Parts(post, author, said.named, tags, parent_author_id=answered, written=written)


def _groups(tx: Connection, said: "Composed", parent: Post | None, visibility: str) -> list[Mention]:
    """Those that what is answered was said in, and that the text does not name itself."""
    if parent is None or visibility not in OPEN:
        return []
    named = {mention.account_id for mention in said.mentions}
    return [Mention(id_, silent=True, tell=False) for id_ in groups.of(tx, parent.id) if id_ not in named]


def _placed(number: int, visibility: str, author: Account, parent: Post | None) -> dict[str, Any]:
    if parent is not None and parent.visibility not in OPEN:
        visibility = narrower(visibility, parent.visibility)
    return {
        "visibility": visibility,
        "listed": visibility == "public"
        and author.silenced_at is None
        and (parent is None or parent.author_id == author.id),
        "reply_to_id": parent.id if parent else None,
        "reply_to_uri": parent.uri if parent else None,
        "thread_id": parent.thread_id if parent else number,
        "context": documents.context_of(parent) if parent else None,
    }


@dataclass(frozen=True, slots=True)
class Composed:
    """What a draft's text comes to: columns of the row, who is mentioned, and hashtags (name → as written)."""

    words: dict[str, Any]
    mentions: list[Mention]
    tags: dict[str, str]
    named: tuple[Mentioned, ...] = ()


def compose(tx: Connection, origin: Origin, author: Account, draft: Draft, options: Iterable[str] = ()) -> Composed:
    """`draft` was checked.  options: of the poll.  Raises: Invalid, for a hashtag that may not be used here."""
    named = _named(tx, origin, text.find_mentions(draft.text)[:MENTIONS_LIMIT])
    targets = {
        written: MentionTarget(one.url, one.acct, one.uri)
        for written, one in ((written, row.mentioned) for written, row in named.items())
    }
    words = {
        "html": text.render(draft.text, targets, origin.tag),
        "source": draft.text,
        "summary": draft.summary,
        "sensitive": draft.sensitive,
        "language": draft.language,
        "emojis": emojis.used(tx, origin, (draft.text, draft.summary, *options)) or None,
    }
    people = {row.id: row for row in named.values() if row.id != author.id}
    tags = {text.normalise_tag(shown): shown for shown in text.find_hashtags(draft.text)}
    if refused := verdicts.refused(tx, verdicts.USED, tags):
        raise Invalid(f"Validation failed: Text contained a disallowed hashtag: {', '.join(sorted(refused))}")
    return Composed(
        words,
        [Mention(row.id, silent=False, tell=row.host is None) for row in people.values()],
        tags,
        tuple([people[number].mentioned for number in sorted(people)]),
    )


def _named(tx: Connection, origin: Origin, written: list[str]) -> Mapping[str, _Named]:
    """Accounts by how the text writes them: `alice`, `bob@far.test`, `alice@ours.test`."""
    handles: dict[str, str] = {}
    for name in written:
        user, _, domain = name.partition("@")
        if handle := accounts.normalise_handle(user if domain and origin.is_our_domain(domain) else name):
            handles[name] = handle
    if not handles:
        return {}
    found = [_Named(*row) for row in _NAMED.rows(tx, handles=padded(list(handles.values())))]
    rows = {row.handle: row for row in found}
    return {name: rows[handle] for name, handle in handles.items() if handle in rows}


def media(given: tuple[MediaDraft, ...]) -> list[dict[str, Any]]:
    return [
        blank_media(kind=item.kind, url=item.url, media_type=item.media_type, description=item.description)
        for item in given
    ]


def poll(asked: PollDraft) -> dict[str, Any]:
    return {
        "multiple": asked.multiple,
        "options": [{"title": option, "votes": 0} for option in asked.options],
        "voters_count": 0,
        "expires_at": asked.expires_at,
        "closed_at": None,
        "hide_totals": asked.hide_totals,
    }
