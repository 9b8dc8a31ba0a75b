"""Admin::Measure, Admin::Dimension and Admin::Cohort.

https://docs.joinmastodon.org/entities/Admin_Measure/, /Admin_Dimension/ and /Admin_Cohort/
"""

import platform
from collections.abc import Mapping
from datetime import date
from typing import Final

from federation.origin import Origin
from social.moderation.cohorts import Cohort
from social.moderation.dimensions import Database
from social.moderation.figures import Measure, midnight
from web.api import shapes
from web.api.entities.account import moment
from web.languages import LANGUAGES

SPACE: Final = "space_usage"
VERSIONS: Final = "software_versions"
_UNKNOWN: Final = "und"  # language
_ENGINES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def measure(it: Measure) -> shapes.AdminMeasure:
    entity: shapes.AdminMeasure = {
        "key": it.key,
        "unit": None,
        "total": str(it.total),
        "data": [{"date": _shown(day), "value": str(value)} for day, value in it.days],
    }
    if it.before is not None:
        entity["previous_total"] = str(it.before)
    return entity


def dimension(key: str, shares: Mapping[str | None, int], origin: Origin) -> shapes.AdminDimension:
    """What each share is called by programs and by people depends on what the shares are of."""
    named = []
    for name, count in shares.items():
        if key.endswith("languages"):
            code, human = name or _UNKNOWN, LANGUAGES.get(name or "", name or _UNKNOWN)
        elif key == "sources":
            code, human = name or "web", name or "Website"
        else:
            code = human = name or origin.domain
        named.append((code, human, count))
    return {"key": key, "data": [{"key": code, "human_key": human, "value": str(n)} for code, human, n in named]}


def space(it: Database) -> shapes.AdminDimension:
    data = [(it.engine, _ENGINES[it.engine], it.bytes), ("media", "Media storage", it.files)]
    return {
        "key": SPACE,
        "data": [
            {"key": key, "human_key": human, "value": str(size), "unit": "bytes", "human_value": human_size(size)}
            for key, human, size in data
        ],
    }


def versions(it: Database, own: str) -> shapes.AdminDimension:
    data = [
        ("connectme", "ConnectMe", own),
        ("python", "Python", platform.python_version()),
        (it.engine, _ENGINES[it.engine], it.version),
    ]
    return {
        "key": VERSIONS,
        "data": [{"key": key, "human_key": human, "value": said, "human_value": said} for key, human, said in data],
    }


def cohort(it: Cohort, frequency: str) -> shapes.AdminCohort:
    return {
        "period": _shown(it.start),
        "frequency": frequency,
        "data": [{"date": _shown(day), "rate": rate, "value": str(value)} for day, value, rate in it.stayed],
    }


def human_size(number: float) -> str:
    """As Rails writes it.

    >>> human_size(0), human_size(1972544), human_size(837837315424)
    ('0 Bytes', '1.88 MB', '780 GB')
    """
    if number < 1024:
        return f"{number:.0f} Bytes"
    for unit in ("KB", "MB", "GB"):
        number /= 1024
        if number < 1000:
            return f"{number:.3g} {unit}"
    return f"{number / 1024:.3g} TB"


def _shown(day: date) -> str | None:
    return moment(midnight(day))
