"""What other software sends arrives at a running server, and its follower there sees what was meant.

Each document of tests/golden is delivered as its server would: signed, in a Create when it is a bare object, from a
host of its own.  SEEN says what is visible over the API afterwards; every document must have its line.
"""

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectme.demo import Instance, until
from tests.pairs.peer import AS, JSON, PUBLIC, Town, root
from tests.ports import free_port

pytestmark = pytest.mark.pairs

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))
FAR = "https://far.test"
# As they stand in our links to other places.
OUT = 'target="_blank" rel="nofollow noopener noreferrer"'


def picture(url: str, description: str | None = None, kind: str = "image", preview: str | None = None) -> JSON:
    return {"type": kind, "url": url, "description": description, "preview_url": preview or url}


# What the follower sees of a post: fields of the status, or what `seen` makes of them.
POSTS: dict[str, JSON] = {
    "bookwyrm-note": {
        "content": '<p><strong>Review of "X" (4 stars): Fine</strong></p><p>Good</p>',
        "media": [picture("https://bookwyrm.test/images/covers/1.jpg", "Cover")],
        "visibility": "public",
    },
    "discourse-note": {
        "content": "<p><strong>Two cats</strong></p><p>Look :smile:</p><p></p>",
        "media": [picture("https://forum.test/uploads/a.jpg?v=1&w=2", 'A "cat"')],
    },
    "event-hybrid": {
        "content": "<p><strong>Talk</strong></p><p><strong>Cancelled</strong> <del>2026-12-01 17:00 UTC · "
        "Library, 1 Long Street, Lyon · Meeting</del></p>"
        f'<p><a href="https://meet.test/talk" {OUT}>https://meet.test/talk</a></p>',
    },
    "friendica-page": {
        "content": "<p><strong>Spacewalk</strong></p>They went out."
        f'<p><a href="https://news.test/eva" {OUT}>https://news.test/eva</a></p>',
        "language": "de",
        "visibility": "unlisted",
        "url": "https://friendica.test/objects/1",
    },
    "funkwhale-audio": {
        "content": "<p><strong>Song</strong></p>",
        "url": "https://funkwhale.test/library/tracks/1",
        "media": [picture("https://funkwhale.test/api/v1/listen/1", None, "audio", "https://funkwhale.test/cover.jpg")],
    },
    "gotosocial-note": {
        "content": "<p>moss</p>",
        "language": "en",
        "media": [picture("https://gts.test/fileserver/1.webp", "Moss")],
        "mentions": ["bob@far.test"],
        "url": "https://gts.test/@eve/statuses/01AB",
        "created_at": "2026-03-01T09:00:00.000Z",
    },
    "hubzilla-note": {"content": "<p>hi</p>", "language": "en", "url": "https://streams.test/channel/m?mid=1"},
    "lemmy-page": {
        "content": "<p><strong>Earl Grey</strong></p><p>Hot.</p>\n"
        f'<p><a href="https://tea.test/earl-grey" {OUT}>https://tea.test/earl-grey</a></p>',
        "language": "fr",
        "media": [picture("https://lemmy.test/pictrs/image/1.png")],
    },
    "mastodon-note": {
        "language": "en",
        "mentions": ["bob@far.test"],
        "tags": ["Caturday"],
        "emojis": {"blob": "https://mastodon.test/emoji/blob.png"},
        "media": [picture("https://mastodon.test/media/1.jpg", "A cat")],
        "content": '<p>Hello <span class="h-card" translate="no"><a href="https://far.test/@bob" class="u-url mention" '
        f'{OUT}>@<span>bob</span></a></span> <a href="https://mastodon.test/tags/caturday" class="mention hashtag" '
        f"{OUT}>#<span>Caturday</span></a> :blob:</p>",
        "url": "https://mastodon.test/@ada/1",
        "created_at": "2026-02-03T04:05:06.000Z",
    },
    "mastodon-question": {
        "content": "<p>Tea?</p>",
        "visibility": "private",
        "options": {"Yes": 4, "No": 2},
        "poll": {"multiple": True, "expired": True, "voters_count": 5, "expires_at": "2026-02-04T04:05:06.000Z"},
    },
    "mastodon-quote": {"content": '<p class="quote-inline">RE: …</p><p>Look</p>'},
    "misskey-note": {
        "content": "<p>RE: …</p>",
        "sensitive": True,
        "media": [picture("https://misskey.test/files/1")],
    },
    "mobilizon-event": {
        "content": "<p><strong>Ball</strong></p><p>2026-05-01 18:00 \u2013 2026-05-01 21:00 UTC · The Hall, Lyon</p>"
        "<p>Dance</p>"
        f'<p><a href="https://tickets.test/1" {OUT}>https://tickets.test/1</a></p>',
        "tags": ["dance"],
        "media": [picture("https://mobilizon.test/media/b.jpg", "Banner")],
    },
    "peertube-video": {
        "content": "<p><strong>Penguins</strong></p><p>First &lt;line&gt;<br>second</p><p>third</p>",
        "language": "en",
        "url": "https://peertube.test/w/1",
        "media": [picture("https://peertube.test/720.mp4", None, "video", "https://peertube.test/preview.jpg")],
        "edited_at": "2026-01-02T00:00:00.396Z",
    },
    "pixelfed-note": {
        "content": 'Sea <a href="https://pixelfed.test/discover/tags/sea?src=hash" class="u-url hashtag" '
        f"{OUT}>#sea</a>",
        "tags": ["sea"],
        "media": [picture("https://pixelfed.test/storage/m/1.jpg")],
    },
    "pleroma-note": {
        "content": "Have <b>what</b>?",
        "visibility": "unlisted",
        "sensitive": False,
        "mentions": ["bob@far.test"],
        "media": [picture("https://pleroma.test/media/1.png")],
    },
    "threads-note": {"content": "<p>hm</p>", "visibility": "public", "created_at": "2026-01-01T08:00:00.000Z"},
    "wordpress-article": {
        "content": "<p><strong>A title</strong></p><h2>Long</h2><p>text</p>",
        "spoiler_text": "",
        "tags": ["3DPrinting"],
        "media": [picture("https://cdn.test/a.png?fit=980%2C980&ssl=1", "Ships")],
        "url": "https://blog.test/a-title/",
    },
}
PEOPLE: dict[str, JSON] = {
    "bridgy-person": {"acct": "al.blue.test@bridgy.test", "display_name": "Al", "bot": True, "note": "Bridged"},
    "fedify-person": {"acct": "ed@hollo.test", "display_name": "Ed", "url": "https://hollo.test/@ed"},
    "friendica-organization": {
        "acct": "pi@friendica.test",
        "note": "News <br>more",
        "avatar": "https://friendica.test/photo/pi.png?ts=1",
        "fields": [{"name": "Telegram", "value": "http://T.ME/PI", "verified_at": None}],
    },
    "lemmy-group": {"acct": "tea@lemmy.test", "group": True, "note": "<p>Tea</p><p>more tea</p>"},
    "mastodon-person": {
        "acct": "ada@mastodon.test",
        "display_name": "Ada 👩‍💻",
        "locked": True,
        "note": "<p>Engines</p>",
        "avatar": "https://mastodon.test/avatars/ada.png",
        "header": "https://mastodon.test/headers/ada.png",
        "fields": [{"name": "Web", "value": f'<a href="https://ada.test" {OUT}>ada.test</a>', "verified_at": None}],
    },
    "misskey-person": {"acct": "ai@misskey.test", "display_name": "", "url": "https://misskey.test/@ai"},
    "peertube-channel": {
        "acct": "nick_channel@peertube.test",
        "avatar": "https://peertube.test/120.jpg",
        "header": "https://peertube.test/banner.jpg",
        "note": "One<br><br>Two",
    },
    "wordpress-blog": {
        "acct": "blog.test@blog.test",
        "avatar": "https://cdn.test/i.webp?a=1&b=2",
        "fields": [{"name": "Blog", "value": f'<a href="https://blog.test/" {OUT}>blog.test</a>', "verified_at": None}],
    },
}
# What is no post and no account has a test of its own below.
OTHERS = {
    "fedify-vote", "gotosocial-key", "lemmy-announce", "lemmy-flag", "mastodon-flag", "misskey-like", "mitra-move",
    "nodebb-context", "pleroma-emojireact", "takahe-follow",
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    server = Instance(tmp_path_factory.mktemp("arrivals"), free_port(), RATE_LIMITS="false")
    server.person("alice")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
async def server(running: Instance) -> AsyncIterator[Instance]:
    await running.ready()
    yield running
    async with running.session.get(running.base / "readyz") as response:
        assert response.status == 200
    log = (running.folder / "log").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]
    await running.close()


