"""What others send: refused when unusable, read when odd, never anything else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import reading
from federation.errors import Malformed
from federation.reading import PUBLIC, actors, media, posts, tags, values

ID = "https://far.test/notes/1"
AUTHOR = "https://far.test/users/ann"
NOTE = {"id": ID, "type": "Note", "attributedTo": AUTHOR, "content": "<p>hi</p>"}
ACTOR = {"id": AUTHOR, "type": "Person", "preferredUsername": "ann", "inbox": f"{AUTHOR}/inbox"}

READERS = (
    reading.read_note,
    reading.read_actor,
    reading.read_keys,
    reading.read_activity,
    reading.read_reaction,
    reading.read_flag,
    reading.read_move,
    reading.read_collection,
    reading.identity,
    reading.actor_of,
    reading.kinds,
    lambda doc: reading.embedded(doc, "object"),
    lambda doc: reading.uris(doc, "to"),
    lambda doc: reading.text(doc, "content"),
    lambda doc: reading.instant(doc, "published"),
)


def note(**fields: Any) -> reading.Note:
    return reading.read_note({**NOTE, **fields})


# Ids and hosts


@pytest.mark.parametrize(
    "bad",
    [
        None, 1, "", [], {}, "x", "notes/1", "ftp://far.test/1", "javascript:alert(1)", "https://", "https:///x",
        "https://far.test\\@evil.test/", "https://me@far.test/", "https://far.test./", "https://far..test/",
        "https://%66ar.test/", "https://far.test/a b", "https://far.test/\n", "https://far.test:0/",
        "https://far.test:99999/", "https://far.test/" + "a" * 2048, "https://far.test/\u202e", "as:Public",
        "https://[::1", "acct:ann@far.test",
    ],
)  # fmt: skip
def test_an_id_that_is_no_plain_web_address_is_refused(bad: object) -> None:
    with pytest.raises(Malformed):
        reading.identity({"id": bad})


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("https://Far.Test/x", "far.test"),
        ("HTTPS://far.test", "far.test"),
        ("https://far.test:443/x", "far.test"),
        ("http://far.test:80?x", "far.test"),
        ("http://far.test:443#x", "far.test:443"),
        ("http://localhost:8001/users/x", "localhost:8001"),
        ("https://lemmy_alpha/u/x", "lemmy_alpha"),
        ("http://[::1]:8000/x", "[::1]:8000"),
        ("https://Bücher.example/x", "xn--bcher-kva.example"),
        ("https://\uff46ar.test/x", "far.test"),
    ],
)
def test_hosts_are_lower_case_punycode_with_only_an_unusual_port(uri: str, host: str) -> None:
    assert reading.host_of(uri) == host
    assert reading.identity({"id": uri}) == uri


def test_same_origin_compares_scheme_host_and_port() -> None:
    assert reading.same_origin("https://far.test/a", "https://FAR.test:443/b")
    assert not reading.same_origin("https://far.test/a", "http://far.test/a")
    assert not reading.same_origin("https://far.test/a", "https://far.test:8443/a")
    assert not reading.same_origin("https://far.test/a", "https://sub.far.test/a")
    assert not reading.same_origin("nonsense", "nonsense")


# Values


def test_an_actor_is_exactly_one() -> None:
    assert reading.actor_of({"actor": AUTHOR}) == AUTHOR
    assert reading.actor_of({"actor": [{"type": "Person", "id": AUTHOR}]}) == AUTHOR
    for bad in ([AUTHOR, AUTHOR], [], None, {}, {"id": None}, "x", ["x"], PUBLIC[:-40]):
        with pytest.raises(Malformed):
            reading.actor_of({"actor": bad})


def test_uris_come_from_one_many_or_embedded_objects() -> None:
    assert reading.uris({"to": "as:Public"}, "to") == [PUBLIC]
    assert reading.uris({"to": ["Public", PUBLIC, {"id": "x"}, 7, None, "", {"id": 1}]}, "to") == [PUBLIC, PUBLIC, "x"]
    assert reading.uris({"to": None}, "to") == reading.uris({}, "to") == []
    assert len(reading.uris({"to": ["a"] * 5000}, "to")) == values.URIS_LIMIT


def test_kinds_put_the_most_exact_first() -> None:
    assert reading.kinds({"type": "Undo", "object": {"type": "Follow"}}) == ["Undo/Follow", "Undo"]
    assert reading.kinds({"type": ["as:Like", "Dislike"]}) == ["Like", "Dislike"]
    assert reading.kinds({"type": "Create", "object": [{"type": ["Note", "Page"]}]}) == [
        "Create/Note", "Create/Page", "Create",
    ]  # fmt: skip
    assert reading.kinds({"type": 5, "object": 7}) == reading.kinds({}) == []


def test_text_takes_any_language_when_there_is_no_plain_one() -> None:
    assert reading.text({"content": "a", "contentMap": {"en": "b"}}, "content") == "a"
    assert reading.text({"content": None, "contentMap": {"x": 1, "en": "b"}}, "content") == "b"
    assert reading.text({"content": 5, "contentMap": 5}, "content") == ""
    assert reading.text({"content": "a\x00b\x1bc\ud800d\te\n"}, "content") == "abcd\te\n"


def test_the_language_is_that_of_the_text() -> None:
    assert note(content="b", contentMap={"en": "a", "de": "b"}).language == "de"
    assert note(contentMap={"pt-BR": "something else"}).language == "pt-BR"
    assert note(contentMap={"en": "x", "de": "y"}).language is None
    assert note(contentMap={"<script>": "<p>hi</p>"}).language is None
    assert note(language="und").language is None


@pytest.mark.parametrize(
    "bad", ["", "yesterday", 5, None, "2026-13-01T00:00:00Z", "9" * 99, "0001-01-01T00:00:00+14:00"]
)
def test_an_unreadable_moment_is_none(bad: object) -> None:
    assert reading.instant({"at": bad}, "at") is None


def test_a_moment_without_a_zone_is_utc() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for written in ("2026-01-01T12:00:00Z", "2026-01-01T12:00:00", "2026-01-01T13:00:00+01:00", "2026-01-01 12:00"):
        assert reading.instant({"at": written}, "at") == noon


# Posts: who wrote it


@pytest.mark.parametrize(
    "bad",
    [
        None, [], "", 5, {}, "https://evil.test/users/ann", [AUTHOR, "https://evil.test/users/ann"],
        "http://far.test/users/ann", "https://far.test:8443/users/ann",
    ],
)  # fmt: skip
def test_a_note_by_nobody_or_by_authors_of_other_hosts_is_refused(bad: object) -> None:
    with pytest.raises(Malformed):
        note(attributedTo=bad)


def test_the_first_author_is_the_one_shown() -> None:
    group = "https://far.test/c/x"
    found = note(attributedTo=[{"type": "Person", "id": AUTHOR}, group])
    assert (found.author, found.authors) == (AUTHOR, (AUTHOR, group))


def test_a_vote_without_author_is_its_actors() -> None:
    vote = {"id": ID, "type": "Note", "name": "Yes", "inReplyTo": "https://ours.test/1", "to": "https://ours.test/x"}
    found = reading.read_note(vote, AUTHOR)
    assert found.author == AUTHOR
    assert reading.is_vote(found)
    with pytest.raises(Malformed):
        reading.read_note(vote, "https://evil.test/users/ann")


def test_only_a_nameless_answer_or_a_post_with_words_is_no_vote() -> None:
    assert not reading.is_vote(note(name="Yes", inReplyTo="https://ours.test/1"))
    assert not reading.is_vote(note(name="Yes", content=""))
    assert not reading.is_vote(note(content="", inReplyTo="https://ours.test/1"))


# Posts: who may see it


@pytest.mark.parametrize(
    ("to", "cc", "seen"),
    [
        ([PUBLIC], [], "public"),
        ("as:Public", None, "public"),
        (["Public"], [], "public"),
        ([f"{AUTHOR}/followers"], [PUBLIC], "unlisted"),
        ([f"{AUTHOR}/followers"], [], "private"),
        ([], [f"{AUTHOR}/followers"], "private"),
        (["https://ours.test/users/x"], [], "direct"),
        ([], [], "direct"),
        (None, 5, "direct"),
        (["as:public", "public", "http://www.w3.org/ns/activitystreams#Public", f"{PUBLIC} "], [], "direct"),
        (["https://ours.test/users/x/followers"], [], "direct"),
    ],
)
def test_visibility_is_direct_unless_it_says_otherwise(to: object, cc: object, seen: str) -> None:
    assert reading.visibility(note(to=to, cc=cc), f"{AUTHOR}/followers") == seen


def test_followers_are_only_the_authors_own() -> None:
    assert reading.visibility(note(to=[f"{AUTHOR}/followers"]), None) == "direct"


# Posts: the rest


def test_the_page_of_a_post_is_on_its_own_host() -> None:
    assert note(url="https://far.test/@ann/1").url == "https://far.test/@ann/1"
    links = [{"href": "https://far.test/x.pdf"}, {"href": "https://far.test/p", "mediaType": "text/html"}]
    assert note(url=links).url == "https://far.test/p"
    for bad in ("javascript:alert(1)", "https://evil.test/", 5, ["data:x"], {"href": "//far.test"}):
        assert note(url=bad).url is None


def test_lists_have_limits() -> None:
    tag = [{"type": "Mention", "href": f"https://x.test/{n}", "name": "@x"} for n in range(200)]
    tag += [{"type": "Hashtag", "name": f"#t{n}"} for n in range(40)]
    found = note(
        tag=tag,
        attachment=[{"type": "Image", "url": f"https://x.test/{n}.png"} for n in range(100)],
        oneOf=[{"name": f"o{n}"} for n in range(100)],
        content="x" * 2_000_000,
        summary="x" * 9_999,
    )
    assert len(found.mentions) == tags.MENTIONS_LIMIT
    assert len(found.hashtags) == tags.HASHTAGS_LIMIT
    assert len(found.attachments) == media.ATTACHMENTS_LIMIT
    assert found.poll is not None
    assert len(found.poll.options) == posts.OPTIONS_LIMIT
    assert (len(found.html), len(found.summary)) == (values.CONTENT_LIMIT, values.TEXT_LIMIT)


@pytest.mark.parametrize("bad", ["#<b>", "#", "#a b", "#2026", "#" + "a" * 101, "a-b", None, 5, "#a\u202eb", "##a"])
def test_a_hashtag_that_is_no_word_is_dropped(bad: object) -> None:
    assert reading.hashtag(bad) is None


@pytest.mark.parametrize("good", ["Café", "हिन्दी", "日本語", "c·a", "a_b", "2026年", "ไทย"])
def test_hashtags_are_words_of_any_script(good: str) -> None:
    assert reading.hashtag(f"#{good}") == reading.hashtag(good) == good


def test_an_emoji_needs_a_plain_shortcode_and_a_picture() -> None:
    def emojis(name: object, icon: object) -> tuple[reading.Emoji, ...]:
        return note(tag={"type": "Emoji", "name": name, "icon": icon}).emojis

    url = "https://far.test/e.png"
    assert emojis(":blob:", {"url": url}) == emojis("blob", url) == (reading.Emoji("blob", url),)
    for name in (":a b:", ":<b>:", "", "::", None, ":" + "a" * 65 + ":"):
        assert emojis(name, {"url": url}) == ()
    for icon in (None, {"url": "data:x"}, {"url": 5}, []):
        assert emojis(":blob:", icon) == ()


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"name": "a <b> & c", "summary": "<p>not this</p>"}, "a <b> & c"),
        ({"summary": "Moss &amp; <i>stones</i><br>on a wall"}, "Moss & stones\non a wall"),
        ({"summary": "<p>one</p><p>two</p>"}, "one\ntwo"),
        ({"summary": "1 < 2 > 0"}, "1 < 2 > 0"),
        ({"summary": 7}, ""),
    ],
)
def test_what_a_picture_shows_is_told_as_text(said: dict[str, Any], text: str) -> None:
    """GoToSocial moves from `name` to `summary`, which is HTML."""
    picture = {"type": "Image", "url": "https://far.test/a.png", **said}
    assert note(attachment=picture).attachments[0].description == text
    avatar = reading.read_actor({**ACTOR, "icon": picture}).avatar
    assert avatar is not None
    assert avatar.description == text


def test_attachments_that_are_no_files_are_dropped() -> None:
    bad = [{"type": "Image", "url": "javascript:x"}, {"type": "PropertyValue", "name": "a"}, {"type": "Image"}, 5, None]
    assert note(attachment=bad).attachments == ()
    assert note(attachment={"type": "Document", "url": "https://x.test/a"}).attachments[0].kind == "unknown"
    assert note(attachment={"type": "Link", "href": "https://x.test/a.mp3"}).attachments[0].kind == "audio"


@pytest.mark.parametrize(
    ("field", "bad"),
    [("blurhash", "<>"), ("width", -1), ("width", True), ("width", 10**9), ("focalPoint", [2, 0]), ("focalPoint", "x"),
     ("focalPoint", [float("nan"), 0]), ("mediaType", "image/<x>"), ("name", 5), ("height", "12")],
)  # fmt: skip
def test_a_bad_detail_costs_an_attachment_only_that(field: str, bad: object) -> None:
    clean = reading.Attachment("image", "https://x.test/a.png")
    found = note(attachment={"type": "Image", "url": "https://x.test/a.png", field: bad}).attachments
    assert found == (clean,)


def test_a_poll_closes_when_it_says_so() -> None:
    options = {"oneOf": [{"type": "Note", "name": "A"}, {"name": "A"}, {"name": 5}, "x"]}
    end = "2026-01-01T00:00:00Z"
    poll = note(**options, closed=True, endTime=end).poll
    assert poll is not None
    assert poll.options == (reading.Option("A", 0),)
    assert poll.closed == poll.expires == datetime(2026, 1, 1, tzinfo=UTC)
    assert note(oneOf=[], anyOf=5).poll is None


def test_replies_live_on_the_host_of_the_post() -> None:
    assert note(replies=f"{ID}/replies").replies == f"{ID}/replies"
    assert note(replies={"first": {"next": f"{ID}/r?page=1"}}).replies == f"{ID}/r?page=1"
    assert note(replies="https://evil.test/r").replies is None
    assert note(replies={"first": "https://evil.test/r"}).replies is None


def test_counts_are_whole_and_not_negative() -> None:
    for bad in (-1, 1.5, True, "3", 2**60, None, float("inf")):
        assert note(likes={"totalItems": bad}).likes_count is None
    assert note(likes={"totalItems": 3.0}).likes_count == 3


# Actors


@pytest.mark.parametrize(
    ("said", "domains"),
    [
        ("News.test", ("news.test",)),
        (
            ["*.a.test", "https://b.test/x", "a.test", 3, None, "no domain", {"id": "c.test"}],
            ("a.test", "b.test"),
        ),
        ([f"a{number}.test" for number in range(200)], tuple(f"a{number}.test" for number in range(100))),
        (None, ()),
    ],
)
def test_an_actor_says_whose_pages_may_name_it(said: object, domains: tuple[str, ...]) -> None:
    assert reading.read_actor({**ACTOR, "attributionDomains": said}).attribution_domains == domains


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "Note"},
        {"type": None},
        {"inbox": None},
        {"inbox": "https://evil.test/inbox"},
        {"inbox": "x"},
        {"id": ""},
    ],
)
def test_an_actor_without_type_or_own_inbox_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        reading.read_actor({**ACTOR, **bad})


def test_collections_of_other_hosts_are_dropped() -> None:
    evil = dict.fromkeys(("outbox", "followers", "following", "featured", "featuredTags"), "https://evil.test/x")
    found = reading.read_actor({**ACTOR, **evil, "endpoints": {"sharedInbox": "https://evil.test/inbox"}})
    assert (found.outbox, found.followers, found.following, found.featured, found.featured_tags) == (None,) * 5
    assert found.shared_inbox is None


def test_the_page_of_an_actor_is_on_his_own_host() -> None:
    """A site that leads back to another's page would be taken for his (rel=me), and his name would lead there."""
    assert reading.read_actor({**ACTOR, "url": "https://far.test/@ann"}).url == "https://far.test/@ann"
    for bad in ("https://evil.test/@victim", [{"href": "https://evil.test/@victim"}], "https://far.test:8443/@ann"):
        assert reading.read_actor({**ACTOR, "url": bad}).url is None


