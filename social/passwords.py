"""Passwords: argon2id, as plain functions that take some 20 ms of processor.

Doors run them in a small pool of threads, never on the event loop and never in a unit:

    ours = await db.read(users.sign_in_facts, typed_name)
    fits = await loop.run_in_executor(pool, passwords.verify, ours.password if ours else passwords.NOBODY, typed)
    if ours is None or not fits: refuse with users.WRONG

so that an unknown name takes as long, and reads the same, as a wrong password (OWASP, authentication cheat sheet).
"""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from social.errors import Invalid

SHORTEST: Final = 8  # characters
LONGEST: Final = 256

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# The hash of random bytes that nobody kept: what the password of an unknown name is compared with.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$jW3NJBrLfToyyueBDfL/Lw$RM9aTHLnK5HofnsdPH0V1uWAGbBibQC5lhQx3lMG+HE"


def check(password: str) -> str:
    """`password`, if it may be one.  Raises: Invalid."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"A password has {SHORTEST} to {LONGEST} characters")
    if not _is_text(password):
        raise Invalid("That password cannot be typed again")
    return password


def hash_password(password: str) -> str:
    """What `User.password` holds.  Raises: Invalid, when it is too short or too long."""
    return _HASHER.hash(check(password))


def verify(hashed: str, password: str) -> bool:
    """Is it the one?  A hash that cannot be read fits nothing."""
    if len(password) > LONGEST or not _is_text(password):
        return False
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _is_text(password: str) -> bool:
    """False: half a surrogate pair, which JSON can spell and UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in password)
