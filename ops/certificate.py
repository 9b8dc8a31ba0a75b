"""The certificate that a server shows: is it believed, and for how long?  Light: the standard library alone."""

import socket
import ssl
from dataclasses import dataclass
from typing import Final

PATIENCE: Final = 5.0  # seconds
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Certificate:
    """days: until it ends; wrong: why it is not believed, in the words of OpenSSL.  One of the two is there."""

    days: float | None
    wrong: str = ""


def look(host: str, port: int, now: float, *, ca_file: str = "", patience: float = PATIENCE) -> Certificate:
    """now: seconds since 1970.  Raises: OSError, when nobody answers or what answers is no TLS."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    try:
        with (
            socket.create_connection((host, port), patience) as plain,
            context.wrap_socket(plain, server_hostname=host) as link,
        ):
            shown = link.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Certificate(None, error.verify_message)
    return Certificate(round((ssl.cert_time_to_seconds(str(shown["notAfter"])) - now) / DAY, 1))
