"""What was found out about the health of this server, and what to do about it.  Light: the supervisor imports it.

The last findings lie in DATA_DIR/state/findings.json, for those who must not wait for new ones: the admin page, alerts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from ops import state

FILE: Final = "findings.json"
Severity: TypeAlias = Literal["ok", "notice", "warning", "error"]
ORDER: Final[tuple[Severity, ...]] = ("ok", "notice", "warning", "error")


@dataclass(frozen=True, slots=True)
class Finding:
    id: str  # "database.rights": of the check, always the same
    severity: Severity  # error: something does not work, or will do harm; warning: it soon may; notice: to know
    says: str  # one line: what is so
    evidence: str  # what was seen: a path, a value, an answer
    remedy: str  # what to do, with the commands; empty when it is ok
    fixable: bool  # by `connectme doctor --fix`


@dataclass(frozen=True, slots=True)
class Kept:
    at: datetime
    findings: tuple[Finding, ...]


def worst(findings: Iterable[Finding]) -> Severity:
    return max((finding.severity for finding in findings), key=ORDER.index, default="ok")


def errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def keep(data_dir: Path, findings: Sequence[Finding], now: datetime, *, file: str = FILE) -> None:
    """Raises: OSError."""
    value = {"at": now.isoformat(), "findings": [asdict(finding) for finding in findings]}
    state.write_json(state.folder(data_dir) / file, value)


def kept(data_dir: Path, file: str = FILE) -> Kept | None:
    """The last ones; None when there are none, or the file is damaged."""
    return _read(state.read_json(data_dir / state.FOLDER / file))


def _read(value: Any) -> Kept | None:
    try:
        found = tuple(Finding(**one) for one in value["findings"])
        return Kept(datetime.fromisoformat(value["at"]), found)
    except (KeyError, TypeError, ValueError):
        return None


def first_line(error: BaseException) -> str:
    """What an exception says, in a line; its name when it says nothing.

    >>> first_line(OSError("no\\nmore")), first_line(KeyError())
    ('no', 'KeyError')
    """
    return next(iter(str(error).splitlines()), "") or type(error).__name__
