"""What people of ours do to others and their posts."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from federation import vocabulary
from outbox.documents.posts import emojis, followers_of
from store.tables import Account, Follow

Undoable: TypeAlias = (
    vocabulary.Follow | vocabulary.Like | vocabulary.EmojiReact | vocabulary.Announce | vocabulary.Block
)


def follow(follower: Account, target: Account, uri: str) -> vocabulary.Follow:
    """uri: that of the row, `{follower.uri}#follows/{follow.id}`."""
    return vocabulary.Follow(id=uri, actor=follower.uri, object=target.uri, to=(target.uri,))


def accept(row: Follow, follower: Account, target: Account) -> vocabulary.Accept:
    """Our `target` lets `follower` follow.  Its id is `{target.uri}#accepts/{follow.id}`.

    Embeds the Follow as it was sent: some look for it by its id, Takahe by its content.
    """
    return vocabulary.Accept(
        id=f"{target.uri}#accepts/{row.id}",
        actor=target.uri,
        to=(follower.uri,),
        object=follow(follower, target, row.uri),
    )


def reject(row: Follow, follower: Account, target: Account) -> vocabulary.Reject:
    """Our `target` does not let `follower` follow, or no longer.  Its id is `{target.uri}#rejects/{follow.id}`."""
    return vocabulary.Reject(
        id=f"{target.uri}#rejects/{row.id}",
        actor=target.uri,
        to=(follower.uri,),
        object=follow(follower, target, row.uri),
    )


def answered(
    account: Account, asked: vocabulary.QuoteRequest | vocabulary.FeatureRequest, number: int, approval: str | None
) -> vocabulary.Accept | vocabulary.Reject:
    """May he be quoted, or shown?  approval: the id of what says so; None: no.  number: a new id."""
    to = (asked.actor,)
    if approval is None:
        return vocabulary.Reject(id=f"{account.uri}#rejects/{number}", actor=account.uri, to=to, object=asked)
    return vocabulary.Accept(
        id=f"{account.uri}#accepts/{number}", actor=account.uri, to=to, object=asked, result=approval
    )


def like(actor: Account, post_uri: str, uri: str, post_author_uri: str) -> vocabulary.Like:
    """uri: that of the row, `{actor.uri}#likes/{like.id}`."""
    return vocabulary.Like(id=uri, actor=actor.uri, to=(post_author_uri,), object=post_uri)


def emoji_react(
    actor: Account, post_uri: str, uri: str, content: str, post_author_uri: str, picture_url: str | None = None
) -> vocabulary.EmojiReact:
    """FEP-c0e0.  `uri`: that of the row; `content`: an emoji, or `:shortcode:` with its picture at `picture_url`."""
    custom = [{"shortcode": content.strip(":"), "url": picture_url}] if picture_url else []
    return vocabulary.EmojiReact(
        id=uri,
        actor=actor.uri,
        to=(post_author_uri,),
        object=post_uri,
        content=content,
        tag=emojis(custom),
    )


def block(actor: Account, target: Account, uri: str) -> vocabulary.Block:
    """uri: that of the row, `{actor.uri}#blocks/{block.id}`."""
    return vocabulary.Block(id=uri, actor=actor.uri, to=(target.uri,), object=target.uri)


def flag(
    instance: Account, uri: str, target_uri: str, post_uris: Sequence[str] = (), comment: str = ""
) -> vocabulary.Flag:
    """A report.  The server says it, not the person: the other side need not know who complained."""
    return vocabulary.Flag(
        id=uri, actor=instance.uri, to=(target_uri,), object=(target_uri, *post_uris), content=comment
    )


def add(author: Account, post_uri: str, number: int) -> vocabulary.Add:
    """A pinned post.  number: a new id; the activity's id is `{author.uri}#pins/{number}`."""
    return vocabulary.Add(
        id=f"{author.uri}#pins/{number}",
        actor=author.uri,
        to=(followers_of(author),),
        object=post_uri,
        target=_featured(author),
    )


def remove(author: Account, post_uri: str, number: int) -> vocabulary.Remove:
    """No longer pinned.  The activity is `{author.uri}#unpins/{number}`."""
    return vocabulary.Remove(
        id=f"{author.uri}#unpins/{number}",
        actor=author.uri,
        to=(followers_of(author),),
        object=post_uri,
        target=_featured(author),
    )


def move(account: Account, target_uri: str, now: datetime) -> vocabulary.Move:
    """`account` of ours is now elsewhere; its followers may follow there."""
    return vocabulary.Move(
        id=f"{account.uri}#moves/{int(now.timestamp() * 1000)}",
        actor=account.uri,
        to=(followers_of(account),),
        object=account.uri,
        target=target_uri,
    )


def vote(voter: Account, uri: str, title: str, post_uri: str, post_author_uri: str) -> vocabulary.Create:
    """One option of a poll, for its author's eyes.  uri: that of the vote; the Create's is the same and `/activity`."""
    return vocabulary.Create(
        id=f"{uri}/activity",
        actor=voter.uri,
        to=(post_author_uri,),
        object=vocabulary.Vote(
            id=uri, attributed_to=voter.uri, name=title, in_reply_to=post_uri, to=(post_author_uri,)
        ),
    )


def undo(document: Undoable) -> vocabulary.Undo:
    """Takes back what was said, to the same people.  Its id is that of `document` and `/undo`."""
    return vocabulary.Undo(
        id=f"{document.id}/undo", actor=document.actor, to=document.to, cc=document.cc, object=document
    )


def _featured(author: Account) -> str:
    return author.featured_uri or f"{author.uri}/collections/featured"
