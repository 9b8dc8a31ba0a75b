"""A table of what came of the faults, for people; in a document, between its two marks."""

import re
from pathlib import Path

from tests.outage.fault import Fault
from tests.outage.replaying import Result

BEGIN, END = "<!-- made by `make drill` -->\n", "<!-- end -->\n"
_ROW = re.compile(r"^\| (.+?) \| (SQLite|PostgreSQL) \|.*$", re.MULTILINE)
HEAD = "| fault | | noticed after | told how | kept meanwhile | lost | doubled | back after |\n" + "|---" * 8 + "|"


def table(results: list[Result]) -> str:
    return "\n".join([HEAD, *map(_row, results)])


def _row(one: Result) -> str:
    if one.skipped:
        return f"| {one.fault.name} | {one.fault.engine} | not replayed: {one.skipped} | | | | | |"
    by_time = sorted(one.told.items(), key=lambda pair: pair[1])
    told = ", ".join(f"{who} ({seconds:.0f} s)" for who, seconds in by_time if who in one.fault.told)
    remedied = f"doctor: {one.fault.finding}" if one.fault.finding else "goes on by itself"
    lost = f"{len(one.count.lost)} of {one.count.acknowledged}"
    return (
        f"| {one.fault.name} | {one.fault.engine} | {one.noticed:.1f} s | {told}; {remedied} |"
        f" {one.kept} | {lost} | {len(one.count.doubled)} | {one.back:.1f} s |"
    )


def write(document: Path, results: list[Result], faults: list[Fault]) -> None:
    """The rows of `results` are written anew, those of other `faults` stay, all in the order of `faults`."""
    before, inside, after = _parts(document)
    rows = {(found[1], found[2]): found[0] for found in _ROW.finditer(inside)}
    rows |= {(one.fault.name, one.fault.engine): _row(one) for one in results}
    kept = [rows[key] for one in faults if (key := (one.name, one.engine)) in rows]
    document.write_text(f"{before}{BEGIN}\n" + "\n".join([HEAD, *kept]) + f"\n\n{END}{after}", encoding="utf-8")


def named(document: Path) -> list[tuple[str, str]]:
    """The faults of the document: name and engine."""
    return [(found[1], found[2]) for found in _ROW.finditer(_parts(document)[1])]


def _parts(document: Path) -> tuple[str, str, str]:
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    inside, _, after = rest.partition(END)
    return before, inside, after
