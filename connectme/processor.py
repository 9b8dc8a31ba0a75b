"""Which of its two ways to sign with RSA OpenSSL should take on this processor.

Where there is ADX, OpenSSL uses it and leaves its way by AVX2 alone.  On AMD's Zen 3 that is the slower one: 0.81 ms
for a signature of RSA-2048 instead of 0.66, and a signature is most of what a delivery costs.  (To check one takes
0.032 ms instead of 0.026.)  Zen 4 has a third way, which this does not touch.

Source: https://docs.openssl.org/master/man3/OPENSSL_ia32cap/
"""

import os
from pathlib import Path
from typing import Final

NAME: Final = "OPENSSL_ia32cap"
_WITHOUT_ADX: Final = ":~0x80000"
_ZEN_3: Final = {"vendor_id": "AuthenticAMD", "cpu family": "25"}


def environment(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """What to set before OpenSSL is loaded; nothing on other processors, and where nobody says which it is."""
    try:
        first = cpuinfo.read_text().partition("\n\n")[0]
    except OSError:
        return {}
    said = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    flags = set(said.get("flags", "").split())
    is_zen_3 = all(said.get(name) == value for name, value in _ZEN_3.items()) and "avx512ifma" not in flags
    return {NAME: _WITHOUT_ADX} if is_zen_3 and {"adx", "avx2"} <= flags else {}


def prefer() -> None:
    """Sets it for this process, which has not loaded OpenSSL yet, unless it is set."""
    for name, value in environment().items():
        os.environ.setdefault(name, value)
