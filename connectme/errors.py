"""What keeps a command from being done, in a line that a person at the terminal can act on.

Failure
├── SettingsError   what is set cannot be used                      settings.py
├── InUse           another server has this data folder             lock.py
├── CannotUse       the database                                   schema.py
│   ├── WrongDatabase   is newer, lost, or somebody else's
│   └── Away            does not answer; may pass by itself
│       └── Changing        is brought to another migration, or has to be
└── CannotListen    the address is taken; may pass by itself         sockets.py
"""

from typing import ClassVar


class Failure(Exception):
    """`str(failure)` says what is wrong and what to do about it."""

    lasting: ClassVar[bool] = True  # the same process, started again, would fail in the same way
