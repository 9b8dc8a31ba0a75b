"""What we say is what Mastodon reads, and what our own readers understand."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from federation import contexts, reading, vocabulary
from federation.reading import PUBLIC

NOW = datetime(2026, 1, 1, 12, 30, 15, 987654, tzinfo=UTC)
ME = "https://ours.test/users/ann"
POST = f"{ME}/posts/1"
RFC_9421 = "https://datatracker.ietf.org/doc/html/rfc9421"


def person(**more: Any) -> vocabulary.Person:
    return vocabulary.Person(
        id=ME,
        preferred_username="ann",
        name="Ann",
        inbox=f"{ME}/inbox",
        outbox=f"{ME}/outbox",
        url="https://ours.test/@ann",
        manually_approves_followers=False,
        discoverable=True,
        public_key=vocabulary.PublicKey(f"{ME}#main-key", ME, "-----BEGIN PUBLIC KEY-----\nAAAA"),
        **more,
    )


def note(**more: Any) -> vocabulary.Note:
    return vocabulary.Note(id=POST, attributed_to=ME, content="<p>hi</p>", published=NOW, to=(PUBLIC,), **more)


def sent(document: vocabulary.Document) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vocabulary.encode(document))
    assert found == vocabulary.to_json(document)
    return found


def test_a_moment_without_zone_is_never_sent() -> None:
    with pytest.raises(ValueError, match="naive"):
        vocabulary.Tombstone(id=POST, deleted=datetime(2026, 1, 1))  # noqa: DTZ001


def test_moments_are_in_utc_to_the_second() -> None:
    later = NOW.astimezone(timezone(timedelta(hours=5)))
    assert sent(note(updated=later))["published"] == "2026-01-01T12:30:15Z"
    assert sent(note(updated=later))["updated"] == "2026-01-01T12:30:15Z"


def test_a_plain_note_says_no_more_than_it_must() -> None:
    assert sent(note()) == {
        "@context": contexts.POST,
        "type": "Note",
        "id": POST,
        "attributedTo": ME,
        "content": "<p>hi</p>",
        "published": "2026-01-01T12:30:15Z",
        "to": [PUBLIC],
    }


def test_every_term_is_in_the_context_or_in_activitystreams() -> None:
    """Terms of ActivityStreams 2.0 and security/v1; what else we say must be defined inline."""
    known = {
        "type", "id", "attributedTo", "content", "contentMap", "published", "updated", "url", "to", "cc",
        "inReplyTo", "summary", "summaryMap", "tag", "attachment", "replies", "likes", "shares", "context", "source",
        "mediaType", "name", "href", "icon", "image", "first", "last", "next", "prev", "partOf", "items",
        "orderedItems", "totalItems", "actor", "object", "target", "result", "instrument", "audience",
        "oneOf", "anyOf", "endTime", "closed", "formerType", "deleted", "inbox", "outbox", "followers",
        "following", "preferredUsername", "endpoints", "sharedInbox", "publicKey", "owner", "publicKeyPem",
        "width", "height", "rel", "generator",
    }  # fmt: skip
    for struct in every(vocabulary.Document):
        if not struct.__struct_config__.tag or struct.context_ is contexts.PLAIN:
            continue
        context = struct.context_[-1]
        terms = {field for field in struct.__struct_encode_fields__ if field not in known}
        assert terms <= set(context), struct


def every(struct: type[vocabulary.Document]) -> list[type[vocabulary.Document]]:
    return [found for sub in struct.__subclasses__() for found in [sub, *every(sub)]]


def test_our_own_reader_understands_a_full_post() -> None:
    document = note(
        url="https://ours.test/@ann/1",
        cc=(f"{ME}/followers",),
        content_map={"en": "<p>hi</p>"},
        source=vocabulary.Source("hi"),
        summary="careful",
        sensitive=True,
        in_reply_to="https://far.test/notes/1",
        context="https://ours.test/contexts/1",
        conversation="tag:x",
        tag=(
            vocabulary.Mention(href="https://far.test/users/bob", name="@bob@far.test"),
            vocabulary.Hashtag(href="https://ours.test/tags/cafe", name="#Café"),
            vocabulary.Emoji(name=":blob:", icon=vocabulary.Image(url="https://ours.test/blob.png"), updated=NOW),
            vocabulary.Link(href="https://far.test/notes/2", name="RE: https://far.test/notes/2"),
        ),
        attachment=(
            vocabulary.Attachment(
                url="https://ours.test/media/1.png", media_type="image/png", name="A cat", blurhash="UBL_:rOpGG-;~qM{",
                focal_point=(0.5, -0.5), width=10, height=20,
            ),
        ),
        replies=vocabulary.Collection(
            id=f"{POST}/replies", first=vocabulary.CollectionPage(part_of=f"{POST}/replies", items=())
        ),
        likes=vocabulary.Collection(id=f"{POST}/likes", total_items=0),
        interaction_policy=vocabulary.InteractionPolicy(can_quote=vocabulary.Approval(automatic_approval=(PUBLIC,))),
    )  # fmt: skip
    found = reading.read_note(sent(document))
    assert found.mentions == (reading.Mention("https://far.test/users/bob", "@bob@far.test"),)
    assert (found.hashtags, found.quote, found.language) == (("Café",), "https://far.test/notes/2", "en")
    assert (found.summary, found.sensitive, found.source_text) == ("careful", True, "hi")
    assert (found.replies, found.likes_count, found.url) == (f"{POST}/replies", 0, "https://ours.test/@ann/1")
    assert (found.attachments[0].description, found.attachments[0].focus_y) == ("A cat", -0.5)
    assert found.interaction_policy == {"canQuote": {"automaticApproval": [PUBLIC], "manualApproval": []}}
    assert reading.visibility(found, None) == "public"


def test_a_poll_and_a_vote_are_read_back() -> None:
    options = tuple(
        vocabulary.Option(name=name, replies=vocabulary.Collection(total_items=votes))
        for name, votes in (("A", 0), ("B", 2))
    )
    question = vocabulary.Question(
        id=POST, attributed_to=ME, content="", published=NOW, to=(PUBLIC,), one_of=options, end_time=NOW, voters_count=2
    )
    poll = reading.read_note(sent(question)).poll
    assert poll is not None
    assert poll.options == (reading.Option("A", 0), reading.Option("B", 2))
    assert (poll.multiple, poll.expires) == (False, NOW.replace(microsecond=0))
    vote = vocabulary.Vote(id=f"{ME}#votes/1", attributed_to=ME, name="A", in_reply_to=POST, to=(ME,))
    create = sent(vocabulary.Create(id=f"{ME}#votes/1/activity", actor=ME, to=(ME,), object=vote))
    assert reading.is_vote(reading.read_note(reading.embedded(create, "object")))


def test_an_actor_is_read_back() -> None:
    document = person(
        assertion_method=(vocabulary.Multikey(id=f"{ME}#ed", controller=ME, public_key_multibase="z" + "6" * 47),),
        endpoints=vocabulary.Endpoints("https://ours.test/inbox"),
        followers=f"{ME}/followers",
        attachment=(vocabulary.PropertyValue(name="Web", value="x"),),
        icon=vocabulary.Image(url="https://ours.test/a.png"),
        also_known_as=("https://old.test/ann",),
        webfinger="ann@ours.test",
        published=NOW,
        generator=vocabulary.Generator(implements=(vocabulary.Capability(RFC_9421, "HTTP Message Signatures"),)),
    )
    assert sent(document)["manuallyApprovesFollowers"] is False
    found = reading.read_actor(sent(document))
    assert (found.username, found.discoverable, found.webfinger) == ("ann", True, "ann@ours.test")
    assert [key.id for key in found.keys] == [f"{ME}#main-key", f"{ME}#ed"]
    assert found.implements == (RFC_9421,)
    assert found.avatar == reading.Image("https://ours.test/a.png")


@pytest.mark.parametrize("kind", ["Person", "Service", "Group", "Organization", "Application"])
def test_every_kind_of_actor_is_named_as_such(kind: str) -> None:
    fields = {field: getattr(person(), field) for field in person().__struct_fields__}
    assert reading.read_actor(sent(getattr(vocabulary, kind)(**fields))).kind == kind


FOLLOW = vocabulary.Follow(id=f"{ME}#follows/1", actor=ME, object="https://far.test/users/bob")


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (FOLLOW, "Follow"),
        (vocabulary.Accept(id="https://ours.test/a", actor=ME, object=FOLLOW), "Accept/Follow"),
        (vocabulary.Reject(id="https://ours.test/a", actor=ME, object=FOLLOW), "Reject/Follow"),
        (vocabulary.Undo(id="https://ours.test/u", actor=ME, object=FOLLOW), "Undo/Follow"),
        (vocabulary.Create(id="https://ours.test/c", actor=ME, object=note(), published=NOW), "Create/Note"),
        (vocabulary.Update(id="https://ours.test/c", actor=ME, object=person()), "Update/Person"),
        (vocabulary.Delete(id=f"{POST}#delete", actor=ME, object=vocabulary.Tombstone(id=POST)), "Delete/Tombstone"),
        (vocabulary.Delete(id="https://ours.test/d", actor=ME, object=ME), "Delete"),
        (vocabulary.Like(id="https://ours.test/l", actor=ME, object=POST), "Like"),
        (vocabulary.EmojiReact(id="https://ours.test/e", actor=ME, object=POST, content="🎉"), "EmojiReact"),
        (vocabulary.Announce(id="https://ours.test/b", actor=ME, object=POST, published=NOW, to=(PUBLIC,)), "Announce"),
        (vocabulary.Block(id="https://ours.test/x", actor=ME, object=POST), "Block"),
        (vocabulary.Flag(id="https://ours.test/f", actor=ME, object=(ME, POST), content="spam"), "Flag"),
        (vocabulary.Add(id="https://ours.test/p", actor=ME, object=POST, target=f"{ME}/featured"), "Add"),
        (vocabulary.Remove(id="https://ours.test/p", actor=ME, object=POST, target=f"{ME}/featured"), "Remove"),
        (vocabulary.Move(id="https://ours.test/m", actor=ME, object=ME, target="https://far.test/users/ann"), "Move"),
        (vocabulary.QuoteRequest(id="https://ours.test/q", actor=ME, object=POST, instrument=note()), "QuoteRequest"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_activity_is_read_back(document: vocabulary.Document, kind: str) -> None:
    found = reading.read_activity(sent(document))
    assert found.kinds[0] == kind
    assert found.actor == ME
    assert found.object_id


def test_empty_collections_still_say_that_they_are_empty() -> None:
    page = sent(vocabulary.OrderedCollectionPage(id=f"{ME}/outbox?page=1", part_of=f"{ME}/outbox", ordered_items=()))
    assert page["orderedItems"] == []
    whole = sent(vocabulary.OrderedCollection(id=f"{ME}/outbox", total_items=0, ordered_items=()))
    assert (whole["totalItems"], whole["orderedItems"]) == (0, [])
