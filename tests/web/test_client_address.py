"""From where a request comes, whatever stands in front and whatever is said."""

from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from web import client_address
from web.keys import CONFIG

PROXIES = [ip_network("127.0.0.0/8"), ip_network("::1/128"), ip_network("10.0.0.0/8")]


def asked(peer: str, *forwarded: str, **more: str) -> Any:
    headers = CIMultiDict([*(("X-Forwarded-For", line) for line in forwarded), *more.items()])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    request._match_info = SimpleNamespace(current_app={CONFIG: SimpleNamespace(trusted_proxies=PROXIES)})
    return request


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.1",), "192.0.2.1"),
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("127.0.0.1, 198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("203.0.113.9, 198.51.100.1, 10.0.0.2",), "198.51.100.1"),
        ("127.0.0.1", ("203.0.113.9", "198.51.100.1"), "198.51.100.1"),
        ("127.0.0.1", ("198.51.100.1, nonsense",), "127.0.0.1"),
        ("127.0.0.1", ("10.0.0.1",), "10.0.0.1"),
        ("::ffff:127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("", ("198.51.100.1",), "198.51.100.1"),
        ("::1", ("2001:db8::1",), "2001:db8::1"),
    ],
)
def test_only_proxies_that_are_trusted_say_for_whom_they_ask(peer, forwarded, address):
    assert client_address.address(asked(peer, *forwarded)) == address


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_place_is_an_address_or_a_network_of_64_bits(address, place):
    assert client_address.network(asked(address)) == place


@given(st.lists(st.text(alphabet="0123456789.:,af []%", max_size=30), max_size=3))
def test_whatever_is_forwarded_there_is_a_place(lines):
    request = asked("127.0.0.1", *lines)
    assert isinstance(client_address.address(request), str)
    assert client_address.network(request)
