"""What we sign."""

from dataclasses import replace

import pytest

from federation import signatures
from federation.errors import Forged, Malformed
from tests.federation.signing import (
    BODY,
    KEY_ID,
    NOW,
    RFC_DIGEST,
    accept,
    changed,
    private,
    public,
    received,
)


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("content_type", [None, "application/activity+json"])
def test_what_we_sign_we_accept(scheme, kind, content_type):
    url = "https://bob.test/users/bob/inbox?a=b"
    headers = signatures.sign(scheme, "POST", url, private(kind), NOW, BODY, content_type=content_type)
    signature = accept(received("POST", "/users/bob/inbox?a=b", headers, BODY), public(kind))
    assert ("content-type" in signature.covered) == (content_type is not None)
    fetch = signatures.sign(scheme, "GET", "https://bob.test", private(kind), NOW)
    accept(received("GET", "/", fetch, None), public(kind))
    empty = signatures.sign(scheme, "POST", "https://bob.test/inbox", private(kind), NOW)
    accept(received("POST", "/inbox", empty, b""), public(kind))


def test_what_we_sign_is_what_mastodon_reads():
    url = "https://Bob.test:443/inbox#x"
    headers = signatures.sign("cavage", "POST", url, private(), NOW, BODY, content_type="application/activity+json")
    assert list(headers) == ["Host", "Date", "Digest", "Content-Type", "Signature"]
    assert headers["Host"] == "bob.test"
    assert headers["Date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert headers["Signature"].startswith(
        f'keyId="{KEY_ID}",algorithm="rsa-sha256",headers="(request-target) host date digest content-type",signature="'
    )
    headers = signatures.sign("rfc9421", "POST", url, private(), NOW, BODY)
    assert list(headers) == ["Host", "Content-Digest", "Signature-Input", "Signature"]
    assert headers["Signature-Input"] == (
        f'sig1=("@method" "@target-uri" "content-digest");created=1700000000;keyid="{KEY_ID}";alg="rsa-v1_5-sha256"'
    )
    fetch = signatures.sign("cavage", "GET", url, private("ed25519"), NOW)
    assert 'algorithm="hs2019",headers="(request-target) host date",' in fetch["Signature"]


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_a_digest_made_once_serves_a_thousand_inboxes(scheme):
    whole = signatures.sign(scheme, "POST", "https://bob.test/inbox", private(), NOW, BODY)
    name = "Digest" if scheme == "cavage" else RFC_DIGEST
    given = signatures.sign(scheme, "POST", "https://bob.test/inbox", private(), NOW, digest=whole[name])
    assert given == whole


def test_an_ecdsa_key_signs_rfc9421_only():
    headers = signatures.sign("rfc9421", "POST", "https://bob.test/inbox", private("ecdsa-p256"), NOW, BODY)
    accept(received("POST", "/inbox", headers, BODY), public("ecdsa-p256"))
    with pytest.raises(Malformed):
        signatures.sign("cavage", "POST", "https://bob.test/inbox", private("ecdsa-p256"), NOW, BODY)


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
@pytest.mark.parametrize(
    "url",
    [
        "",
        "bob.test",
        "ftp://bob.test/",
        "https://",
        "https:///x",
        "https://a@bob.test/",
        "https://bob.test/a b",
        "https://bob.test/é",
        "https://bob.test/\r\nx: y",
    ],
)
def test_a_url_that_cannot_be_signed_as_it_is_is_malformed(scheme, url):
    with pytest.raises(Malformed):
        signatures.sign(scheme, "GET", url, private(), NOW)


def test_ports_and_addresses_are_signed_as_sent():
    for url, host, target in (
        ("http://127.0.0.1:8001/inbox", "127.0.0.1:8001", "/inbox"),
        ("http://[::1]:80/inbox?", "[::1]", "/inbox?"),
        ("https://bob.test:8443?x=1", "bob.test:8443", "/?x=1"),
    ):
        headers = signatures.sign("cavage", "POST", url, private(), NOW, BODY)
        assert headers["Host"] == host
        scheme = url.partition(":")[0]
        accept(replace(received("POST", target, headers, BODY), authority=host, scheme=scheme))
        headers = signatures.sign("rfc9421", "POST", url, private(), NOW, BODY)
        accept(replace(received("POST", target, headers, BODY), authority=host, scheme=scheme))


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_further_headers_are_signed_too(scheme):
    """FEP-8fcf: Collection-Synchronization is believed only when it is signed."""
    name = "Collection-Synchronization"
    headers = signatures.sign(
        scheme, "POST", "https://bob.test/inbox", private(), NOW, BODY, also={name: 'digest="00"'}
    )
    message = received("POST", "/inbox", headers, BODY)
    assert name.lower() in accept(message, public()).covered
    with pytest.raises(Forged):
        accept(changed(message, name, 'digest="11"'), public())