def test_names_are_one_line_that_turns_no_direction() -> None:
    found = reading.read_actor({**ACTOR, "name": "\u202eevil\u202c\nann\x00 "})
    assert found.name == "evil ann"
    assert len(reading.read_actor({**ACTOR, "name": "x" * 9999}).name) == values.NAME_LIMIT


@pytest.mark.parametrize("bad", [None, "", "a b", "<b>", "a/b", "ann@far.test", ".a", "a" * 300, 5, "ann\u202e"])
def test_an_unusable_username_is_made_from_the_id(bad: object) -> None:
    assert reading.read_actor({**ACTOR, "preferredUsername": bad}).username == "ann"


def test_keys_of_others_are_left_out() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
    own = {"id": f"{AUTHOR}#main-key", "owner": AUTHOR, "publicKeyPem": pem}
    for bad in (
        {**own, "owner": "https://far.test/users/bob"},
        {**own, "id": "https://evil.test/key"},
        {**own, "publicKeyPem": "x" * 10_000},
        {**own, "publicKeyPem": 5},
        {**own, "publicKeyPem": "é"},
        {**own, "id": None},
        "https://far.test/users/ann#main-key",
    ):
        assert reading.read_actor({**ACTOR, "publicKey": bad}).keys == ()
    two = [own, {**own, "id": f"{AUTHOR}#second"}]
    assert len(reading.read_actor({**ACTOR, "publicKey": two}).keys) == 2
    many = [{**own, "id": f"{AUTHOR}#{n}"} for n in range(99)]
    assert len(reading.read_actor({**ACTOR, "publicKey": many}).keys) == actors.KEYS_LIMIT


