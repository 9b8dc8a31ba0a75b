"""`make drill`: replays all faults at the server's usual pace, and prints a table of what came of them."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.outage import report
from tests.outage.faults import FAULTS
from tests.outage.replaying import Result, replay_all

USUAL = 10  # seconds between two looks of the supervisor
LANES = 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.outage", description=__doc__)
    parser.add_argument("document", nargs="?", type=Path, help="whose table is written anew")
    parser.add_argument("--only", action="append", metavar="WORD", help="faults with this in their name; others stay")
    arguments = parser.parse_args()
    faults = [fault for fault in FAULTS if any(word in fault.id for word in arguments.only or [""])]
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        found = asyncio.run(replay_all(faults, Path(folder), every=USUAL, lanes=LANES))
    results = [one for one in found if isinstance(one, Result)]
    print(report.table(results))
    for fault, one in zip(faults, found, strict=True):
        if not isinstance(one, Result):
            print(f"\n{fault.name} ({fault.engine}): {one}", file=sys.stderr)
    if arguments.document and len(results) == len(faults):
        report.write(arguments.document, results, FAULTS)
    wrong = [one for one in results if not (one.skipped or one.good)]
    return int(bool(wrong) or len(results) < len(faults))


if __name__ == "__main__":
    sys.exit(main())
