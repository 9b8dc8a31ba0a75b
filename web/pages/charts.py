"""Lines over time as SVG that the server draws: no scripts, and a sentence that says the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Final

WIDTH: Final = 300
HEIGHT: Final = 60
POINTS: Final = 150  # more than that is finer than the picture


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    key: str  # of a sample


@dataclass(frozen=True, slots=True)
class Subject:
    title: str
    lines: tuple[Line, ...]
    shown: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Drawn:
    name: str
    path: str
    now: str
    most: str


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    lines: tuple[Drawn, ...]
    top: str  # what the upper edge is
    says: str


def draw(subject: Subject, samples: Sequence[tuple[int, Mapping[str, float]]], begin: float, end: float) -> Chart:
    series = [
        _thinned([(at, seen[line.key]) for at, seen in samples if line.key in seen], begin, end)
        for line in subject.lines
    ]
    top = max((value for points in series for _, value in points), default=0.0) or 1.0
    lines = tuple(
        Drawn(
            line.name,
            _path(points, begin, end, top),
            subject.shown(points[-1][1]) if points else "-",
            subject.shown(max(value for _, value in points)) if points else "-",
        )
        for line, points in zip(subject.lines, series, strict=True)
    )
    return Chart(subject.title, lines, subject.shown(top), _sentence(subject, series))


def _thinned(points: Sequence[tuple[int, float]], begin: float, end: float) -> list[tuple[float, float]]:
    """The largest value of each part of the time: a peak must not vanish."""
    width = max((end - begin) / POINTS, 1.0)
    parts: dict[int, tuple[float, float]] = {}
    for at, value in points:
        part = int((at - begin) / width)
        if part not in parts or value > parts[part][1]:
            parts[part] = (at, value)
    return [parts[part] for part in sorted(parts)]


def _path(points: Sequence[tuple[float, float]], begin: float, end: float, top: float) -> str:
    """A line that is broken where nobody looked for long."""
    gap, before, path = (end - begin) / 48, float("-inf"), []
    for at, value in points:
        x, y = (at - begin) / (end - begin) * WIDTH, HEIGHT - 2 - value / top * (HEIGHT - 6)
        path.append(f"{'L' if at - before <= gap else 'M'}{x:.1f} {y:.1f}")
        before = at
    return "".join(path)


def _sentence(subject: Subject, series: Sequence[Sequence[tuple[float, float]]]) -> str:
    parts = []
    for line, points in zip(subject.lines, series, strict=True):
        if not points:
            parts.append(f"{line.name}: nothing seen yet")
            continue
        at, most = max(points, key=lambda point: point[1])
        when = datetime.fromtimestamp(at, UTC).strftime("%d %b, %H:%M")
        parts.append(f"{line.name}: now {subject.shown(points[-1][1])}, at most {subject.shown(most)} on {when} UTC")
    return f"{subject.title}. {'; '.join(parts)}."


def letters(value: float) -> str:
    """Whole ones: a part of one, of the mean of some time, is one.

    >>> letters(0.0), letters(0.63), letters(1.0), letters(12345.0)
    ('0 letters', '1 letter', '1 letter', '12,345 letters')
    """
    whole = ceil(value)
    return f"{whole:,} {'letter' if whole == 1 else 'letters'}"


def rate(value: float) -> str:
    """
    >>> rate(0.0), rate(0.0105), rate(0.5), rate(12.345), rate(12345.0)
    ('0 a minute', '0.63 a minute', '30 a minute', '12 a second', '12,345 a second')
    """
    if value < 1:
        return f"{value * 60:.2g} a minute"
    return f"{value:,.0f} a second" if value >= 10 else f"{value:.2g} a second"


def size(value: float) -> str:
    """
    >>> size(1500000.0), size(12e9)
    ('1.5 MB', '12 GB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def span(seconds: float) -> str:
    """
    >>> span(0.0042), span(45.0), span(600.0), span(7200.0)
    ('4.2 ms', '45 s', '10 min', '2 h')
    """
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms" if seconds else "0 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