def test_a_bare_key_document_is_read() -> None:
    multikey = {"id": f"{AUTHOR}/key", "type": "Multikey", "controller": AUTHOR, "publicKeyMultibase": "z" + "6" * 47}
    assert reading.read_keys(multikey) == (reading.Key(f"{AUTHOR}/key", AUTHOR, "z" + "6" * 47),)
    assert reading.read_keys({**multikey, "publicKeyMultibase": "z0OIl" * 10}) == ()
    assert reading.read_keys({"id": AUTHOR}) == ()


# Activities and collections


@pytest.mark.parametrize("bad", [{"id": None}, {"actor": None}, {"actor": [AUTHOR, AUTHOR]}, {"type": None}])
def test_an_activity_without_id_type_or_actor_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        reading.read_activity({"id": ID, "type": "Like", "actor": AUTHOR, "object": ID, **bad})


@pytest.mark.parametrize(
    "bad", ["", None, "nice post", "a", "12", "<b>", "🎉 x", ":blob:", ": :", "🎉" * 40, "\u202e", "…", 5, "\x00🎉"]
)
def test_a_reaction_that_is_no_emoji_is_a_plain_like(bad: object) -> None:
    assert reading.read_reaction({"type": "Like", "content": bad}) is None


@pytest.mark.parametrize("good", ["🎉", "❤️", "👨‍👩‍👧‍👦", "🇫🇷", "1️⃣", "#️⃣", "\u2139\ufe0f", "☕", "👍🏽"])
def test_a_reaction_is_one_emoji(good: str) -> None:
    assert reading.read_reaction({"content": good}) == reading.Reaction(good)


