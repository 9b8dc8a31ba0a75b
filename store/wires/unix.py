"""Processes of one machine: each that listens has a datagram socket in a folder; who sends, sends to all of them.

The folder is only ours (DATA_DIR is 0700), and a socket's name is never used twice: one that nobody answers belongs to
a process that was killed, and is removed by whoever notices.
"""

import asyncio
import errno
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

AGAIN: Final = 0.01  # seconds until a full socket is tried again
MOST: Final = 1_000  # messages that wait for one listener; a slower one misses some
AT_ONCE: Final = 64  # messages read before others get their turn
_COARSE: Final = 1_000_000_000  # nanoseconds: two changes of a folder within that may bear the same time
_PATH_LIMIT: Final = 100  # bytes that an address of a Unix socket may have, roughly
_FULL: Final = (errno.EAGAIN, errno.ENOBUFS)
_GONE: Final = (errno.ECONNREFUSED, errno.ENOENT)


class UnixWire:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._path = folder, str(folder)
        self._open_folder: int | None = None
        self._name = f"{os.getpid()}-{token_hex(4)}"
        self._out = _socket()
        self._in: socket.socket | None = None
        self._others: list[str] = []
        self._changed = -1  # when the folder did, as of `_others`
        self._waiting: dict[str, deque[bytes]] = {}
        self._retry: asyncio.TimerHandle | None = None

    def send(self, message: bytes) -> None:
        self._look()
        for name in self._others:
            self._send(name, message)

    async def listen(self, hear: Callable[[bytes], None]) -> None:
        self._in = _socket()
        self._in.bind(self._address(self._name))
        asyncio.get_running_loop().add_reader(self._in.fileno(), self._read, self._in, hear)

    async def close(self) -> None:
        if self._in is not None:
            asyncio.get_running_loop().remove_reader(self._in.fileno())
            self._in.close()
            (self._folder / self._name).unlink(missing_ok=True)
        if self._retry is not None:
            self._retry.cancel()
        self._out.close()
        if self._open_folder is not None:
            os.close(self._open_folder)

    def _look(self) -> None:
        """Who listens.  To ask when the folder changed costs a quarter of listing it."""
        changed = os.stat(self._path).st_mtime_ns
        if changed != self._changed:
            self._others = [name for name in os.listdir(self._path) if name != self._name]
            self._changed = changed if time.time_ns() - changed > _COARSE else -1

    def _send(self, name: str, message: bytes) -> None:
        waiting = self._waiting.get(name)
        if waiting is not None:  # in order
            if len(waiting) < MOST:
                waiting.append(message)
        elif not self._put(name, message):
            self._waiting[name] = deque([message])
            if self._retry is None:
                self._retry = asyncio.get_running_loop().call_later(AGAIN, self._send_waiting)

    def _put(self, name: str, message: bytes) -> bool:
        """False: its socket is full."""
        try:
            self._out.sendto(message, self._address(name))
        except OSError as error:
            if error.errno in _FULL:
                return False
            if error.errno not in _GONE:
                raise
            (self._folder / name).unlink(missing_ok=True)
        return True

    def _send_waiting(self) -> None:
        self._retry = None
        for name, waiting in list(self._waiting.items()):
            while waiting and self._put(name, waiting[0]):
                waiting.popleft()
            if not waiting:
                del self._waiting[name]
        if self._waiting:
            self._retry = asyncio.get_running_loop().call_later(AGAIN, self._send_waiting)

    def _read(self, own: socket.socket, hear: Callable[[bytes], None]) -> None:
        with suppress(BlockingIOError):
            for _ in range(AT_ONCE):
                hear(own.recv(65_536))

    def _address(self, name: str) -> str:
        """A long path is gone round by an open folder, where the system has /proc."""
        path = f"{self._path}/{name}"
        if len(os.fsencode(path)) <= _PATH_LIMIT:
            return path
        if self._open_folder is None:
            self._open_folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._open_folder}/{name}"


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
