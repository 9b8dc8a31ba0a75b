"""Which words a filter finds, in any text and script, and never slowly."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.parts import Parts
from social.filters.loading import Kept
from social.filters.matching import action, matches
from store.tables import Filter, FilterKeyword, FilterPost, Media, Poll, Post, blank_post
from tests.conftest import NOW
from tests.people import remote
from tests.social.said import later

FILTER = Filter(1, 2, "no", ["home"], "warn", None)


def said(html="", **more):
    values = {"uri": "https://far.test/1", "author_id": 1, "local": False, "visibility": "public", "published": NOW}
    return Parts(Post(**blank_post(id=9, thread_id=9, html=html, **values, **more)), remote("bob"))


def found(post, *words, whole=False):
    kept = Kept(FILTER, tuple(FilterKeyword(n, 1, word, whole) for n, word in enumerate(words)))
    return [word for match in matches([kept], post, [9], NOW) for word in match.keywords]


@pytest.mark.parametrize(
    ("html", "word", "part", "whole"),
    [
        ("<p>The CAT sat</p>", "cat", True, True),
        ("<p>concatenate</p>", "cat", True, False),
        ("<p>cats</p>", "cat", True, False),
        ("<p>c<b>a</b>t</p>", "cat", True, True),
        ("<p>STRASSE</p>", "straße", True, True),
        ("<p>\uff23\uff21\uff34</p>", "cat", True, True),
        ("<p>cafe\u0301!</p>", "CAFÉ", True, True),
        ("<p>кошка</p>", "КОШКА", True, True),
        ("<p>кошками</p>", "кошка", True, False),
        ("<p>see #cats now</p>", "#cats", True, True),
        ("<p>x@far.test</p>", "@far", True, True),
        ("<p>a.b</p>", "a+b", False, False),
        ("<p>a (b) c</p>", "(b)", True, True),
        ("<p>fish &amp; chips</p>", "fish & chips", True, True),
        ('<p><a href="https://cat.test">link</a></p>', "cat", False, False),
    ],
)
def test_a_word_is_found_as_a_person_would_find_it(html, word, part, whole):
    assert found(said(html), word) == ([word] if part else [])
    assert found(said(html), word, whole=True) == ([word] if whole else [])


def test_titles_warnings_options_and_descriptions_are_read_too():
    picture = Media(**{**dict.fromkeys(Media.__dataclass_fields__), "id": 1, "description": "a fourth"})
    options = [{"title": "a third", "votes": 0}]
    poll = Poll(**{**dict.fromkeys(Poll.__dataclass_fields__), "post_id": 9, "options": options})
    post = replace(said(title="a first", summary="a second"), poll=poll, media=(picture,))
    for word in ("first", "second", "third", "fourth"):
        assert found(post, word) == [word]


def test_filters_that_ended_and_those_of_other_posts_do_not_count():
    post, words = said("<p>cat</p>"), (FilterKeyword(1, 1, "cat", True),)
    for ends, counts in ((later(-1), 0), (NOW, 0), (later(1), 1), (None, 1)):
        assert len(matches([Kept(replace(FILTER, expires_at=ends), words)], post, [9], NOW)) == counts
    hidden = Kept(FILTER, (), (FilterPost(1, 1, 9), FilterPost(2, 1, 10)))
    assert [match.posts for match in matches([hidden], post, [9], NOW)] == [(9,)]
    assert matches([hidden], post, [11], NOW) == []
    assert action(matches([hidden], post, [9], NOW), "home") == "warn"
    hide = replace(hidden, filter=replace(FILTER, action="hide"))
    assert action(matches([hide], post, [9], NOW), "home") == "hide"
    assert action(matches([hide, hidden], post, [9], NOW), "home") == "hide"
    assert action(matches([hide], post, [9], NOW), "public") == ""


@given(st.text(), st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=5), st.booleans())
def test_any_words_are_looked_for_in_any_text(text, words, whole):
    assert set(found(said(title=text), *words, whole=whole)) <= {*words}
    for word in words:
        assert found(said(title=f"{text} {word} x"), word) == [word]


def test_what_would_hang_an_expression_does_not_hang_this_one():
    words = ["a" * 512, "(a+)+$", "(a|a)*b", *(f"{'a' * 50}{n}" for n in range(100))]
    assert found(said(title="a" * 20_000 + "!"), *words, whole=True) == []
