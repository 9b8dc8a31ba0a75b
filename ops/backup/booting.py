"""A restored backup as a running server: `connectme serve` on a port of this machine, with no way out."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ops.backup.manifest import BackupError

HOME: Final = Path(__file__).parent.parent.parent
PATIENCE: Final = 120.0  # seconds until it serves: migrations of a large database are among them
TIMELINE: Final = "/api/v1/timelines/public?limit=20"


@dataclass(frozen=True, slots=True)
class Place:
    data_dir: Path
    database_url: str
    domain: str
    base_url: str


class Booted:
    def __init__(self, port: int, host: str) -> None:
        self._base, self._host = f"http://127.0.0.1:{port}", host

    def get(self, path: str, accept: str = "application/json") -> Any:
        """Raises: BackupError."""
        asked = urllib.request.Request(  # noqa: S310  our own port
            self._base + path, headers={"Host": self._host, "Accept": accept}
        )
        try:
            with _DIRECT.open(asked, timeout=30) as answer:
                return json.load(answer)
        except (OSError, ValueError) as error:
            raise BackupError(f"the restored server answers {path} with {error}") from error

    def timeline(self) -> None:
        if not isinstance(self.get(TIMELINE), list):
            raise BackupError("the restored server serves no timeline")

    def public_key(self) -> str:
        """As other servers see it."""
        try:
            return str(self.get("/actor", "application/activity+json")["publicKey"]["publicKeyPem"])
        except (KeyError, TypeError) as error:
            raise BackupError("the restored server shows no public key") from error


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def booted(place: Place) -> Iterator[Booted]:
    """Raises: BackupError, with the last line of its log when it does not serve."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = place.data_dir / "boot.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "connectme", "serve"],
            env=_environment(place, port), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=place.data_dir,
        )  # fmt: skip
        try:
            found = Booted(port, urlsplit(place.base_url).netloc)
            _wait(found, server, log)
            yield found
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait(found: Booted, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            found.get("/readyz")
        except BackupError as error:
            if server.poll() is not None or time.monotonic() > end:
                lines = log.read_text(errors="replace").strip().splitlines() or [str(error)]
                raise BackupError(f"the restored server does not start: {lines[-1][-300:]}") from error
            time.sleep(0.05)
        else:
            return


def _environment(place: Place, port: int) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTME_")}
    ours = {
        "CONFIG": os.devnull,
        "DOMAIN": place.domain,
        "BASE_URL": place.base_url,
        "BIND": f"127.0.0.1:{port}",
        "DATA_DIR": str(place.data_dir),
        "DATABASE_URL": place.database_url,
        "OUTGOING": "false",
        "WORKER_PROCESSES": "0",
        "ALLOW_HTTP_FEDERATION": "true" if place.base_url.startswith("http:") else "false",
    }
    path = os.pathsep.join([str(HOME), *filter(None, [others.get("PYTHONPATH")])])
    return {**others, **{f"CONNECTME_{name}": value for name, value in ours.items()}, "PYTHONPATH": path}
