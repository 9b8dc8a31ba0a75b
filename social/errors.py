"""Refusals that a person should read.  Routes turn them into HTTP; see web/errors.py.

Refusal
├── Unauthorised 401
├── NotAllowed   403
├── NotFound     404
├── Gone         410
├── Invalid      422
└── Unavailable  503
"""


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


class Unavailable(Refusal):
    pass
