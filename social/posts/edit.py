"""Edits, ours and remote; the newer one wins, in whichever order they come (security rows 20 and 89)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from federation.errors import Forged
from federation.origin import Origin
from federation.reading import Note
from outbox import documents, parts
from outbox.parts import Parts
from social import accounts, moderation, polls, quotes
from social.posts import drafts, find, known, publish, receive, refiling, rewriting, sending
from social.posts.drafts import Draft
from social.posts.rewriting import Change
from store.tables import Account, Edit, Post


def edit(tx: Connection, origin: Origin, author_id: int, post_id: int, draft: Draft, now: datetime) -> Post:
    """Gives a post of ours new words, and tells all who have it.

    Who may see it and what it answers stay as they are; so do its poll and its media, unless the draft has others
    or says that they go.
    A poll with other options begins anew.

    Raises: NotFound, when the post is not his; Invalid, as `publish` does.
    """
    post = find.hold_own(tx, post_id, author_id)
    old = parts.load(tx, [post.id])[post.id]
    author = accounts.by_id(tx, author_id)
    has_files = bool(old.media) if draft.media_ids is None else bool(draft.media_ids)
    ends_poll = draft.ends_poll and draft.poll is None and old.poll is not None
    has_poll = old.poll is not None and not ends_poll
    draft = drafts.check(draft, now, may_be_empty=has_files or has_poll)
    asked = None if draft.poll is None else publish.poll(draft.poll)
    shown = _titles(asked) if asked else _titles_of(old) if has_poll else None
    said = publish.compose(tx, origin, author, draft, shown[1] if shown else ())
    if asked is not None and _titles(asked) == _titles_of(old):
        asked = None
    change = Change(
        {**said.words, "kind": "Question" if asked or has_poll else "Note"},
        said.mentions,
        said.tags,
        publish.media(draft.media) if draft.media else None,
        asked,
        ends_poll,
    )
    refiled = refiling.refile(tx, old, draft, now)
    if not (asked or ends_poll or change.media is not None or refiled or _differs(post, said.words)):
        return post
    new = rewriting.rewrite(tx, old, change, now, now)
    sending.changed(tx, new, documents.update(new, now), now)
    return new.post


def receive_edit(tx: Connection, author: Account, note: Note, now: datetime) -> Post | None:
    """What `author` now says of his post.  One that we do not know is stored as it is now: its Create may come later.

    Its audience stays as it was.  Results of a poll that come with the same words are no edit.

    Returns: the post; None, when it was deleted before, or its author is gone.
    Raises:  Forged, when the post that we have is somebody else's, or the note cannot be his.
    """
    receive.check(author, note)
    post = find.hold(tx, note.id)
    if post is None:
        return receive.receive(tx, author, note, now)
    if post.author_id != author.id:
        raise Forged(f"{note.id} is not {author.uri}'s to change")
    if author.is_gone or post.boost_of_id is not None:
        return None
    last, updated = post.edited_at or post.published, min(note.updated or now, now)
    if updated < last:
        return post
    if author.host and moderation.without_files(tx, [author.host]):
        note = receive.without_files(note)
    quotes.receive_change(tx, post, author, note, now)
    old = parts.load(tx, [post.id])[post.id]
    change = _change(tx, author, note, old, now)
    if change is None:
        if note.poll is not None and old.poll is not None:
            polls.refresh(tx, old.poll, note.poll)
        return find.by_id(tx, post.id)
    return rewriting.rewrite(tx, old, change, updated, now).post


def _change(tx: Connection, author: Account, note: Note, old: Parts, now: datetime) -> Change | None:
    """None, when the note says what we have."""
    words, media = receive.words(note), receive.media(note.attachments)
    asked = receive.poll(note.poll, now) if note.poll else None
    if asked is not None and _titles(asked) == _titles_of(old):
        asked = None
    ends_poll = old.poll is not None and note.poll is None
    if ends_poll and note.kind == "Question":  # of which the options cannot be read
        words["kind"], ends_poll = "Question", False
    same_media = [(item["url"], item["description"]) for item in media] == [
        (item.url, item.description) for item in old.media
    ]
    if same_media and asked is None and not ends_poll and not _differs(old.post, words):
        return None
    here = known.look_up(tx, [(author, note)])
    now_shown = None if same_media else media
    return Change(words, receive.mentions(author, note, here), receive.tags(note), now_shown, asked, ends_poll)


def _differs(post: Post, words: dict[str, Any]) -> bool:
    return any(getattr(post, name) != value for name, value in words.items())


def _titles(asked: dict[str, Any]) -> tuple[bool, list[str]]:
    return asked["multiple"], [option["title"] for option in asked["options"]]


def _titles_of(old: Parts) -> tuple[bool, list[str]] | None:
    return None if old.poll is None else (old.poll.multiple, [option["title"] for option in old.poll.options])


def history(tx: Connection, post_id: int, viewer_id: int | None) -> Sequence[Edit]:
    """All that a post said, oldest first; the last is what it says now.  Raises: NotFound."""
    post = find.visible(tx, post_id, viewer_id)
    return [*rewriting.texts(tx, post.id), rewriting.snapshot(parts.load(tx, [post.id])[post.id])]
