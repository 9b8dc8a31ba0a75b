"""Tables that somebody brings along, on pages: refusals first, then what he is told before and after."""

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest
from aiohttp import FormData

from social import imports
from tests.people import OURS, remote, stored
from tests.web import browsing
from web.pages import importing

HERE = "/settings/import"


@pytest.fixture
async def people(sqlite_db, aiohttp_client):
    return await browsing.two(sqlite_db, aiohttp_client)


async def bring(browser, kind, data, **more):
    await browser.get(HERE)
    form = FormData(default_to_multipart=True)
    for name, value in {"csrf": browser.csrf, "kind": kind, **more}.items():
        form.add_field(name, value)
    form.add_field("file", data, filename="a.csv" if data else "", content_type="text/csv")
    return await browser.post(HERE, form, Origin=OURS, Sec_Fetch_Site="same-origin")


async def test_strangers_and_forms_from_elsewhere_are_refused(sqlite_db, people, aiohttp_client):
    browser, alice, bob = people
    stranger = await browsing.opened(sqlite_db, aiohttp_client)
    for path in (HERE, f"{HERE}/follows", f"{HERE}/follows/failed.csv"):
        await stranger.get(path)
        assert stranger.location.startswith("/login?next="), path
    await bring(browser, "follows", b"dora@far.test\n")
    assert browser.location == f"{HERE}/follows"
    await browser.post(f"{HERE}/follows/begin", {"csrf": "wrong"}, Origin=OURS, Sec_Fetch_Site="same-origin")
    assert browser.status == 403
    await bring(browser, "follows", b"dora@far.test\n", csrf="wrong")
    assert browser.status == 403
    await browser.sign_in("bob")
    for path in ("", "/failed.csv"):
        await browser.get(f"{HERE}/follows{path}")
        assert browser.status == 404, path
    for what in ("begin", "stop", "forget"):
        await browser.send(f"{HERE}/follows/{what}")
        assert browser.status == 404, what
    assert len(await sqlite_db.read(imports.of_account, alice.id)) == 1
    assert await sqlite_db.read(imports.of_account, bob.id) == []


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("secrets", b"dora@far.test", "choose which table"),
        ("", b"dora@far.test", "choose which table"),
        ("follows", b"", "choose a file"),
        ("follows", b"\xff\xfe\0", "UTF-8"),
        ("follows", b"#domain\nfar.test", "another one of your tables"),
    ],
)
async def test_a_file_that_is_none_is_refused_and_the_form_comes_back(sqlite_db, people, kind, data, says):
    browser, alice, _ = people
    await bring(browser, kind, data, mode="overwrite")
    assert (browser.status, says in browser.text) == (422, True), browser.text
    assert 'value="overwrite" checked' in browser.page
    assert await sqlite_db.read(imports.of_account, alice.id) == []


async def test_a_file_that_is_too_large_is_refused(people, monkeypatch):
    browser, *_ = people
    monkeypatch.setattr(importing, "LARGEST", 1000)
    await bring(browser, "follows", b"dora@far.test\n" * 100)
    assert browser.status == 413


async def test_he_is_told_what_will_happen_says_yes_and_sees_how_far_it_is(sqlite_db, people):
    browser, alice, bob = people
    dora = remote("dora")
    await stored(sqlite_db, dora)
    data = b'Account address,Show boosts\nbob@ours.test,false\n"=cmd()",true\ndora@far.test,true\nalice,true\n'
    await bring(browser, "follows", data, mode="overwrite")
    await browser.get(browser.location)
    for said in ("You will no longer follow anybody else", "Rows in the file 4", "Which can be read 2",
                 "line 3: That is no address of a person", "line 5: That is you"):  # fmt: skip
        assert said in browser.text, said
    await browser.get(HERE)
    assert "waits for your yes" in browser.text
    await browser.send(f"{HERE}/follows/begin")
    await bring(browser, "follows", b"bob\n")
    assert (browser.status, "wait for its end" in browser.text) == (422, True)
    it, rows = await sqlite_db.read(imports.due_rows, (await sqlite_db.read(imports.of_account, alice.id))[0].id, now())
    await sqlite_db.write(imports.do, browsing.ORIGIN, it, rows[0], bob.id, now())
    await browser.get(f"{HERE}/follows")
    assert all(said in browser.text for said in ("Done 1", "Still to do 1", "Did not work 2")), browser.text
    await browser.send(f"{HERE}/follows/forget")
    assert browser.status == 422
    await browser.send(f"{HERE}/follows/stop")
    await browser.get(f"{HERE}/follows/failed.csv")
    assert list(csv.reader(StringIO(browser.page))) == [
        ["Account address", "Show boosts", "Notify on new posts", "Languages", "Why"],
        ["'=cmd()", "true", "", "", "That is no address of a person: they are like name@server"],
        ["dora@far.test", "true", "", "", "It was stopped before"],
        ["alice", "true", "", "", "That is you"],
    ]
    await bring(browser, "follows", browser.page.encode())  # what is mended can be brought again
    await browser.get(browser.location)
    assert "Which can be read 1" in browser.text
    await browser.send(f"{HERE}/follows/forget")
    assert browser.location == HERE
    assert await sqlite_db.read(imports.of_account, alice.id) == []


def now():
    return datetime.now(UTC)
