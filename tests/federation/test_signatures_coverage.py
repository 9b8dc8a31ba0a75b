"""What is covered, for whom, and nothing twice; what the headers look like."""

from dataclasses import replace

import pytest

from federation.errors import Forged, Malformed
from tests.federation.signing import (
    BODY,
    BOTH,
    COVERED,
    GET,
    KEY_ID,
    POST,
    accept,
    cavage,
    changed,
    digest_name,
    doubled,
    header,
    refuse,
    rfc9421,
    rfc_parameters,
    without,
)

# what is covered, and for whom (rule 7, rows 9 and 10)


@pytest.mark.parametrize(
    "covered",
    [
        None,
        "",
        "date",
        "host date digest",
        "(request-target) date digest",
        "(request-target) host digest",
        "(request-target) host date",
        "(created) digest",
    ],
)
def test_a_cavage_post_that_covers_too_little_is_refused(covered):
    lines = {"(created)": "1"}
    refuse(cavage(covered, lines=lines), "does not cover|covers neither", error=Forged)


@pytest.mark.parametrize(
    "covered",
    [
        "",
        '"@method"',
        '"date"',
        '"@target-uri" "content-digest"',
        '"@method" "content-digest"',
        '"@method" "@path" "content-digest"',
        '"@method" "@authority" "content-digest"',
        '"@method" "@request-target" "content-digest"',
        '"@method" "@target-uri"',
        '"@method" "@target-uri" "content-length"',
    ],
)
def test_an_rfc9421_post_that_covers_too_little_is_refused(covered):
    refuse(rfc9421(covered, sent={"Content-Length": "15"}), "does not cover", error=Forged)


@pytest.mark.parametrize(
    "covered",
    [
        '"@method" "@target-uri" "content-digest"',
        '"content-digest" "@path" "@authority" "@method"',
        '"@method" "@request-target" "@authority" "content-digest" "@scheme"',
        '"@method" "@authority" "@path" "@query" "content-digest" "date" "host" "content-type"',
    ],
)
def test_an_rfc9421_post_may_name_its_target_in_several_ways(covered):
    accept(rfc9421(covered, sent={"Content-Type": "application/activity+json"}))


@pytest.mark.parametrize(
    "covered",
    [
        "digest date host (request-target)",
        "(Request-Target) Host Date Digest Content-Type",
        "(request-target)  host date digest user-agent",
    ],
)
def test_order_and_case_of_covered_headers_are_the_senders(covered):
    accept(cavage(covered, sent={"Content-Type": "application/activity+json", "User-Agent": "x/1 (y)"}))


@BOTH
def test_the_method_target_and_host_are_those_of_this_request(make):
    message = make()
    refuse(replace(message, method="PUT"), "by this key", error=Forged)
    refuse(replace(message, target="/users/bob/inbox"), "by this key", error=Forged)
    refuse(replace(message, target="/inbox?x=1"), error=Forged)
    refuse(changed(message, "Host", "eve.test"), "this server is not .eve.test", error=Forged)
    refuse(without(message, "Host"), "no Host", error=Forged)
    refuse(replace(message, authority="carol.test"), "this server is not .bob.test", error=Forged)


@BOTH
def test_a_message_signed_for_another_host_is_refused(make):
    lines = {"host": "eve.test", "@target-uri": "https://eve.test/inbox"}
    refuse(make(lines=lines), "by this key", error=Forged)


@BOTH
def test_the_host_may_be_spelt_with_capitals_and_its_default_port(make):
    accept(make(sent={"Host": "Bob.Test"}))
    accept(make(sent={"Host": "bob.test:443"}))
    refuse(make(sent={"Host": "bob.test:80"}), "this server is not", error=Forged)
    refuse(make(sent={"Host": "bob.test:8443"}), "this server is not", error=Forged)


def test_a_host_signed_without_its_port_is_accepted_where_we_have_one():
    message = replace(cavage(sent={"Host": "bob.test:8001"}, lines={"host": "bob.test"}), authority="bob.test:8001")
    accept(message)
    refuse(replace(message, authority="bob.test"), "this server is not", error=Forged)


