"""What a process that decodes strangers' files may use at most.  Run as a file, it limits itself and becomes a command:

python limits.py SECONDS MEGABYTES COMMAND …
"""

import os
import resource
import sys

LARGEST_FILE = 256 << 20  # bytes that may be written


def limit(seconds: int, megabytes: int) -> None:
    """seconds: of CPU, of this process; megabytes: of memory."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    os.nice(5)  # who waits for an answer comes first


if __name__ == "__main__":
    limit(int(sys.argv[1]), int(sys.argv[2]))
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606  no shell: that is the point
