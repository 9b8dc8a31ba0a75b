"""What pages say of themselves, and that no page can say anything that breaks us."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.reading.page import Preview, read_oembed, read_page

HERE = "https://site.test/posts/1"


def head(inside: str, **more: object) -> Preview:
    return read_page(f"<!doctype html><html lang=en-GB><head>{inside}</head><body>…".encode(), "utf-8", HERE).preview


def test_opengraph_says_most():
    found = head("""
        <title>plain</title>
        <meta property="og:title" content="A &amp; B"><meta name="twitter:title" content="no">
        <meta property="og:description" content="about
        it"><meta property="og:site_name" content="The Site">
        <meta property="og:image" content="/pic.png"><meta property="og:image:alt" content="a cat">
        <meta property="og:image:width" content="640"><meta property="og:image:height" content="99999999">
        <meta property="article:author" content="https://site.test/ann"><meta name="author" content="Ann">
        <meta property="article:published_time" content="2026-01-02T03:04:05+01:00">
    """)
    assert found == Preview(
        title="A & B",
        description="about it",
        language="en",
        author_url="https://site.test/ann",
        provider_name="The Site",
        image_url="https://site.test/pic.png",
        image_description="a cat",
        width=640,
        published_at=datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
    )


def test_a_plain_page_has_its_title_and_description():
    found = head('<title>  A\n page </title><meta name="description" content="words"><meta name=author content=Ann>')
    assert (found.title, found.description, found.author_name) == ("A page", "words", "Ann")


@pytest.mark.parametrize(
    ("said", "creator"),
    [
        ("@Ann@Site.test", "Ann@site.test"),
        (" ann@bücher.test ", "ann@xn--bcher-kva.test"),
        ("ann", ""),
        ("https://site.test/@ann", ""),
        ("@ann@site.test@x", ""),
        ("", ""),
    ],
)
def test_a_page_may_name_who_wrote_it(said, creator):
    found = head(f'<title>x</title><meta name="fediverse:creator" content="{said}"><meta name="fediverse:creator">')
    assert (found.creator, found.host) == (creator, "site.test" if creator else "")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:image/png;base64,x", "//[", "ftp://a/b", "http://a b/"])
def test_addresses_that_are_none_are_left_out(url):
    assert head(f'<title>x</title><meta property="og:image" content="{url}">').image_url is None


@pytest.mark.parametrize(
    ("header", "meta", "encoding", "title"),
    [
        ("", "iso-8859-1", "latin-1", "café"),
        ("shift_jis", "utf-8", "shift_jis", "日本"),
        ("", "", "utf-8", "日本"),
        ("punycode", "rot13", "utf-8", "日本"),
        ("", "utf-7", "ascii", "+ADw-b"),
    ],
)
def test_words_are_read_as_they_are_encoded(header, meta, encoding, title):
    page = f'<head><meta charset="{meta}"><title>{title}</title></head>'.encode(encoding)
    assert read_page(page, header, HERE).preview.title == title


def test_what_stands_in_the_body_says_nothing_of_the_page():
    page = b'<html><head></head><body><title>no</title><meta property="og:title" content="no">'
    assert read_page(page, "", HERE).preview.title == ""


def test_oembed_is_named_by_the_page_and_gives_no_html():
    link = '<link rel="alternate" type="application/json+oembed" href="/oembed?url=x">'
    page = read_page(f"<head><title>t</title>{link}</head>".encode(), "", HERE)
    assert page.oembed == "https://site.test/oembed?url=x"
    said = {"type": "video", "title": "A film", "html": "<script>", "author_name": "Ann", "author_url": "/ann"}
    found = read_oembed({**said, "thumbnail_url": "t.png", "url": "x.mp4"}, page.preview, page.oembed)
    assert (found.kind, found.title, found.author_url) == ("link", "A film", "https://site.test/ann")
    assert (found.image_url, found.embed_url) == ("https://site.test/t.png", "")


def test_a_photo_is_shown_as_such():
    said = {"type": "photo", "url": "https://pics.test/p.png", "width": 800, "height": "600"}
    found = read_oembed(said, Preview(title="before"), HERE)
    assert (found.kind, found.title, found.embed_url) == ("photo", "before", "https://pics.test/p.png")
    assert (found.image_url, found.width, found.height) == ("https://pics.test/p.png", 800, 600)


@pytest.mark.parametrize("piece", ["<!--", "<a ", "<meta ", "<title>", "<![CDATA[", "&", "<a b='", "<?", "</", "<!x "])
def test_pages_that_are_out_to_exhaust_us_are_read_quickly(piece):
    """Quadratic work on a megabyte would take minutes, so that the suite would never end."""
    read_page(piece.encode() * (1_000_000 // len(piece)), "", HERE)


_PIECES = ["<", ">", "<meta ", "property=", "content=", '"', "og:title", "og:image", "<title>", "</title>", "&#x", "\0"]
_soup = st.lists(st.sampled_from(_PIECES) | st.text(max_size=5)).map("".join)


@pytest.mark.parametrize("broken", ["<![<", "<![x[y]]>", "<!x[", "<?", "</", "<!--"])
def test_what_breaks_off_costs_only_what_follows(broken):
    assert read_page(f"<title>fine</title>{broken} <".encode(), "", HERE).preview.title == "fine"


@given(_soup, st.text(max_size=10))
def test_any_bytes_give_a_page(text, charset):
    found = read_page(text.encode("utf-8", "ignore"), charset, HERE).preview
    assert "\0" not in found.title + found.description
    assert found.image_url is None or found.image_url.startswith(("http://", "https://"))


_plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
_json = _plain | st.lists(_plain, max_size=2)


@given(st.dictionaries(st.sampled_from(["type", "url", "title", "width", "thumbnail_url", "author_url"]), _json))
def test_any_oembed_gives_a_preview(document):
    assert read_oembed(document, Preview(title="x"), HERE).title
