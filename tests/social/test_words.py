"""Words and the language of the search: whatever is typed gives a query, and both sides see the same words."""

from hypothesis import given
from hypothesis import strategies as st

from social.words import LONGEST_WORD, MOST_TERMS, Query, Term, parse, words


@given(st.text(max_size=300))
def test_whatever_is_typed_gives_a_query_of_plain_words(typed):
    query = parse(typed)
    assert len(query.terms) <= MOST_TERMS
    for term in query.terms:
        assert term.words
        for word in term.words:
            assert word.isalnum()
            assert word == word.casefold()


@given(st.text(max_size=300))
def test_words_are_letters_and_digits_alone(text):
    for word in words(text):
        assert 0 < len(word) <= LONGEST_WORD
        assert not set(word) & set(" '\"\\*:()_\0")


def test_accents_case_and_width_make_no_difference():
    assert words("\uff23afé CAFÉ cafe\u0301") == ["cafe", "cafe", "cafe"]


def test_scripts_without_blanks_are_found_by_each_character():
    assert words("日本語 ひらがな") == ["日", "本", "語", "ひ", "ら", "か", "な"]


def test_long_words_find_what_begins_with_them_and_quoted_ones_do_not():
    assert parse('conversation cat "conversation"').terms == (
        Term(("conversation",), prefix=True),
        Term(("cat",)),
        Term(("conversation",)),
    )


def test_operators():
    query = parse("from:@Bob@Far.test has:media -has:poll -is:reply is:sensitive language:EN in:library")
    assert query == Query(
        by=("bob@far.test",),
        has=(("media", True), ("poll", False)),
        kinds=(("reply", False), ("sensitive", True)),
        language="en",
        within="library",
    )


def test_days_are_those_of_utc():
    day = 86_400_000
    first = parse("during:1970-01-02")
    assert (first.since, first.until) == (day, 2 * day)
    between = parse("after:1970-01-01 before:1970-01-05")
    assert (between.since, between.until) == (day, 4 * day)


def test_what_is_no_operator_is_a_word():
    assert parse("https://far.test has:wings before:noon").terms == (
        Term(("https", "far", "test"), prefix=True),
        Term(("has", "wings"), prefix=True),
        Term(("before", "noon"), prefix=True),
    )
    assert parse("before:9999-12-31").until is None


def test_nothing_is_nothing():
    assert parse(' "" - -- :').is_empty
