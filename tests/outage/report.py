"""A table of what came of the faults, for people; in a document, between its two marks."""

import re
from pathlib import Path

from tests.outage.replaying import Result

BEGIN, END = "<!-- made by `make drill` -->\n", "<!-- end -->\n"
HEAD = "| fault | | noticed after | told how | kept meanwhile | lost | doubled | back after |\n" + "|---" * 8 + "|"


def table(results: list[Result]) -> str:
    return "\n".join([HEAD, *map(_row, results)])


def _row(one: Result) -> str:
    if one.skipped:
        return f"| {one.fault.name} | {one.fault.engine} | not replayed: {one.skipped} | | | | | |"
    by_time = sorted(one.told.items(), key=lambda pair: pair[1])
    told = ", ".join(f"{who} ({seconds:.0f} s)" for who, seconds in by_time if who in one.fault.told)
    lost = f"{len(one.count.lost)} of {one.count.acknowledged}"
    return (
        f"| {one.fault.name} | {one.fault.engine} | {one.noticed:.1f} s | {told}; doctor: {one.fault.finding} |"
        f" {one.kept} | {lost} | {len(one.count.doubled)} | {one.back:.1f} s |"
    )


def write(document: Path, results: list[Result]) -> None:
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n{table(results)}\n\n{END}{after}", encoding="utf-8")


def named(document: Path) -> list[tuple[str, str]]:
    """The faults of the document: name and engine."""
    inside = document.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    return re.findall(r"^\| (.+?) \| (SQLite|PostgreSQL) \|", inside, re.MULTILINE)