@BOTH
def test_the_query_is_signed(make):
    accept(make(target="/inbox?a=b&c=%20d"))
    refuse(replace(make(target="/inbox?a=b"), target="/inbox?a=c"), "by this key", error=Forged)


def test_a_fetch_may_be_signed_without_its_query_but_a_delivery_not():
    path = {"(request-target)": "get /users/bob/outbox"}
    accept(cavage(GET, method="GET", target="/users/bob/outbox?page=1", lines=path, body=None))
    refuse(cavage(target="/inbox?a=b", lines={"(request-target)": "post /inbox"}), "by this key", error=Forged)
    accept(rfc9421('"@method" "@authority" "@path"', method="GET", target="/users/bob/outbox?page=1", body=None))
    refuse(rfc9421('"@method" "@authority" "@path" "content-digest"', target="/inbox?a=b"), "cover", error=Forged)


def test_a_fetch_of_a_key_may_be_signed_with_its_fragment_and_nothing_else():
    """Fedify does it."""
    uri = "https://bob.test/users/bob"
    get = {"method": "GET", "target": "/users/bob", "body": None}
    for end in ("#main-key", "#ed25519-key"):
        accept(rfc9421('"@method" "@target-uri"', lines={"@target-uri": uri + end}, **get))
    refuse(rfc9421('"@method" "@target-uri"', lines={"@target-uri": f"{uri}#else"}, **get), "by this key", error=Forged)
    inbox = {"@target-uri": "https://bob.test/inbox#main-key"}
    refuse(rfc9421('"@method" "@target-uri" "content-digest"', lines=inbox), "by this key", error=Forged)


@pytest.mark.parametrize("target", ["", "*", "inbox", "https://bob.test/inbox", "bob.test:443"])
def test_a_target_that_is_not_a_path_is_malformed(target):
    refuse(replace(cavage(), target=target), "request target", error=Malformed)


@BOTH
def test_a_covered_header_that_is_not_there_is_malformed(make):
    message = (
        cavage(f"{POST} x-not", lines={"x-not": "1"})
        if make is cavage
        else rfc9421(f'{COVERED} "x-not"', lines={"x-not": "1"})
    )
    refuse(message, "x-not is not there", error=Malformed)


@BOTH
def test_a_covered_header_with_a_line_break_is_malformed(make):
    covered = f"{POST} accept" if make is cavage else f'{COVERED} "accept"'
    refuse(make(covered, sent={"Accept": "x\ndate: y"}), "a line break", error=Malformed)


@BOTH
def test_a_covered_header_sent_in_two_lines_is_one_list(make):
    covered = f"{POST} accept" if make is cavage else f'{COVERED} "accept"'
    message = make(covered, sent={"Accept": "a/b"}, lines={"accept": "a/b, c/d"})
    refuse(message, "by this key", error=Forged)
    accept(doubled(message, "Accept", " c/d "))


# nothing twice (rule 8, row 11)


@BOTH
@pytest.mark.parametrize("name", ["Date", "Host", "Signature", "Content-Length", "Content-Type", "digest"])
@pytest.mark.parametrize("value", [None, "something else"])
def test_a_header_that_is_there_twice_is_refused(make, name, value):
    name = digest_name(make) if name == "digest" else name
    message = make(sent={"Content-Length": str(len(BODY)), "Content-Type": "application/activity+json"})
    accept(message)
    refuse(doubled(message, name, value), f"two {name.lower()} headers", error=Forged)


def test_a_second_signature_input_header_is_refused():
    refuse(doubled(rfc9421(), "Signature-Input"), "two signature-input headers", error=Forged)


@pytest.mark.parametrize("name", ["keyId", "algorithm", "headers", "signature", "KEYID"])
def test_a_signature_parameter_that_is_there_twice_is_refused(name):
    message = cavage()
    value = {"headers": POST, "algorithm": "rsa-sha256"}.get(name, KEY_ID)
    for text in (
        f'{header(message, "Signature")},{name}="{value}"',
        f'{name}="{value}",{header(message, "Signature")}',
    ):
        refuse(changed(message, "Signature", text), "twice", error=Forged)


def test_a_header_covered_twice_is_refused():
    refuse(cavage(f"{POST} date"), "twice", error=Forged)
    refuse(rfc9421(f'{COVERED} "@method"'), "twice", error=Forged)


