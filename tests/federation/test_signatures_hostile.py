"""Whatever stands in the headers: a Signature, Malformed or Forged, and nothing else ever."""

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from federation import envelope, signatures
from federation.errors import FederationError, Forged, Malformed
from federation.signatures import Message
from tests.federation.signing import BODY, DATE, KEY_ID, NOW, POST, cavage, changed, header, private, public, rfc9421

ANY = st.text(st.characters(), max_size=60)  # lone surrogates, too
LATIN = st.text(st.characters(max_codepoint=0xFF), max_size=60)
PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "keyId",
                "headers",
                "algorithm",
                "signature",
                "created",
                "expires",
                "=",
                '"',
                ",",
                " ",
                "\t",
                "\\",
                ";",
                ":",
            ),
            *(
                "(",
                ")",
                "sig1",
                "alg",
                "tag",
                "?1",
                "@1",
                '%"a"',
                "1.5",
                "-1",
                "99999999999999999999",
                "\n",
                "\u00e9",
                "\ud800",
            ),
            *(f'"{KEY_ID}"', f'"{POST}"', '"AAAA"', ":AAAA:", '"@method"', '"@target-uri"', '"content-digest"', "date"),
            *("sig1=(", f';keyid="{KEY_ID}"', ";created=1700000000", '("@method" "@target-uri" "content-digest")'),
            *("SHA-256=", "sha-256=:", "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ]
    ),
    max_size=14,
).map("".join)
HOSTILE = ANY | LATIN | PIECES
HEADERS = st.lists(st.tuples(HOSTILE, HOSTILE), max_size=4)


def judged(message: Message, now: float = NOW) -> bool:
    """Whether it was accepted; any exception but the two comes through."""
    refusal: FederationError
    try:
        signature = signatures.parse(message)
    except (Malformed, Forged) as why:
        refusal = why
    else:
        for key in (public(), public("ed25519"), public("ecdsa-p256")):
            try:
                signatures.verify(message, signature, key, now)
            except Forged as why:
                refusal = why
            else:
                return True
    reason = str(refusal)
    assert reason.isprintable(), reason
    return False


@settings(deadline=None, max_examples=300)
@given(HOSTILE)
@example("a=" * 4000)
@example('keyId="' + "a" * 8000)
@example(" " * 8000)
@example("a" * 8000 + "=")
def test_any_cavage_signature_header(text):
    assert not judged(changed(cavage(), "Signature", text))


@settings(deadline=None, max_examples=300)
@given(HOSTILE, HOSTILE)
@example('sig1=("@method" "@target-uri" "content-digest");created=1700000000;keyid="https://a"', "sig1=:AAAA:")
@example("a=" + "(" * 4000, "a=:AAAA:")
@example("a=" + "9" * 4000, "a=:AAAA:")
@example("a=@99999999999999", "a")
def test_any_rfc9421_pair_of_headers(inputs, values):
    assert not judged(changed(changed(rfc9421(), "Signature-Input", inputs), "Signature", values))


@settings(deadline=None, max_examples=200)
@given(HOSTILE)
def test_any_rfc9421_parameters(text):
    message = rfc9421()
    judged(changed(message, "Signature-Input", header(message, "Signature-Input") + text))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["Date", "Digest", "Host"]), HOSTILE)
def test_any_covered_header(name, text):
    if text.strip(" \t") != header(cavage(), name):
        judged(changed(cavage(), name, text))


@settings(deadline=None, max_examples=200)
@given(
    HOSTILE,
    HOSTILE,
    HOSTILE,
    HOSTILE,
    st.lists(st.tuples(HOSTILE, HOSTILE), max_size=4),
    st.none() | st.binary(max_size=9),
)
def test_any_message(method, target, authority, scheme, headers, body):
    assert not judged(Message(method, target, authority, scheme, headers, body))
    for honest in (cavage(), rfc9421()):
        judged(replace(honest, method=method))
        judged(replace(honest, target=target))
        judged(replace(honest, target="/" + target))
        judged(replace(honest, authority=authority, scheme=scheme))
        judged(replace(honest, headers=[*honest.headers, *headers]))
        assert not judged(replace(honest, body=body)), "another body than the signed one"


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["cavage", "rfc9421"]), HOSTILE | HOSTILE.map("https://bob.test/".__add__))
def test_any_url_is_signed_on_one_line_or_malformed(scheme, url):
    try:
        headers = signatures.sign(scheme, "GET", url, private("ed25519"), NOW)
    except Malformed:
        return
    assert all(value.isascii() and value.isprintable() for value in headers.values())


@given(st.integers(min_value=0, max_value=4_000_000_000))
def test_our_dates_are_read_back(second):
    assert envelope.moment(envelope.http_date(second)) == second


def test_the_cast_is_honest():
    assert judged(cavage())
    assert judged(rfc9421())
    assert envelope.http_date(NOW) == DATE
    assert BODY
