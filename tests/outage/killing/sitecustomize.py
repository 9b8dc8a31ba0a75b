"""Python runs this at the start of each process that has this folder in PYTHONPATH.

KILL_AT names a file, with the step of a change in which the process kills itself (tests/outage/killed.py).
"""

import os
import sys
from pathlib import Path

file = Path(os.environ.get("KILL_AT", "/nowhere"))
if file.is_file() and {"change", "upgrade", "rehearse"} & set(sys.orig_argv):
    from tests.outage import killed

    killed.arm(file)