@pytest.fixture
async def town(server: Instance) -> AsyncIterator[Town]:
    async with Town() as town:
        town.server = server
        await town.host("far.test")
        town.person(await town.moved(f"{FAR}/users/bob", server), "bob")
        yield town


async def arriving(town: Town, server: Instance, name: str, ours: str = "") -> JSON:
    """The document in tests/golden, as it arrives here.  ours: the post that it is about."""
    real = {"/users/x/posts/1": ours, "/users/x": f"{root(server)}/users/alice"}
    document: JSON = await town.moved(json.loads((GOLDEN / f"{name}.json").read_text())["document"], server, real)
    return document


async def befriend(town: Town, server: Instance, uri: str) -> str:
    """alice follows whoever is at `uri`; his id here."""
    town.person(uri)
    account_id = await server.follow("alice", uri)
    await until(lambda: server.is_following("alice", account_id), f"alice follows {uri}")
    return account_id


async def found(server: Instance, uri: str) -> JSON | None:
    """The post with that uri, as alice sees it."""
    answer = await server.api("alice", "GET", "/api/v2/search", q=uri, resolve="true", type="statuses")
    return next((post for post in answer["statuses"] if post["uri"] == uri), None)


async def delivered(town: Town, server: Instance, document: JSON) -> None:
    status, says = await town.deliver(server, document)
    assert status == 202, says


