"""The doctor asks a server of its own through a proxy with TLS that can be made to do each thing wrong."""

import asyncio
import shutil
import socket
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
import trustme
from aiohttp import ClientSession, web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from yarl import URL

from connectme import schema
from connectme.letters import Mailer
from connectme.worker import look_at_clocks
from federation.errors import Unreachable
from ops import alerts, clock, state
from ops.doctor import network, services
from ops.doctor.case import Case
from ops.watch import errands, looks
from social.errors import Unavailable
from social.letters import Letter
from store.bucket import Bucket, Place
from store.tables import hosts
from tests import s3
from tests.ops.doctoring import settings
from tests.ports import free_port
from tests.web.site import running


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch):
    """Nobody here is silent for ever, and a busy machine may take longer than an admin would wait."""
    for module in (network, services):
        monkeypatch.setattr(module, "PATIENCE", 60.0)
        monkeypatch.setattr(module, "LONGEST", 120.0)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


def serving(issued):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.configure_cert(context)
    return context


class Front:
    """A proxy.  `wrong`: its faults."""

    def __init__(self, behind):
        self.behind, self.wrong = behind, set()

    async def pass_on(self, request):
        headers = {**request.headers, "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
        path, body = request.raw_path, await request.read()
        if "login" in self.wrong and request.method == "POST":
            return web.Response(status=403, text="<h1>Are you human?</h1>")
        if "no_for" in self.wrong:
            del headers["X-Forwarded-For"]
        if "scheme" in self.wrong:
            headers["X-Forwarded-Proto"] = "http"
        if "host" in self.wrong:
            headers["Host"] = "127.0.0.1"
        if "body" in self.wrong and body:
            body += b" "
        if "Upgrade" in headers and "upgrade" not in self.wrong:
            return await self.pass_messages(request)
        for name in ("Content-Length", "Upgrade", "Connection"):
            headers.pop(name, None)
        url = URL(f"{self.behind}{path}", encoded=True)
        asked = {"headers": headers, "data": body or None, "allow_redirects": False}
        async with ClientSession() as session, session.request(request.method, url, **asked) as answer:
            kind = answer.headers.get("Content-Type", "").partition(";")[0]
            return web.Response(status=answer.status, body=await answer.read(), content_type=kind or None)

    async def pass_messages(self, request):
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async with ClientSession() as session, session.ws_connect(f"{self.behind}{request.raw_path}") as link:
            if "silent" not in self.wrong:
                await answer.send_str((await link.receive(10)).data)
        await answer.close()
        return answer


@asynccontextmanager
async def fronted(tmp_path, template, authority, ca_file, **more):
    """(front, look): the server behind a proxy; `look()` gives the findings by id."""
    port = free_port()
    name = f"localhost:{port}"
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(template, folder / "ours.db")
    named = {"DOMAIN": name, "BASE_URL": f"https://{name}", **more}
    async with running(f"sqlite:///{folder}/ours.db", folder, **named) as site:
        behind = site.http.make_url("").origin()
        front = Front(str(behind))
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", front.pass_on)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "localhost", port, ssl_context=serving(authority.issue_cert("localhost"))).start()
        ours = settings(
            folder, **named, DATABASE_URL=f"sqlite:///{folder}/ours.db", CA_FILE=str(ca_file),
            BIND=f"127.0.0.1:{behind.port}",
        )  # fmt: skip

        async def look(**stores):
            found = await network.look(Case(ours, schema.newest(), datetime.now(UTC)), stores)
            return {one.id: one for one in found}

        front.site = site
        try:
            yield front, look
        finally:
            await runner.cleanup()


async def test_a_server_behind_a_good_proxy_is_well_and_each_fault_of_the_proxy_is_named(
    tmp_path, sqlite_template, authority, ca_file
):
    async with fronted(tmp_path, sqlite_template, authority, ca_file) as (front, look):
        found = await look()
        expected = {"address", "found", "signature", "proxy", "streams", "certificate", "clock"}
        assert [one.says for one in found.values() if one.severity != "ok"] == []
        assert set(found) == {f"network.{name}" for name in expected}, found
        assert [one for one in found.values() if one.severity != "ok"] == []
        for wrong, check, severity, says in (
            ("no_for", "proxy", "warning", "no X-Forwarded-For"),
            ("scheme", "proxy", "warning", "X-Forwarded-Proto"),
            ("host", "signature", "error", "this server is not"),
            ("body", "signature", "error", "digest"),
            ("login", "signature", "error", "Are you human?"),
            ("upgrade", "streams", "warning", "it answers 200 to who wants a WebSocket"),
            ("silent", "streams", "warning", "before anything came"),
        ):
            front.wrong = {wrong}
            one = (await look())[f"network.{check}"]
            assert (one.severity, says.lower() in one.says.lower()) == (severity, True), one
        front.wrong = set()
        front.behind = f"http://127.0.0.1:{free_port()}"
        found = await look()
        assert (found["network.address"].severity, "network.signature" in found) == ("error", False)


async def test_a_proxy_that_is_not_trusted_is_named(tmp_path, sqlite_template, authority, ca_file):
    async with fronted(tmp_path, sqlite_template, authority, ca_file, TRUSTED_PROXIES="10.0.0.0/8") as (_, look):
        assert "127.0.0.1, which TRUSTED_PROXIES does not name" in (await look())["network.proxy"].says


async def test_the_echo_tells_nobody_else_anything(tmp_path, sqlite_template, authority, ca_file):
    async with fronted(tmp_path, sqlite_template, authority, ca_file) as (front, _):
        site = front.site
        assert (await site.post("/inbox/echo", json={"token": "x"})).status == 401  # under another name
        said = {"Host": site.origin.host}
        assert (await site.post("/inbox/echo", headers=said, json={"token": "x"})).status == 401
        forged = {**said, "Signature": f'keyId="{site.origin.instance_actor}#main-key",signature="AAAA"'}
        assert (await site.post("/inbox/echo", headers=forged, json={"token": "x"})).status == 401
        assert (await site.post("/inbox/echo", headers=said, data=b"x" * 5000)).status == 413
        assert (await site.get("/inbox/echo", headers=said)).status in (404, 405)


async def test_a_server_that_does_not_run_is_no_fault_of_the_network(tmp_path):
    ours = settings(tmp_path, DOMAIN=f"localhost:{free_port()}", BASE_URL="", BIND=f"127.0.0.1:{free_port()}")
    found = await network.look(Case(ours, schema.newest(), datetime.now(UTC)), {})
    assert {one.id: one.severity for one in found} == {"network.serves": "notice", "network.clock": "ok"}


async def shown(context, act):
    """What `act(port)` gives while a server shows this certificate."""

    async def hang_up(_reader, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "localhost", 0, ssl=context)
    async with server:
        return await asyncio.to_thread(act, server.sockets[0].getsockname()[1])


@pytest.mark.parametrize(
    ("name", "days", "believed", "severity", "says"),
    [
        ("localhost", 90, 1.0, "ok", ""),
        ("localhost", 5, 1.0, "warning", "ends in 5.0 days"),
        ("localhost", -1, 0.0, "error", "expired"),
        ("other.test", 90, 0.0, "error", "mismatch"),
    ],
)
async def test_a_certificate_that_ends_or_is_for_another_name_is_found(
    authority, ca_file, name, days, believed, severity, says
):
    until = datetime.now(UTC) + timedelta(days=days, minutes=1)
    context = serving(authority.issue_cert(name, not_before=until - timedelta(days=200), not_after=until))
    now = datetime.now(UTC).timestamp()
    found = await shown(context, lambda port: network._certificate("localhost", port, now, str(ca_file)))
    assert (found.severity, says in found.says) == (severity, True), found
    told = await shown(
        context, lambda port: errands.main({"certificate": f"localhost:{port}", "ca_file": str(ca_file)})
    )
    assert (told["believed"], round(told.get("days", days))) == (believed, days)
    opened, _ = alerts.judge({}, {"certificate": believed, "certificate_days": told.get("days", 90.0)}, 0.0)
    assert set(opened) == ({"certificate-wrong"} if not believed else {"certificate"} if days < 14 else set())


async def test_a_certificate_of_an_unknown_authority_is_not_believed(authority, ca_file, tmp_path):
    context = serving(trustme.CA().issue_cert("localhost"))
    found = await shown(context, lambda port: network._certificate("localhost", port, 0.0, str(ca_file)))
    assert (found.severity, "not believed" in found.says) == ("error", True)


class Others:
    """A federation.client.Client of which only the dates are asked."""

    def __init__(self, **ahead):
        self.ahead = ahead

    async def date(self, host):
        if host not in self.ahead:
            raise Unreachable(host, "no")
        return format_datetime(datetime.now(UTC) + timedelta(seconds=self.ahead[host]), usegmt=True)


async def test_our_clock_is_compared_with_the_one_in_the_middle(tmp_path):
    found = await clock.measure(Others(a=100, b=101, c=9000), ["a", "b", "c", "d"])
    assert (found.servers, -103 < found.seconds < -99) == (3, True)
    assert await clock.measure(Others(), ["a"]) is None
    clock.note(tmp_path, found, now := datetime.now(UTC))
    folder = state.folder(tmp_path)
    assert 99 < looks.records(folder, now, now)["clock_skew"] < 103
    assert "clock_skew" not in looks.records(folder, now + timedelta(hours=4), now)


async def test_the_worker_asks_servers_that_answer_and_writes_down_what_they_say(db, tmp_path):
    def known(tx):
        for name, failures in (("a", 0), ("b", 0), ("silent", 3)):
            tx.execute(hosts.insert().values(name=name, failures=failures, succeeded_at=datetime.now(UTC)))

    await db.write(known)
    house = SimpleNamespace(db=db, client=Others(a=0, b=0, silent=0), settings=settings(tmp_path))
    await look_at_clocks(house, datetime.now(UTC))
    assert state.read_json(state.folder(tmp_path) / "clock.json")["servers"] == 2


class Mails(Controller):
    """A mail server.  at_once: TLS from the beginning; else STARTTLS, before a password is taken."""

    def __init__(self, context, *, at_once):
        self.letters = []
        more = {"ssl_context": context} if at_once else {"tls_context": context, "require_starttls": True}
        self.context, self.at_once = context, at_once
        super().__init__(self, hostname="localhost", port=free_port(), server_hostname="mail.test",
                         ssl_context=more.get("ssl_context"))  # fmt: skip

    def factory(self):
        more = {} if self.at_once else {"tls_context": self.context, "require_starttls": True}
        return SMTP(self, hostname="mail.test", authenticator=self.judge, auth_required=True,
                    auth_require_tls=not self.at_once, **more)  # fmt: skip

    def judge(self, _server, _session, _envelope, _mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"us@ours.test", b"s3cret/word"), handled=False)

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  aiosmtpd's name
        self.letters.append(envelope)
        return "250 kept"

    def _trigger_server(self):
        """The controller's own check that it runs knows no authority."""
        link = socket.create_connection(("localhost", self.port), 5)
        if self.at_once:
            trusting = ssl._create_unverified_context()
            link = trusting.wrap_socket(link)
        with link:
            link.recv(100)

    def url(self, password="s3cret%2Fword"):
        return f"smtp{'s' if self.at_once else ''}://us%40ours.test:{password}@localhost:{self.port}"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is TLS from the beginning
