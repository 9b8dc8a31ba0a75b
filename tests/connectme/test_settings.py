"""What cannot be set is refused in words that help; what can, arrives as it was meant."""

import re
from contextlib import suppress
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectme.settings import SECRETS, Settings, SettingsError, names

ROOT = Path(__file__).parent.parent.parent


def load(environ=None, flags=None, **values):
    """With `values` in the environment."""
    named = {f"CONNECTME_{name.upper()}": value for name, value in values.items()}
    return Settings.load(environ={"CONNECTME_CONFIG": "/dev/null", **named, **(environ or {})}, flags=flags)


def refusal(**values):
    with pytest.raises(SettingsError) as caught:
        load(**values)
    return str(caught.value)


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "connectme.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("domain", "https://example.org/", "give the name alone: example.org"),
        ("domain", "alice@example.org", "is not a host name"),
        ("domain", "exa mple.org", "is not a host name"),
        ("alert_webhook_url", "hooks.example.org", "write like https://"),
        ("deadman_url", "file:///etc/passwd", "write like https://"),
        ("alert_email", "a@b.example, nobody", "is no address"),
        ("domain", "example.org:0", "is not a port"),
        ("domain", "example.org:99999", "is not a port"),
        ("domain", "[::1", "is not a port"),
        ("domain", "[zz]:80", "no IPv6 address"),
        ("domain", "", "is not a host name"),
        ("base_url", "example.org", "write like https://example.org"),
        ("base_url", "ftp://example.org", "write like https://example.org"),
        ("base_url", "https://example.org/social", "a host name of its own"),
        ("base_url", "https://[::1", "is not an address"),
        ("bind", "8000", "is not address:port"),
        ("bind", "127.0.0.1:http", "is not address:port"),
        ("bind", "127.0.0.1:70000", "is not address:port"),
        ("bind", "::1:8000", "in brackets"),
        ("bind", "unix:", "is empty"),
        ("database_url", "postgres://db/connectme", "begin with postgresql://"),
        ("database_url", "postgresql+asyncpg://db/connectme", "begin with postgresql://"),
        ("database_url", "mysql://db/connectme", "is not a database ConnectMe knows"),
        ("database_url", "sqlite://data.db", "three slashes"),
        ("database_url", "sqlite:///:memory:", "lost with the process"),
        ("media_store", "/srv/media", "is not a bucket"),
        ("media_store", "s3://files/../all", "is not a bucket"),
        ("s3_endpoint", "s3.example.org", "write like https://s3.example.org"),
        ("web_processes", "many", "give one from 0 to 64"),
        ("web_processes", "-1", "give one from 0 to 64"),
        ("worker_processes", "65", "give one from 0 to 64"),
        ("registrations", "sometimes", "is not one of open, approval, closed"),
        ("authorized_fetch", "maybe", "neither true nor false"),
        ("allowed_private_networks", "10.0.0.0/33", "is not a network"),
        ("allowed_private_networks", "10.0.0.1/8", "did you mean 10.0.0.0/8?"),
        ("ca_file", "/nowhere/ca.pem", "cannot be read"),
        ("title", "a\x00b", "control characters"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_name_and_a_remedy(name, value, says):
    refused = refusal(**{name: value})
    assert f"CONNECTME_{name.upper()}: " in refused
    assert says in refused


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DOMIAN", "CONNECTME_DOMAIN"),
        ("WEBPROCESSES", "CONNECTME_WEB_PROCESSES"),
        ("PORT", "CONNECTME_BIND"),
        ("DATABASE", "CONNECTME_DATABASE_URL"),
    ],
)
def test_an_unknown_variable_is_refused_with_what_was_meant(name, meant):
    assert f"did you mean {meant}?" in refusal(environ={f"CONNECTME_{name}": "1"})


def test_an_unknown_key_of_the_file_is_refused_with_what_was_meant(file):
    with pytest.raises(SettingsError, match="registration: is not a setting; did you mean registrations"):
        Settings.load(file('registration = "open"'), environ={})


def test_an_unknown_flag_is_refused():
    with pytest.raises(SettingsError, match="--log-levle: is not a setting; did you mean --log-level"):
        Settings.load(environ={}, flags={"log_levle": "debug"})


