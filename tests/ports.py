"""Ports for servers that start in a moment, in processes of their own."""

import itertools
import random
import socket

# Below those that a system gives to whoever asks for any: between here and the start of the server, other tests do.
_FIRST, _NUMBER = 20_000, 12_000
_begin = random.randrange(_NUMBER)  # other processes test at the same time
_ports = itertools.cycle(_FIRST + (_begin + number) % _NUMBER for number in range(_NUMBER))


def free_port() -> int:
    """One on which nobody listens, and which nobody here was given lately."""
    return next(port for port in _ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
