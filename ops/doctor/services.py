"""Servers that this one uses: can it log in to that of mail, and write to the buckets?  No mail is sent."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlsplit

from ops import mail
from ops.doctor.case import Case
from ops.doctor.words import ill, well
from ops.findings import Finding, first_line

PATIENCE: Final = 5.0  # seconds for one answer
LONGEST: Final = 15.0  # seconds for one check


class Store(Protocol):
    """What is asked of a bucket (store/bucket.py)."""

    async def put(self, name: str, source: Path) -> None: ...
    async def fetch(self, name: str, into: Path) -> None: ...
    async def delete(self, names: list[str]) -> None: ...


Stores: TypeAlias = Mapping[str, Callable[[], Store]]


async def look(case: Case, stores: Stores) -> list[Finding]:
    """stores: what opens each bucket, by its name."""
    asked = (mail_server(case, PATIENCE), *(store(name, opens, LONGEST) for name, opens in stores.items()))
    return [one for some in await asyncio.gather(*asked) for one in some]


async def mail_server(case: Case, patience: float) -> list[Finding]:
    if not case.settings.smtp_url:
        return []
    import aiosmtplib  # noqa: PLC0415  see ops/mail.py

    at = urlsplit(case.settings.smtp_url)
    where = f"{at.scheme}://{at.hostname}" + (f":{at.port}" if at.port else "")
    try:
        async with (
            asyncio.timeout(2 * patience),
            mail.connected(case.settings.smtp_url, case.settings.ca_file, patience),
        ):
            pass
    except TimeoutError:
        trouble = "no answer in time"
    except (aiosmtplib.SMTPException, OSError) as error:
        trouble = first_line(error)[:200]
    else:
        return [well("network.smtp", where)]
    return [ill("network.smtp", "error", f"{where}: {trouble}", trouble=trouble)]


async def store(name: str, opens: Callable[[], Store], longest: float) -> list[Finding]:
    """A small file goes there and back."""
    probe, content = f"probe-{secrets.token_hex(8)}", secrets.token_bytes(64)
    try:
        async with asyncio.timeout(longest):
            bucket = opens()
            with TemporaryDirectory() as folder:
                sent, back = Path(folder) / "sent", Path(folder) / "back"
                sent.write_bytes(content)
                await bucket.put(probe, sent)
                try:
                    await bucket.fetch(probe, back)
                finally:
                    await bucket.delete([probe])
                trouble = "" if back.read_bytes() == content else "what came back is not what was sent"
    except TimeoutError:
        trouble = "no answer in time"
    except (OSError, ImportError) as error:
        trouble = first_line(error)[:200]
    if trouble:
        return [ill("network.store", "error", f"{name}: {trouble}", name=name, trouble=trouble)]
    return [well("network.store", f"{name}: {len(content)} bytes went there and back")]
