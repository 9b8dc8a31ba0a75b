"""Which backups are kept: the newest of each of so many days, weeks and months, and what proves that any is good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Keep:
    daily: int = 7
    weekly: int = 4
    monthly: int = 6


def moment(name: str) -> datetime:
    """
    >>> moment("20261127T021500Z").isoformat()
    '2026-11-27T02:15:00+00:00'
    """
    return datetime.strptime(name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def superfluous(names: Sequence[str], levels: Mapping[str, str], keep: Keep) -> list[str]:
    """Those to remove.  Never the newest, nor the newest of those with the highest level of evidence from E2 on.

    >>> superfluous(["20261125T020000Z", "20261126T020000Z", "20261127T020000Z"], {}, Keep(1, 1, 1))
    ['20261125T020000Z', '20261126T020000Z']
    """
    kept = set(sorted(names)[-1:])
    for count, form in ((keep.daily, "%Y-%m-%d"), (keep.weekly, "%G-%V"), (keep.monthly, "%Y-%m")):
        newest = {moment(name).strftime(form): name for name in sorted(names)}  # the last of each
        kept.update([newest[each] for each in sorted(newest)[-count:]] if count else [])
    proved = [(levels.get(name, "E1"), name) for name in names if levels.get(name, "E1") >= "E2"]
    restored = [name for level, name in proved if level >= "E3"]
    if proved:
        kept |= {max(restored) if restored else max(name for _, name in proved), max(proved)[1]}
    return sorted(set(names) - kept)
