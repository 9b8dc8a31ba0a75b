"""`make bench`, or `python -m benchmarks inbound reads` for a part of it; `followers` is a part of inbound.

BENCH_MANY=1 in the environment: reads once more with a million posts held, which takes minutes to make.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import backup, fanout, footprint, inbound, media, reads, soak, streaming, watching
from benchmarks.measure import Goal
from tests import postgresql

PARTS = ("footprint", "inbound", "spool", "fanout", "reads", "streaming", "media", "watching", "backup", "soak")


def main(asked: list[str]) -> int:
    if unknown := set(asked) - set(_RUN):
        print(f"there is no benchmark {unknown.pop()!r}; there are: {', '.join(_RUN)}", file=sys.stderr)
        return 2
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the modules of a server that is installed are compiled
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for part in asked or PARTS:
            _RUN[part](folder)
    return 0


def _footprint(folder: Path) -> None:
    print("\nMemory and start")
    asyncio.run(footprint.measure(folder / "footprint"))


def _inbound(folder: Path) -> None:
    print("\nInbound, SQLite")
    asyncio.run(inbound.measure(folder / "inbound", None, Goal(1.0, 0.6), Goal(1000, 2000)))
    print("\nInbound, PostgreSQL (CPU of the server processes, without the database's)")
    if reason := postgresql.why_not():
        print(f"  skipped: {reason}")
        return
    with postgresql.cluster() as url:
        address = url.format("postgres")
        asyncio.run(inbound.measure(folder / "inbound-postgresql", address, Goal(1.5, 0.9), None))


def _followers(folder: Path) -> None:
    print("\nNew followers, SQLite")
    asyncio.run(inbound.measure_followers(folder / "followers", None))
    print("\nNew followers, PostgreSQL")
    if reason := postgresql.why_not():
        print(f"  skipped: {reason}")
        return
    with postgresql.cluster() as url:
        asyncio.run(inbound.measure_followers(folder / "followers-postgresql", url.format("postgres")))


def _spool(folder: Path) -> None:
    print("\nThe spool, with the database away")
    asyncio.run(inbound.measure_spool(folder / "spool"))


def _fanout(folder: Path) -> None:
    print("\nFan-out")
    fanout.run(folder / "fanout")


def _reads(folder: Path) -> None:
    print("\nReads, SQLite")
    reads.run(folder / "reads", many="BENCH_MANY" in os.environ)


def _streaming(folder: Path) -> None:
    print("\nStreams")
    asyncio.run(streaming.measure(folder / "streaming"))


def _media(folder: Path) -> None:
    print("\nUploads")
    asyncio.run(media.measure(folder / "media"))


def _watching(folder: Path) -> None:
    print("\nBeing watched, SQLite")
    asyncio.run(watching.measure(folder / "watching", None))
    print("\nBeing watched, PostgreSQL")
    if reason := postgresql.why_not():
        print(f"  skipped: {reason}")
        return
    with postgresql.cluster() as url:
        asyncio.run(watching.measure(folder / "watching-postgresql", url.format("postgres")))


def _backup(folder: Path) -> None:
    print("\nBackups")
    backup.run(folder / "backup", many="BENCH_MANY" in os.environ)


def _soak(folder: Path) -> None:
    print("\nMemory at work, SQLite")
    asyncio.run(soak.measure(folder / "soak"))


_RUN = {
    "footprint": _footprint,
    "inbound": _inbound,
    "followers": _followers,  # a part of inbound
    "spool": _spool,
    "fanout": _fanout,
    "reads": _reads,
    "streaming": _streaming,
    "media": _media,
    "watching": _watching,
    "backup": _backup,
    "soak": _soak,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
