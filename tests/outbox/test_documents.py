"""What we send.  `CONNECTME_GOLDEN=1 pytest tests/outbox/test_documents.py` rewrites golden/; review the difference."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from federation import reading, vocabulary
from outbox import documents
from outbox.documents import Audience
from outbox.parts import Mentioned, Parts, Tag
from store.tables import INSTANCE_ACTOR_ID, AccountKey, Follow, Poll
from tests.outbox.rows import picture, post
from tests.people import BORN, ours, remote

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 10, 31, 23, 59, 58, 765432, tzinfo=UTC)
PUBLIC = reading.PUBLIC

ALICE = ours(
    "alice",
    id=7,
    display_name="Alice 🐦 :bird:",
    note="<p>Birds.</p>",
    avatar_url="https://ours.test/media/alice.png",
    avatar_alt="A bird",
    header_url="https://ours.test/media/sky.png",
    fields=[{"name": "Site", "value": '<a href="https://alice.test" rel="me">alice.test</a>'}],
    emojis=[{"shortcode": "bird", "url": "https://ours.test/media/bird.png"}],
    also_known_as=["https://old.test/users/alice"],
    discoverable=True,
    indexable=True,
)
BOB = remote("Bob", id=8)
INSTANCE = ours(
    "connectme.internal",
    id=INSTANCE_ACTOR_ID,
    uri="https://ours.test/actor",
    kind="Application",
    locked=True,
    inbox="https://ours.test/actor/inbox",
    outbox=None,
    followers_uri=None,
    following_uri=None,
    featured_uri=None,
)
RSA = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtBdE55VmV9gTrhJmRF1K
eX7xTRo17JGQ7d1/KJWsQ1zH62GGeG/E+BG3h/BRtfgI7Z9jwfNEyx8g/Ue8rSeZ
3M7yc09/Z90uwGVY24hxwAJyzWIN2cv5ayhdtk268byT6NX98a9PQcHlx5i6Bhef
MlpY73I5gxYlofvwJTHq/VupXVw9K76KId2AgR2z8tLiXPc8TED56HulDWdMlWn3
9B4mWNYmzMBF7lOl58Ws6bFsiv8GnI3uEywzUGhXqz4242FGveHdAGBaCpUYrm8W
mT8PArqv3B4fCD1ghakSmxRr3y9clwhkC+kB/aoT6z313uZYbQuvZF1bfbh6EZWm
IQIDAQAB
-----END PUBLIC KEY-----
"""
ED25519 = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""
KEYS = [
    AccountKey(f"{ALICE.uri}#main-key", 7, "rsa", RSA, None, BORN),
    AccountKey(f"{ALICE.uri}#ed25519-key", 7, "ed25519", ED25519, None, BORN),
]
NAMED = Mentioned(8, BOB.uri, "Bob@far.test", "Bob", BOB.url, False)
SILENT = Mentioned(9, "https://ours.test/users/carol", "carol", "carol", "https://ours.test/@carol", True)
NOTE = Parts(
    post(
        ALICE,
        number=1000,
        html='<p>Look, <a href="https://far.test/@Bob">@Bob</a> :bird: #Birds</p>',
        source="Look, @Bob@far.test :bird: #Birds",
        summary="birds",
        language="en",
        published=AT,
        edited_at=AT,
        reply_to_uri="https://far.test/posts/1",
        context="https://far.test/contexts/1",
        emojis=[{"shortcode": "bird", "url": "https://ours.test/media/bird.png"}],
    ),
    ALICE,
    mentions=(NAMED, SILENT),
    tags=(Tag("birds", "Birds"), Tag("größe", "Größe")),
    media=(
        picture(1, width=640, height=480, focus_x=0.5, focus_y=-1.0, blurhash="LKO2?U%2Tw=w]~RBVZRi};RPxuwH"),
        picture(2, kind="video", media_type=None, preview_url="https://ours.test/media/2-small.png", description=""),
    ),
)
PLAIN = Parts(post(ALICE, number=1001, visibility="private", published=AT), ALICE)
QUESTION = Parts(
    post(ALICE, number=1002, kind="Question", html="<p>Tea?</p>", visibility="unlisted", published=AT),
    ALICE,
    poll=Poll(1002, False, [{"title": "yes", "votes": 2}, {"title": "no", "votes": 0}], 2, AT, None),
)
SEVERAL = Parts(
    post(ALICE, number=1003, kind="Question", visibility="direct", published=AT),
    ALICE,
    mentions=(NAMED,),
    poll=Poll(1003, True, [{"title": "red", "votes": 1}, {"title": "blue", "votes": 1}], 1, AT, AT),
)
BOOST = Parts(
    post(ALICE, number=1004, kind="Announce", uri=f"{ALICE.uri}/posts/1004/activity", published=AT),
    ALICE,
    boost_of_uri="https://far.test/posts/1",
)
FOLLOW = Follow(7, 8, 55, "https://far.test/follows/1", False, True, False, AT)
FAR_POST, FAR_URI = "https://far.test/posts/1", BOB.uri

