"""RFC 9421, HTTP Message Signatures: `Signature-Input` says what is signed, `Signature` holds it, by label."""

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from federation import envelope
from federation.envelope import Message, Signature, Table
from federation.errors import FederationError, Forged, Malformed
from federation.keys import PrivateKey

# The registry of section 6.2 without hmac-sha256 (see federation.cavage) and ecdsa-p384-sha384 (no such keys here).
LABELS: Final[Table] = {
    "": {"rsa": ("rsa-sha256", "rsa-pss-sha512"), "ed25519": ("ed25519",), "ecdsa-p256": ("ecdsa-p256-sha256",)},
    "rsa-v1_5-sha256": {"rsa": ("rsa-sha256",)},
    "rsa-pss-sha512": {"rsa": ("rsa-pss-sha512",)},
    "ecdsa-p256-sha256": {"ecdsa-p256": ("ecdsa-p256-sha256",)},
    "ed25519": {"ed25519": ("ed25519",)},
}
SAID: Final = {"rsa": "rsa-v1_5-sha256", "ed25519": "ed25519", "ecdsa-p256": "ecdsa-p256-sha256"}
# Any of these with `@method` says where the message goes.
WHOLE_TARGETS: Final = (
    frozenset({"@target-uri"}),
    frozenset({"@authority", "@request-target"}),
    frozenset({"@authority", "@path", "@query"}),
)
WITHOUT_QUERY: Final = frozenset({"@authority", "@path"})
# Fedify asks for a key by its id, and signs that: with the fragment, which no request carries (section 2.2.2).
KEY_FRAGMENTS: Final = ("#main-key", "#ed25519-key")


def parse(message: Message, found: Mapping[str, str]) -> Signature:
    """The first label that can be accepted (proxies on the way may add theirs).  Raises: Malformed, Forged."""
    inputs, values = _dictionary("Signature-Input", found), _dictionary("Signature", found)
    why: FederationError = Forged("there is no signature")
    for label, member in inputs.items():
        try:
            return _claim(message, found, label, member, values.get(label))
        except (Malformed, Forged) as refusal:
            why = refusal if len(inputs) == 1 else Forged(f"no signature can be accepted; {label[:40]}: {refusal}")
    raise why


def sign(
    method: str,
    url: str,
    key: PrivateKey,
    now: float,
    *,
    digest: str | None,
    content_type: str | None,
    also: Mapping[str, str],
) -> dict[str, str]:
    """The headers of a request of ours.  The components are those that Mastodon 4.5 asks for.  Raises: Malformed."""
    scheme, authority, target = envelope.target_of(url)
    headers = {"Host": authority}
    lines = [f'"@method": {method.upper()}', f'"@target-uri": {scheme}://{authority}{target}']
    names = '"@method" "@target-uri"'
    if digest is not None:
        headers["Content-Digest"] = digest
        lines.append(f'"content-digest": {digest}')
        names += ' "content-digest"'
    if content_type is not None:
        headers["Content-Type"] = content_type
        lines.append(f'"content-type": {content_type}')
        names += ' "content-type"'
    for name, said in also.items():
        headers[name] = said
        lines.append(f'"{name.lower()}": {said}')
        names += f' "{name.lower()}"'
    parameters = f'({names});created={int(now)};keyid="{key.id}";alg="{SAID[key.kind]}"'
    lines.append(f'"@signature-params": {parameters}')
    value = b2a_base64(envelope.signed(key.key, envelope.encoded(lines)), newline=False).decode("ascii")
    headers["Signature-Input"] = f"sig1={parameters}"
    headers["Signature"] = f"sig1=:{value}:"
    return headers


def base(
    message: Message, found: Mapping[str, str], names: Sequence[str], parameters: str, fragment: str = ""
) -> bytes:
    """The signature base of section 2.5; `parameters` is the value of `@signature-params`, `fragment` the end that the
    sender may believe his `@target-uri` to have.  Raises: Malformed."""
    values = {**found, **_derived(message, fragment)}
    missing = [name for name in names if name not in values]
    if missing:
        raise Malformed("signed headers", f"{missing[0]} is not there")
    lines = [f'"{name}": {values[name]}' for name in names]
    return envelope.encoded([*lines, f'"@signature-params": {parameters}'])