def test_a_report_or_a_move_of_nothing_is_refused() -> None:
    for bad in (None, [], 5, "x", {}):
        with pytest.raises(Malformed):
            reading.read_flag({"object": bad})
        with pytest.raises(Malformed):
            reading.read_move({"object": AUTHOR, "target": bad})


def test_a_collection_keeps_ids_and_objects_and_drops_the_rest() -> None:
    doc = {"type": "OrderedCollectionPage", "id": ID, "orderedItems": [ID, {"id": ID}, 5, None, "", []], "next": "x"}
    found = reading.read_collection(doc)
    assert found.items == (ID, {"id": ID})
    assert found.is_page
    assert found.next is None
    assert reading.read_collection({"type": "Collection", "items": ID}).items == (ID,)
    assert reading.read_collection({"type": "Collection", "first": {"type": "CollectionPage"}}).first == {
        "type": "CollectionPage"
    }
    with pytest.raises(Malformed):
        reading.read_collection({"type": "Note"})


# Anything

FIELDS = [
    "@context", "id", "type", "actor", "object", "target", "to", "cc", "content", "contentMap", "name",
    "nameMap", "summary", "url", "href", "mediaType", "source", "attachment", "tag", "icon", "image", "preview",
    "published", "updated", "endTime", "closed", "oneOf", "anyOf", "replies", "comments", "likes", "shares",
    "totalItems", "votersCount", "first", "next", "items", "orderedItems", "partOf", "inReplyTo", "context",
    "conversation", "quote", "quoteUrl", "attributedTo", "audience", "inbox", "outbox", "followers",
    "endpoints", "sharedInbox", "publicKey", "publicKeyPem", "assertionMethod", "publicKeyMultibase", "owner",
    "preferredUsername", "alsoKnownAs", "movedTo", "webfinger", "implements", "generator", "language",
    "location", "startTime", "focalPoint", "width", "blurhash", "rel", "interactionPolicy", "canReply",
    "always", "value", "@value", "sensitive", "_misskey_reaction", "manuallyApprovesFollowers",
]  # fmt: skip
WORDS = [
    ID, AUTHOR, PUBLIC, "as:Public", "https://evil.test/x", "https://[", "https://far.test:99999/", "Note", "Question",
    "Person", "Group", "Like", "Create", "Mention", "Hashtag", "Emoji", "Link", "Image", "Video", "Audio", "Event",
    "PropertyValue", "Collection", "OrderedCollectionPage", "text/html", "text/markdown", "video/mp4",
    "2026-01-01T00:00:00Z", ":blob:", "#tag", "\x00", "\ud800", "z" + "6" * 47, "\u202e", "https://\u0660\u0661.\u0662/",
]  # fmt: skip
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
    | st.text(st.characters(), max_size=4)
)  # fmt: skip
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=8),
    max_leaves=20,
)
objects = st.dictionaries(st.sampled_from(FIELDS), documents, max_size=16)


