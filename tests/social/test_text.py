"""What members type comes out as Mastodon would write it, and never as markup of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social import sanitise, text
from social.text import MentionTarget

PEOPLE = {
    "bob": MentionTarget("https://ours.test/@bob", "bob", "https://ours.test/users/bob"),
    "ann@far.test": MentionTarget("https://far.test/@ann", "Ann@far.test", "https://far.test/users/ann"),
    "bob@far.test": MentionTarget("https://far.test/@bob", "bob@far.test", "https://far.test/users/bob"),
}


def tag_url(name: str) -> str:
    return f"https://ours.test/tags/{name}"


def render(source: str) -> str:
    return text.render(source, PEOPLE, tag_url)


@pytest.mark.parametrize(
    "source",
    [
        "mail bob@far.test", "https://far.test/@bob", "far.test/@bob", "a@bob", "@", "@ bob", "@@bob", "=@bob", "@bobé",
        "https://x.test/?q=@bob&r=#tag", "x#tag", "/#tag", "##tag", "#", "# tag", "#2026", "#-", "&#39;",
        "https://", "http:/x", "javascript:alert(1)", "ftp://x.test", "www.x.test", "x.test", "//x.test",
        "mailto:a@x.test",
    ],
)  # fmt: skip
def test_what_only_looks_like_something_stays_text(source: str) -> None:
    assert text.find_mentions(source) == []
    assert text.find_hashtags(source) == []


@pytest.mark.parametrize("source", ["<b>x</b>", "<script>", "a & b", "</p>", "<!--", '"', "&lt;"])
def test_markup_is_shown_not_obeyed(source: str) -> None:
    assert sanitise.plain(render(source)) == source


def test_mentions_are_lower_case_and_each_once() -> None:
    found = text.find_mentions(
        "@Bob, .@ann@Far.test! (@bob) @a.b@x.test: @c_@localhost:8001/ @d@x.test. @e-f @g@x.test:5 @bob."
    )
    assert found == ["bob", "ann@far.test", "a.b@x.test", "c_@localhost:8001", "d@x.test", "e-f", "g@x.test"]


def test_hashtags_are_kept_as_written_and_each_once() -> None:
    assert text.find_hashtags("#Café #café, \uff03日本 (#a_b) #हिन्दी. #2x #x-y") == [
        "Café",
        "日本",
        "a_b",
        "हिन्दी",
        "2x",
        "x",
    ]


def test_tags_are_the_same_in_any_writing() -> None:
    assert text.normalise_tag("#Café") == text.normalise_tag("cafe\u0301") == text.normalise_tag("ＣＡＦÉ") == "café"
    assert text.normalise_tag("Straße") == text.normalise_tag("STRASSE")


def test_paragraphs_and_lines() -> None:
    assert render("a\r\nb\n\n \n\nc\n") == "<p>a<br>b</p><p>c</p>"
    assert render(" \n ") == ""
    assert render("a\x00\u2028b\ud800") == "<p>ab</p>"


def test_a_mention_is_a_card() -> None:
    assert render("@Bob hi") == (
        '<p><span class="h-card" translate="no"><a href="https://ours.test/@bob" class="u-url mention">'
        "@<span>bob</span></a></span> hi</p>"
    )
    assert "@<span>Ann</span>" in render("@ann@far.test")
    assert render("@nobody @bob@else.test") == "<p>@nobody @bob@else.test</p>"


def test_people_of_the_same_name_are_told_apart() -> None:
    both = render("@bob @bob@far.test @ann@far.test")
    assert "@<span>bob</span>" in both
    assert "@<span>bob@far.test</span>" in both
    assert "@<span>Ann</span>" in both


def test_a_hashtag_links_to_its_page() -> None:
    assert render("#Café") == (
        '<p><a href="https://ours.test/tags/café" class="mention hashtag" rel="tag">#<span>Café</span></a></p>'
    )


def test_a_link_is_shown_short_and_copied_whole() -> None:
    rel = 'translate="no" target="_blank" rel="nofollow noopener noreferrer"'
    assert render("(https://x.test/a).") == (
        f'<p>(<a href="https://x.test/a" {rel}><span class="invisible">https://</span><span>x.test/a</span>'
        '<span class="invisible"></span></a>).</p>'
    )
    long = "https://www.x.test/" + "a" * 40 + "?b=(&c)#@bob"
    made = render(long)
    assert f'<span class="invisible">https://www.</span><span class="ellipsis">x.test/{"a" * 23}</span>' in made
    assert sanitise.plain(made) == long
    assert "mention" not in made


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", 0), ("abc", 3), ("a\r\nb", 3), (" a ", 3), ("https://x.test/" + "a" * 99, 23),
        ("see https://x.test/ ok", 30), ("@bob", 4), ("@bob@far.test", 4), ("hi @bob@far.test!", 8), ("#tag", 4),
        ("é", 1), ("e\u0301", 1), ("👨‍👩‍👧", 1),
        ("🇫🇷🇩🇪", 2), ("👍🏽", 1), ("हिन्दी", 3), ("日本", 2), ("a\u200db", 2), ("1️⃣", 1),
    ],
)  # fmt: skip
def test_length_is_what_the_author_sees(source: str, expected: int) -> None:
    assert text.length(source) == expected


PIECES = ["@bob", "@ann@far.test", "#tag", "#", "@", "https://x.test/", "https://", "<b>", "&", '"', "'", "\n", "\n\n",
          " ", ".", "x", "é", "\u200d", "🇫", "(", ")", "\x00", ":8001", "-", "\r", "\uff03", "/"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text())
def test_any_text_becomes_safe_html_that_says_the_same(source: str) -> None:
    made = render(source)
    tidy = text.tidy(source)
    shown = sanitise.plain(made.replace("@<span>Ann</span>", "@<span>ann@far.test</span>"))
    assert (
        "".join(shown.split()).casefold() == "".join(tidy.replace("\uff03", "#").split()).casefold()
        or "\uff03" in source
    )
    assert sanitise.html(sanitise.html(made)) == sanitise.html(made)
    assert sanitise.plain(sanitise.html(made)) == sanitise.plain(made)
    assert text.length(source) >= 0
    for key in text.find_mentions(source):
        assert key == key.lower()
    for tag in text.find_hashtags(source):
        assert text.hashtag(tag) == tag


@pytest.mark.parametrize(
    "piece",
    ["@", "@a", "@a.", "@a@", "@a@b.", "@a-@a-", "#", "#a", "#·", "https://a/", "https://a.b?(", "\n ", "a@a", "@é"],
)  # fmt: skip
def test_no_text_takes_the_time_of_all(piece: str) -> None:
    """No clock: what backtracks would not end."""
    source = piece * (200_000 // len(piece))
    render(source)
    assert text.length(source) >= 0
