import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from federation.errors import Refused
from federation.guard import AddressRefused, Gate, Guard, Resolver, host_of

STRICT = Guard()
LAB = Guard(private_networks=(ip_network("127.0.0.0/8"),), allow_http=True)

PRIVATE = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"),
]
PRIVATE_6 = [
    *("::/128", "::1/128", "::/96", "100::/64", "64:ff9b:1::/48", "2001::/32", "2001:10::/28", "2001:20::/28"),
    *("2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    "::ffff:0:0:0/96",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a01:4f8::1"]


def within(networks: list[str]) -> st.SearchStrategy[object]:
    return st.sampled_from(networks).flatmap(
        lambda text: st.integers(0, ip_network(text).num_addresses - 1).map(
            lambda n: ip_network(text).network_address + n
        )
    )


def embeddings(v4: IPv4Address) -> list[IPv6Address]:
    """Every way that we know to put an IPv4 address into an IPv6 address."""
    number = int(v4)
    return [
        IPv6Address((0xFFFF << 32) | number),  # mapped
        IPv6Address(number),  # compatible
        IPv6Address((0xFFFF << 48) | number),  # translated
        IPv6Address((0x0064FF9B << 96) | number),  # NAT64
        IPv6Address((0x2002 << 112) | (number << 80) | 1),  # 6to4
        IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),  # Teredo
        IPv6Address((0x2A010000 << 96) | (0x5EFE << 32) | number),  # ISATAP
        IPv6Address((0x2A010000 << 96) | (0x02005EFE << 32) | number),
        IPv6Address((0xFE80 << 112) | (0x5EFE << 32) | number),
    ]


def notations(v4: IPv4Address) -> list[str]:
    """How C libraries and browsers read an address out of a host name."""
    number, parts = int(v4), v4.packed
    return [
        str(v4),
        str(number),
        hex(number),
        f"{number:#o}".replace("o", ""),
        f"{parts[0]}.{number & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        ".".join(hex(part) for part in parts),
        ".".join(f"0{part:o}" for part in parts),
        ".".join(f"{part:03d}" for part in parts) + ".",
        str(v4).replace(".", "\N{IDEOGRAPHIC FULL STOP}"),
        "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in str(v4)),
        "".join(f"%{ord(c):02x}" for c in str(v4)),
        f"{v4}.",
        *(f"[{embedded}]" for embedded in embeddings(v4)),
        f"[::ffff:{v4}]",
        f"[fe80::{parts[0]}%25eth0]",
    ]


@given(within(PRIVATE) | within(PRIVATE_6))
def test_no_special_address_is_allowed(address):
    assert not STRICT.allows(str(address))


@given(within(PRIVATE))
def test_no_private_address_is_allowed_inside_an_ipv6_address(v4):
    assert [str(v6) for v6 in embeddings(v4) if STRICT.allows(str(v6))] == []


@given(within(PRIVATE), st.sampled_from(["", ":443", ":8000"]))
def test_no_notation_of_a_private_address_is_a_host(v4, port):
    for host in notations(v4):
        with pytest.raises(Refused):
            STRICT.check_url(f"https://{host}{port}/users/alice")


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
@example(IPv6Address("64:ff9b::808:808"))
@example(IPv6Address("2001:4860:4860::8888"))
def test_nothing_is_allowed_that_the_standard_library_calls_not_global(address):
    if STRICT.allows(str(address)):
        inner = address
        if isinstance(address, IPv6Address) and (address.ipv4_mapped or address in IPv6Network("64:ff9b::/96")):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        assert inner.is_global
        assert not inner.is_multicast


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    assert STRICT.allows(address)
    assert STRICT.check_url(f"https://{f'[{address}]' if ':' in address else address}/")


def test_public_ipv4_is_reached_through_nat64():
    assert STRICT.allows("64:ff9b::8.8.8.8")


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "8.8.8.8 ", "2a01::1%eth0", "8.8.8.8/32", "0x08080808"])
def test_what_is_not_the_plain_form_of_an_address_is_none(text):
    assert not STRICT.allows(text)