def created(note: JSON) -> JSON:
    author = note.get("actor") or note["attributedTo"]
    author = author[0] if isinstance(author, list) else author
    author = author["id"] if isinstance(author, dict) else author
    audience = {field: note[field] for field in ("to", "cc") if field in note}
    return {"@context": AS, "id": f"{author}/creates/1", "type": "Create", "actor": author, "object": note, **audience}


def direct(address: Any) -> Any:
    """Where a file is, of which our proxy tells its own address; anything else as it is."""
    if not isinstance(address, str) or "/proxy/" not in address:
        return address
    told = address.rpartition("/")[2]
    return base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)).decode()


def seen(post: JSON, like: JSON) -> JSON:
    """The fields of `post` that are in `like`, in its simpler form."""
    simple = {
        **post,
        "options": {option["title"]: option["votes_count"] for option in (post["poll"] or {}).get("options", ())},
        "poll": {field: (post["poll"] or {}).get(field) for field in like.get("poll", ())},
        "media": [{name: direct(file[name]) for name in picture("")} for file in post["media_attachments"]],
        "mentions": [mention["acct"] for mention in post["mentions"]],
        "tags": [tag["name"] for tag in post["tags"]],
        "emojis": {emoji["shortcode"]: direct(emoji["url"]) for emoji in post["emojis"]},
    }
    return {field: simple[field] for field in like}


def test_every_document_has_its_line() -> None:
    assert set(NAMES) == {*POSTS, *PEOPLE, *OTHERS}


