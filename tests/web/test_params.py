"""What clients send, in whichever form."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social.errors import Invalid
from store.ids import LARGEST
from web.params import Params, as_id, nested

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.0", "0x1", " 1", "1 ", "٣", "1" * 20, str(LARGEST + 1), "1\x00", "+1"]
)
def test_what_cannot_be_an_id_is_none(text):
    assert as_id(text) is None


def test_ids_reach_to_63_bits():
    assert as_id(str(LARGEST)) == LARGEST


@given(st.text())
def test_any_text_gives_an_id_or_none(text):
    found = as_id(text)
    assert found is None or 0 <= found <= LARGEST


@given(ANY)
def test_whatever_comes_a_getter_gives_its_type_or_says_what_is_wrong(value):
    params = Params({"x": value})
    for get, kind in [
        (params.text, str),
        (params.flag, bool),
        (params.number, int | None),
        (params.id, int | None),
        (params.many, list),
        (params.inner, Params | None),
        (params.inners, list),
    ]:
        with suppress(Invalid):
            assert isinstance(get("x"), kind)


@given(st.lists(st.tuples(st.text(alphabet="ab[]0\x00", max_size=12), st.text(max_size=2)), max_size=8))
def test_any_keys_give_a_tree(pairs):
    assert isinstance(nested(pairs), dict)


@pytest.mark.parametrize(
    ("pairs", "tree"),
    [
        ("a=1 a=2", {"a": "2"}),
        ("a[]=1 a[]=2", {"a": ["1", "2"]}),
        ("p[options][]=x p[options][]=y p[multiple]=1", {"p": {"options": ["x", "y"], "multiple": "1"}}),
        ("f[0][name]=n f[0][value]=v f[1][name]=m", {"f": {"0": {"name": "n", "value": "v"}, "1": {"name": "m"}}}),
        ("k[][w]=a k[][id]=1 k[][w]=b", {"k": [{"w": "a", "id": "1"}, {"w": "b"}]}),
        ("a=1 a[b]=2 a[]=3", {"a": "1"}),
        ("[a]=1 a]=1 =1 a[=1", {}),
    ],
)
def test_brackets_mean_what_rails_makes_of_them(pairs, tree):
    assert nested([(pair.partition("=")[0], pair.partition("=")[2]) for pair in pairs.split()]) == tree


def test_parts_of_a_list_come_with_numbers_or_without():
    for tree in ([{"n": "x"}, {"n": "y"}], {"0": {"n": "x"}, "1": {"n": "y"}}):
        assert [one.text("n") for one in Params({"f": tree}).inners("f")] == ["x", "y"]


@pytest.mark.parametrize(("value", "found"), [("true", True), ("1", True), ("on", True), (True, True), (1, True),
                                              ("false", False), ("0", False), ("off", False), ("", False)])  # fmt: skip
def test_yes_and_no_have_many_spellings(value, found):
    assert Params({"x": value}).flag("x", default=not found) is found


def test_nul_and_half_surrogates_never_come_in():
    given_ = Params({"x": "a\x00b\ud800c", "y": ["\x00", "\udfffé"]})
    assert given_.text("x") == "abc"
    assert given_.many("y") == ["", "é"]
