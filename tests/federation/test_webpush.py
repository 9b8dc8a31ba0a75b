"""Web Push: sealed as the RFCs say, for the one who has the keys, with a proof of who sends."""

import jwt
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Malformed
from federation.webpush import CURVE, LARGEST, Recipient, VapidKey, base64url, point, read_keys, seal, unbase64
from tests.receiver import Program, opened

KEY, PROGRAM = VapidKey.make(), Program()


def private(text):
    return ec.derive_private_key(int.from_bytes(unbase64(text)), CURVE)


def test_the_example_of_rfc_8291_comes_out_byte_by_byte():
    """Appendix A."""
    to = Recipient(
        unbase64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        unbase64("BTBZMqHH6r4Tts7J_aSIgg"),
        standard=True,
    )
    sender = private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    sealed = seal(
        b"When I grow up, I want to be a watermelon",
        to,
        KEY,
        "proof",
        sender=sender,
        salt=unbase64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert base64url(sealed.body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("standard", [True, False])
@given(message=st.binary(min_size=1, max_size=300))
def test_a_program_reads_what_is_sealed_for_it(standard, message):
    program = Program()
    sealed = seal(message, program.recipient(standard=standard), KEY, "proof")
    assert opened(program, sealed.headers, sealed.body) == message


@pytest.mark.parametrize("standard", [True, False])
def test_nobody_else_reads_it_nor_twice_the_same(standard):
    program, other = Program(), Program()
    one, two = (seal(b"secret", program.recipient(standard=standard), KEY, "proof") for _ in range(2))
    assert one.body != two.body
    with pytest.raises(InvalidTag):
        opened(other, one.headers, one.body)


def test_a_message_that_push_services_would_not_take_is_not_made():
    with pytest.raises(ValueError, match="bytes"):
        seal(b"x" * (LARGEST + 1), Program().recipient(standard=True), KEY, "proof")


def test_the_proof_is_for_one_push_service_and_half_a_day():
    """RFC 8292."""
    proof = KEY.proof("https://push.test:8443/send/1?x=y", "mailto:us@ours.test", 1_000.5)
    said = jwt.decode(
        proof, KEY.private.public_key(), ["ES256"], audience="https://push.test:8443", options={"verify_exp": False}
    )
    assert (said["sub"], said["exp"]) == ("mailto:us@ours.test", 1_000 + 12 * 3_600)


def test_a_key_comes_back_as_it_was_kept():
    assert VapidKey.load(KEY.text).public == KEY.public
    assert unbase64(KEY.shown) == point(KEY.private.public_key())
    assert len(KEY.shown) == 88


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", ""),
        ("x", "x"),
        (base64url(b"\4" + b"\0" * 64), base64url(b"a" * 16)),
        (base64url(b"\0"), base64url(b"a" * 16)),
        (PROGRAM.p256dh, base64url(b"a" * 15)),
        (PROGRAM.p256dh, "é" * 22),
        (base64url(unbase64(PROGRAM.p256dh)[:33]), base64url(b"a" * 16)),
        ("\ud800", base64url(b"a" * 16)),
    ],
    ids=range(8),
)
def test_keys_that_are_none_are_refused(p256dh, auth):
    with pytest.raises(Malformed):
        read_keys(p256dh, auth)


@given(st.text(max_size=100), st.text(max_size=40))
def test_any_text_is_a_key_or_refused(p256dh, auth):
    with pytest.raises(Malformed):
        read_keys(p256dh, auth)


def test_keys_are_taken_in_either_alphabet_with_padding_or_without():
    program = Program()
    expected = read_keys(program.p256dh, program.secret)
    padded = program.p256dh + "=" * (-len(program.p256dh) % 4)
    for one in (padded, padded.replace("-", "+").replace("_", "/")):
        assert read_keys(one, program.secret + "==") == expected
