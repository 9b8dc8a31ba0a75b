"""Whatever a verified message holds, handling it is done or refused: a surprise would be tried again and again."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from federation.errors import FederationError
from federation.origin import Origin
from federation.reading import PUBLIC
from inbox.dispatch import HANDLERS
from inbox.handle import create_many, handle
from inbox.handlers.posts import plain_note
from inbox.messages import Here, Hint, Verified
from social.errors import Refusal
from social.posts.drafts import Draft
from social.posts.publish import publish
from store.tables import metadata
from tests.conftest import NOW
from tests.inbox.letters import create
from tests.people import add, ours, remote

BOB, EVE, ALICE = remote("bob"), remote("eve", "bad.test"), ours("alice")
HERE = Here(Origin("ours.test", "https://ours.test"), NOW)
POST: list[str] = []


@pytest.fixture(scope="module")
def tx() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        add(connection, BOB, EVE, ALICE)
        POST.append(publish(connection, HERE.origin, ALICE.id, Draft("hello"), NOW).uri)
        handle(connection, Verified(BOB.uri, create(BOB, 1)), HERE)
        yield connection
        connection.rollback()
    engine.dispose()


NAMES = st.sampled_from(
    [BOB.uri, EVE.uri, ALICE.uri, ALICE.followers_uri, BOB.featured_uri, "https://far.test/notes/1", PUBLIC,
     "as:Public", "https://ours.test/", "https://far.test:99999/", "https://far.test/\x00", "https://", "urn:x",
     "x" * 3000, "", "\ud800"]
)  # fmt: skip
ATOMS = NAMES | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
FIELDS = st.sampled_from(
    ["id", "type", "actor", "object", "target", "to", "cc", "audience", "attributedTo", "content", "name", "summary",
     "inReplyTo", "tag", "attachment", "published", "updated", "oneOf", "anyOf", "endTime", "closed", "votersCount",
     "url", "href", "icon", "mediaType", "inbox", "preferredUsername", "publicKey", "publicKeyPem", "owner", "replies",
     "contentMap", "items", "endpoints", "featured", "alsoKnownAs", "movedTo", "context", "quote", "interactionPolicy"]
)  # fmt: skip
KINDS = st.sampled_from(
    ["Note", "Question", "Person", "Tombstone", "Article", "Create", "Follow", "Like", "Announce", "Block", "Mention",
     "Hashtag", "Emoji", "Document", "Link", "Group", "EmojiReact"]
)  # fmt: skip
VALUES = st.recursive(
    ATOMS | KINDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=6)
    | st.builds(lambda kind, more: {"type": kind, **more}, KINDS, st.dictionaries(FIELDS, inner, max_size=5)),
    max_leaves=25,
)  # fmt: skip
DOCUMENTS = st.builds(
    lambda kind, more: {**more, "id": f"{BOB.uri}/activity", "type": kind, "actor": BOB.uri},
    st.sampled_from([name.partition("/")[0] for name in HANDLERS]),
    st.dictionaries(FIELDS, VALUES, max_size=6),
)
NOTES = st.builds(
    lambda more: {"id": "https://far.test/notes/9", "type": "Note", "attributedTo": BOB.uri, "content": "x", **more},
    st.dictionaries(FIELDS, VALUES, max_size=8),
)


def undone(tx: Connection, work, *given):
    """What `work` says or raises, after which nothing of it remains."""
    point = tx.begin_nested()
    try:
        return work(tx, *given)
    except (FederationError, Refusal) as error:
        return error
    finally:
        point.rollback()


@settings(max_examples=300)
@given(document=DOCUMENTS)
def test_any_activity(tx, document):
    undone(tx, handle, Verified(BOB.uri, document), HERE)


@settings(max_examples=200)
@given(inner=NOTES | VALUES, kind=st.sampled_from(["Create", "Update", "Announce", "Undo", "Delete", "Add"]))
def test_any_object(tx, inner, kind):
    document = {"id": f"{BOB.uri}/activity", "type": kind, "actor": BOB.uri, "object": inner}
    message = Verified(BOB.uri, document, b"{}", None, 'collectionId="x", url="y", digest="z"')
    undone(tx, handle, message, HERE)
    note = plain_note(message)
    if note is not None:
        undone(tx, create_many, [(message, note)], HERE)


@settings(max_examples=100)
@given(document=DOCUMENTS)
def test_any_hint(tx, document):
    undone(tx, handle, Hint(EVE.uri, document), HERE)


@settings(max_examples=100)
@given(more=st.dictionaries(FIELDS, VALUES, max_size=8))
def test_any_profile(tx, more):
    person = {"id": BOB.uri, "type": "Person", "preferredUsername": "bob", "inbox": BOB.inbox, **more}
    document = {"id": f"{BOB.uri}/activity", "type": "Update", "actor": BOB.uri, "object": person}
    undone(tx, handle, Verified(BOB.uri, document), HERE)