def test_an_rfc9421_label_or_parameter_that_is_there_twice_is_refused():
    refuse(rfc9421(parameters=rfc_parameters() + f';keyid="{KEY_ID}"'), "twice", error=Forged)
    message = rfc9421()
    for name in ("Signature", "Signature-Input"):
        text = header(message, name)
        refuse(changed(message, name, f"{text}, {text}"), "twice", error=Forged)


# what the headers look like


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "Signature",
        'keyId="',
        'keyId=https://alice.test,signature="AAAA"',
        'keyId="https://alice.test/\\"key",signature="AAAA"',
        'keyId="https://alice.test/key" signature="AAAA"',
        ',keyId="https://alice.test/key"',
        f'keyId="{KEY_ID}",headers="{POST}",signature=""',
        f'keyId="{KEY_ID}",headers="{POST}"',
        f'headers="{POST}",signature="AAAA"',
        f'keyId="{KEY_ID}",headers="{POST}",signature="A"',
        f'keyId="{KEY_ID}",headers="{POST}",signature="AA AA"',
        f'keyId="{KEY_ID}",headers="{POST}",signature="AAAA\u00e9"',
        f'keyId="{KEY_ID}",headers="{POST}",signature="{"A" * 9000}"',
    ],
)
def test_a_cavage_header_with_missing_or_broken_pieces_is_refused(text):
    refuse(changed(cavage(), "Signature", text), error=(Malformed, Forged))


def test_spaces_order_and_unknown_parameters_of_a_cavage_header_do_not_matter():
    message = cavage()
    parts = header(message, "Signature").split('",')
    text = '" ,  '.join(reversed([part.strip('"') for part in parts])) + '", opaque="x", version=2'
    accept(changed(message, "Signature", text))


def test_the_first_label_that_can_be_accepted_is_taken():
    proxy = rfc9421(
        '"@status-of-proxy";x "forwarded"', lines={'@status-of-proxy";x': "", "forwarded": "f"}, label="proxy"
    )
    good = rfc9421(label="sig-b")
    both = good
    for name in ("Signature", "Signature-Input"):
        both = changed(both, name, f"{header(proxy, name)}, {header(good, name)}")
    assert accept(both).covered == ("@method", "@target-uri", "content-digest")
    refuse(proxy, "with parameters is not accepted", error=Forged)


def test_a_label_without_its_signature_is_refused():
    message = rfc9421()
    other = changed(message, "Signature", header(message, "Signature").replace("sig1", "sig2"))
    refuse(other, "sig1", error=Malformed)
    refuse(changed(message, "Signature", ""), "sig1", error=Malformed)
    refuse(changed(message, "Signature", "sig1"), "sig1", error=Malformed)
    refuse(changed(message, "Signature", "sig1=(:AAAA:)"), "sig1", error=Malformed)
    refuse(changed(message, "Signature-Input", ""), "no signature", error=Forged)
    refuse(changed(message, "Signature-Input", "sig1"), "sig1", error=Malformed)
    refuse(changed(message, "Signature-Input", 'sig1="x"'), "sig1", error=Malformed)
    refuse(changed(message, "Signature-Input", 'sig1=("a"' + " " * 9000 + ")"), "characters", error=Malformed)


@pytest.mark.parametrize(
    "item", ['"content-type";sf', '"example";key="a"', '"content-type";bs', '"@method";req', '"@query-param";name="a"']
)
def test_components_with_parameters_are_not_accepted(item):
    message = rfc9421()
    text = header(message, "Signature-Input").replace(")", f" {item})", 1)
    refuse(changed(message, "Signature-Input", text), "with parameters is not accepted", error=Forged)


@pytest.mark.parametrize("item", ["token", "1", ":AAAA:", '"Content-Type"'])
def test_components_that_are_not_names_are_malformed(item):
    message = rfc9421()
    text = header(message, "Signature-Input").replace(")", f" {item})", 1)
    refuse(changed(message, "Signature-Input", text), "Signature-Input", error=Malformed)


def test_a_cavage_signature_beside_a_signature_input_is_not_looked_at():
    message = cavage()
    refuse(replace(message, headers=[*message.headers, ("Signature-Input", "")]), error=(Malformed, Forged))