@pytest.mark.parametrize("name", POSTS)
async def test_a_post_is_shown_as_its_author_meant_it(town: Town, server: Instance, name: str) -> None:
    note = await arriving(town, server, name)
    activity = created(note)
    await server.follow("alice", await town.moved(f"{FAR}/users/bob", server))
    await befriend(town, server, activity["actor"])
    if "attributedTo" in note and note["attributedTo"] != activity["actor"] and isinstance(note["attributedTo"], str):
        activity["actor"] = note["attributedTo"]  # Mobilizon: the group speaks
        await befriend(town, server, activity["actor"])
    await delivered(town, server, activity)
    expected = {"spoiler_text": "", **await town.moved(POSTS[name], server)}
    # It is served nowhere: what is found is what arrived.
    post = await until(lambda: found(server, note["id"]), name)
    assert seen(post, expected) == expected
    home = {one["uri"] for one in await server.home("alice")}
    assert (note["id"] in home) is not bool(note.get("inReplyTo"))


@pytest.mark.parametrize("name", PEOPLE)
async def test_an_account_is_shown_as_it_is(town: Town, server: Instance, name: str) -> None:
    actor = town.serve(await arriving(town, server, name))
    answer = await server.api("alice", "GET", "/api/v2/search", q=actor["id"], resolve="true", type="accounts")
    expected = await town.moved(PEOPLE[name], server)
    assert {field: direct(answer["accounts"][0][field]) for field in expected} == expected


async def posted(server: Instance, **more: Any) -> JSON:
    post: JSON = await server.api("alice", "POST", "/api/v1/statuses", status="Our own", visibility="public", **more)
    return post


async def of_alice(server: Instance, post: JSON) -> JSON:
    found: JSON = await server.api("alice", "GET", f"/api/v1/statuses/{post['id']}")
    return found


async def test_a_vote_without_an_author_counts_for_its_actor(town: Town, server: Instance) -> None:
    post = await posted(server, poll={"options": ["Yes", "No"], "expires_in": 3600})
    vote = await arriving(town, server, "fedify-vote", post["uri"])
    actor = await town.moved("https://hollo.test/@ed", server)
    await delivered(town, server, created({**vote, "actor": actor}) | {"object": vote})

    async def counted() -> bool:
        return bool((await of_alice(server, post))["poll"]["options"][0]["votes_count"] == 1)

    await until(counted, "the vote counts")


@pytest.mark.parametrize("name", ["misskey-like", "pleroma-emojireact"])
async def test_a_reaction_is_told_to_the_author(town: Town, server: Instance, name: str) -> None:
    post = await posted(server)
    reaction = await arriving(town, server, name, post["uri"])
    await delivered(town, server, reaction)

    async def told() -> JSON | None:
        news = await server.api("alice", "GET", "/api/v1/notifications")
        return next((one for one in news if one.get("status", {}).get("id") == post["id"]), None)

    news = await until(told, "alice is told")
    assert news["account"]["uri"] == reaction["actor"]


@pytest.mark.parametrize("name", ["lemmy-flag", "mastodon-flag"])
async def test_a_report_is_kept_with_its_words(town: Town, server: Instance, name: str) -> None:
    post = await posted(server)
    flag = await arriving(town, server, name, post["uri"])
    await delivered(town, server, flag)

    async def kept() -> str | None:
        with sqlite3.connect(f"file:{server.folder / 'connectme.db'}?mode=ro", uri=True) as database:
            row = database.execute("SELECT comment FROM report WHERE uri = ?", (flag["id"],)).fetchone()
        return row and str(row[0])

    said = await until(kept, "the report is kept")
    assert said == (flag.get("content") or flag["summary"])


async def test_a_follow_is_accepted(town: Town, server: Instance) -> None:
    follow = await arriving(town, server, "takahe-follow")
    await delivered(town, server, follow)

    async def accepted() -> JSON | None:
        return next((one for one in town.received if one["type"] == "Accept"), None)

    accept = await until(accepted, "the Accept comes")
    wanted = ("id", "type", "actor", "object")
    assert [accept["object"][field] for field in wanted] == [follow[field] for field in wanted]


