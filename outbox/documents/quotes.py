"""Asking to quote, and what was agreed to (FEP-044f)."""

from typing import Final

from federation import vocabulary
from outbox.documents.posts import followers_of, note
from outbox.parts import Parts
from store.tables import Account

QUOTE_REQUEST: Final = "#quote_request"  # after the id of the post: the id of its request


def quote_request(author: Account, parts: Parts, quoted_uri: str, quoted_author_uri: str) -> vocabulary.QuoteRequest:
    """May this post of ours quote that one?  The post is inside, for whoever wants to see it first."""
    return vocabulary.QuoteRequest(
        id=f"{parts.post.uri}{QUOTE_REQUEST}",
        actor=author.uri,
        to=(quoted_author_uri,),
        object=quoted_uri,
        instrument=note(parts),
    )


def asked_to_quote(actor: Account, uri: str, quoted_uri: str, quoting_uri: str) -> vocabulary.QuoteRequest:
    """What `actor` of another server asked, as an answer embeds it."""
    return vocabulary.QuoteRequest(id=uri, actor=actor.uri, object=quoted_uri, instrument=quoting_uri)


def quote_authorization(author: Account, uri: str, quoting_uri: str, quoted_uri: str) -> vocabulary.QuoteAuthorization:
    return vocabulary.QuoteAuthorization(
        id=uri, attributed_to=author.uri, interacting_object=quoting_uri, interaction_target=quoted_uri
    )


def delete_approval(
    author: Account, approved: vocabulary.QuoteAuthorization, quoting_author_uri: str
) -> vocabulary.Delete:
    return vocabulary.Delete(
        id=f"{approved.id}#delete",
        actor=author.uri,
        to=(quoting_author_uri,),
        cc=(followers_of(author),),
        object=approved,
    )