def test_everything_that_is_wrong_is_said_at_once(file):
    path = file('bnid = "x"\nweb_processes = "many"\nrate_limits = 3\n[trusted_proxies]\na = 1')
    with pytest.raises(SettingsError) as caught:
        Settings.load(path, environ={"CONNECTME_LOG_LEVEL": "loud"})
    assert [problem.name for problem in caught.value.problems] == [
        "bnid",
        "web_processes",
        "rate_limits",
        "trusted_proxies",
        "CONNECTME_LOG_LEVEL",
    ]
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["domain = example.org", "domain", "\x00"])
def test_a_file_that_is_not_toml_is_refused_with_its_name(file, text):
    path = file(text)
    with pytest.raises(SettingsError, match="is not TOML") as caught:
        Settings.load(path, environ={})
    assert str(path) in str(caught.value)


def test_a_file_that_was_named_and_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load(environ={"CONNECTME_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    "values",
    [
        {"domain": "example.org", "allow_http_federation": "true"},
        {"base_url": "http://example.org"},
        {"web_processes": "2"},
        {"worker_processes": "3"},
        {"web_processes": "0", "worker_processes": "0"},
        {"bind": "unix:/tmp/x", "web_processes": "2", "database_url": "postgresql:///x"},
        {"data_dir": __file__},
        {"s3_access_key_id": "key"},
        {"s3_endpoint": "https://s3.example.org"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(values):
    assert refusal(**values)


@given(st.text(max_size=60), st.sampled_from(names()))
def test_any_text_is_a_value_or_a_refusal(text, name):
    with suppress(SettingsError):
        load(**{name: text})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9), lambda a: st.lists(a, max_size=2)
    ),
    st.sampled_from(names()),
)
def test_any_value_of_a_file_is_a_value_or_a_refusal(value, name):
    with suppress(ValueError):
        Settings.READERS[name](value)


def test_without_anything_it_is_a_server_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = Settings.load(environ={})
    assert (found.domain, found.base_url, found.host) == ("localhost:8000", "http://localhost:8000", "localhost:8000")
    assert found.address == ("127.0.0.1", 8000)
    assert found.data_dir == tmp_path / "data"
    assert found.database_url == f"sqlite:///{tmp_path}/data/connectme.db"
    assert found.spool_url == f"sqlite:///{tmp_path}/data/spool.db"
    assert set(found.sources.values()) == {"default"}


def test_a_flag_beats_the_environment_and_that_beats_the_file(file):
    path = file('title = "file"\nlog_level = "error"\ndomain = "file.example"')
    found = Settings.load(
        path,
        environ={"CONNECTME_TITLE": "environment", "CONNECTME_LOG_LEVEL": "debug"},
        flags={"title": "flag", "log_format": None},
    )
    assert (found.title, found.log_level, found.domain) == ("flag", "debug", "file.example")
    assert [found.sources[name] for name in ("title", "log_level", "domain", "log_format")] == [
        "flag",
        "environment",
        str(path),
        "default",
    ]


def test_the_file_beside_which_one_starts_is_read(file, monkeypatch):
    monkeypatch.chdir(file("web_processes = 0\ntrusted_proxies = ['10.0.0.0/8', 'loopback']").parent)
    found = Settings.load(environ={})
    assert found.web_processes == 0
    assert ip_network("10.0.0.0/8") in found.trusted_proxies
    assert ip_network("::1/128") in found.trusted_proxies


@pytest.mark.parametrize(
    ("values", "base_url"),
    [
        ({"domain": "Example.ORG."}, "https://example.org"),
        ({"domain": "bücher.example"}, "https://xn--bcher-kva.example"),
        ({"domain": "127.0.0.1:9000"}, "http://127.0.0.1:9000"),
        ({"domain": "[::1]:9000"}, "http://[::1]:9000"),
        ({"domain": "alice.localhost:8001"}, "http://alice.localhost:8001"),
        ({"domain": "example.org", "base_url": "https://social.example.org:443/"}, "https://social.example.org"),
        ({"domain": "a.test", "base_url": "http://a.test:81"}, "http://a.test:81"),
        ({"bind": "127.0.0.1:9000"}, "http://localhost:8000"),
        ({"bind": "unix:/run/connectme.sock"}, "http://localhost:8000"),
    ],
)
def test_the_address_follows_from_the_domain(values, base_url):
    assert load(**values).base_url == base_url


@pytest.mark.parametrize(
    ("bind", "address"),
    [(":8000", ("0.0.0.0", 8000)), ("[::1]:80", ("::1", 80)), ("localhost:0", ("localhost", 0))],
)
def test_where_to_listen_is_an_address_and_a_port(bind, address):
    assert load(bind=bind).address == address
    assert load(bind=bind).socket_path is None


def test_where_to_listen_may_be_a_unix_socket():
    assert load(bind="unix:/run/connectme.sock").socket_path == Path("/run/connectme.sock")


@pytest.mark.parametrize("name", ["CONNECTME_TEST_DATABASE", "CONNECTME_SERVICE_HOST", "CONNECTME_PORT_8000_TCP_ADDR"])
def test_what_test_suites_and_kubernetes_add_is_not_a_mistake(name):
    assert load(environ={name: "10.0.0.1", "CONNECTME_PORT": "tcp://10.0.0.1:8000"}).domain == "localhost:8000"


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    assert load(metrics_token_file=str(tmp_path / "token")).metrics_token == "s3cret"
    assert "cannot be read" in refusal(metrics_token_file=str(tmp_path / "none"))


def test_secrets_are_masked_where_people_see_them():
    found = load(
        metrics_token="t0ken",
        database_url="postgresql://me:pass%20word@db/x",
        smtp_url="smtp://me:sm%40il@mail.test",
        s3_access_key_id="key",
        s3_secret_access_key="buck3t",
    )
    shown = [str(found.shown(name)) for name in names()]
    assert not any(secret in "".join(shown) for secret in ("t0ken", "buck3t"))
    assert found.shown("database_url") == "postgresql://me:…@db/x"
    assert found.shown("smtp_url") == "smtp://me:…@mail.test"
    assert found.secrets() == ["t0ken", "buck3t", "pass%20word", "sm%40il", "pass word", "sm@il"]
    told = {"alert_ntfy_url", "alert_webhook_url", "deadman_url", "otlp_headers", "sentry_dsn"}
    assert {"metrics_token", "database_url", "smtp_url", "s3_secret_access_key", "backup_passphrase"} | told == SECRETS


@pytest.mark.parametrize(
    "url", ["mail.test", "http://mail.test", "smtp://", "smtp://mail.test:x", "smtp://mail.test/x"]
)
def test_a_mail_server_that_cannot_be_is_refused(url):
    assert "no address of a mail server" in refusal(smtp_url=url)


@pytest.mark.parametrize("sender", ["nobody", "A <b>", "a@b.test\r\nBcc: c@d.test", "A <a@b.test> <c@d.test>"])
def test_a_sender_that_cannot_be_is_refused(sender):
    assert "SMTP_FROM" in refusal(smtp_from=sender)


@pytest.mark.parametrize(
    "dsn", ["sentry.example.org", "https://sentry.example.org/1", "https://key@sentry.example.org/"]
)
def test_a_project_of_a_sentry_that_cannot_be_is_refused(dsn):
    assert "this is no DSN" in refusal(sentry_dsn=dsn)


def test_what_the_collector_gets_in_headers_is_a_secret():
    found = load(otlp_headers="authorization=Bearer%20t0ken, tenant=one")
    assert {"Bearer t0ken", "Bearer%20t0ken", "one"} == set(found.secrets())


def test_a_child_gets_the_same_settings_through_its_environment(tmp_path):
    (tmp_path / "ca.pem").touch()
    found = load(
        domain="example.org",
        trusted_proxies="10.0.0.0/8, fd00::/8",
        ca_file=str(tmp_path / "ca.pem"),
        rate_limits="no",
        metrics_token="t",
    )
    assert Settings.load(environ=found.environment()) == found


def test_every_setting_has_a_comment_a_reader_and_a_section_in_the_documents():
    code = (ROOT / "connectme/settings.py").read_text()
    documents = (ROOT / "docs/admin/settings.md").read_text()
    assert [field.name for field in fields(Settings) if field.name != "sources"] == list(Settings.READERS)
    for name in names():
        assert re.search(rf"\n    #: .+\n    {name}: ", code), name
        assert f"\n### {name.upper()}\n" in documents, name


def test_mail_about_trouble_needs_somebody_who_sends_it():
    assert "set smtp_url" in refusal(alert_email="a@b.test")
    assert load(alert_email="a@b.test, c@d.test", smtp_url="smtp://m.test").alert_email == ("a@b.test", "c@d.test")
