"""CPU time and memory of processes, from /proc; and how results are shown."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Goal:
    must: float
    aim: float


def children(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, rest = stat.read_text().split(" (", 1)
        except OSError:
            continue
        parents.setdefault(int(rest.rpartition(") ")[2].split()[1]), []).append(int(number))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += parents.get(one, [])
    return found


def cpu(pid: int) -> float:
    """Seconds of CPU used by a process and all below it."""
    return sum(own_cpu(one) for one in children(pid))


def own_cpu(pid: int) -> float:
    """Of one process; nothing when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def pss(pid: int) -> float:
    """Proportional memory of a process and all below it, in MB."""
    return sum(own_pss(one) for one in children(pid))


def own_pss(pid: int) -> float:
    """Of one process, in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def show(name: str, value: float, unit: str, goal: Goal | None = None, more: str = "") -> None:
    def well(limit: float) -> bool:
        """Rates should be high, everything else low."""
        return value >= limit if unit.endswith("/s") else value <= limit

    said = ""
    if goal:
        said = "aim reached" if well(goal.aim) else "must reached" if well(goal.must) else "NOT REACHED"
        said = f"  must {goal.must:g}, aim {goal.aim:g}: {said}"
    print(f"  {name:58} {value:10.2f} {unit:6}{said}  {more}".rstrip(), flush=True)