def test_a_lab_opens_its_own_networks_and_no_others():
    assert LAB.allows("127.0.0.1")
    assert LAB.allows("::ffff:127.0.0.1")
    assert LAB.allows("8.8.8.8")
    assert not LAB.allows("10.0.0.1")
    assert not LAB.allows("::1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "users/alice",
        "/users/alice",
        "//far.test/users/alice",
        "http://far.test/",
        "ftp://far.test/",
        "file:///etc/passwd",
        "gopher://far.test/",
        "javascript:alert(1)",
        "acct:alice@far.test",
        "https://",
        "https:///users",
        "https://user@far.test/",
        "https://user:word@far.test/",
        "https://:word@far.test/",
        "https://far.test\\@evil.test/",
        "https://far.test/\r\nHost: evil.test",
        "https://far.test/a b",
        "https://far.te\tst/",
        "https://far.test:0/",
        "https://far.test:22/",
        "https://far.test:25/",
        "https://far.test:65536/",
        "https://far.test:x/",
        "https://localhost/",
        "https://far.test./",
        "https://far..test/",
        "https://.far.test/",
        "https://-far.test/",
        "https://fa!r.test/",
        "https://[::1/",
        "https://[::1]/",
        "https://xn--a/",
        "https://" + "a" * 64 + ".test/",
        "https://" + "a." * 127 + "test/",
        "https://far.test/" + "a" * 2048,
    ],
)
def test_a_url_that_is_not_plainly_of_a_public_server_is_refused(url):
    with pytest.raises(Refused):
        STRICT.check_url(url)


@given(st.text(max_size=60) | st.text(max_size=60).map("https://{}".format))
def test_any_text_gives_a_safe_url_or_refused(text):
    try:
        url = STRICT.check_url(text)
    except Refused:
        return
    assert url.scheme == "https"
    assert url.raw_host
    assert url.raw_user is None
    assert str(url).isascii()
    assert STRICT.check_url(str(url)) == url


@pytest.mark.parametrize(
    ("url", "normal", "host"),
    [
        ("https://Far.Test:443/@alice#main-key", "https://far.test/@alice", "far.test"),
        ("https://far.test:8443/a?b=c%20d", "https://far.test:8443/a?b=c%20d", "far.test:8443"),
        ("https://bücher.test/é", "https://xn--bcher-kva.test/%C3%A9", "xn--bcher-kva.test"),
        ("https://[2a01:4f8::1]/", "https://[2a01:4f8::1]/", "[2a01:4f8::1]"),
        ("https://a_b.far.test", "https://a_b.far.test/", "a_b.far.test"),
    ],
)
def test_honest_urls_come_out_normalised(url, normal, host):
    assert str(STRICT.check_url(url)) == normal
    assert host_of(STRICT.check_url(url)) == host


def test_a_lab_may_use_http_and_any_port():
    assert LAB.check_url("http://127.0.0.1:81/") == URL("http://127.0.0.1:81/")
    assert LAB.check_url("http://localhost/")
    with pytest.raises(Refused):
        LAB.check_url("http://10.0.0.1/")


def info(address: str) -> tuple[object, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 443))


@given(within(PRIVATE) | within(PRIVATE_6))
def test_the_gate_opens_no_socket_for_a_private_address(address):
    gate = Gate(STRICT)
    with pytest.raises(AddressRefused):
        gate.open(info(str(address)))
    assert gate.opened == 0


def test_the_gate_counts_the_sockets_in_use():
    gate = Gate(STRICT)
    opened = gate.open(info("8.8.8.8"))
    assert gate.opened == 1
    opened.close()
    del opened
    assert gate.opened == 0


async def test_a_name_with_private_addresses_alone_is_refused():
    resolver = Resolver(STRICT, lambda *_: [info("127.0.0.1"), info("::1")])
    with pytest.raises(AddressRefused):
        await resolver.resolve("evil.test", 443)
    await resolver.close()


async def test_of_a_name_with_both_the_public_address_is_used():
    resolver = Resolver(STRICT, lambda *_: [info("10.0.0.1"), info("8.8.8.8"), info("2a01:4f8::1")])
    found = await resolver.resolve("mixed.test", 443)
    assert [(entry["host"], entry["port"]) for entry in found] == [("8.8.8.8", 443), ("2a01:4f8::1", 443)]
    assert all(ip_address(entry["host"]).version == (6 if entry["family"] == socket.AF_INET6 else 4) for entry in found)
    await resolver.close()