async def test_a_key_with_a_document_of_its_own_is_found(town: Town, server: Instance) -> None:
    """GoToSocial shows a stub where the key is; the whole actor is at its own address."""
    stub = await arriving(town, server, "gotosocial-key")
    town.documents[stub["publicKey"]["id"]] = stub
    actor = town.person(stub["id"], "eve", publicKey=stub["publicKey"])
    stub["publicKey"]["publicKeyPem"] = actor["publicKey"]["publicKeyPem"]
    note = {"id": f"{stub['id']}/1", "type": "Note", "attributedTo": stub["id"], "content": "mine", "to": PUBLIC}
    await delivered(town, server, created(note))
    post = await until(lambda: found(server, note["id"]), "the post")
    assert post["account"]["acct"] == await town.moved("eve@gts.test", server)
    assert town.asked[stub["publicKey"]["id"]]


async def test_what_a_group_announces_is_fetched_from_where_it_is(town: Town, server: Instance) -> None:
    announce = await arriving(town, server, "lemmy-announce")
    await befriend(town, server, announce["actor"])
    comment = announce["object"]["object"]
    town.documents[comment["id"]] = {"to": PUBLIC, **comment, "content": "cold"}  # the group may say what it likes
    town.person(comment["attributedTo"], "bob_of_lemmy")
    await delivered(town, server, announce)
    post = await until(lambda: found(server, comment["id"]), "the comment")
    assert post["content"] == "cold"


async def test_a_boost_stands_in_the_home_of_the_boosters_follower(town: Town, server: Instance) -> None:
    video = await arriving(town, server, "peertube-video")
    town.documents[video["id"]] = video
    town.person(video["attributedTo"][0]["id"], "nick")
    channel = video["attributedTo"][1]["id"]
    await befriend(town, server, channel)
    announce = {"@context": AS, "id": f"{video['id']}/announces/1", "type": "Announce", "actor": channel, "to": PUBLIC}
    await delivered(town, server, {**announce, "object": video["id"]})

    async def boosted() -> JSON | None:
        return next((one["reblog"] for one in await server.home("alice") if one["account"]["uri"] == channel), None)

    boost = await until(boosted, "the boost")
    assert boost["uri"] == video["id"]
    assert "Penguins" in boost["content"]


async def test_followers_go_with_whoever_moves(town: Town, server: Instance) -> None:
    move = await arriving(town, server, "mitra-move")
    await befriend(town, server, move["actor"])
    town.person(move["target"], "jo", alsoKnownAs=[move["actor"]])
    await delivered(town, server, move)

    async def follows() -> bool:
        answer = await server.api("alice", "GET", "/api/v2/search", q=move["target"], resolve="true", type="accounts")
        return bool(answer["accounts"]) and await server.is_following("alice", answer["accounts"][0]["id"])

    await until(follows, "alice follows the new account")


async def test_a_context_that_is_a_collection_costs_nothing(town: Town, server: Instance) -> None:
    context = await arriving(town, server, "nodebb-context")
    town.documents[context["id"]] = context
    author = await town.moved("https://nodebb.test/uid/1", server)
    await befriend(town, server, author)
    note = {"id": f"{author}/posts/1", "type": "Note", "attributedTo": author, "content": "in a topic", "to": [PUBLIC]}
    await delivered(town, server, created({**note, "context": context["id"]}))
    post = await until(lambda: found(server, note["id"]), "the post")
    assert post["content"] == "in a topic"


async def test_a_content_warning_and_a_private_message_of_a_chat(town: Town, server: Instance) -> None:
    author = await town.moved("https://pleroma.test/users/lain", server)
    await befriend(town, server, author)
    chat = {
        "id": f"{author}/chats/1",
        "type": "ChatMessage",
        "actor": author,
        "attributedTo": author,
        "content": "psst",
        "summary": "For your eyes",
        "sensitive": True,
        "to": [f"{root(server)}/users/alice"],
    }
    await delivered(town, server, created(chat))
    post = await until(lambda: found(server, chat["id"]), "the message")
    assert seen(post, {"content": 0, "spoiler_text": 0, "visibility": 0, "sensitive": 0}) == {
        "content": "psst",
        "spoiler_text": "For your eyes",
        "visibility": "direct",
        "sensitive": True,
    }