def total(read: Any, doc: dict[str, Any]) -> None:
    try:
        value = read(doc)
    except Malformed:
        return
    if isinstance(value, reading.Note):
        reading.visibility(value, None)
        reading.is_vote(value)
        reading.host_of(value.id)
        for uri in (value.author, value.url, value.in_reply_to, value.replies, value.quote, value.context):
            assert uri is None or reading.host_of(uri)
        for file in value.attachments:
            assert file.url.lower().startswith(("http://", "https://"))
    if isinstance(value, reading.Actor):
        for uri in (value.inbox, value.outbox, value.followers, value.shared_inbox):
            assert uri is None or reading.host_of(uri) == reading.host_of(value.id)


@given(objects)
def test_any_json_gives_a_value_or_malformed(doc: dict[str, Any]) -> None:
    for read in READERS:
        total(read, doc)


@given(objects, objects)
def test_any_json_around_a_usable_core_gives_a_value(rest: dict[str, Any], tag: dict[str, Any]) -> None:
    core = {"id": ID, "attributedTo": AUTHOR, "actor": AUTHOR}
    total(reading.read_note, {**rest, "tag": [tag], "attachment": tag, **core})
    assert reading.read_note({**rest, "attachment": [tag], **core}).id == ID
    assert reading.read_actor({**rest, "tag": tag, **ACTOR}).id == AUTHOR
    assert reading.read_activity({**rest, **core, "type": "Like"}).actor == AUTHOR
    assert reading.read_collection({**rest, "type": "Collection"}).kind == "Collection"


@given(st.text(max_size=40) | st.sampled_from(WORDS))
def test_a_host_is_found_or_refused(uri: str) -> None:
    try:
        host = reading.host_of(uri)
    except Malformed:
        assert not values.is_web(uri)
    else:
        assert values.is_web(uri)
        assert host == host.lower()
        assert host.isascii()
        assert reading.same_origin(uri, uri)
        assert reading.same_origin(values.root_of(uri), uri)


def test_nothing_takes_time_with_the_square_of_its_input() -> None:
    """No clock: what backtracks would not end."""
    for piece in ("a", "a.", "-", "#", "&#038;", ":", "@", "\u202e", "/", "[", "%", "<p>"):
        long = piece * 200_000
        doc = {**NOTE, "url": f"https://far.test/{long}", "content": long, "name": long, "summary": long,
               "published": long, "context": f"https://{long}", "tag": {"type": "Hashtag", "name": long},
               "attachment": {"type": "Image", "url": long, "blurhash": long, "mediaType": long}}  # fmt: skip
        assert reading.read_note(doc).id == ID
        assert reading.read_actor({**ACTOR, "preferredUsername": long, "webfinger": long, "summary": long}).id == AUTHOR
        assert reading.read_reaction({"content": long}) is None
