"""Mastodon.py: how people come here and find each other (each answer checked by library.py)."""

from datetime import UTC, datetime

import pytest
from mastodon import MastodonIllegalArgumentError

from social import announcements, users
from tests.people import follow, remote, stored
from tests.web.library import Library, ids
from tests.web.site import ALL, Site
from tests.web.test_mastodon_py_posts import alice, bob, picture

__all__ = ["alice", "bob"]


async def test_somebody_signs_up(server):
    async with server(REGISTRATIONS="open") as site:
        made = {"client_name": "a program", "redirect_uris": "https://app.test/", "scopes": ALL}
        app = (await site.post("/api/v1/apps", json=made)).json
        program = Library(site, None, client_id=app["client_id"], client_secret=app["client_secret"])
        new = ("carol", "correct horse", "carol@mail.test")
        nothing, wrong = await program("create_account", *new, return_detailed_error=True)
        assert (nothing, wrong.details.agreement[0].error) == (None, "ERR_ACCEPTED")
        with pytest.raises(MastodonIllegalArgumentError):
            await program("create_account", "a b", *new[1:], agreement=True)
        token = await program("create_account", *new, agreement=True, locale="de", reason="because")
        carol = Library(site, token)
        await carol("email_resend_confirmation")
        await site.do(users.confirm, (await site.db.read(users.by_email_or_name, "carol")).account_id)
        assert (await carol("me")).username == "carol"


async def test_profiles_are_read_and_changed(alice):
    account, library = alice
    found = await library("profile")
    assert (str(found.id), found.note, found.locked) == (str(account.id), "", False)
    changed = await library(
        "profile_update", display_name="Alice", note="hi #all", locked=True, bot=True, discoverable=True,
        hide_collections=True, indexable=True, attribution_domains=["news.test"], fields=[("web", "https://a.test/")],
        avatar=picture(), avatar_mime_type="image/png", avatar_description="teal",
    )  # fmt: skip
    assert (changed.display_name, changed.locked, changed.bot, changed.avatar_description) == (
        "Alice", True, True, "teal"
    )  # fmt: skip
    assert (changed.fields[0].value, list(changed.attribution_domains)) == ("https://a.test/", ["news.test"])
    assert "href" in changed.formatted_fields[0].value


async def test_the_directory_and_suggestions(site: Site, alice, bob):
    account, library = alice
    person, _ = bob
    carol, _ = await site.person("carol", discoverable=True)
    await stored(site.db, remote("far", discoverable=True))
    await site.posted(carol)
    assert ids(await library("directory", local=True, order="active")) == ids([carol])
    assert ids(await library("directory", order="new", limit=1, offset=1)) == ids([carol])
    await site.db.write(follow, account, person)
    await site.db.write(follow, person, carol)
    [suggested] = await library("suggestions_v2")
    assert ids([suggested.account]) == ids(await library("suggestions")) == ids([carol])
    await library("suggestion_delete", carol.id)
    assert list(await library("suggestions")) == []


async def test_announcements_are_read_and_reacted_to(site: Site, alice):
    _, library = alice
    it = await site.db.write(lambda tx: announcements.create(tx, site.origin, "Hello #all", datetime.now(UTC)))
    [told] = await library("announcements")
    assert (str(told.id), told.read, [one["name"] for one in told.tags]) == (str(it.id), False, ["all"])
    await library("announcement_reaction_create", it.id, "🤔")
    [told] = await library("announcements")
    assert [(one.name, one.count, one.me) for one in told.reactions] == [("🤔", 1, True)]
    await library("announcement_reaction_delete", it.id, "🤔")
    await library("announcement_dismiss", it.id)
    assert [(one.read, list(one.reactions)) for one in await library("announcements")] == [(True, [])]