def _claim(message: Message, found: Mapping[str, str], label: str, member: Any, value: Any) -> Signature:
    """`member` and `value` are what http-sf makes of the label's members: (value, parameters) pairs."""
    import http_sf  # noqa: PLC0415  # loaded with the first message that needs it

    items, parameters = member
    if not isinstance(items, list):
        raise Malformed("Signature-Input", label)
    names = tuple([_component(item) for item in items])
    _check_coverage(message, names)
    if value is None or not isinstance(value[0], bytes):
        raise Malformed("Signature", label)
    algorithm = parameters.get("alg", "")
    if not isinstance(algorithm, str) or algorithm not in LABELS:
        raise Forged(f"algorithm {str(algorithm)[:40]!r} is not accepted")
    created = _seconds(parameters, "created")
    if created is None:
        raise Forged("the signature does not say when it was created")
    return Signature(
        key_id=envelope.checked_key_id(parameters.get("keyid")),
        scheme="rfc9421",
        label=algorithm,
        covered=names,
        bases=_bases(message, found, names, http_sf.ser({label: member})[len(label) + 1 :]),
        digests=envelope.signed_digests(found, names),
        date=envelope.moment(found["date"]) if "date" in names else None,
        created=created,
        expires=_seconds(parameters, "expires"),
        value=value[0],
    )


def _bases(message: Message, found: Mapping[str, str], names: Sequence[str], parameters: str) -> tuple[bytes, ...]:
    may_be_key = "@target-uri" in names and message.method.upper() in envelope.READS
    ends = ("", *KEY_FRAGMENTS) if may_be_key else ("",)
    return tuple([base(message, found, names, parameters, end) for end in ends])


def _component(item: Any) -> str:
    name, parameters = item
    if not isinstance(name, str) or name != name.lower():
        raise Malformed("Signature-Input", name)
    if parameters:  # sf, key, bs, req, tr, name: nobody here signs parts of a header
        raise Forged(f"component {name[:40]!r} with parameters is not accepted")
    return name


def _check_coverage(message: Message, names: tuple[str, ...]) -> None:
    covered = frozenset(names)
    if len(covered) != len(names):
        raise Forged("the signature covers a component twice")
    whole = any(covered >= some for some in WHOLE_TARGETS)
    query_matters = "?" in message.target and message.method.upper() not in envelope.READS
    if "@method" not in covered or not (whole or (covered >= WITHOUT_QUERY and not query_matters)):
        raise Forged("the signature does not cover @method and @target-uri")
    if envelope.vouches_for_body(message) and covered.isdisjoint(envelope.DIGESTS):
        raise Forged("the signature does not cover a digest of the body")


def _seconds(parameters: Mapping[str, Any], name: str) -> float | None:
    value = parameters.get(name)
    if value is None:
        return None
    if type(value) is not int:  # a bool is an int, too
        raise Malformed(name, value)
    return float(value)


def _derived(message: Message, fragment: str) -> dict[str, str]:
    authority = envelope.canonical(message.authority, message.scheme)
    path, _, query = message.target.partition("?")
    return {
        "@method": message.method,
        "@target-uri": f"{message.scheme}://{authority}{message.target}{fragment}",
        "@authority": authority,
        "@scheme": message.scheme,
        "@request-target": message.target,
        "@path": path,
        "@query": f"?{query}",
    }


def _dictionary(header: str, found: Mapping[str, str]) -> dict[str, Any]:
    """The members of a structured field by label (RFC 9651).  Raises: Malformed, Forged for a duplicate."""
    import http_sf  # noqa: PLC0415  # loaded with the first message that needs it

    text = found.get(header.lower(), "")
    if len(text) > envelope.HEADER_AT_MOST:
        raise Malformed(header, f"{len(text)} characters")
    try:
        return http_sf.parse(text.encode("ascii"), tltype="dictionary", on_duplicate_key=_twice)  # type: ignore[return-value]  # a dictionary was asked for
    except ValueError:
        raise Malformed(header, text) from None


def _twice(name: str, _where: str) -> NoReturn:
    raise Forged(f"the signature has {name[:40]} twice")