@pytest.mark.parametrize("at_once", [False, True])
async def test_mail_is_sent_in_tls_and_logged_in_and_a_wrong_password_or_certificate_is_refused(
    tmp_path, authority, ca_file, at_once
):
    mails = Mails(serving(authority.issue_cert("localhost")), at_once=at_once)
    mails.start()
    try:
        await used(mails, tmp_path, ca_file)
    finally:
        mails.stop()
    strange = Mails(serving(trustme.CA().issue_cert("localhost")), at_once=at_once)
    strange.start()
    try:
        found, refused = await tried(strange.url(), tmp_path, ca_file)
        assert ("certificate" in found.says.lower(), refused, strange.letters) == (True, True, [])
    finally:
        strange.stop()
    found, refused = await tried(strange.url(), tmp_path, ca_file)
    assert (found.severity, refused) == ("error", True)  # nobody is there


async def used(mails, tmp_path, ca_file):
    found, refused = await tried(mails.url(), tmp_path, ca_file)
    assert (found.severity, refused, len(mails.letters)) == ("ok", False, 1)
    assert mails.letters[0].rcpt_tos == ["bob@far.test"]
    found, refused = await tried(mails.url("wrong"), tmp_path, ca_file)
    assert (found.severity, refused, len(mails.letters)) == ("error", True, 1)
    assert "wrong" not in found.evidence
    email = {"url": mails.url(), "sender": "us@ours.test", "to": ["admin@far.test"], "domain": "ours.test"}
    errand = {"to": {"email": email}, "subject": "trouble", "body": "much", "ca_file": str(ca_file)}
    assert (await asyncio.to_thread(errands.main, errand))["failed"] == {}
    email["url"] = mails.url("wrong")
    assert "email" in (await asyncio.to_thread(errands.main, errand))["failed"]
    assert len(mails.letters) == 2


async def tried(url, tmp_path, ca_file):
    """What the doctor finds, and whether a letter was refused."""
    ours = settings(tmp_path, SMTP_URL=url, CA_FILE=str(ca_file))
    [found] = await network.services.mail_server(Case(ours, "", datetime.now(UTC)), 5.0)
    try:
        await Mailer(ours).send(Letter("bob@far.test", "Hello", "It works."))
    except Unavailable:
        return found, True
    return found, False


@pytest.mark.skipif(bool(s3.why_not()), reason=s3.why_not())
async def test_a_bucket_takes_a_file_and_gives_it_back_or_says_why_not(tmp_path):
    with s3.store(tmp_path) as address:
        for bucket, severity in ((s3.BUCKET, "ok"), ("nowhere", "error")):
            place = Place(bucket, "", address, "us-east-1", "key", "the-secret")
            [found] = await network.services.store("MEDIA_STORE", lambda place=place: Bucket(place), 15.0)
            assert (found.severity, "MEDIA_STORE" in found.evidence) == (severity, True), found
        assert await Bucket(Place(s3.BUCKET, "", address, "us-east-1", "key", "the-secret")).keys() == []
