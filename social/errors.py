"""Refusals that a person should read.  Routes turn them into HTTP; see web/errors.py.

Refusal
├── Unauthorised 401
├── NotAllowed   403
├── NotFound     404
├── Gone         410
├── Invalid      422
│   └── Faulty
└── Unavailable  503
"""

from collections.abc import Sequence
from dataclasses import dataclass


class Refusal(Exception):
    """`str(refusal)` is shown to the user; put details for the log in `__cause__` or `why`."""

    def __init__(self, says: str, *, why: str = "") -> None:
        super().__init__(says)
        self.why = why


class Unauthorised(Refusal):
    pass


class NotAllowed(Refusal):
    pass


class NotFound(Refusal):
    pass


class Gone(Refusal):
    pass


class Invalid(Refusal):
    pass


@dataclass(frozen=True, slots=True)
class Fault:
    """field: of the form.  code: as Mastodon names it.  says: goes on after the name of the field."""

    field: str
    code: str
    says: str


class Faulty(Invalid):
    """All that is wrong, at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        said = ", ".join(f"{fault.field.capitalize()} {fault.says}" for fault in faults)
        super().__init__(f"Validation failed: {said}")
        self.faults = tuple(faults)


class Unavailable(Refusal):
    pass
