"""The socket that a web process listens on.  Light: the supervisor uses it, too."""

import errno
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectme.errors import Failure
from connectme.settings import Settings

BACKLOG = 1024
IN_USE = "{} is in use by another program; stop that one, or choose another place with --bind"


class CannotListen(Failure):
    lasting = False


def open_listener(settings: Settings, *, shared: bool = False) -> socket.socket:
    """Listens where BIND says.  aiohttp: `web.SockSite(runner, open_listener(settings, …))`.

    shared: with others of the same server (SO_REUSEPORT), as when WEB_PROCESSES is more than one.
    Raises: CannotListen.
    """
    path = settings.socket_path
    try:
        listener = _unix(path) if path else _bound(settings.address, shared=shared)
        listener.listen(BACKLOG)
    except OSError as error:
        raise CannotListen(_why(settings.bind, error)) from error
    listener.setblocking(False)
    return listener


def free_address(settings: Settings) -> str:
    """BIND, with a port of the system's choice where it says 0.

    Raises: CannotListen when another program listens there, which SO_REUSEPORT would hide.
    """
    if settings.socket_path:
        return settings.bind
    try:
        with _bound(settings.address, shared=False) as probe:
            probe.listen(1)
            port = probe.getsockname()[1]
    except OSError as error:
        raise CannotListen(_why(settings.bind, error)) from error
    return f"{settings.bind.rpartition(':')[0]}:{port}"


def _bound(address: tuple[str, int], *, shared: bool) -> socket.socket:
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, place = found[0]
    return _made(family, kind, protocol, lambda made: _bind(made, place, shared=shared))


def _bind(made: socket.socket, place: tuple[Any, ...], *, shared: bool) -> None:
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not blocked by connections that just ended
    if shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(place)


def _unix(path: Path) -> socket.socket:
    _forget(path)
    return _made(socket.AF_UNIX, socket.SOCK_STREAM, 0, lambda made: _bind_unix(made, path))


def _bind_unix(made: socket.socket, path: Path) -> None:
    before = os.umask(0o117)  # for the owner and the group, which the proxy should be in
    try:
        made.bind(str(path))
    finally:
        os.umask(before)


def _forget(path: Path) -> None:
    """Removes a socket that a server left behind when it was killed; never anything else."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise OSError(errno.EADDRINUSE, "somebody answers there")
    path.unlink()


def _made(family: int, kind: int, protocol: int, prepare: Callable[[socket.socket], None]) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        prepare(made)
    except BaseException:
        made.close()
        raise
    return made


def _why(bind: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return IN_USE.format(bind)
    if error.errno == errno.EACCES:
        return f"this user may not listen on {bind}; choose a port above 1023, or another folder"
    return f"cannot listen on {bind}: {error.strerror or error}; correct --bind"
