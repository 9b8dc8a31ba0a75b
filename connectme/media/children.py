"""A few processes that make pictures, started when they are needed and gone when they are not."""

import asyncio
import json
import logging
import os
import sys
from contextlib import suppress
from typing import Any, Final

from social.errors import Invalid, Unavailable

log = logging.getLogger(__name__)

LONGEST: Final = 30.0  # seconds for one picture
IDLE: Final = 60.0  # seconds until a process without work ends
WAITING: Final = 32  # pictures that may wait for a process; more are asked to come again
COMMAND: Final = (sys.executable, "-m", "connectme.media.child")
BROKEN: Final = "This picture cannot be processed"


class Children:
    def __init__(self, most: int | None = None, longest: float = LONGEST) -> None:
        self._places = asyncio.Semaphore(most or max(1, min(4, os.cpu_count() or 1)))
        self._longest = longest
        self._idle: list[tuple[asyncio.subprocess.Process, asyncio.TimerHandle]] = []
        self._waiting = 0

    async def make(self, source: str, folder: str, wish: str, **more: Any) -> dict[str, Any]:
        """What connectme.media.pictures.make returns.  Raises: Invalid, Unavailable."""
        if self._waiting >= WAITING:
            raise Unavailable("Many pictures are being processed; please try again in a minute")
        self._waiting += 1
        try:
            async with self._places:
                answer = await self._ask({"source": source, "folder": folder, "wish": wish, **more})
        finally:
            self._waiting -= 1
        if "refused" in answer:
            raise Invalid(answer["refused"], why=answer.get("why", ""))
        made: dict[str, Any] = answer["made"]
        return made

    async def close(self) -> None:
        while self._idle:
            child, timer = self._idle.pop()
            timer.cancel()
            await _end(child)

    async def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        child, is_new = await self._take()
        line = await self._answer(child, job)
        if not line and not is_new:  # it ended while nobody wanted it, which is not the fault of this picture
            child = await _start()
            line = await self._answer(child, job)
        if not line:
            log.warning("a picture was too much for the process that made it")
            raise Invalid(BROKEN, why="the process ended")
        timer = asyncio.get_running_loop().call_later(IDLE, self._retire, child)
        self._idle.append((child, timer))
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _answer(self, child: asyncio.subprocess.Process, job: dict[str, Any]) -> bytes:
        """A line; nothing, when the process ended.  Raises: Invalid, when it takes too long."""
        try:
            async with asyncio.timeout(self._longest):
                child.stdin.write(json.dumps(job).encode() + b"\n")  # type: ignore[union-attr]
                line = await child.stdout.readline()  # type: ignore[union-attr]
        except TimeoutError:
            await _end(child)
            raise Invalid(BROKEN, why="the process took too long") from None
        except OSError:
            line = b""
        except BaseException:
            await _end(child)
            raise
        if line.endswith(b"\n"):
            return line
        await _end(child)
        return b""

    async def _take(self) -> tuple[asyncio.subprocess.Process, bool]:
        """A process, and whether it was started just now."""
        while self._idle:
            child, timer = self._idle.pop()
            timer.cancel()
            if child.returncode is None:
                return child, False
        return await _start(), True

    def _retire(self, child: asyncio.subprocess.Process) -> None:
        self._idle = [one for one in self._idle if one[0] is not child]
        if child.stdin is not None:
            child.stdin.close()  # it reads no more, and ends


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )


async def _end(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.kill()
    await child.wait()
