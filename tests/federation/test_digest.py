import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.digest import check_content_digest, check_digest, content_digest, digest_header
from federation.errors import Forged
from tests.federation.signing import b64

BODY = b'{"hello": "world"}'
SHA256 = b64(hashlib.sha256(BODY).digest())
SHA512 = b64(hashlib.sha512(BODY).digest())
OTHER = b64(hashlib.sha256(b"other").digest())


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        "=",
        "SHA-256",
        "SHA-256=",
        SHA256,
        f"MD5={b64(hashlib.md5(BODY).digest())}",
        f"SHA={b64(hashlib.sha1(BODY).digest())}",
        f"SHA-256={OTHER}",
        f"SHA-256={SHA512}",
        f"SHA-256={SHA256.rstrip('=')}",
        f"SHA-256={hashlib.sha256(BODY).hexdigest()}",
        f"SHA-256={SHA256},SHA-512={OTHER}",
        f"SHA-256={OTHER},SHA-256={SHA256}",
        f"SHA-256={SHA256},sha-256={SHA256}",
        "SHA-256=é",
    ],
)
def test_a_digest_that_is_not_that_of_the_body_is_refused(value):
    with pytest.raises(Forged):
        check_digest(value, BODY)


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"sha-256={SHA256}",
        f"sha-256=:{SHA256}",
        f"sha-256={SHA256}:",
        f"sha-256=x:{SHA256}:",
        f"sha-256=:{OTHER}:",
        f"sha-256=:{SHA256}:, sha-512=:{SHA256}:",
        f"sha-256=:{SHA256}:, sha-256=:{SHA256}:",
        f"md5=:{b64(hashlib.md5(BODY).digest())}:",
    ],
)
def test_a_content_digest_that_is_not_that_of_the_body_is_refused(value):
    with pytest.raises(Forged):
        check_content_digest(value, BODY)


@pytest.mark.parametrize(
    "value",
    [
        f"SHA-256={SHA256}",
        f"sha-256={SHA256}",
        f"SHA-512={SHA512}",
        f" Sha-256 = {SHA256} ",
        f"MD5=whatever,SHA-256={SHA256}",
        f"SHA-256={SHA256}, SHA-512={SHA512}",
    ],
)
def test_a_digest_of_the_body_is_accepted_however_it_is_spelt(value):
    check_digest(value, BODY)


@pytest.mark.parametrize(
    "value",
    [
        f"sha-256=:{SHA256}:",
        f"sha-512=:{SHA512}:",
        f"md5=:AAAA:, sha-256=:{SHA256}:;source=proxy",
        f"sha-256=:{SHA256}:,sha-512=:{SHA512}:",
    ],
)
def test_a_content_digest_of_the_body_is_accepted_however_it_is_spelt(value):
    check_content_digest(value, BODY)


def test_the_published_examples_are_met():
    assert digest_header(BODY) == "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="
    assert content_digest(BODY) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_our_digest_fits_its_body_and_no_other(body, other):
    check_digest(digest_header(body), body)
    check_content_digest(content_digest(body), body)
    if body != other:
        with pytest.raises(Forged):
            check_digest(digest_header(body), other)
        with pytest.raises(Forged):
            check_content_digest(content_digest(body), other)


@given(st.text(), st.binary(max_size=20))
def test_any_text_in_a_digest_is_refused_as_forged(value, body):
    with pytest.raises(Forged):
        check_digest(value, body)
    with pytest.raises(Forged):
        check_content_digest(value, body)
