"""The server of SMTP_URL: connected to, in TLS, and logged in to.  By those who send mail, and by the doctor."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from aiosmtplib import SMTP

PORTS: Final = {"smtp": 587, "smtps": 465}


@asynccontextmanager
async def connected(url: str, ca_file: Path | None, patience: float) -> AsyncIterator["SMTP"]:
    """`smtp://`: STARTTLS when the server has it, and always before a password is said.  `smtps://`: TLS at once.

    patience: seconds for each answer.  Raises: aiosmtplib.SMTPException, OSError.
    """
    import aiosmtplib  # noqa: PLC0415  many servers never send a mail

    at = urlsplit(url)
    user = unquote(at.username) if at.username else None
    server = aiosmtplib.SMTP(
        hostname=at.hostname,
        port=at.port or PORTS[at.scheme],
        username=user,
        password=unquote(at.password or "") if user else None,
        use_tls=at.scheme == "smtps",
        start_tls=True if user and at.scheme == "smtp" else None,
        tls_context=ssl.create_default_context(cafile=str(ca_file)) if ca_file else None,
        timeout=patience,
    )
    async with server:
        yield server
