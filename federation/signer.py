"""RSA signatures for many requests at once: OpenSSL counts in threads, while the loop writes and reads.

A signature of RSA-2048 is three quarters of what a delivery costs, and OpenSSL lets go of the interpreter meanwhile.
To wake a thread and be woken costs as much as all our own work for a delivery, so a thread is given several
signatures at a time, and one that is wanted alone is made where it is wanted.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias

Headers: TypeAlias = dict[str, str]
Make: TypeAlias = Callable[[], Headers]
_Wish: TypeAlias = "tuple[Make, asyncio.Future[Headers]]"

THREADS: Final = 2 if len(os.sched_getaffinity(0)) > 1 else 0
AT_ONCE: Final = 16  # signatures that a thread makes before it tells: 11 ms of RSA-2048


class Signer:
    """Made anywhere, used in one event loop; `close` it."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._busy = 0
        self._waiting: deque[_Wish] = deque()
        self._called = False
        self._pool: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Waits for what threads are at.  What is wanted later is made in the loop."""
        self._threads = 0
        if self._pool is not None:
            self._pool.shutdown()

    async def sign(self, make: Make) -> Headers:
        """What `make` returns, in whichever thread.  Raises: what it raises."""
        if not self._threads:
            return make()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Headers] = loop.create_future()
        self._waiting.append((make, future))
        if not self._called:
            self._called = True
            loop.call_soon(self._begin)  # when all have asked who can do so now
        return await future

    def _begin(self) -> None:
        self._called = False
        if not self._threads or (len(self._waiting) == 1 and not self._busy):
            self._settle(self._some(len(self._waiting)))
        while self._waiting and self._busy < self._threads:
            self._hand_over(self._some(AT_ONCE))

    def _some(self, most: int) -> list[_Wish]:
        found = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [wish for wish in found if not wish[1].done()]  # else it was cancelled

    def _hand_over(self, wishes: Sequence[_Wish]) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, "signer")
        self._busy += 1
        work = asyncio.get_running_loop().run_in_executor(self._pool, _made, [make for make, _ in wishes])
        work.add_done_callback(partial(self._end, wishes))

    def _end(self, wishes: Sequence[_Wish], work: "asyncio.Future[list[Headers | Exception]]") -> None:
        self._busy -= 1
        for (_, future), made in zip(wishes, work.result(), strict=True):
            _tell(future, made)
        self._begin()

    def _settle(self, wishes: Sequence[_Wish]) -> None:
        for (_, future), made in zip(wishes, _made([make for make, _ in wishes]), strict=True):
            _tell(future, made)


def _made(wishes: Sequence[Make]) -> list[Headers | Exception]:
    return [_one(make) for make in wishes]


def _one(make: Make) -> Headers | Exception:
    try:
        return make()
    except Exception as error:  # noqa: BLE001  it is raised where it was wanted
        return error


def _tell(future: "asyncio.Future[Headers]", made: Headers | Exception) -> None:
    if future.done():  # cancelled meanwhile
        return
    if isinstance(made, Exception):
        future.set_exception(made)
    else:
        future.set_result(made)
