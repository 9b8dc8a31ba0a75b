"""What befalls a unit because others write at the same moment: on PostgreSQL they may between two of its statements.

The same unit, tried again, sees what they committed, and does or says what is right then.
"""

from typing import Final

from sqlalchemy.exc import DBAPIError

LOST: Final = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected: the transaction has to end
# foreign_key_violation, unique_violation: it looked, and a row went or came before it wrote.
OUTRUN: Final = frozenset({"23503", "23505"})


class Vanished(LookupError):
    """A row that the same unit saw a moment ago is no more."""


def is_lost(error: Exception) -> bool:
    return _state(error) in LOST


def is_outrun(error: Exception) -> bool:
    """Not of SQLite, where who writes is alone: it says no such states."""
    return isinstance(error, Vanished) or _state(error) in OUTRUN


def hangs_on_nothing(error: Exception) -> bool:
    """Was a row written that names one which is not there, on either engine?"""
    name = getattr(error.orig, "sqlite_errorname", "") if isinstance(error, DBAPIError) else ""
    return name == "SQLITE_CONSTRAINT_FOREIGNKEY" or _state(error) == "23503"


def _state(error: Exception) -> str:
    return str(getattr(error.orig, "sqlstate", "")) if isinstance(error, DBAPIError) else ""
