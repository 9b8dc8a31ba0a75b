"""Posts of ours, as documents: Note and Question, and what happens to them."""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from federation import vocabulary
from federation.reading import PUBLIC
from outbox.parts import Mentioned, Parts, Tag
from store.tables import Account, Media, Poll, Post

_USUAL_TYPE = {
    "image": "image/jpeg",
    "gifv": "video/mp4",
    "video": "video/mp4",
    "audio": "audio/mpeg",
}  # where we do not know


class Audience(NamedTuple):
    """To whom something is addressed: uris of actors and collections, or PUBLIC."""

    to: tuple[str, ...]
    cc: tuple[str, ...]


def audience(visibility: str, author: Account, people: Iterable[str] = ()) -> Audience:
    """Mastodon's four kinds; `people` are those whom it also concerns.

    public:   to everybody, for the public feeds    unlisted: to everybody who looks
    private:  to followers                          direct:   to `people` alone
    """
    followers, others = followers_of(author), tuple(people)
    match visibility:
        case "public":
            return Audience((PUBLIC,), (followers, *others))
        case "unlisted":
            return Audience((followers,), (PUBLIC, *others))
        case "private":
            return Audience((followers,), others)
    return Audience(others, ())


def followers_of(account: Account) -> str:
    return account.followers_uri or f"{account.uri}/followers"


def note(parts: Parts) -> vocabulary.Post:
    """A post of ours: a Note, or a Question where it asks something."""
    return _note(parts) if parts.poll is None else _question(parts, parts.poll)


def create(parts: Parts) -> vocabulary.Create:
    """Its id is the post's and `/activity`."""
    post, document = parts.post, note(parts)
    return vocabulary.Create(
        id=f"{post.uri}/activity",
        actor=parts.author.uri,
        published=post.published,
        to=document.to,
        cc=document.cc,
        object=document,
    )


def update(parts: Parts, now: datetime) -> vocabulary.Update:
    """An edit, or new results of a poll.  Its id has the moment in milliseconds: the next edit is another activity."""
    document = note(parts)
    return vocabulary.Update(
        id=f"{parts.post.uri}#updates/{int(now.timestamp() * 1000)}",
        actor=parts.author.uri,
        updated=now,
        to=document.to,
        cc=document.cc,
        object=document,
    )


def delete(parts: Parts, now: datetime) -> vocabulary.Delete:
    """Goes to those who got the post, with a Tombstone in its place.  Its id is the post's and `#delete`."""
    post = parts.post
    to, cc = audience(post.visibility, parts.author, _people(parts))
    return vocabulary.Delete(
        id=f"{post.uri}#delete",
        actor=parts.author.uri,
        to=to,
        cc=cc,
        object=vocabulary.Tombstone(id=post.uri, former_type=post.kind, deleted=now),
    )


def announce(parts: Parts, boosted_author_uri: str | None = None) -> vocabulary.Announce:
    """A boost: its row is a post without words, whose uri is the id of the Announce.

    Raises: ValueError, when the row boosts nothing.
    """
    post = parts.post
    if parts.boost_of_uri is None:
        raise ValueError(f"{post.uri} is not a boost")
    people = () if boosted_author_uri is None else (boosted_author_uri,)
    to, cc = audience(post.visibility, parts.author, people)
    return vocabulary.Announce(
        id=post.uri, actor=parts.author.uri, published=post.published, to=to, cc=cc, object=parts.boost_of_uri
    )


def emojis(found: Iterable[dict[str, str]] | None) -> tuple[vocabulary.Emoji, ...]:
    """Custom emoji as rows keep them: [{"shortcode", "url"}]."""
    return tuple(
        [vocabulary.Emoji(name=f":{one['shortcode']}:", icon=vocabulary.Image(url=one["url"])) for one in found or ()]
    )


