"""federation.hosts: which policy holds for a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.hosts import nearest, upwards

POLICIES = {
    "far.test": "block",
    "good.far.test": "allow",
    "bad.good.far.test:8443": "block",
    "127.0.0.1:8001": "limit",
    "[2001:db8::1]": "block",
    "[::ffff:1.2.3.4]:8000": "limit",
}


@pytest.mark.parametrize(
    ("host", "level"),
    [
        ("", None),
        (":", None),
        (".", None),
        ("test", None),
        ("notfar.test", None),
        ("far.test.evil", None),
        ("FAR.test", "block"),
        ("far.test:8443", "block"),
        ("a.b.far.test", "block"),
        ("good.far.test:1", "allow"),
        ("a.good.far.test", "allow"),
        ("bad.good.far.test", "allow"),
        ("bad.good.far.test:8443", "block"),
        ("127.0.0.1:8001", "limit"),
        ("127.0.0.1:8002", None),
        ("[2001:DB8::1]", "block"),
        ("[2001:db8::1]:3000", "block"),
        ("[2001:db8::2]", None),
        ("[::ffff:1.2.3.4]:8000", "limit"),
        ("[::ffff:1.2.3.4]", None),
    ],
)
def test_the_nearest_counts(host, level):
    assert nearest(POLICIES, host) == level


LABELS = st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=4)


@given(LABELS, st.sampled_from(["", ":1", ":8443"]), st.dictionaries(LABELS.map(".".join), st.text(), max_size=6))
def test_it_is_the_longest_name_that_the_host_ends_in(labels, port, policies):
    host = ".".join(labels)
    above = [name for name in policies if f".{host}".endswith(f".{name}")]
    assert nearest(policies, (host + port).upper()) == (policies[max(above, key=len)] if above else None)
    own = {**policies, host + port: "own"}
    assert nearest(own, host + port) == "own"


@given(st.text(max_size=60))
def test_any_text_is_looked_for_under_few_names(host):
    names = upwards(host)
    assert all(names)
    assert len(names) <= host.lower().count(".") + 2