SAID = {
    "accept": documents.accept(FOLLOW, BOB, ALICE),
    "actor": documents.actor(ALICE, KEYS, "ours.test"),
    "add": documents.add(ALICE, NOTE.post.uri, 1),
    "announce": documents.announce(BOOST, FAR_URI),
    "block": documents.block(ALICE, BOB, f"{ALICE.uri}#blocks/1"),
    "create_direct_question": documents.create(SEVERAL),
    "create_note": documents.create(NOTE),
    "create_private": documents.create(PLAIN),
    "create_question": documents.create(QUESTION),
    "delete": documents.delete(NOTE, AT),
    "delete_actor": documents.delete_actor(ALICE),
    "emoji_react": documents.emoji_react(
        ALICE, FAR_POST, f"{ALICE.uri}#reactions/1", ":bird:", FAR_URI, "https://ours.test/media/bird.png"
    ),
    "flag": documents.flag(INSTANCE, "https://ours.test/reports/1", FAR_URI, [FAR_POST], "spam"),
    "follow": documents.follow(ALICE, BOB, f"{ALICE.uri}#follows/1"),
    "instance_actor": documents.instance_actor(INSTANCE, KEYS[:1], "ours.test"),
    "like": documents.like(ALICE, FAR_POST, f"{ALICE.uri}#likes/1", FAR_URI),
    "move": documents.move(ALICE, "https://new.test/users/alice", AT),
    "reject": documents.reject(FOLLOW, BOB, ALICE),
    "remove": documents.remove(ALICE, NOTE.post.uri, 2),
    "undo_announce": documents.undo(documents.announce(BOOST, FAR_URI)),
    "undo_follow": documents.undo(documents.follow(ALICE, BOB, f"{ALICE.uri}#follows/1")),
    "update_actor": documents.update_actor(ALICE, KEYS, AT, "ours.test"),
    "update_note": documents.update(NOTE, AT),
    "vote": documents.vote(ALICE, f"{ALICE.uri}#votes/1/0", "yes", FAR_POST, FAR_URI),
}
ACTIVITIES = sorted(set(SAID) - {"actor", "instance_actor"})


def test_a_row_that_boosts_nothing_is_no_announce():
    with pytest.raises(ValueError, match="not a boost"):
        documents.announce(PLAIN)


def test_an_account_without_an_rsa_key_has_no_document():
    with pytest.raises(ValueError, match="no RSA key"):
        documents.actor(ALICE, KEYS[1:])


@pytest.mark.parametrize("name", sorted(SAID))
def test_what_we_send_is_as_reviewed(name):
    file = GOLDEN / f"{name}.json"
    document = msgspec.json.decode(vocabulary.encode(SAID[name]))
    assert document.pop("@context") == SAID[name].context_  # long, the same in many, and federation's own
    sent = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    if os.environ.get("CONNECTME_GOLDEN"):
        file.write_bytes(sent)
    assert sent == file.read_bytes()


def test_every_reviewed_document_is_still_sent():
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(SAID)


@pytest.mark.parametrize("name", ACTIVITIES)
def test_we_understand_what_we_say(name):
    document = SAID[name]
    found = reading.read_activity(vocabulary.to_json(document))
    assert (found.id, found.actor, found.to, found.cc) == (document.id, document.actor, document.to, document.cc)
    assert type(document).__name__ in found.kinds
    assert found.object_id


def test_a_post_is_read_as_it_was_written():
    found = reading.read_note(vocabulary.to_json(documents.note(NOTE)))
    assert found.html == NOTE.post.html
    assert (found.summary, found.sensitive, found.language) == ("birds", True, "en")
    assert found.published == found.updated == AT.replace(microsecond=0)
    assert [one.href for one in found.mentions] == [BOB.uri]
    assert [one.description for one in found.attachments] == ["A cat, asleep", ""]
    assert reading.visibility(found, ALICE.followers_uri) == "public"


@pytest.mark.parametrize(("parts", "multiple"), [(QUESTION, False), (SEVERAL, True)])
def test_a_poll_is_read_as_it_was_asked(parts, multiple):
    poll = reading.read_note(vocabulary.to_json(documents.note(parts))).poll
    assert (poll.multiple, poll.voters) == (multiple, parts.poll.voters_count)
    assert [(one.title, one.votes) for one in poll.options] == [
        (one["title"], one["votes"]) for one in parts.poll.options
    ]


def test_an_actor_is_read_as_it_is():
    found = reading.read_actor(vocabulary.to_json(SAID["actor"]))
    assert (found.id, found.username, found.name, found.webfinger) == (
        ALICE.uri,
        "alice",
        ALICE.display_name,
        "alice@ours.test",
    )
    assert [key.id for key in found.keys] == [key.id for key in KEYS]
    assert found.shared_inbox == "https://ours.test/inbox"
    assert "https://datatracker.ietf.org/doc/html/rfc9421" in SAID["instance_actor"].implements[0].href


def test_a_vote_is_read_as_a_vote():
    assert reading.is_vote(reading.read_note(vocabulary.to_json(SAID["vote"])["object"]))


@pytest.mark.parametrize(
    ("visibility", "expected"),
    [
        ("public", Audience((PUBLIC,), (ALICE.followers_uri, "x"))),
        ("unlisted", Audience((ALICE.followers_uri,), (PUBLIC, "x"))),
        ("private", Audience((ALICE.followers_uri,), ("x",))),
        ("direct", Audience(("x",), ())),
    ],
)
def test_the_four_audiences(visibility, expected):
    assert documents.audience(visibility, ALICE, ["x"]) == expected


def test_two_edits_are_two_activities():
    later = AT.replace(microsecond=766432)
    assert documents.update(NOTE, AT).id != documents.update(NOTE, later).id


def test_the_newest_rsa_key_is_the_one():
    new = AccountKey(f"{ALICE.uri}#key-2", 7, "rsa", RSA, None, AT)
    found = documents.actor(ALICE, [*KEYS, new])
    assert found.public_key.id == new.id
    assert [key.id for key in found.assertion_method] == [KEYS[0].id, KEYS[1].id]
