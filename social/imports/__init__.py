"""What somebody brings along from another server, as the tables (CSV) that Mastodon writes.

`reading` makes rows of a file, `keeping` knows what is still to be done, `clearing` ends what is not in the file where
that was wished, `doing` does one row.  The network is asked by connectme/importing.py, the job JOB.
"""

from social.imports.clearing import clear
from social.imports.doing import do
from social.imports.keeping import (
    AT_ONCE,
    JOB,
    Progress,
    add,
    begin,
    complete,
    due_rows,
    fail,
    failures,
    find,
    forget,
    get,
    of_account,
    prepare,
    progress,
    put_off,
    rest,
    stop,
    tend,
)
from social.imports.reading import COLUMNS, KINDS, read

__all__ = [
    "AT_ONCE",
    "COLUMNS",
    "JOB",
    "KINDS",
    "Progress",
    "add",
    "begin",
    "clear",
    "complete",
    "do",
    "due_rows",
    "fail",
    "failures",
    "find",
    "forget",
    "get",
    "of_account",
    "prepare",
    "progress",
    "put_off",
    "read",
    "rest",
    "stop",
    "tend",
]
