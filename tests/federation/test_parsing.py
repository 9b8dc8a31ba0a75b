import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Malformed
from federation.parsing import MAX_CONTAINERS, MAX_DEPTH, parse_object

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=40,
)


def nested(depth: int) -> bytes:
    """An object of that depth, lists within."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b"{",
        b'{"a":1}{',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":18446744073709551616}',
        b'{"a":-9223372036854775809}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":"\x00"}',
        b'{"a\\u0000b":1}',
        b'{"a":[{"b\\u0000":1}]}',
    ],
)
def test_what_is_no_plain_object_is_refused(body):
    with pytest.raises(Malformed):
        parse_object(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"actor":"a","actor":"b"}',
        b'{"actor":"a","actor":"a"}',
        b'{"actor":"a","\\u0061ctor":"b"}',
        b'{"object":{"id":1,"id":2}}',
        b'{"a":[{"b":{"":1,"c":"\\u003a","":2}}]}',
    ],
)
def test_a_member_named_twice_is_refused_at_any_depth(body):
    with pytest.raises(Malformed, match="twice"):
        parse_object(body)


def test_one_level_too_deep_is_refused():
    assert parse_object(nested(MAX_DEPTH))
    with pytest.raises(Malformed, match="deeper"):
        parse_object(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"a":' * 200_000, b"[{" * 300_000 + b'"', b"}" * 40 + b"{" * 40])
def test_a_tower_without_end_never_reaches_the_parser(body):
    with pytest.raises(Malformed, match=r"deeper|more than"):
        parse_object(body)


def test_brackets_in_texts_are_no_depth():
    text = '\\"[{' * 100 + "\\\\"
    assert parse_object(orjson.dumps({"content": text, "more": ["[" * 50]}))["content"] == text


def test_too_many_objects_are_refused():
    with pytest.raises(Malformed, match="more than"):
        parse_object(b'{"a":[' + b"{}," * MAX_CONTAINERS + b"{}]}")
    assert len(parse_object(b'{"a":[' + b"{}," * 5000 + b"{}]}")["a"]) == 5001


def test_a_nul_in_a_value_stays_for_the_reader_to_strip():
    assert parse_object(b'{"a":"\\u0000"}') == {"a": "\0"}


@given(st.dictionaries(NAMES, JSON))
def test_what_was_written_is_read(value):
    assert parse_object(json.dumps(value).encode()) == value
    assert parse_object(orjson.dumps(value)) == value


@given(st.binary() | st.text(alphabet='{}[]:,"\\u00123aeE+-.\n ').map(str.encode))
def test_any_bytes_give_an_object_or_malformed(body):
    try:
        found = parse_object(body)
    except Malformed:
        return
    assert found == orjson.loads(body)
