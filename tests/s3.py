"""A throw-away S3-compatible store on this machine: moto's server."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.ports import free_port

BUCKET = "files"
KEYS = {"S3_REGION": "us-east-1", "S3_ACCESS_KEY_ID": "key", "S3_SECRET_ACCESS_KEY": "the-secret"}


def why_not() -> str:
    """Empty when it can be started."""
    missing = [name for name in ("moto", "flask_cors", "obstore") if find_spec(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


@contextmanager
def store(folder: Path) -> Iterator[str]:
    """Its address; BUCKET is in it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = (folder / "log").open("wb")
    with log, subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=log, stderr=log) as moto:
        try:
            _make_bucket(f"{address}/{BUCKET}")
            yield address
        finally:
            moto.kill()


def _make_bucket(address: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(address, method="PUT")).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
