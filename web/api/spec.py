"""What each route of the API takes and says, told beside the route.

docs/api-coverage.md (web/api/coverage.py) and /api/openapi.json (web/api/openapi.py) are made of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from web.errors import Handler


@dataclass(frozen=True, slots=True)
class Spec:
    """Types are Python's: `str`, `int`, `bool`, `list[str]`, a TypedDict of web/api/shapes.

    answers: of a 200; None: an empty object, or what is not JSON; a tuple: one of these.
    query:   parameters of the address.
    body:    parameters of the body, as JSON, form or multipart.
    partial: what Mastodon has and this does not.
    status:  of the usual answer.
    also:    other statuses with the same answer: of what is not finished.
    old:     the day on which Mastodon said that there is a better one (RFC 9745).
    """

    answers: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    partial: str = ""
    status: int = 200
    also: tuple[int, ...] = ()
    old: date | None = None


SPECS: dict[Handler, Spec] = {}

# How lists are cut: web/paging.py.
PAGE: Final[Mapping[str, Any]] = {"limit": int, "max_id": str, "since_id": str, "min_id": str}


def spec(
    answers: Any = None,
    *,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    partial: str = "",
    status: int = 200,
    also: tuple[int, ...] = (),
    old: date | None = None,
) -> Callable[[Handler], Handler]:
    """Stands between `@routes.get(…)` and `@auth.person(…)`."""

    def declare(handler: Handler) -> Handler:
        SPECS[handler] = Spec(answers, query or {}, body or {}, partial, status, also, old)
        return handler

    return declare