def _note(parts: Parts) -> vocabulary.Note:
    post = parts.post
    to, cc = audience(post.visibility, parts.author, _people(parts))
    quoted_uri = parts.quote.quoted_uri if parts.quote else None
    return vocabulary.Note(
        id=post.uri,
        attributed_to=parts.author.uri,
        content=_quoted(parts) + post.html,
        published=post.published,
        to=to,
        cc=cc,
        updated=post.edited_at,
        url=post.url or post.uri,
        content_map={post.language: _quoted(parts) + post.html} if post.language else None,
        source=vocabulary.Source(post.source) if post.source is not None else None,
        summary=post.summary or None,
        sensitive=post.sensitive or bool(post.summary) or parts.author.sensitized_at is not None,
        in_reply_to=post.reply_to_uri,
        context=context_of(post),
        tag=_tags(parts),
        attachment=tuple([_attachment(one) for one in parts.media]),
        replies=f"{post.uri}/replies",
        likes=f"{post.uri}/likes",
        shares=f"{post.uri}/shares",
        quote=quoted_uri,
        quote_uri=quoted_uri,
        misskey_quote=quoted_uri,
        quote_authorization=parts.quote.approval if parts.quote else None,
        interaction_policy=_policy(parts),
    )


def _quoted(parts: Parts) -> str:
    """For those who know no quotes; who does hides the paragraph by its class, as with Mastodon."""
    if parts.quote is None:
        return ""
    address = escape(parts.quote.quoted_uri)
    return f'<p class="quote-inline">RE: <a href="{address}">{address}</a></p>'


def _policy(parts: Parts) -> vocabulary.InteractionPolicy | None:
    """Nobody but the author is said by naming him."""
    policy = parts.post.quote_policy
    if policy is None:
        return None
    uris = {"public": PUBLIC, "followers": followers_of(parts.author)}
    approved = tuple([uris[name] for name in policy["automatic"]]) or (parts.author.uri,)
    return vocabulary.InteractionPolicy(can_quote=vocabulary.Approval(automatic_approval=approved))


def context_of(post: Post) -> str | None:
    """FEP-7888, FEP-f228: where a conversation of ours has its list; of others', what they say."""
    begins = post.local and post.reply_to_uri is None and post.visibility in ("public", "unlisted")
    return f"{post.uri}/context" if begins and post.context is None else post.context


def _question(parts: Parts, poll: Poll) -> vocabulary.Question:
    plain = _note(parts)
    secret = poll.hide_totals and poll.closed_at is None
    options = tuple([_option(one["title"], 0 if secret else one["votes"]) for one in poll.options])
    return vocabulary.Question(
        **{name: getattr(plain, name) for name in plain.__struct_fields__},
        one_of=() if poll.multiple else options,
        any_of=options if poll.multiple else (),
        voters_count=poll.voters_count,
        end_time=poll.expires_at,
        closed=poll.closed_at,
    )


def _option(title: str, votes: int) -> vocabulary.Option:
    return vocabulary.Option(name=title, replies=vocabulary.Collection(total_items=votes))


def _people(parts: Parts) -> list[str]:
    return [one.uri for one in parts.mentions]


def _tags(parts: Parts) -> tuple[vocabulary.Tag, ...]:
    base = "{0.scheme}://{0.netloc}".format(urlsplit(parts.author.uri))
    return (
        *[_mention(one) for one in parts.mentions if not one.silent],
        *[_hashtag(base, one) for one in parts.tags],
        *_link(parts),
        *emojis(parts.post.emojis),
    )


def _link(parts: Parts) -> tuple[vocabulary.Link, ...]:
    """FEP-e232."""
    if parts.quote is None:
        return ()
    return (vocabulary.Link(href=parts.quote.quoted_uri, name=f"RE: {parts.quote.quoted_uri}"),)


def _mention(one: Mentioned) -> vocabulary.Mention:
    return vocabulary.Mention(href=one.uri, name=f"@{one.acct}")


def _hashtag(base: str, one: Tag) -> vocabulary.Hashtag:
    return vocabulary.Hashtag(href=f"{base}/tags/{quote(one.name)}", name=f"#{one.shown}")


def _attachment(one: Media) -> vocabulary.Attachment:
    focus = None if one.focus_x is None or one.focus_y is None else (one.focus_x, one.focus_y)
    preview = one.preview_url if one.kind in ("gifv", "video", "audio") else None
    return vocabulary.Attachment(
        url=one.url,
        media_type=one.media_type or _USUAL_TYPE.get(one.kind, "application/octet-stream"),
        name=one.description or None,
        blurhash=one.blurhash,
        focal_point=focus,
        width=one.width,
        height=one.height,
        icon=None if preview is None else vocabulary.Image(url=preview),
    )
